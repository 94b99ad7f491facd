// The database is told which groups a key is counted in, so that it adds up by them.
import type { DatabaseSync } from 'node:sqlite';
import { decodeDimensions } from '../../rollup/dimensions.ts';
import type { Dimensions } from '../../rollup/dimensions.ts';
import type { Grouping } from '../../rollup/group.ts';
import { RememberedShares } from '../../rollup/span-groups.ts';
import type { KeyShares, Shares } from '../../rollup/span-groups.ts';

/** Keys are written once and never changed: what they say is decoded once. */
const REMEMBERED_KEYS = 50_000;

/** Of a share. */
export const HISTOGRAMS =
  "cast(group_concat(latency, '') as blob) as latency, cast(group_concat(first_token, '') as blob) as first_token";

/** Of keys, one after the other. */
export const KEYED_HISTOGRAMS = `group_concat(key_id) as keys, group_concat(length(latency)) as latency_lengths,
  group_concat(length(first_token)) as first_token_lengths, ${HISTOGRAMS}`;

/** From now on it is these groups that the database asks. */
type AskForShares = <Groups extends Pick<Shares, 'shareOf' | 'rowShareOf'>>(
  grouping: Grouping,
  groupsOf: (keys: KeyShares) => Groups,
) => Groups;

export interface KeyedShares {
  readonly ask: AskForShares;
  readonly dimensionsOf: (key: number) => Dimensions;
}

/** Gives a connection `share_of(key_id)` for sums, and `share_of_attempt(rollup_key_id, status)` and `share_of_run(rollup_key_id)` for rows. */
export function createShares(connection: DatabaseSync): KeyedShares {
  const keyById = connection.prepare('select dimensions from rollup_keys where id = ?');
  let dimensionsById = new Map<number, Dimensions>();
  const dimensionsOf = (key: number): Dimensions => {
    const known = dimensionsById.get(key);
    if (known !== undefined) return known;
    if (dimensionsById.size >= REMEMBERED_KEYS) dimensionsById = new Map();
    const dimensions = decodeDimensions(keyById.get(key)?.['dimensions'] as string);
    dimensionsById.set(key, dimensions);
    return dimensions;
  };
  let asked: Pick<Shares, 'shareOf' | 'rowShareOf'>;
  const same = { deterministic: true };
  connection.function('share_of', same, (key) => asked.shareOf(key as number, dimensionsOf));
  connection.function('share_of_attempt', same, (key, status) =>
    asked.rowShareOf(key as number, dimensionsOf, status as string),
  );
  connection.function('share_of_run', same, (key) => asked.rowShareOf(key as number, dimensionsOf));
  const remembered = new RememberedShares();
  return {
    dimensionsOf,
    ask(grouping, groupsOf) {
      const groups = groupsOf(remembered.of(grouping));
      asked = groups;
      return groups;
    },
  };
}
