// Reads roll-ups: SQL adds up the numbers of each key, and the histograms are added to what their group has.
import type { DatabaseSync } from 'node:sqlite';
import { decodeDimensions } from '../../rollup/dimensions.ts';
import type { Dimensions } from '../../rollup/dimensions.ts';
import { grainsOf, sharesOf } from '../../rollup/group.ts';
import type { GroupedSums, Grouping, RollupRead, RollupSpan } from '../../rollup/group.ts';
import { SpanGroups } from '../../rollup/span-groups.ts';
import { SUM_COLUMNS, emptySums, isNothing } from '../../rollup/sums.ts';

/** By group, in no order; exact: SQLite adds integers as integers. */
export function readRollups(connection: DatabaseSync, read: RollupRead): readonly GroupedSums[] {
  return read.as === 'whole' ? readWhole(connection, read) : readPoints(connection, read);
}

const INSIDE = 'grain = ? and bucket_ms >= ? and bucket_ms < ?';
type Bounds = readonly [number, number, number];
/** Of each span, and of all that is read of its grain. */
const boundsOf = (spans: readonly RollupSpan[], grouping: Grouping): readonly Bounds[] =>
  spans.flatMap(({ grain, fromMs, toMs }) =>
    grainsOf(grain, grouping).map((one) => [one, fromMs, toMs] as const),
  );

function readWhole(connection: DatabaseSync, { spans, grouping }: RollupRead): readonly GroupedSums[] {
  const groups = new SpanGroups(grouping);
  const read = connection.prepare('select dimensions from rollup_keys where id = ?');
  const dimensionsOf = (key: unknown): Dimensions =>
    decodeDimensions(read.get(key as bigint)?.['dimensions'] as string);
  const numbers = connection.prepare(
    `select key_id, ${SUM_COLUMNS.map((name) => `sum(${name}) as ${name}`).join(', ')} from rollups where ${INSIDE} group by key_id`,
  );
  const histograms = connection.prepare(`select key_id, latency, first_token from rollups where ${INSIDE}`);
  for (const bounds of boundsOf(spans, grouping)) {
    for (const row of numbers.iterate(...bounds)) groups.addKey(row['key_id'], dimensionsOf, row, 1);
    for (const row of histograms.iterate(...bounds))
      groups.addHistograms(row['key_id'], dimensionsOf, row, 1);
  }
  return groups.groups();
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
  for (const bounds of boundsOf(spans, grouping)) {
    for (const row of numbers.all(...bounds)) {
      const bucketMs = Number(row['bucket_ms']);
      for (const {
        made: { values, name },
        sign,
      } of groupsOfKey(row['key_id'] as bigint)) {
        const point = found.get(`${bucketMs}${name}`) ?? { bucketMs, values, sums: emptySums() };
        found.set(`${bucketMs}${name}`, point);
        const times = BigInt(sign);
        point.sums.costNanoUsd += times * (row['cost_nano_usd'] as bigint);
        point.sums.inputTokens += times * (row['input_tokens'] as bigint);
        point.sums.outputTokens += times * (row['output_tokens'] as bigint);
        point.sums.attempts += sign * Number(row['attempts']);
        point.sums.runs += sign * Number(row['runs']);
      }
    }
  }
  return [...found.values()].filter(({ sums }) => !isNothing(sums));
}

/** What `make` gives for each group of a key, looked up once for all rows that have it. */
function readGroups<Made>(
  connection: DatabaseSync,
  grouping: Grouping,
  make: (values: readonly string[]) => Made,
): (keyId: bigint) => readonly { readonly made: Made; readonly sign: 1 | -1 }[] {
  const read = connection.prepare('select dimensions from rollup_keys where id = ?');
  const known = new Map<bigint, readonly { readonly made: Made; readonly sign: 1 | -1 }[]>();
  return (keyId) => {
    const seen = known.get(keyId);
    if (seen !== undefined) return seen;
    const dimensions = decodeDimensions(read.get(keyId)?.['dimensions'] as string);
    const groups = sharesOf(dimensions, grouping).map(({ values, sign }) => ({ made: make(values), sign }));
    known.set(keyId, groups);
    return groups;
  };
}
