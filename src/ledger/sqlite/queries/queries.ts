// Everything that is read from the database, by name, over one read-only connection.
import type { DatabaseSync } from 'node:sqlite';
import type { AlertRecord, CachedFor } from '../../../engine/execution/recorder.ts';
import type { AttemptRecord, RunRecord, StepRecord } from '../../../engine/execution/records.ts';
import type {
  ApiKeyRecord,
  Page,
  PageRequest,
  RevisionRecord,
  RunFilter,
  SwitchRecord,
  WaitingAlerts,
} from '../../port.ts';
import { DAYS } from '../../rollup/dimensions.ts';
import type { GroupedPoint, RollupRead } from '../../rollup/group.ts';
import type { PackedAnswer, SpanAnswer, SpanRead } from '../../rollup/span.ts';
import {
  activeSwitches,
  learntBoundsOf,
  alertById,
  listAlerts,
  listApiKeys,
  listRevisions,
  planText,
  revisionsByHash,
  revisionsInForce,
  revisionsNamed,
  waitingAlerts,
} from './admin-queries.ts';
import {
  attemptsOf,
  estimatedAttempts,
  findAttempt,
  rollupStemOf,
  unreconciledAttempts,
} from './attempt-queries.ts';
import { verify } from '../../verify/verify.ts';
import type { VerifyReport } from '../../verify/report.ts';
import { readDatabase } from './read-database.ts';
import { scanRows } from './scan-queries.ts';
import { createSpanReader } from './span-queries.ts';
import { createShares } from './shares.ts';
import { inSnapshot } from './snapshot.ts';
import { createRollupReader } from './rollup-queries.ts';
import {
  findByIdempotencyKey,
  findCached,
  findRun,
  findRuns,
  listRuns,
  stepsOf,
  stepsUnder,
  waitingRuns,
} from './run-queries.ts';

/** Each answers at once; the reader's thread makes them asynchronous for everyone else. */
export interface Queries {
  run(id: string): RunRecord | undefined;
  runsById(ids: readonly string[]): Map<string, RunRecord>;
  runs(filter: RunFilter, page: PageRequest): Page<RunRecord>;
  byIdempotencyKey(caller: string, key: string): RunRecord | undefined;
  cached(taskRevision: string, inputHash: string, wanted: CachedFor): RunRecord | undefined;
  waiting(limit: number, id?: string): RunRecord[];
  stepsOf(runIds: readonly string[]): Map<string, StepRecord[]>;
  stepsUnder(id: string): StepRecord[];
  attemptsOf(runIds: readonly string[]): Map<string, AttemptRecord[]>;
  attempt(id: string): AttemptRecord | undefined;
  rollupStem(attemptId: string): string | undefined;
  unreconciled(): AttemptRecord[];
  estimates(sinceMs: number, limit: number): AttemptRecord[];
  learntBounds(): Map<string, string>;
  revisions(page: PageRequest): Page<RevisionRecord>;
  revisionsByHash(hashes: readonly string[]): Map<string, RevisionRecord>;
  revisionsInForce(): RevisionRecord[];
  revisionsNamed(start: string): RevisionRecord[];
  planText(hash: string): string | undefined;
  alerts(page: PageRequest): Page<AlertRecord>;
  alert(id: string): AlertRecord | undefined;
  waitingAlerts(sink: string, limit: number): WaitingAlerts;
  switches(): SwitchRecord[];
  apiKeys(): ApiKeyRecord[];
  rollups(reads: readonly RollupRead[]): RollupAnswer;
  /** The same from the rows, with a filter that roll-ups cannot answer. */
  scan(reads: readonly RollupRead[], filter: RunFilter): RollupAnswer;
  /** Exact spans, all of one commit. */
  spans(reads: readonly SpanRead[]): SpansAnswer<PackedAnswer>;
  verify(): VerifyReport;
}

export interface RollupAnswer {
  /** The number of the last operation that the sums hold. */
  readonly lastOperation: number;
  /** For each read asked for: `GroupedSums` of a whole. */
  readonly answers: readonly (readonly GroupedPoint[])[];
}

export interface SpansAnswer<Answer = SpanAnswer> {
  /** The day (UTC) that the oldest sum is of; null: nothing was counted yet. */
  readonly firstMs: number | null;
  /** For each read asked for. */
  readonly answers: readonly Answer[];
}

const firstOf = (value: unknown): number | null => (typeof value === 'bigint' ? Number(value) : null);

export type QueryName = keyof Queries;

export function createQueries(connection: DatabaseSync): Queries {
  const database = readDatabase(connection);
  const first = connection.prepare(`select min(bucket_ms) as first from rollups where grain = ${DAYS}`);
  const shares = createShares(connection);
  const readSpans = createSpanReader(connection, shares);
  const readRollups = createRollupReader(connection, shares);
  const state = connection.prepare('select last_operation as last from ledger_state');
  const lastOperation = (): number => Number(state.get()?.['last'] ?? 0);
  return {
    run: (id) => findRun(database, id),
    runsById: (ids) => findRuns(database, ids),
    runs: (filter, page) => listRuns(database, filter, page),
    byIdempotencyKey: (caller, key) => findByIdempotencyKey(database, caller, key),
    cached: (taskRevision, inputHash, wanted) => findCached(database, taskRevision, inputHash, wanted),
    waiting: (limit, id) => waitingRuns(database, limit, id),
    stepsOf: (runIds) => stepsOf(database, runIds),
    stepsUnder: (id) => stepsUnder(database, id),
    attemptsOf: (runIds) => attemptsOf(database, runIds),
    attempt: (id) => findAttempt(database, id),
    rollupStem: (attemptId) => rollupStemOf(database, attemptId),
    unreconciled: () => unreconciledAttempts(database),
    estimates: (sinceMs, limit) => estimatedAttempts(database, sinceMs, limit),
    learntBounds: () => learntBoundsOf(database),
    revisions: (page) => listRevisions(database, page),
    revisionsByHash: (hashes) => revisionsByHash(database, hashes),
    revisionsInForce: () => revisionsInForce(database),
    revisionsNamed: (start) => revisionsNamed(database, start),
    planText: (hash) => planText(database, hash),
    alerts: (page) => listAlerts(database, page),
    alert: (id) => alertById(database, id),
    waitingAlerts: (sink, limit) => inSnapshot(connection, () => waitingAlerts(database, sink, limit)),
    switches: () => activeSwitches(database),
    apiKeys: () => listApiKeys(database),
    scan: (reads, filter) =>
      inSnapshot(connection, () => ({
        lastOperation: lastOperation(),
        answers: scanRows(database, reads, filter),
      })),
    spans: (reads) =>
      inSnapshot(connection, () => ({
        firstMs: firstOf(first.get()?.['first']),
        answers: readSpans(reads),
      })),
    verify: () => inSnapshot(connection, verify),
    rollups: (reads) =>
      inSnapshot(connection, () => ({
        lastOperation: lastOperation(),
        answers: reads.map(readRollups),
      })),
  };
}
