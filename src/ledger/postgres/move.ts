// Copies the rows of a ledger between a file and PostgreSQL, a table at a time, in one transaction.
import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue } from 'node:sqlite';
import { join } from 'node:path';
import { getTableName } from 'drizzle-orm';
import type { Clock } from '../../common/clock.ts';
import { systemClock } from '../../common/clock.ts';
import { compare, refused } from '../move.ts';
import { PACKAGE_MIGRATIONS, openLedger } from '../open.ts';
import { encodeHistogram } from '../../common/histogram.ts';
import { AMOUNTS, AMOUNT_NAMES, COUNTS, COUNT_NAMES, LINE, addSums } from '../rollup/sums.ts';
import type { Sums } from '../rollup/sums.ts';
import { openForReading } from '../sqlite/connection.ts';
import type { VerifyReport } from '../verify/report.ts';
import { explainPostgresError, inTransaction, openPool, quotedSchema, readAddress } from './connection.ts';
import type { Queryable, Row } from './connection.ts';
import { LOCKS, migrate } from './migrate.ts';
import { registerNode } from './nodes.ts';
import { verify } from './queries/verify.ts';
import { completeSessionDays, sumsOfRow } from './rollup-changes.ts';
import { columnsOf, keys, names, recordset } from './statement.ts';
import type { Column } from './statement.ts';
import * as tables from './tables.ts';

const ROWS_AT_ONCE = 1_000;
/** A node that is silent is buried within a few seconds of the longest silence that is usual. */
const BURIED_WITHIN_MS = 20_000;

const MOVED = [
  tables.contents,
  tables.revisions,
  tables.callers,
  tables.runs,
  tables.steps,
  tables.attempts,
  tables.budgetWindows,
  tables.learntBounds,
  tables.alerts,
  tables.switches,
  tables.alertSinks,
  tables.alertOutbox,
  tables.apiKeys,
  tables.rollupKeys,
  tables.rollups,
];
const STATE = ['pruned_before_ms', 'minutes_from_ms', 'hours_from_ms', 'quarters_from_ms'];

/** Without the node, which a file has not. */
const sharedColumns = (table: (typeof MOVED)[number]): readonly Column[] => columnsOf(table, ['node']);

/** All of a file's rows, as those of a node that has left: what it was in the middle of, the next node settles and takes over. */
export async function intoPostgres(path: string, to: string, before: VerifyReport): Promise<VerifyReport> {
  const address = readAddress(to);
  // Adding up a large ledger takes longer between two statements than a node may stand still.
  const pool = openPool({ ...address, silenceMs: 0 }, 2);
  const file = openForReading(path);
  try {
    await migrate(pool, address, join(PACKAGE_MIGRATIONS, 'postgres'));
    return await inTransaction(pool, async (client) => {
      await client.query('lock table nodes in exclusive mode');
      const there = await client.query('select 1 from nodes limit 1');
      if (there.rowCount !== 0) throw refused(`There is a ledger in the schema ${address.schema} already.`);
      const { seq: node } = await registerNode(client, 'nod_moved', 'moved');
      await client.query('update nodes set has_left = true where seq = $1', [node]);
      for (const table of MOVED) await insertAll(client, file, table, node);
      const state = file.prepare(`select ${STATE.join(', ')} from ledger_state`).get() as Row;
      await client.query(
        `update ledger_state set ${STATE.map((name, at) => `${name} = $${at + 1}`).join(', ')}`,
        STATE.map((name) => state[name]),
      );
      const report = await verify(client);
      compare(before, report);
      return report;
    });
  } catch (error) {
    throw explainPostgresError(error, address);
  } finally {
    file.close();
    await pool.end();
  }
}

