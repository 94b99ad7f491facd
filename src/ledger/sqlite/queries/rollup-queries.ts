// Reads roll-ups: SQL adds up the numbers of each key, and the histograms are added to what their group has.
import type { DatabaseSync } from 'node:sqlite';
import { decodeDimensions } from '../../rollup/dimensions.ts';
import type { Dimensions } from '../../rollup/dimensions.ts';
import { grainsOf, hasFilter } from '../../rollup/group.ts';
import type { GroupedPoint, GroupedSums, Grouping, RollupRead, RollupSpan } from '../../rollup/group.ts';
import { PointGroups, SpanGroups } from '../../rollup/span-groups.ts';
import { SUM_COLUMNS } from '../../rollup/sums.ts';

/** By group, in no order; exact: SQLite adds integers as integers. */
export function readRollups(connection: DatabaseSync, read: RollupRead): readonly GroupedPoint[] {
  const keys = connection.prepare('select dimensions from rollup_keys where id = ?');
  const dimensionsOf = (key: unknown): Dimensions =>
    decodeDimensions(keys.get(key as bigint)?.['dimensions'] as string);
  return (read.as === 'whole' ? readWhole : readPoints)(read, connection, dimensionsOf);
}

const INSIDE = 'grain = ? and bucket_ms >= ? and bucket_ms < ?';
type Bounds = readonly [number, number, number];
/** Of each span, and of all that is read of its grain. */
const boundsOf = (spans: readonly RollupSpan[], grouping: Grouping): readonly Bounds[] =>
  spans.flatMap(({ grain, fromMs, toMs }) =>
    grainsOf(grain, grouping).map((one) => [one, fromMs, toMs] as const),
  );

function readWhole(
  { spans, grouping }: RollupRead,
  connection: DatabaseSync,
  dimensionsOf: (key: unknown) => Dimensions,
): readonly GroupedSums[] {
  const groups = new SpanGroups(grouping);
  const numbers = connection.prepare(
    `select key_id, ${SUM_COLUMNS.map((name) => `sum(${name}) as ${name}`).join(', ')} from rollups where ${INSIDE} group by key_id`,
  );
  const histograms = connection.prepare(`select key_id, latency, first_token from rollups where ${INSIDE}`);
  for (const bounds of boundsOf(spans, grouping)) {
    for (const row of numbers.all(...bounds)) groups.add(groups.shareOf(row['key_id'], dimensionsOf), row, 1);
    for (const row of histograms.iterate(...bounds))
      groups.addHistograms(groups.shareOf(row['key_id'], dimensionsOf), row, 1);
  }
  return groups.answer().groups;
}

function readPoints(
  { spans, grouping }: RollupRead,
  connection: DatabaseSync,
  dimensionsOf: (key: unknown) => Dimensions,
): readonly GroupedPoint[] {
  const points = new PointGroups(grouping);
  const numbers = connection.prepare(
    `select key_id, bucket_ms, cost_nano_usd, runs, attempts, input_tokens, output_tokens from rollups
     where ${INSIDE} and (attempts > 0 or runs > 0)`,
  );
  // Of everything together the database gives one row for each bucket, in the order in which they lie there.
  const together = connection.prepare(
    `select min(key_id) as key_id, bucket_ms, ${['cost_nano_usd', 'runs', 'attempts', 'input_tokens', 'output_tokens'].map((name) => `sum(${name}) as ${name}`).join(', ')}
     from rollups where ${INSIDE} group by bucket_ms`,
  );
  const read = grouping.by.length === 0 && !hasFilter(grouping.filter) ? together : numbers;
  for (const bounds of boundsOf(spans, grouping))
    for (const row of read.iterate(...bounds)) points.add(row['key_id'], dimensionsOf, row);
  return points.points();
}
