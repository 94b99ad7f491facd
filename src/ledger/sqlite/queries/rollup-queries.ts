// Reads roll-ups: SQL adds up the numbers of each key, and the histograms are added to what their group has.
import type { DatabaseSync } from 'node:sqlite';
import { DenseHistogram } from '../../rollup/dense-histogram.ts';
import { decodeDimensions } from '../../rollup/dimensions.ts';
import { groupsOf, matchesFilter } from '../../rollup/group.ts';
import type { GroupedSums, Grouping, RollupRead, RollupSpan } from '../../rollup/group.ts';
import { SUM_COLUMNS, addRow, emptySums } from '../../rollup/sums.ts';
import type { Sums } from '../../rollup/sums.ts';

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
    `select key_id, ${SUM_COLUMNS.map((name) => `sum(${name}) as ${name}`).join(', ')} from rollups where ${INSIDE} group by key_id`,
  );
  const histograms = connection.prepare(`select key_id, latency, first_token from rollups where ${INSIDE}`);
  histograms.setReturnArrays(true);
  for (const span of spans) {
    for (const row of numbers.all(...boundsOf(span)))
      for (const { sums } of groupsOfKey(row['key_id'] as bigint)) addRow(sums, row);
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

function readPoints(connection: DatabaseSync, { spans, grouping }: RollupRead): GroupedSums[] {
  const found = new Map<string, GroupedSums>();
  const groupsOfKey = readGroups(connection, grouping, (values) => ({
    values,
    name: JSON.stringify(values),
  }));
  const numbers = connection.prepare(
    `select key_id, bucket_ms, cost_nano_usd, runs, attempts, input_tokens, output_tokens from rollups
     where ${INSIDE} and (attempts > 0 or runs > 0)`,
  );
  for (const span of spans) {
    for (const row of numbers.all(...boundsOf(span))) {
      const bucketMs = Number(row['bucket_ms']);
      for (const { values, name } of groupsOfKey(row['key_id'] as bigint)) {
        const point = found.get(`${bucketMs}${name}`) ?? { bucketMs, values, sums: emptySums() };
        found.set(`${bucketMs}${name}`, point);
        point.sums.costNanoUsd += row['cost_nano_usd'] as bigint;
        point.sums.inputTokens += row['input_tokens'] as bigint;
        point.sums.outputTokens += row['output_tokens'] as bigint;
        point.sums.attempts += Number(row['attempts']);
        point.sums.runs += Number(row['runs']);
      }
    }
  }
  return [...found.values()];
}

/** What `make` gives for each group of a key, looked up once for all rows that have it. */
function readGroups<Made>(
  connection: DatabaseSync,
  grouping: Grouping,
  make: (values: readonly string[]) => Made,
): (keyId: bigint) => readonly Made[] {
  const read = connection.prepare('select dimensions from rollup_keys where id = ?');
  const known = new Map<bigint, readonly Made[]>();
  return (keyId) => {
    const seen = known.get(keyId);
    if (seen !== undefined) return seen;
    const dimensions = decodeDimensions(read.get(keyId)?.['dimensions'] as string);
    const groups = matchesFilter(dimensions, grouping.filter) ? groupsOf(dimensions, grouping).map(make) : [];
    known.set(keyId, groups);
    return groups;
  };
}
