// The roll-ups' changes of one turn: added up in memory on the node's own rows, which no other node writes.
import { decodeInto, encodeHistogram } from '../../common/histogram.ts';
import {
  BY_SESSION,
  DAYS,
  HOURS,
  GRAIN_MS,
  QUARTERS,
  SESSION_DAYS,
  bucketStartMs,
  MINUTES,
  CountedPlaces,
} from '../rollup/dimensions.ts';
import type { CountedPlace } from '../rollup/dimensions.ts';
import {
  AMOUNT_NAMES,
  COUNT_NAMES,
  SUM_COLUMNS,
  addNumbers,
  addRow,
  addSums,
  emptySums,
} from '../rollup/sums.ts';
import type { Sums } from '../rollup/sums.ts';
import { withinSum } from '../sqlite/written-values.ts';
import { DATABASE_NOW_MS, NOBODY } from './connection.ts';
import type { Queryable, Row } from './connection.ts';
import { WRITE_ROLLUPS } from './statement.ts';

const REMEMBERED_ROWS = 3_000;
const REMEMBERED_KEYS = 20_000;

interface Change {
  readonly key: string;
  readonly minuteMs: number;
  readonly sums: Sums;
}

interface Bucket {
  readonly name: string;
  readonly grain: number;
  readonly bucketMs: number;
  readonly keyId: number;
}

export class RollupChanges {
  readonly #node: number;
  #changes = new Map<string, Change>();
  #keys = new Set<string>();
  #keyIds = new Map<string, number>();
  #rows = new Map<string, Sums>();
  readonly #places = new CountedPlaces();

  constructor(node: number) {
    this.#node = node;
  }

  /** The sums of one dimension key in one minute, to be added to. */
  at(key: string, atMs: number): Sums {
    const minuteMs = bucketStartMs(MINUTES, atMs);
    const name = `${minuteMs}${key}`;
    const known = this.#changes.get(name);
    if (known !== undefined) return known.sums;
    const sums = emptySums();
    this.#changes.set(name, { key, minuteMs, sums });
    return sums;
  }

