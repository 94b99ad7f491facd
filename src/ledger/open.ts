// Opens the ledger: takes its lock, starts the writer (checked, migrated, recovered), and puts the ports together.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../common/clock.ts';
import { loadedOnce } from '../common/loaded.ts';
import { systemRandom } from '../common/random.ts';
import type { Accounts } from '../engine/budget/port.ts';
import type { AlertRecord, History, Recorder } from '../engine/execution/recorder.ts';
import { afterWriting, assembleLedger, createFeed, createLedgerReader } from './assemble.ts';
import type { Cluster } from './cluster-port.ts';
import { isDatabaseAddress } from './database-address.ts';
import { Journal, journalPath } from './journal/journal.ts';
import { UnsentAttempts } from './journal/unsent.ts';
import type { Repaired } from './journal/take-up.ts';
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
import type { RunRecord } from '../engine/execution/records.ts';
import { openRun } from './sqlite/operations.ts';
import { LedgerAlerts } from './alerts.ts';
import type { RollupRead } from './rollup/group.ts';
import { unpackSpans } from './rollup/packed-groups.ts';
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
import type { RefusedOperation } from './sqlite/writer.ts';
import { openInWorker, openInline } from './sqlite/writer-host.ts';
import type { WriterHost } from './sqlite/writer-host.ts';

export interface LedgerOptions {
  /** The database file; it and its folder are made where they are missing. Or `postgres://…`: the ledger of several nodes. */
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
  readonly ended: History['ended'];
  readonly stepsUnder: History['stepsUnder'];
  readonly accounts: Accounts;
  /** Where several nodes share the ledger. */
  readonly cluster?: Cluster;
  /** What a process that died before this one left behind. */
  readonly recovered: Recovered;
  /** What is said of it; written down when the ledger was opened, before anyone listened. */
  readonly recoveryAlerts: readonly AlertRecord[];
  health(): LedgerHealth;
  /** Commits what waits, then lets go of the database. */
  close(): Promise<void>;
}

/** drizzle-kit's folder; that of PostgreSQL is in it. */
export const PACKAGE_MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));

/**
 * Throws a HeadgateError: DATABASE_IN_USE, _LOCKED, _NEWER, _UNREADABLE, _UNWRITABLE, _IO, DISK_FULL, JOURNAL_DAMAGED, JOURNAL_NEWER; of PostgreSQL
 * DATABASE_ADDRESS, _DENIED, _UNREACHABLE, _NEWER, _IN_USE; then nothing was changed.
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  if (!isDatabaseAddress(options.path)) return openSqlite(options);
  // Loaded when it is needed: who has one machine needs neither its tables nor its driver.
  const { openPostgres } = await import('./postgres/open.ts');
  return openPostgres(options);
}

async function openSqlite(options: LedgerOptions): Promise<Ledger> {
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
  const unsent = options.writer === 'inline' ? undefined : new UnsentAttempts(path);
  const setAside = (refused: readonly RefusedOperation[]): void => {
    // An alert about an alert would never end.
    const others = refused.filter(({ what }) => what !== 'recordAlert');
    if (others.length > 0) void recorder.recordAlert(alerts.setAside(others)).catch(() => undefined);
  };
  const listUnsent = (): void => {
    try {
      unsent?.write();
    } catch {
      // What is not on the list is taken for sent; what is and should not be any more is not sent, by whoever takes it off.
    }
  };
  const queue = new WriteQueue(host, clock, feed.announce, journal, setAside, listUnsent);
  const reader = afterWriting(earlyReader, queue);
  // Whole-table scans have a thread of their own, so that a page of runs does not wait for them.
  const scanner = afterWriting(newReader(readerOptions), queue);
  const startup = startupConnection(path);
  const take = async (waiting: RunRecord): Promise<RunRecord> => {
    const run: RunRecord = { ...waiting, status: 'running', begun: waiting.begun + 1 };
    await queue.write(() => openRun(run), null);
    return run;
  };
  const recorder = createRecorder(queue, reader, earlyReader, new RunContexts(), take, unsent);
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
    ...assembleLedger({ queue, reader, scanner, quickReader: earlyReader, recorder, clock, feed }),
    accounts: createAccounts(startup.connection, queue),
    recovered: host.recovered,
    recoveryAlerts,
    async close() {
      stopWatching?.();
      startup.close();
      await queue.close();
      unsent?.close();
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
  const isRemote = isDatabaseAddress(path);
  const tables = isRemote
    ? openLate(async () => (await import('./postgres/open.ts')).openPostgresReader(path))
    : createReader({ path, migrationsFolder: PACKAGE_MIGRATIONS });
  const upToDate = isRemote ? Promise.resolve() : takeUpJournal(path);
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
    spans: async (reads) => unpackSpans(await reader.ask('spans', reads)),
    verify: () => reader.ask('verify'),
    planText: (hash) => reader.ask('planText', hash),
    close: () => reader.close(),
  };
}

/** A reader that is opened by the first question. */
function openLate(open: () => Promise<ReaderThread>): ReaderThread {
  const opened = loadedOnce(open);
  return {
    ask: async (name, ...args) => (await opened.get()).ask(name, ...args),
    close: async () => opened.value()?.close(),
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
