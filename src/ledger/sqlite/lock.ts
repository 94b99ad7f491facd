// One process owns a ledger: it holds an exclusive lock on a file beside the database, which ends with the process, however it ends.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { explainSqliteError, sqliteCode } from './connection.ts';
import { FILE_MODE, makePrivateFiles } from './private-files.ts';

export interface OwnerLock {
  release(): void;
}

/**
 * The lock is SQLite's own on an empty database `…db.lock`: the operating system frees it when the owner dies, so none is ever stale,
 * and readers of the ledger itself are not in its way. Throws DATABASE_IN_USE.
 */
export function takeOwnerLock(path: string): OwnerLock {
  const lockPath = `${path}.lock`;
  const pidPath = `${path}.pid`;
  let database: DatabaseSync | undefined;
  try {
    makePrivateFiles(path);
    database = new DatabaseSync(lockPath, { timeout: 0 });
    database.exec('pragma journal_mode = memory');
    database.exec('begin exclusive');
    writeFileSync(pidPath, `${process.pid}\n`, { mode: FILE_MODE });
  } catch (error) {
    database?.close();
    throw sqliteCode(error) === 5 ? inUse(path, pidPath) : unwritable(error, path);
  }
  const held = database;
  return {
    release() {
      rmSync(pidPath, { force: true });
      held.close();
    },
  };
}

function inUse(path: string, pidPath: string): HeadgateError {
  return new HeadgateError(
    'DATABASE_IN_USE',
    `Another headgate process${ownerText(pidPath)} has the ledger ${path} open.`,
    'Stop that process first, or start this one with another folder with --data.',
  );
}

function ownerText(pidPath: string): string {
  try {
    return ` (pid ${readFileSync(pidPath, 'utf8').trim()})`;
  } catch {
    return '';
  }
}

/** What the file system says of a file that is to lie beside the database, with a code and a remedy. */
export function unwritable(error: unknown, path: string): HeadgateError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ERR_SQLITE_ERROR') return explainSqliteError(error, path);
  if (code === 'ENOSPC')
    return new HeadgateError(
      'DISK_FULL',
      `The disk that should hold ${path} is full.`,
      'Free some space, or choose another folder with --data.',
      { cause: error },
    );
  return new HeadgateError(
    'DATABASE_UNWRITABLE',
    `The folder ${dirname(path)} cannot be written to (${error instanceof Error ? error.message : String(error)}).`,
    'Give the user that runs headgate write permission on the folder, or choose another one with --data.',
    { cause: error },
  );
}
