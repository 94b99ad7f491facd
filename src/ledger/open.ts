// Opens the ledger: takes its lock, starts the writer (checked, migrated, recovered), and puts the ports together.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DatabaseSync } from 'node:sqlite';
import { systemClock } from '../common/clock.ts';
import type { Clock } from '../common/clock.ts';
import { systemRandom } from '../common/random.ts';
import type { Accounts } from '../engine/budget/port.ts';
import type { AlertRecord, Recorder } from '../engine/execution/ports.ts';
import { createAdmin } from './admin.ts';
import { Journal, journalPath } from './journal/journal.ts';
import type { Repaired } from './journal/take-up.ts';
import { createMaintenance } from './maintenance.ts';
import type { LedgerMaintenance } from './maintenance.ts';
import type {
  AlertOutbox,
  BoundsKeeper,
  WrittenFeed,
  WrittenRow,
  LedgerAdmin,
  LedgerHealth,
  LedgerReader,
  RevisionReader,
  RunFilter,
} from './port.ts';
import { createRecorder } from './recorder.ts';
import { LedgerAlerts } from './alerts.ts';
import type { RollupRead } from './rollup/group.ts';
import type { SpanRead } from './rollup/span.ts';
import { RunContexts } from './rollup/run-contexts.ts';
import { createAccounts } from './sqlite/accounts.ts';
import { explainSqliteError, openForReading } from './sqlite/connection.ts';
import type { Synchronous } from './sqlite/connection.ts';
import { takeOwnerLock, unwritable } from './sqlite/lock.ts';
import type { RollupAnswer, SpansAnswer } from './sqlite/queries/queries.ts';
import { createInlineReader } from './sqlite/inline-reader.ts';
import { createReader } from './sqlite/reader.ts';
import type { ReaderThread } from './sqlite/reader.ts';
import type { Recovered } from './sqlite/recovery.ts';
import { watchForReplacement } from './sqlite/replacement.ts';
import { WriteQueue } from './sqlite/write-queue.ts';
import { openInWorker, openInline } from './sqlite/writer-host.ts';
import type { WriterHost } from './sqlite/writer-host.ts';

export interface LedgerOptions {
  /** The database file; it and its folder are made where they are missing. */
  readonly path: string;
  /** `full`: what is written survives a power cut. `normal`: it survives a killed process, and a power cut may take the last moments. */
  readonly synchronous: Synchronous;
  readonly clock: Clock;
  /** drizzle-kit's folder; default: the package's own `migrations/`. */
  readonly migrationsFolder?: string;
  /** Default `worker`: threads of their own write and read. `inline`: this one does, and the event loop waits; for simulations. */
  readonly writer?: 'worker' | 'inline';
}

/** What statistics read. */
export interface RollupReader {
  /** All of one commit. `missing`: what was announced before the question, and is not in it yet. */
  rollups(reads: readonly RollupRead[]): Promise<RollupAnswer & { readonly missing: readonly WrittenRow[] }>;
  /** The same from the rows, with a filter that roll-ups cannot answer; in a thread of its own. */
  scan(reads: readonly RollupRead[], filter: RunFilter): Promise<RollupAnswer>;
  /** Exact spans of time, all of one commit. */
  spans(reads: readonly SpanRead[]): Promise<SpansAnswer>;
}

export interface Ledger
  extends
    Recorder,
    LedgerReader,
    RevisionReader,
    LedgerAdmin,
    LedgerMaintenance,
    BoundsKeeper,
    AlertOutbox,
    WrittenFeed,
    RollupReader {
  readonly accounts: Accounts;
  /** What a process that died before this one left behind. */
  readonly recovered: Recovered;
  /** What is said of it; written down when the ledger was opened, before anyone listened. */
  readonly recoveryAlerts: readonly AlertRecord[];
  health(): LedgerHealth;
  /** Commits what waits, then lets go of the database. */
  close(): Promise<void>;
}

const PACKAGE_MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));