  /** `keyId` of it can be asked after `resolve`. */
  want(key: string): void {
    if (!this.#keyIds.has(key)) this.#keys.add(key);
  }

  keyId(key: string): number {
    const id = this.#keyIds.get(key);
    if (id === undefined) throw new Error(`the roll-up key ${key} was not asked for`);
    return id;
  }

  /** Writes the keys that are new; each combination of dimensions once, whichever node meets it first. */
  async resolve(database: Queryable): Promise<void> {
    for (const { key } of this.#changes.values())
      for (const place of this.#places.of(key)) this.want(place.key);
    if (this.#keys.size === 0) return;
    if (this.#keyIds.size + this.#keys.size > REMEMBERED_KEYS) {
      for (const key of this.#keyIds.keys()) this.#keys.add(key);
      this.#keyIds = new Map();
    }
    const wanted = [...this.#keys].sort();
    await database.query(
      'insert into rollup_keys (dimensions) select unnest($1::text[]) on conflict (dimensions) do nothing',
      [wanted],
    );
    const { rows } = await database.query(
      'select id, dimensions from rollup_keys where dimensions = any($1::text[])',
      [wanted],
    );
    for (const { id, dimensions } of rows as { id: bigint; dimensions: string }[])
      this.#keyIds.set(dimensions, Number(id));
    this.#keys.clear();
  }

  /** The node's rows as they are with the changes. After `resolve`. */
  async take(database: Queryable): Promise<object[]> {
    if (this.#changes.size === 0) return [];
    if (this.#rows.size > REMEMBERED_ROWS) this.#rows = new Map();
    const touched = new Map<string, Bucket & { readonly changes: Sums[] }>();
    for (const change of this.#changes.values())
      for (const place of this.#places.of(change.key)) this.#touch(touched, place, change);
    const added = await this.#added(database, touched);
    this.#changes.clear();
    return added;
  }

  /** Rows of other nodes added to this one's. */
  async merge(database: Queryable, rows: readonly Row[]): Promise<object[]> {
    const touched = new Map<string, Bucket & { readonly changes: Sums[] }>();
    for (const row of rows) {
      const [grain, bucketMs, keyId] = [row['grain'], row['bucket_ms'], row['key_id']].map(Number) as [
        number,
        number,
        number,
      ];
      const name = `${grain}:${bucketMs}:${keyId}`;
      const known = touched.get(name);
      if (known === undefined) touched.set(name, { name, grain, bucketMs, keyId, changes: [sumsOfRow(row)] });
      else known.changes.push(sumsOfRow(row));
    }
    return this.#added(database, touched);
  }

  async #added(
    database: Queryable,
    touched: ReadonlyMap<string, Bucket & { readonly changes: Sums[] }>,
  ): Promise<object[]> {
    await this.#read(database, [...touched.values()]);
    return [...touched.values()].map(({ name, grain, bucketMs, keyId, changes }) => {
      const sums = this.#rows.get(name) ?? emptySums();
      const add = grain === QUARTERS ? addNumbers : addSums;
      for (const change of changes) add(sums, change);
      this.#rows.set(name, sums);
      return { grain, bucketMs, keyId, node: this.#node, ...written(sums) };
    });
  }

  #touch(
    touched: Map<string, Bucket & { readonly changes: Sums[] }>,
    { key, grains }: CountedPlace,
    { minuteMs, sums }: Change,
  ): void {
    const keyId = this.keyId(key);
    for (const grain of grains) {
      const bucketMs = bucketStartMs(grain, minuteMs);
      const name = `${grain}:${bucketMs}:${keyId}`;
      const known = touched.get(name);
      if (known === undefined) touched.set(name, { name, grain, bucketMs, keyId, changes: [sums] });
      else known.changes.push(sums);
    }
  }

  async #read(database: Queryable, buckets: readonly Bucket[]): Promise<void> {
    const missing = buckets.filter(({ name }) => !this.#rows.has(name));
    if (missing.length === 0) return;
    const { rows } = await database.query(
      `select rollups.* from rollups join unnest($1::bigint[], $2::bigint[], $3::bigint[]) as u(g, b, k)
         on grain = g and bucket_ms = b and key_id = k and node = $4`,
      [
        missing.map(({ grain }) => grain),
        missing.map(({ bucketMs }) => bucketMs),
        missing.map(({ keyId }) => keyId),
        this.#node,
      ],
    );
    for (const { name } of missing) this.#rows.set(name, emptySums());
    for (const row of rows as Row[]) {
      const name = `${row['grain'] as bigint}:${row['bucket_ms'] as bigint}:${row['key_id'] as bigint}`;
      this.#rows.set(name, sumsOfRow(row));
    }
  }

  /** After a turn that was not written, and after rows were deleted. */
  forget(): void {
    this.#changes.clear();
    this.#keys.clear();
    this.#rows = new Map();
  }
}

/** A node that showed no sign of life for so long writes nothing any more, not even late. */
const LONG_DEAD_MS = 3_600_000;

/** Adds the sums of nodes that are long dead to those of nobody; at most `limit` rows at a time. Returns how many there were. */
export async function mergeRollups(database: Queryable, limit: number): Promise<number> {
  const { rows } = await database.query(
    `delete from rollups where ctid = any(array(
       select rollups.ctid from rollups join nodes on nodes.seq = rollups.node
       where not nodes.alive and beat_at_ms < ${DATABASE_NOW_MS} - $1 limit $2))
     returning *`,
    [LONG_DEAD_MS, limit],
  );
  if (rows.length === 0) return 0;
  const merged = new RollupChanges(NOBODY);
  const changed = await merged.merge(database, rows as Row[]);
  await database.query(WRITE_ROLLUPS, [JSON.stringify(changed)]);
  return rows.length;
}

const sessionKey = (of: string): string =>
  `'["","","","","","","{}",' || (${of}.dimensions::json -> 7)::text || ',""]'`;
const SESSION_SUMS = SUM_COLUMNS.map((name) => `sum(${name})::bigint`).join(', ');

/** In SQL; false: a node of a version before days by session alone still writes, or its sums were not completed yet. */
export const HAS_SESSION_DAYS = 'not exists (select 1 from nodes where not has_session_days)';
/** In SQL; false: a node of a version before quarters of an hour still writes, or they have not begun since. */
export const HAS_QUARTERS = 'not exists (select 1 from nodes where not has_quarters)';

export async function isTrue(database: Queryable, condition: string): Promise<boolean> {
  const { rows } = await database.query(`select ${condition} as "is"`);
  return (rows[0] as { is: boolean } | undefined)?.is === true;
}

/**
 * Adds up the days by session alone of nodes that knew none, once the last of them writes nothing any more, not even late. A histogram is a list of
 * pairs that are added: one after the other they are the sum.
 */
export async function completeSessionDays(database: Queryable, longDeadMs = LONG_DEAD_MS): Promise<void> {
  if (await isTrue(database, HAS_SESSION_DAYS)) return;
  const { rowCount } = await database.query(
    `select 1 from nodes where not has_session_days and (alive or beat_at_ms >= ${DATABASE_NOW_MS} - $1) limit 1`,
    [longDeadMs],
  );
  if (rowCount !== 0) return;
  const theirs = `(node = ${NOBODY} or node in (select seq from nodes where not has_session_days))`;
  await database.query(`delete from rollups where grain = ${SESSION_DAYS} and ${theirs}`);
  await database.query(
    `insert into rollup_keys (dimensions)
     select distinct ${sessionKey('rollup_keys')} from rollups join rollup_keys on rollup_keys.id = key_id
     where grain = ${DAYS + BY_SESSION} and ${theirs} on conflict (dimensions) do nothing`,
  );
  await database.query(
    `insert into rollups (grain, bucket_ms, key_id, node, ${SUM_COLUMNS.join(', ')}, latency, first_token)
     select ${SESSION_DAYS}, bucket_ms, session.id, node, ${SESSION_SUMS}, string_agg(latency, ''), string_agg(first_token, '')
     from rollups join rollup_keys on rollup_keys.id = key_id
       join rollup_keys as session on session.dimensions = ${sessionKey('rollup_keys')}
     where grain = ${DAYS + BY_SESSION} and ${theirs} group by bucket_ms, session.id, node`,
  );
  await database.query('update nodes set has_session_days = true where not has_session_days');
}

/** Quarters are kept from the hour on in which nothing was written yet when the last node was gone that writes none. */
export async function beginQuarters(database: Queryable, longDeadMs = LONG_DEAD_MS): Promise<void> {
  const { rowCount } = await database.query(
    `select 1 from nodes where not has_quarters and (alive or beat_at_ms >= ${DATABASE_NOW_MS} - $1) limit 1`,
    [longDeadMs],
  );
  if (rowCount !== 0) return;
  await database.query(
    `update ledger_state set quarters_from_ms =
       coalesce((select max(bucket_ms) + ${GRAIN_MS[HOURS]} from rollups where grain = ${HOURS}), 0)
     where quarters_from_ms is null or exists (select 1 from nodes where not has_quarters)`,
  );
  await database.query('update nodes set has_quarters = true where not has_quarters');
}

function written(sums: Sums): object {
  const row: { [name: string]: string | number } = {};
  for (const name of AMOUNT_NAMES) row[name] = String(withinSum(sums[name]));
  for (const name of COUNT_NAMES) row[name] = sums[name];
  row['latency'] = hex(encodeHistogram(sums.latency));
  row['firstToken'] = hex(encodeHistogram(sums.firstToken));
  return row;
}

const hex = (bytes: Uint8Array): string => `\\x${Buffer.from(bytes).toString('hex')}`;

export function sumsOfRow(row: Row): Sums {
  const sums = emptySums();
  addRow(sums, row);
  decodeInto(sums.latency, row['latency'] as Uint8Array);
  decodeInto(sums.firstToken, row['first_token'] as Uint8Array);
  return sums;
}
