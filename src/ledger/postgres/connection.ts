// Connections to PostgreSQL: how they are set, what their values read back as, and what becomes of their errors.
import pg from 'pg';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { isDatabaseAddress, wrongAddress } from '../database-address.ts';

export type Row = { readonly [column: string]: unknown };

/** By the database's clock, in milliseconds since 1970. */
export const DATABASE_NOW_MS = '(extract(epoch from clock_timestamp()) * 1000)::bigint';
/** The node of what no node has counted itself, or not any more. */
export const NOBODY = 0;

/** What a statement can be run on: the pool, or a client in a transaction. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

/** A database and the schema in it that holds the ledger. */
export interface DatabaseAddress {
  readonly connectionString: string;
  readonly schema: string;
  /** A node that shows no sign of life for so long is taken for dead. */
  readonly silenceMs: number;
}

const DEFAULT_SCHEMA = 'headgate';
const DEFAULT_SILENCE_MS = 3_000;
const SHORTEST_SILENCE_MS = 1_500;
const CONNECT_WITHIN_MS = 5_000;
/** A statement of a node's own that is not answered for so long is taken for lost: its connection may be one that nobody is at the other end of. */
export const ANSWER_WITHIN_MS = 15_000;

/** `postgres://user:password@host/database?schema=headgate&silence=3000`. Throws DATABASE_ADDRESS. */
export function readAddress(text: string): DatabaseAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw wrongAddress('It is no URL.');
  }
  if (!isDatabaseAddress(text)) throw wrongAddress(`It begins with ${url.protocol}//.`);
  const schema = url.searchParams.get('schema') ?? DEFAULT_SCHEMA;
  url.searchParams.delete('schema');
  if (!/^[a-z_][a-z0-9_]{0,50}$/.test(schema))
    throw wrongAddress('Its schema has to be of small letters, digits and "_", 51 at most.');
  if (/^pg_|^information_schema$/.test(schema))
    throw wrongAddress(`The schema ${schema} is PostgreSQL's own.`);
  const silenceMs = Number(url.searchParams.get('silence') ?? DEFAULT_SILENCE_MS);
  url.searchParams.delete('silence');
  if (!Number.isSafeInteger(silenceMs) || silenceMs < SHORTEST_SILENCE_MS)
    throw wrongAddress(`Its silence has to be a whole number of milliseconds from ${SHORTEST_SILENCE_MS}.`);
  return { connectionString: url.href, schema, silenceMs };
}

/** In SQL: its letters may be a word of the language. */
export const quotedSchema = (schema: string): string => `"${schema}"`;

/** For messages: without user and password. */
export function placeOf({ connectionString, schema }: DatabaseAddress): string {
  const { hostname, port, pathname } = new URL(connectionString);
  return `${hostname}${port === '' ? '' : `:${port}`}${pathname} (schema ${schema})`;
}

const INT8 = 20;
const NUMERIC = 1700;

/** 64 bits, and sums of them, are read as bigints, never as numbers. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8 || oid === NUMERIC) return BigInt;
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the enum lists PostgreSQL's own types; extensions have numbers beside it.
    return pg.types.getTypeParser(oid, format) as unknown;
  }) as pg.CustomTypesConfig['getTypeParser'],
};

function connectionConfig({ connectionString }: DatabaseAddress, answerWithinMs?: number): pg.ClientConfig {
  return {
    connectionString,
    types,
    application_name: 'headgate',
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    keepAlive: true,
    ...(answerWithinMs === undefined ? {} : { query_timeout: answerWithinMs }),
  };
}

/**
 * Said when there is a connection, not while it is made: a pooler refuses what it does not know there. A process that stands still within a transaction
 * keeps its rows locked, its own row of `nodes` among them, and nobody could bury it. What is asked takes milliseconds; to compile it takes a tenth of a second.
 */
async function setUp(
  client: pg.ClientBase,
  { schema, silenceMs }: DatabaseAddress,
  byKey = false,
): Promise<void> {
  await client.query(
    `set search_path to ${quotedSchema(schema)}; set timezone to 'UTC'; set idle_in_transaction_session_timeout to ${silenceMs}; set jit to off; ${byKey ? BY_KEY : ''}`,
  );
}

/**
 * What a node writes are single rows, found by their keys. A plan is made once for each connection, perhaps when the tables are still empty: it would
 * read all of them for each turn, as long as the database has not counted them again.
 */
const BY_KEY =
  'set plan_cache_mode to force_generic_plan; set enable_seqscan to off; set enable_hashjoin to off; set enable_mergejoin to off';

interface PoolUse {
  /** Default: as long as it takes. */
  readonly answerWithinMs?: number;
  /** For what writes: rows are found by their keys, never by reading a whole table. Default: as the database thinks best. */
  readonly byKey?: boolean;
}