/** Throws a HeadgateError: DATABASE_IN_USE, _LOCKED, _NEWER, _UNREADABLE, _UNWRITABLE, _IO, DISK_FULL, JOURNAL_DAMAGED, JOURNAL_NEWER; then nothing was changed. */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const { path, synchronous, clock, migrationsFolder = PACKAGE_MIGRATIONS } = options;
  const lock = takeOwnerLock(path);
  const readerOptions = { path, migrationsFolder };
  const newReader = options.writer === 'inline' ? createInlineReader : createReader;
  // The reader's thread loads while the writer opens the database.
  const earlyReader = newReader({ ...readerOptions, early: true });
  let host: WriterHost;
  let journal: Journal | null = null;
  try {
    const writerOptions = { path, synchronous, migrationsFolder, nowMs: clock.nowMs() };
    host = await (options.writer === 'inline' ? openInline : openInWorker)(writerOptions);
    if (options.writer !== 'inline') journal = await openJournal(path, synchronous, host);
  } catch (error) {
    await earlyReader.close();
    lock.release();
    throw error;
  }

  const feed = createFeed();
  const alerts = new LedgerAlerts(path, clock, systemRandom);
  const queue = new WriteQueue(host, clock, feed.announce, journal, (refused) => {
    // An alert about an alert would never end.
    const others = refused.filter(({ what }) => what !== 'recordAlert');
    if (others.length > 0) void recorder.recordAlert(alerts.setAside(others)).catch(() => undefined);
  });
  const reader = afterWriting(earlyReader, queue);
  // Whole-table scans have a thread of their own, so that a page of runs does not wait for them.
  const scanner = afterWriting(newReader(readerOptions), queue);
  const admin = createAdmin(queue, reader, clock);
  const startup = startupConnection(path);
  const recorder = createRecorder(queue, reader, new RunContexts());
  // A disk that does not take it will refuse what matters more, and say so.
  const recoveryAlerts = alerts.recovered(host.recovered);
  for (const alert of recoveryAlerts) await recorder.recordAlert(alert).catch(() => undefined);
  const stopWatching =
    journal === null
      ? undefined
      : watchForReplacement([path, `${path}-wal`, journalPath(path)], clock, (failure) => {
          // Before nothing is taken any more: so it is told to whoever listens.
          if (failure !== null) recorder.recordAlert(alerts.replaced(failure)).catch(() => undefined);
          queue.setReplaced(failure);
        });
  return {
    ...recorder,
    ...admin,
    ...createMaintenance(queue, reader, scanner, admin),
    ...createLedgerReader(reader, scanner),
    learntBounds: () => reader.ask('learntBounds'),
    learnBound: (model, bound) => queue.write(() => ({ kind: 'learnBound', model, bound }), null),
    keepSinks: (names, sinceMs) =>
      queue.commit(() => ({ kind: 'keepSinks', names: JSON.stringify(names), sinceMs }), null),
    waitingAlerts: (sink, limit) => reader.ask('waitingAlerts', sink, limit),
    delivered: (sink, throughSeq, state) =>
      queue.commit(() => ({ kind: 'delivered', sink, throughSeq, state }), null),
    async rollups(reads) {
      const announced = queue.announced();
      const answer = await earlyReader.ask('rollups', reads);
      const missing = announced.filter(({ number }) => number > answer.lastOperation);
      return { ...answer, missing: missing.map(({ row }) => row) };
    },
    scan: (reads, filter) => scanner.ask('scan', reads, filter),
    spans: (reads) => reader.ask('spans', reads),
    onWritten: feed.onWritten,
    accounts: createAccounts(startup.connection, queue),
    recovered: host.recovered,
    recoveryAlerts,
    health() {
      const health = queue.health();
      return { ok: health.failure === null, ...health };
    },
    async close() {
      stopWatching?.();
      startup.close();
      await queue.close();
      await reader.close();
      await scanner.close();
      lock.release();
    },
  };
}

async function openJournal(path: string, synchronous: Synchronous, host: WriterHost): Promise<Journal> {
  try {
    return new Journal(path, synchronous);
  } catch (error) {
    await host.close();
    throw unwritable(error, path);
  }
}

/** What is written goes to the tables at once when somebody reads. Reading waits so long for it, and not for a disk that is slow or a database that is locked. */
const LONGEST_WAIT_MS = 50;

function afterWriting(reader: ReaderThread, queue: WriteQueue): ReaderThread {
  return {
    ...reader,
    async ask(name, ...args) {
      if (!queue.isFlushed()) await atMost(LONGEST_WAIT_MS, queue.flushed());
      return reader.ask(name, ...args);
    },
  };
}

function atMost(delayMs: number, flushed: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = systemClock.after(delayMs, resolve);
    void flushed.then(() => {
      cancel();
      resolve();
    });
  });
}

