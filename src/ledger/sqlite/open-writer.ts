// Opens a database for its only writer: checked, migrated, with what the journal holds, recovered.
import { rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { AlertRecord } from '../../engine/execution/recorder.ts';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { journalPath } from '../journal/journal.ts';
import { repairJournal, takeUpJournal } from '../journal/take-up.ts';
import type { Repaired } from '../journal/take-up.ts';
import { readUnsent } from '../journal/unsent.ts';
import { explainSqliteError, openForWriting } from './connection.ts';
import type { Synchronous } from './connection.ts';
import { takeOwnerLock } from './lock.ts';
import { checkHeader, migrate } from './migrate.ts';
import { recover } from './recovery.ts';
import type { Recovered } from './recovery.ts';
import { closeUncalled, recordAlert } from './operations.ts';
import type { Operation } from './operations.ts';
import { Writer } from './writer.ts';

/** Plain values: they go to the writer's thread. */
export interface WriterOptions {
  readonly path: string;
  readonly synchronous: Synchronous;
  readonly migrationsFolder: string;
  readonly nowMs: number;
}

export interface OpenedWriter {
  readonly writer: Writer;
  readonly database: DatabaseSync;
  readonly recovered: Recovered;
}

export function openWriter(options: WriterOptions): OpenedWriter {
  const { path, synchronous, migrationsFolder, nowMs } = options;
  const database = openMigrated(path, synchronous, migrationsFolder);
  try {
    const journal = takeUpJournal(database, path);
    closeUnsent(database, path, nowMs);
    const recovered = { ...recover(database, nowMs), journal };
    return { writer: new Writer(database, path), database, recovered };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** What a process that died had not sent is as if it had never been asked for: it costs nothing, and holds nothing. */
function closeUnsent(database: DatabaseSync, path: string, nowMs: number): void {
  const find = database.prepare("select model, queue_ms from attempts where id = ? and status = 'open'");
  const operations = readUnsent(path).flatMap((id) => {
    const row = find.get(id);
    return row === undefined
      ? []
      : [closeUncalled(id, row['model'] as string, Number(row['queue_ms']), nowMs)];
  });
  if (operations.length > 0) apply(new Writer(database, path), operations);
}

function openMigrated(path: string, synchronous: Synchronous, migrationsFolder: string): DatabaseSync {
  checkHeader(path, migrationsFolder);
  const database = openForWriting(path, synchronous);
  try {
    migrate(database, path, migrationsFolder);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * For a command that reads the ledger of a killed process: puts what that one left in its journal into the tables, as the next start would. A process
 * that has the ledger open does so itself. Where it cannot be done, the tables are read as they are, and a warning says so.
 */
export function takeUpForReading(path: string, migrationsFolder: string): void {
  try {
    withDatabase(path, migrationsFolder, (database) => {
      takeUpJournal(database, path);
      rmSync(journalPath(path), { force: true });
    });
  } catch (error) {
    const { code, message, remedy } = explainSqliteError(error, path);
    if (code === 'DATABASE_IN_USE') return;
    process.emitWarning(
      `What the journal ${journalPath(path)} holds is not in the answer: ${message} ${remedy}`,
      { code },
    );
  }
}

/** Goes on without the damaged part of the journal, and leaves an alert that says what is lost. null: nothing is damaged. */
export function repair(
  path: string,
  migrationsFolder: string,
  alertOf: (repaired: Repaired) => AlertRecord,
  nowMs: number,
): Repaired | null {
  return withDatabase(path, migrationsFolder, (database) => {
    const repaired = repairJournal(database, path, nowMs);
    if (repaired === null) return null;
    apply(new Writer(database, path), [recordAlert(alertOf(repaired))]);
    return repaired;
  });
}

/** Into a database that the caller has the lock of. */
export function recordFirstAlert(path: string, migrationsFolder: string, alert: AlertRecord): void {
  const database = openMigrated(path, 'full', migrationsFolder);
  try {
    apply(new Writer(database, path), [recordAlert(alert)]);
  } finally {
    database.close();
  }
}

function apply(writer: Writer, operations: readonly Operation[]): void {
  const first = writer.lastOperation + 1;
  const last = writer.lastOperation + operations.length;
  const { failure } = writer.apply([{ first, last, operations, journaled: false }]);
  if (failure !== null) throw new HeadgateError(failure.code, failure.message, failure.remedy);
}

function withDatabase<Result>(
  path: string,
  migrationsFolder: string,
  work: (database: DatabaseSync) => Result,
): Result {
  const lock = takeOwnerLock(path);
  try {
    const database = openMigrated(path, 'full', migrationsFolder);
    try {
      return work(database);
    } finally {
      database.close();
    }
  } finally {
    lock.release();
  }
}
