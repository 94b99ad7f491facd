// Reads roll-ups: SQL adds up the numbers of each key, and the histograms are added to what their group has.
import type { DatabaseSync } from 'node:sqlite';
import { DenseHistogram } from '../../rollup/dense-histogram.ts';
import { decodeDimensions } from '../../rollup/dimensions.ts';
import { groupsOf, matchesFilter } from '../../rollup/group.ts';
import type { GroupedSums, Grouping, RollupRead, RollupSpan } from '../../rollup/group.ts';
import { emptySums } from '../../rollup/sums.ts';
import type { Sums } from '../../rollup/sums.ts';

type Row = { readonly [column: string]: unknown };

interface Group {
  readonly values: readonly string[];
  readonly sums: Sums;
  readonly latency: DenseHistogram;
  readonly firstToken: DenseHistogram;
}

/** By group, in no order; exact: SQLite adds integers as integers. */
export function readRollups(connection: DatabaseSync, read: RollupRead): GroupedSums[] {
  return read.as === 'whole' ? readWhole(connection, read) : readPoints(connection, read);
}

const INSIDE = 'grain = ? and bucket_ms >= ? and bucket_ms < ?';
const boundsOf = ({ grain, fromMs, toMs }: RollupSpan): [number, number, number] => [grain, fromMs, toMs];

function readWhole(connection: DatabaseSync, { spans, grouping }: RollupRead): GroupedSums[] {
  const found = new Map<string, Group>();
  const groupsOfKey = readGroups(connection, grouping, (values) => {
    const name = JSON.stringify(values);
    const known = found.get(name);
    if (known !== undefined) return known;
    const group = {
      values,
      sums: emptySums(),
      latency: new DenseHistogram(),
      firstToken: new DenseHistogram(),
    };
    found.set(name, group);
    return group;
  });
  const numbers = connection.prepare(
    `select key_id, sum(cost_nano_usd) as cost, sum(saved_nano_usd) as saved, sum(runs) as runs, sum(attempts) as attempts,
       sum(errors) as errors, sum(input_tokens) as input, sum(cached_input_tokens) as cached, sum(output_tokens) as output
     from rollups where ${INSIDE} group by key_id`,
  );
  const histograms = connection.prepare(`select key_id, latency, first_token from rollups where ${INSIDE}`);
  histograms.setReturnArrays(true);
  for (const span of spans) {
    for (const row of numbers.all(...boundsOf(span)))
      for (const { sums } of groupsOfKey(row['key_id'] as bigint)) addNumbers(sums, row);
    // As arrays: key, latency, first token.
    for (const row of histograms.iterate(...boundsOf(span)) as Iterable<unknown> as Iterable<
      [bigint, Uint8Array, Uint8Array]
    >) {
      for (const { latency, firstToken } of groupsOfKey(row[0])) {
        latency.add(row[1]);
        firstToken.add(row[2]);
      }
    }
  }
  return [...found.values()].map(({ values, sums, latency, firstToken }) => ({
    bucketMs: 0,
    values,
    sums: { ...sums, latency: latency.toHistogram(), firstToken: firstToken.toHistogram() },
  }));
}

function addNumbers(sums: Sums, row: Row): void {
  sums.costNanoUsd += row['cost'] as bigint;
  sums.savedNanoUsd += row['saved'] as bigint;
  sums.runs += Number(row['runs']);
  sums.attempts += Number(row['attempts']);
  sums.errors += Number(row['errors']);
  sums.inputTokens += row['input'] as bigint;
  sums.cachedInputTokens += row['cached'] as bigint;
  sums.outputTokens += row['output'] as bigint;
}

function readPoints(connection: DatabaseSync, { spans, grouping }: RollupRead): GroupedSums[] {
  const found = new Map<string, GroupedSums>();
  const groupsOfKey = readGroups(connection, grouping, (values) => ({
    values,
    name: JSON.stringify(values),
  }));
  const numbers = connection.prepare(
    `select key_id, bucket_ms, cost_nano_usd as cost, runs from rollups where ${INSIDE} and (cost_nano_usd <> 0 or runs > 0)`,
  );
  for (const span of spans) {
    for (const row of numbers.all(...boundsOf(span))) {
      const bucketMs = Number(row['bucket_ms']);
      for (const { values, name } of groupsOfKey(row['key_id'] as bigint)) {
        const point = found.get(`${bucketMs}${name}`) ?? { bucketMs, values, sums: emptySums() };
        found.set(`${bucketMs}${name}`, point);
        point.sums.costNanoUsd += row['cost'] as bigint;
        point.sums.runs += Number(row['runs']);
      }
    }
  }
  return [...found.values()];
}

/** What `make` gives for each group of a key, looked up once for all rows that have it. */
function readGroups<Made>(
  connection: DatabaseSync,
  { by, filter }: Grouping,
  make: (values: readonly string[]) => Made,
): (keyId: bigint) => readonly Made[] {
  const read = connection.prepare('select dimensions from rollup_keys where id = ?');
  const known = new Map<bigint, readonly Made[]>();
  return (keyId) => {
    const seen = known.get(keyId);
    if (seen !== undefined) return seen;
    const dimensions = decodeDimensions(read.get(keyId)?.['dimensions'] as string);
    const groups = matchesFilter(dimensions, filter) ? groupsOf(dimensions, by).map(make) : [];
    known.set(keyId, groups);
    return groups;
  };
}