export interface ReadOnlyLedger
  extends
    LedgerReader,
    RevisionReader,
    RollupReader,
    Pick<LedgerMaintenance, 'verify'>,
    Pick<Recorder, 'planText'> {
  close(): Promise<void>;
}

/** Reads the ledger of a running server, or of none; only what a killed one left in its journal is put into the tables first. */
export function openLedgerReader(path: string): ReadOnlyLedger {
  const tables = createReader({ path, migrationsFolder: PACKAGE_MIGRATIONS });
  const upToDate = takeUpJournal(path);
  const reader: ReaderThread = {
    ...tables,
    async ask(name, ...args) {
      await upToDate;
      return tables.ask(name, ...args);
    },
  };
  return {
    ...createLedgerReader(reader, reader),
    rollups: async (reads) => ({ ...(await reader.ask('rollups', reads)), missing: [] }),
    scan: (reads, filter) => reader.ask('scan', reads, filter),
    spans: (reads) => reader.ask('spans', reads),
    verify: () => reader.ask('verify'),
    planText: (hash) => reader.ask('planText', hash),
    close: () => reader.close(),
  };
}

async function takeUpJournal(path: string): Promise<void> {
  if (!existsSync(journalPath(path))) return;
  // Loaded when it is needed: hardly any process was killed.
  const { takeUpForReading } = await import('./sqlite/open-writer.ts');
  takeUpForReading(path, PACKAGE_MIGRATIONS);
}

/**
 * Goes on without the damaged part of a journal; no process may have the ledger open. null: nothing is damaged. Throws what `openLedger` throws, but
 * for JOURNAL_DAMAGED.
 */
export async function repairLedger(path: string, clock: Clock): Promise<Repaired | null> {
  const { repair } = await import('./sqlite/open-writer.ts');
  const alerts = new LedgerAlerts(path, clock, systemRandom);
  try {
    return repair(path, PACKAGE_MIGRATIONS, (repaired) => alerts.repaired(repaired), clock.nowMs());
  } catch (error) {
    throw explainSqliteError(error, path);
  }
}

function createLedgerReader(reader: ReaderThread, scanner: ReaderThread): LedgerReader & RevisionReader {
  return {
    run: (id) => reader.ask('run', id),
    runsById: (ids) => reader.ask('runsById', ids),
    runs: (filter, page) => (mayScan(filter) ? scanner : reader).ask('runs', filter, page),
    attemptsOf: (runIds) => reader.ask('attemptsOf', runIds),
    stepsOf: (runIds) => reader.ask('stepsOf', runIds),
    revisions: (page) => reader.ask('revisions', page),
    revisionsByHash: (hashes) => reader.ask('revisionsByHash', hashes),
    revisionsInForce: () => reader.ask('revisionsInForce'),
    revisionsNamed: (start) => reader.ask('revisionsNamed', start),
    alerts: (page) => reader.ask('alerts', page),
    switches: () => reader.ask('switches'),
    apiKeys: () => reader.ask('apiKeys'),
    unreconciled: () => reader.ask('unreconciled'),
    estimates: (sinceMs, limit) => reader.ask('estimates', sinceMs, limit),
  };
}

/** No index finds these; where few runs match, a page may mean reading very many. */
function mayScan({ status, session, provider, revision, tag, minCostNanoUsd }: RunFilter): boolean {
  return [status, session, provider, revision, tag, minCostNanoUsd].some((part) => part !== undefined);
}

interface Feed {
  readonly onWritten: WrittenFeed['onWritten'];
  readonly announce: (rows: readonly WrittenRow[], lastOperation: number) => void;
}

function createFeed(): Feed {
  const listeners = new Set<(rows: readonly WrittenRow[], lastOperation: number) => void>();
  return {
    onWritten(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    announce(rows, lastOperation) {
      for (const listener of listeners) {
        try {
          listener(rows, lastOperation);
        } catch (error) {
          // The row is written, whatever a listener makes of it; the others hear of it all the same.
          process.emitWarning(error instanceof Error ? error : String(error));
        }
      }
    },
  };
}

/** A connection in this thread for what budgets read when they start; opened when it is asked for. */
function startupConnection(path: string): {
  readonly connection: () => DatabaseSync;
  readonly close: () => void;
} {
  let connection: DatabaseSync | undefined;
  return {
    connection: () => (connection ??= openForReading(path)),
    close: () => connection?.close(),
  };
}