export function openPool(
  address: DatabaseAddress,
  max: number,
  { answerWithinMs, byKey }: PoolUse = {},
): pg.Pool {
  const pool = new pg.Pool({
    ...connectionConfig(address, answerWithinMs),
    max,
    idleTimeoutMillis: 60_000,
    allowExitOnIdle: true,
    // The pool waits for it, whatever its type says.
    onConnect: (client) => setUp(client, address, byKey) as unknown as void,
  });
  // An idle connection that the database ends is replaced by the next one; without a listener it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** A connection of one's own. */
export async function connect(
  address: DatabaseAddress,
  answerWithinMs: number,
  onLost: (client: pg.Client) => void,
): Promise<pg.Client> {
  const client = new pg.Client(connectionConfig(address, answerWithinMs));
  for (const event of ['error', 'end'] as const) client.on(event, () => onLost(client));
  try {
    await client.connect();
    await setUp(client, address);
    return client;
  } catch (error) {
    client.end().catch(() => undefined);
    throw error;
  }
}

/** All of `body`, or nothing. */
export async function inTransaction<Value>(
  pool: pg.Pool,
  body: (client: pg.PoolClient) => Promise<Value>,
  begin = 'begin',
): Promise<Value> {
  const client = await pool.connect();
  let failed: Error | undefined;
  try {
    await client.query(begin);
    const value = await body(client);
    await client.query('commit');
    return value;
  } catch (error) {
    failed = error instanceof Error ? error : new Error(String(error));
    if (!isConnectionLost(error)) {
      try {
        await client.query('rollback');
        failed = undefined;
      } catch {
        // The connection is gone, and the transaction with it.
      }
    }
    throw error;
  } finally {
    client.release(failed);
  }
}

/** All reads of `body` see the same commits. `settings`: statements that it begins with, in the same message. */
export function inSnapshot<Value>(
  pool: pg.Pool,
  body: (client: pg.PoolClient) => Promise<Value>,
  settings = '',
): Promise<Value> {
  return inTransaction(pool, body, `begin isolation level repeatable read read only; ${settings}`);
}

/** SQLSTATE, or Node's code of a failed connection; '': neither. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** It may be a primary again, or be replaced by one, as after a failover. */
const READ_ONLY = '25006';
const SHUTTING_DOWN = new Set(['57P01', '57P02', '57P03', READ_ONLY, '25P03', '53300']);

/** Whether nobody can know what became of a statement, or another connection may be able to do it. */
export function isConnectionLost(error: unknown): boolean {
  const code = errorCode(error);
  if (code.startsWith('08') || SHUTTING_DOWN.has(code)) return true;
  if (/^E[A-Z]+$/.test(code)) return true;
  return (
    error instanceof Error &&
    /Connection terminated|timeout exceeded when trying to connect|not queryable|timeout expired|Query read timeout|Client was closed/i.test(
      error.message,
    )
  );
}

/** What PgBouncer says of what it cannot do for a client that shares its sessions. */
const POOLER_SAYS = /pooling mode|unsupported startup parameter/;

export function pooled(place: string, options?: ErrorOptions): HeadgateError {
  return new HeadgateError(
    'DATABASE_POOLED',
    `Between this process and the database ${place} is a pooler that shares its sessions: what nodes tell each other would be lost.`,
    'Connect to PostgreSQL itself, or set the pooler to one session a client (PgBouncer: pool_mode = session).',
    options,
  );
}

/** The same trouble as an error with a code and a remedy. */
export function explainPostgresError(error: unknown, address: DatabaseAddress): HeadgateError {
  if (error instanceof HeadgateError) return error;
  const options = { cause: error };
  const place = placeOf(address);
  const detail = error instanceof Error ? error.message : String(error);
  const code = errorCode(error);
  if (POOLER_SAYS.test(detail)) return pooled(place, options);
  if (code === READ_ONLY)
    return new HeadgateError(
      'DATABASE_READ_ONLY',
      `The database ${place} takes no writes: it is a standby, or set to be read only.`,
      'Name the primary in HEADGATE_DATABASE; a standby answers the commands that only read.',
      options,
    );
  if (isConnectionLost(error))
    return new HeadgateError(
      'DATABASE_UNREACHABLE',
      `The database ${place} cannot be reached (${detail === '' ? code : detail}).`,
      'Start it, or correct its address in HEADGATE_DATABASE; what could not be written was refused, and writing goes on by itself.',
      options,
    );
  if (code.startsWith('28') || code === '3D000' || code === '42501')
    return new HeadgateError(
      'DATABASE_DENIED',
      `The database ${place} does not let this user in (${detail}).`,
      'Make the database and its user, and let the user create a schema in it: GRANT CREATE ON DATABASE … TO ….',
      options,
    );
  if (code === '53100')
    return new HeadgateError(
      'DISK_FULL',
      `The disk of the database ${place} is full.`,
      'Free some space; what could not be written was refused, and writing goes on by itself.',
      options,
    );
  return new HeadgateError(
    'DATABASE_ERROR',
    `The database ${place} refused an operation: ${detail}.`,
    'This is unexpected; keep the database and report it.',
    options,
  );
}
