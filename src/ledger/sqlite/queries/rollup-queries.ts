// Reads roll-ups: the sums of spans of time, by bucket and group.
import type { DatabaseSync } from 'node:sqlite';
import { decodeDimensions } from '../../rollup/dimensions.ts';
import { groupsOf, matchesFilter } from '../../rollup/group.ts';
import type { GroupedSums, Grouping, RollupRead } from '../../rollup/group.ts';
import { addSums, emptySums } from '../../rollup/sums.ts';
import { sumsOfRow } from '../rollup-writes.ts';

/** By bucket and group, in no order. Straight SQL: thousands of rows pass here. */
export function readRollups(connection: DatabaseSync, read: RollupRead): GroupedSums[] {
  const groupsOfKey = readGroups(connection, read.grouping);
  const rows = connection
    .prepare('select * from rollups where grain = ? and bucket_ms >= ?')
    .all(read.grain, read.fromMs);
  const found = new Map<string, GroupedSums>();
  for (const row of rows) {
    const groups = groupsOfKey(Number(row['key_id']));
    if (groups.length === 0) continue;
    const bucketMs = Number(row['bucket_ms']);
    const sums = sumsOfRow(row);
    for (const group of groups) {
      const name = `${bucketMs}${group.name}`;
      const known = found.get(name);
      if (known === undefined) found.set(name, { bucketMs, values: group.values, sums: copy(sums) });
      else addSums(known.sums, sums);
    }
  }
  return [...found.values()];
}

interface Group {
  readonly name: string;
  readonly values: readonly string[];
}

/** The groups of a key, looked up once for all rows that have it. */
function readGroups(connection: DatabaseSync, { by, filter }: Grouping): (keyId: number) => readonly Group[] {
  const read = connection.prepare('select dimensions from rollup_keys where id = ?');
  const known = new Map<number, readonly Group[]>();
  return (keyId) => {
    const seen = known.get(keyId);
    if (seen !== undefined) return seen;
    const dimensions = decodeDimensions(read.get(keyId)?.['dimensions'] as string);
    const groups = matchesFilter(dimensions, filter)
      ? groupsOf(dimensions, by).map((values) => ({ name: JSON.stringify(values), values }))
      : [];
    known.set(keyId, groups);
    return groups;
  };
}

function copy(sums: GroupedSums['sums']): GroupedSums['sums'] {
  const made = emptySums();
  addSums(made, sums);
  return made;
}