async function insertAll(
  client: Queryable,
  file: DatabaseSync,
  table: (typeof MOVED)[number],
  node: number,
): Promise<void> {
  const name = getTableName(table);
  const columns = sharedColumns(table);
  const hasNode = columnsOf(table, []).length > columns.length;
  const insert = `insert into ${name} (${names(columns)}${hasNode ? ', node' : ''})
    select ${keys(columns, 'r')}${hasNode ? `, ${node}` : ''} from ${recordset(1, 'r', columns)}`;
  let rows: object[] = [];
  const write = async (): Promise<void> => {
    if (rows.length > 0) await client.query(insert, [JSON.stringify(rows)]);
    rows = [];
  };
  for (const row of file
    .prepare(`select ${names(columns)} from ${name} order by 1`)
    .iterate() as Iterable<Row>) {
    rows.push(Object.fromEntries(columns.map(({ key, name: column }) => [key, asJson(row[column], name)])));
    if (rows.length === ROWS_AT_ONCE) await write();
  }
  await write();
  await expectCount(client, name, Number(file.prepare(`select count(*) as n from ${name}`).get()?.['n']));
  for (const { name: column } of columns.filter(({ key }) => key === 'seq' || key === 'id'))
    // Where the database gives it; the next one follows.
    await client.query(
      `select setval(s, greatest((select coalesce(max(${column}::text::bigint), 0) from ${name}), 1))
       from pg_get_serial_sequence($1, $2) as s where s is not null and $2 in ('seq', 'id') and exists (
         select 1 from information_schema.columns c where c.table_schema = current_schema() and c.table_name = $3
           and c.column_name = $2 and c.is_identity = 'YES')`,
      [name, column, name],
    );
}

async function expectCount(client: Queryable, name: string, rows: number): Promise<void> {
  const counted = await client.query(`select count(*)::int as n from ${name}`);
  const { n } = counted.rows[0] as { n: number };
  if (n !== rows) throw refused(`Of ${rows} rows of ${name}, ${n} have arrived.`);
}

/** Throws MOVE_REFUSED where PostgreSQL could not hold a text as it is. */
function asJson(value: unknown, table: string): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed()))
    throw refused(
      `A text of the table ${table} holds a NUL, or half of a surrogate pair, which PostgreSQL cannot: ${JSON.stringify(value.slice(0, 60))}.`,
    );
  return value;
}

/** As a start of its only node would: what nodes left that died is settled. Throws MOVE_REFUSED where one is at work. */
export async function settled(from: string, clock: Clock): Promise<void> {
  const ledger = await openLedger({ path: from, synchronous: 'full', clock });
  const pool = openPool(readAddress(from), 1);
  try {
    ledger.cluster?.ready();
    const untilMs = systemClock.monotonicMs() + BURIED_WITHIN_MS;
    const self = ledger.cluster?.nodes().find(({ isSelf }) => isSelf)?.id;
    const beats = new Map<string, bigint>();
    for (;;) {
      const { rows } = await pool.query(
        'select id, beat_at_ms as at from nodes where alive and not has_left and id <> $1',
        [self],
      );
      const others = rows as { id: string; at: bigint }[];
      if (others.length === 0) {
        await inTransaction(pool, (client) => completeSessionDays(client, 0));
        return;
      }
      // One that shows a new sign of life lives; the others are buried when they were silent for long enough.
      const isAtWork = others.some(({ id, at }) => at !== (beats.get(id) ?? at));
      if (isAtWork || systemClock.monotonicMs() > untilMs)
        throw refused('Another node is at work on it: stop all of them first.');
      for (const { id, at } of others) beats.set(id, at);
      await new Promise<void>((resolve) => systemClock.after(200, resolve));
    }
  } finally {
    await pool.end();
    await ledger.close();
  }
}

/** All rows, into a file that holds none; `arrived` says that it is sound, and only then the schema is put aside. Returns its new name. */
export async function intoFile(
  from: string,
  path: string,
  stamp: string,
  arrived: () => Promise<void>,
): Promise<string> {
  const address = readAddress(from);
  const pool = openPool({ ...address, silenceMs: 0 }, 1);
  try {
    return await inTransaction(pool, async (client) => {
      await client.query('select pg_advisory_xact_lock($1, hashtext($2))', [LOCKS.migrate, address.schema]);
      await client.query('lock table nodes in exclusive mode');
      const { rowCount } = await client.query('select 1 from nodes where alive and not has_left');
      if (rowCount !== 0) throw refused('A node was started meanwhile: stop all of them first.');
      await writeFile(client, path);
      await arrived();
      const keptAs = `${address.schema}_moved_${stamp.replaceAll(/[^0-9]/g, '')}`.slice(0, 63);
      await client.query(`alter schema ${quotedSchema(address.schema)} rename to ${quotedSchema(keptAs)}`);
      return keptAs;
    });
  } catch (error) {
    throw explainPostgresError(error, address);
  } finally {
    await pool.end();
  }
}

