// Opens a database for its only writer: checked, migrated, with what the journal holds, recovered.
import { rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { journalPath } from '../journal/journal.ts';
import { replayJournal } from '../journal/replay.ts';
import { explainSqliteError, openForWriting } from './connection.ts';
import type { Synchronous } from './connection.ts';
import { takeOwnerLock } from './lock.ts';
import { checkHeader, migrate } from './migrate.ts';
import { recover } from './recovery.ts';
import type { Recovered } from './recovery.ts';
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
  const database = openUpToDate(path, synchronous, migrationsFolder);
  try {
    const recovered = recover(database, nowMs);
    return { writer: new Writer(database, path), database, recovered };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Checked, migrated, with what the journal holds. */
function openUpToDate(path: string, synchronous: Synchronous, migrationsFolder: string): DatabaseSync {
  checkHeader(path, migrationsFolder);
  const database = openForWriting(path, synchronous);
  try {
    migrate(database, path, migrationsFolder);
    replayJournal(database, path);
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
export function takeUpJournal(path: string, migrationsFolder: string): void {
  try {
    const lock = takeOwnerLock(path);
    try {
      openUpToDate(path, 'full', migrationsFolder).close();
      rmSync(journalPath(path), { force: true });
    } finally {
      lock.release();
    }
  } catch (error) {
    const { code, message } = explainSqliteError(error, path);
    if (code === 'DATABASE_IN_USE') return;
    process.emitWarning(`What the journal ${journalPath(path)} holds is not in the answer: ${message}`, {
      code,
    });
  }
}
