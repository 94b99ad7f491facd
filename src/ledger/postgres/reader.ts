// Answers the ledger's questions from PostgreSQL: the same that the reader's thread answers from SQLite.
import { DrizzleQueryError } from 'drizzle-orm';
import type { Pool } from 'pg';
import type { ReaderThread } from '../sqlite/reader.ts';
import type { Queries, QueryName } from '../sqlite/queries/queries.ts';
import { DATABASE_NOW_MS, explainPostgresError, inSnapshot } from './connection.ts';
import type { DatabaseAddress, Queryable } from './connection.ts';
import type { Patience } from './patience.ts';
import * as admin from './queries/admin-queries.ts';
import * as attempts from './queries/attempt-queries.ts';
import { readDatabase } from './queries/read-database.ts';
import { BY_INDEX, RollupKeys, readRollups, readSpans } from './queries/rollup-queries.ts';
import * as runs from './queries/run-queries.ts';
import { scanRows } from './queries/scan-queries.ts';
import { createTakeWaiting } from './waiting.ts';
import { verify } from './queries/verify.ts';

type Reads = {
  readonly [Name in QueryName]: (...args: Parameters<Queries[Name]>) => Promise<ReturnType<Queries[Name]>>;
};

/** `node`: whose own operations a reader has to know about; 0: nobody's. */
async function isOldest(client: Queryable, node: number, { silenceMs }: DatabaseAddress): Promise<boolean> {
  const { rows } = await client.query(
    `select min(seq) as oldest from nodes
     where alive and not has_left and (seq = $1 or beat_at_ms > ${DATABASE_NOW_MS} - ${silenceMs})`,
    [node],
  );
  return (rows[0] as { oldest: bigint | null } | undefined)?.oldest === BigInt(node);
}

/**
 * Asked for each run with a key, of which hardly any was used before: it reads no row. Planned anew each time: a plan that was made while there were few
 * runs would go on reading all of them.
 */
async function isUsed(pool: Queryable, caller: string, key: string): Promise<boolean> {
  const { rowCount } = await pool.query('select 1 from runs where caller = $1 and idempotency_key = $2', [
    caller,
    key,
  ]);
  return rowCount !== 0;
}

/** The database's own error tells what it was; Drizzle's is the whole statement. */
function throwOwn(error: unknown): never {
  throw error instanceof DrizzleQueryError && error.cause !== undefined ? error.cause : error;
}

/** `scans`: for what may read a whole table, and takes as long as it takes. */
export function createPostgresReader(
  {
    reads: pool,
    scans,
    patience,
  }: { readonly reads: Pool; readonly scans: Pool; readonly patience: Patience },
  address: DatabaseAddress,
  node: number,
): ReaderThread {
  const database = readDatabase(pool);
  const scanned = readDatabase(scans);
  const keys = new RollupKeys();
  const take = createTakeWaiting(pool, database, node);
  const lastOperation = async (client: Queryable): Promise<number> => {
    const { rows } = await client.query('select last_operation from nodes where seq = $1', [node]);
    return Number((rows[0] as { last_operation: bigint } | undefined)?.last_operation ?? 0);
  };
  const answers: Reads = {
    run: (id) => runs.findRun(database, id),
    runsById: (ids) => runs.findRuns(database, ids),
    runs: (filter, page) => runs.listRuns(scanned, filter, page),
    byIdempotencyKey: async (caller, key) =>
      (await isUsed(pool, caller, key)) ? runs.findByIdempotencyKey(database, caller, key) : undefined,
    cached: (taskRevision, inputHash, wanted) => runs.findCached(database, taskRevision, inputHash, wanted),
    waiting: (limit, id) => take(limit, id),
    stepsOf: (runIds) => runs.stepsOf(database, runIds),
    stepsUnder: (id) => runs.stepsUnder(database, id),
    attemptsOf: (runIds) => attempts.attemptsOf(database, runIds),
    attempt: (id) => attempts.findAttempt(database, id),
    rollupStem: (attemptId) => attempts.rollupStemOf(database, attemptId),
    unreconciled: () => attempts.unreconciledAttempts(scanned),
    estimates: (sinceMs, limit) => attempts.estimatedAttempts(scanned, sinceMs, limit),
    learntBounds: () => admin.learntBoundsOf(database),
    revisions: (page) => admin.listRevisions(database, page),
    revisionsByHash: (hashes) => admin.revisionsByHash(database, hashes),
    revisionsInForce: () => admin.revisionsInForce(database),
    revisionsNamed: (start) => admin.revisionsNamed(database, start),
    planText: (hash) => admin.planText(database, hash),
    alerts: (page) => admin.listAlerts(database, page),
    alert: (id) => admin.alertById(database, id),
    waitingAlerts: (sink, limit) =>
      inSnapshot(pool, async (client) => {
        const found = await admin.waitingAlerts(readDatabase(client), sink, limit);
        // One node delivers: the oldest that lives. The others hold themselves ready.
        return (await isOldest(client, node, address)) ? found : { ...found, waiting: [], isTeller: false };
      }),
    switches: () => admin.activeSwitches(database),
    apiKeys: () => admin.listApiKeys(database),
    rollups: (reads) =>
      inSnapshot(pool, async (client) => {
        const read = await Array.fromAsync(reads, (each) => readRollups(client, keys, each));
        return { lastOperation: await lastOperation(client), answers: read };
      }),
    scan: (reads, filter) =>
      inSnapshot(scans, async (client) => ({
        lastOperation: await lastOperation(client),
        answers: await scanRows(readDatabase(client), reads, filter),
      })),
    spans: (reads) => inSnapshot(scans, (client) => readSpans(client, keys, reads), BY_INDEX),
    verify: () => inSnapshot(scans, verify),
  };
  return {
    async ask(name, ...args) {
      try {
        // A generic name's arguments and answer are those of the query; TypeScript cannot follow that through the look-up.
        const answer = answers[name] as unknown as (...values: typeof args) => Promise<never>;
        const ask = (): Promise<never> => answer(...args).catch(throwOwn);
        // What takes runs is asked again by itself: it may have taken them.
        return await (name === 'waiting' ? ask() : patience.while(ask));
      } catch (error) {
        throw explainPostgresError(error, address);
      }
    },
    close: () => Promise.resolve(),
  };
}