async function writeFile(client: Queryable, path: string): Promise<void> {
  const file = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  try {
    file.exec('begin');
    for (const table of MOVED) {
      const name = getTableName(table);
      const columns = sharedColumns(table);
      file.exec(`delete from ${name}`);
      const insert = file.prepare(
        `insert into ${name} (${names(columns)}) values (${columns.map(() => '?').join(', ')})`,
      );
      let rows = 0;
      for await (const row of rowsOf(client, table, columns)) {
        insert.run(...columns.map(({ name: column }) => asSqlite(row[column])));
        rows += 1;
      }
      if (table !== tables.budgetWindows && table !== tables.rollups) await expectCount(client, name, rows);
    }
    const {
      rows: [state],
    } = (await client.query(`select ${STATE.join(', ')} from ledger_state`)) as { rows: Row[] };
    file
      .prepare(`update ledger_state set ${STATE.map((name) => `${name} = ?`).join(', ')}`)
      .run(...STATE.map((name) => asSqlite(state?.[name])));
    // PostgreSQL makes them by itself.
    file.exec(`update rollups set line = ${LINE}`);
    file.exec('commit');
  } finally {
    file.close();
  }
}

/** What nodes have rows of their own for is added up. */
async function* rowsOf(
  client: Queryable,
  table: (typeof MOVED)[number],
  columns: readonly Column[],
): AsyncGenerator<Row> {
  const name = getTableName(table);
  if (table === tables.rollups) yield* mergedRollups(client);
  else if (table === tables.budgetWindows) {
    const sums = columns.filter(({ name: column }) => /^(?:spent|held)_/.test(column));
    yield* fetched(
      client,
      `select budget_id, account, window_start_ms, bool_or(seeded) as seeded,
         ${sums.map(({ name: column }) => `sum(${column}) as ${column}`).join(', ')} from ${name} group by 1, 2, 3`,
    );
  } else yield* fetched(client, `select ${names(columns)} from ${name} order by 1`);
}

async function* fetched(client: Queryable, text: string): AsyncGenerator<Row> {
  await client.query(`declare moved no scroll cursor for ${text}`);
  for (;;) {
    const { rows } = (await client.query(`fetch ${ROWS_AT_ONCE} from moved`)) as { rows: Row[] };
    if (rows.length === 0) break;
    yield* rows;
  }
  await client.query('close moved');
}

async function* mergedRollups(client: Queryable): AsyncGenerator<Row> {
  let group: Row | undefined;
  let sums: Sums | undefined;
  const isSame = (row: Row): boolean =>
    group !== undefined && ['grain', 'bucket_ms', 'key_id'].every((name) => group?.[name] === row[name]);
  for await (const row of fetched(client, 'select * from rollups order by grain, bucket_ms, key_id, node')) {
    if (group !== undefined && sums !== undefined && isSame(row)) {
      addSums(sums, sumsOfRow(row));
      continue;
    }
    if (group !== undefined && sums !== undefined) yield { ...group, ...columnsOfSums(sums) };
    group = row;
    sums = sumsOfRow(row);
  }
  if (group !== undefined && sums !== undefined) yield { ...group, ...columnsOfSums(sums) };
}

function columnsOfSums(sums: Sums): Row {
  return {
    ...Object.fromEntries(AMOUNT_NAMES.map((name) => [AMOUNTS[name], sums[name]])),
    ...Object.fromEntries(COUNT_NAMES.map((name) => [COUNTS[name], sums[name]])),
    latency: encodeHistogram(sums.latency),
    first_token: encodeHistogram(sums.firstToken),
  };
}

function asSqlite(value: unknown): SQLInputValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value as SQLInputValue;
}
