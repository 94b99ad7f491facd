// Opens SQLite through node:sqlite with the ledger's settings, and says in people's words what went wrong.
import { DatabaseSync } from 'node:sqlite';
import { HeadgateError } from '../../errors/headgate-error.ts';

export type Synchronous = 'full' | 'normal';

/** How long a statement waits for another process's lock. */
const BUSY_TIMEOUT_MS = 2_000;

/** The one connection that writes. Integers come back as bigint, so that none is rounded. */
export function openForWriting(path: string, synchronous: Synchronous): DatabaseSync {
  const database = new DatabaseSync(path, {
    readBigInts: true,
    timeout: BUSY_TIMEOUT_MS,
    enableForeignKeyConstraints: false,
  });
  try {
    database.exec('pragma journal_mode = wal');
    database.exec(`pragma synchronous = ${synchronous}`);
    // A checkpoint every 12,000 pages: fewer rewrites of the hot pages than at SQLite's 1,000, and a log that stays around 48 MB.
    database.exec('pragma wal_autocheckpoint = 12000');
    // A reader that takes long lets the log grow; what it grew to is given back afterwards.
    database.exec('pragma journal_size_limit = 67108864');
    // Rows are written at the end of their tables, so that few pages are in use at a time; each commit walks over the whole cache's index.
    database.exec('pragma cache_size = -4000');
    database.exec('pragma temp_store = memory');
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** A connection that cannot write; it sees each committed transaction whole. */
export function openForReading(path: string): DatabaseSync {
  const database = new DatabaseSync(path, {
    readOnly: true,
    readBigInts: true,
    timeout: BUSY_TIMEOUT_MS,
    enableForeignKeyConstraints: false,
  });
  database.exec('pragma cache_size = -32000');
  database.exec('pragma mmap_size = 268435456');
  return database;
}

interface SqliteError extends Error {
  readonly errcode: number;
}

function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number';
}

/** SQLite's primary result code, or 0 where the error is not SQLite's. */
export function sqliteCode(error: unknown): number {
  return isSqliteError(error) ? error.errcode & 0xff : 0;
}

const SQLITE_ERROR = 1;
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_NOMEM = 7;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_PROTOCOL = 15;
const SQLITE_NOTADB = 26;

const STATES_OF_THE_DATABASE: ReadonlySet<number> = new Set([
  SQLITE_BUSY,
  SQLITE_LOCKED,
  SQLITE_NOMEM,
  SQLITE_READONLY,
  SQLITE_IOERR,
  SQLITE_CORRUPT,
  SQLITE_FULL,
  SQLITE_CANTOPEN,
  SQLITE_PROTOCOL,
  SQLITE_NOTADB,
]);

/**
 * Whether any other operation would have failed of it too: a disk, a lock, a database that is not what it was. Everything else is the fault of the
 * operation that threw it, whatever it is.
 */
export function isDatabaseFailure(error: unknown): boolean {
  const code = sqliteCode(error);
  if (STATES_OF_THE_DATABASE.has(code)) return true;
  if (!(error instanceof Error)) return false;
  if (code === SQLITE_ERROR)
    return /^(?:no such (?:table|column)|table \w+ has no column)/.test(error.message);
  // node:sqlite's own: the connection is closed.
  return 'code' in error && error.code === 'ERR_INVALID_STATE';
}

/** The same trouble as an error with a code and a remedy. */
export function explainSqliteError(error: unknown, path: string): HeadgateError {
  if (error instanceof HeadgateError) return error;
  const options = { cause: error };
  const detail = error instanceof Error ? error.message : String(error);
  switch (sqliteCode(error)) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return new HeadgateError(
        'DATABASE_LOCKED',
        `The database ${path} is locked by another process.`,
        `Close whatever has a transaction open on it (\`fuser ${path}\` names the process), then try again.`,
        options,
      );
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return new HeadgateError(
        'DATABASE_UNWRITABLE',
        `The database ${path} cannot be opened or written to (${detail}).`,
        'Give the user that runs headgate write permission on the file and its folder, or choose another folder with --data.',
        options,
      );
    case SQLITE_FULL:
      return new HeadgateError(
        'DISK_FULL',
        `The disk that holds ${path} is full.`,
        'Free some space; what could not be written was refused, and writing goes on by itself.',
        options,
      );
    case SQLITE_IOERR:
      return new HeadgateError(
        'DATABASE_IO',
        `The disk that holds ${path} failed a read or a write (${detail}).`,
        'Check the disk and its free space (`df`, `dmesg`); writing goes on by itself when it recovers.',
        options,
      );
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return notADatabase(path, options);
    default:
      return new HeadgateError(
        'DATABASE_ERROR',
        `The database ${path} refused an operation: ${detail}.`,
        'This is unexpected; keep the file and report it.',
        options,
      );
  }
}

export function notADatabase(path: string, options?: ErrorOptions): HeadgateError {
  return new HeadgateError(
    'DATABASE_UNREADABLE',
    `The file ${path} is not a database of headgate, or it is damaged.`,
    'Move it away and restore the last backup, or start with an empty folder with --data; nothing in it was changed.',
    options,
  );
}
