// Reads roll-ups of one grain: SQL adds up the numbers of each group, and the histograms are added to what their group has.
import type { DatabaseSync } from 'node:sqlite';
import { grainsOf, hasFilter } from '../../rollup/group.ts';
import type { GroupedPoint, GroupedSums, RollupRead } from '../../rollup/group.ts';
import { NO_SHARE, PointGroups, SpanGroups } from '../../rollup/span-groups.ts';
import { SUM_COLUMNS } from '../../rollup/sums.ts';
import { HISTOGRAMS } from './shares.ts';
import type { KeyedShares } from './shares.ts';

const INSIDE = 'grain = ? and bucket_ms >= ? and bucket_ms < ?';
const sumsOf = (columns: readonly string[]): string =>
  columns.map((name) => `sum(${name}) as ${name}`).join(', ');
const POINT_COLUMNS = ['cost_nano_usd', 'runs', 'attempts', 'input_tokens', 'output_tokens'];

/** By group, in no order; exact: SQLite adds integers as integers. */
export function createRollupReader(
  connection: DatabaseSync,
  { ask }: KeyedShares,
): (read: RollupRead) => readonly GroupedPoint[] {
  const numbers = connection.prepare(
    `select share_of(key_id) as share, ${sumsOf(SUM_COLUMNS)} from rollups where ${INSIDE} group by 1`,
  );
  const histograms = connection.prepare(
    `select share_of(key_id) as share, ${HISTOGRAMS} from rollups where ${INSIDE} and share_of(key_id) <> ${NO_SHARE} group by 1`,
  );
  const points = connection.prepare(
    `select share_of(key_id) as share, bucket_ms, ${sumsOf(POINT_COLUMNS)} from rollups where ${INSIDE} group by bucket_ms, 1`,
  );
  // Of everything together no key has to be asked about: the rows lie there bucket by bucket.
  const together = connection.prepare(
    `select share_of(min(key_id)) as share, bucket_ms, ${sumsOf(POINT_COLUMNS)} from rollups where ${INSIDE} group by bucket_ms`,
  );
  const boundsOf = ({ spans, grouping }: RollupRead): readonly (readonly number[])[] =>
    spans.flatMap(({ grain, fromMs, toMs }) => grainsOf(grain, grouping).map((one) => [one, fromMs, toMs]));
  const whole = (read: RollupRead): readonly GroupedSums[] => {
    const groups = ask(read.grouping, (keys) => new SpanGroups(keys));
    for (const bounds of boundsOf(read)) {
      for (const row of numbers.all(...bounds)) groups.add(Number(row['share']), row, 1);
      for (const row of histograms.all(...bounds)) groups.addHistograms(Number(row['share']), row, 1);
    }
    return groups.groups();
  };
  const byBucket = (read: RollupRead): readonly GroupedPoint[] => {
    const groups = ask(read.grouping, (keys) => new PointGroups(keys));
    const { by, filter } = read.grouping;
    const statement = by.length === 0 && !hasFilter(filter) ? together : points;
    for (const bounds of boundsOf(read))
      for (const row of statement.all(...bounds)) groups.add(Number(row['share']), row);
    return groups.points();
  };
  return (read) => (read.as === 'whole' ? whole(read) : byBucket(read));
}
