// A copy of the ledger, taken beside a running server and added up again before it counts as one; and putting one back.
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../common/clock.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import { systemRandom } from '../common/random.ts';
import { LedgerAlerts } from './alerts.ts';
import { journalPath } from './journal/journal.ts';
import { unsentPath } from './journal/unsent.ts';
import { explainSqliteError, openForReading } from './sqlite/connection.ts';
import { takeOwnerLock, unwritable } from './sqlite/lock.ts';
import { checkHeader } from './sqlite/migrate.ts';
import { recordFirstAlert } from './sqlite/open-writer.ts';
import { FILE_MODE, makePrivateFiles } from './sqlite/private-files.ts';
import type { VerifyReport } from './verify/report.ts';
import { PACKAGE_MIGRATIONS, openLedgerReader } from './open.ts';

/** Milliseconds since 1970; null: it has no run. */
export interface Backup {
  readonly newestMs: number | null;
  readonly report: VerifyReport;
}

/**
 * Writes the state of one instant to `file`, while others write on. It is there whole and verified, or not at all. Throws DATABASE_* and
 * BACKUP_UNSOUND; `file` must not exist.
 */
export async function backupLedger(path: string, file: string): Promise<Backup> {
  const part = `${file}.part`;
  rmSync(part, { force: true });
  try {
    // What a killed process left in its journal comes first; beside a running one, it is in the tables within 25 ms.
    const reader = openLedgerReader(path);
    try {
      await reader.switches();
    } finally {
      await reader.close();
    }
    copyTables(path, part);
    const backup = await verified(part);
    renameSync(part, file);
    syncFile(dirname(file));
    return backup;
  } catch (error) {
    rmSync(part, { force: true });
    throw error instanceof HeadgateError ? error : unwritable(error, file);
  }
}

/** One read transaction: a snapshot that no writer waits for, and that none of them moves. */
function copyTables(path: string, to: string): void {
  const database = openForReading(path);
  try {
    database.prepare('vacuum into ?').run(to);
    chmodSync(to, FILE_MODE);
    syncFile(to);
  } catch (error) {
    throw explainSqliteError(error, path);
  } finally {
    database.close();
  }
}

async function verified(file: string): Promise<Backup> {
  checkHeader(file, PACKAGE_MIGRATIONS);
  const newestMs = readSound(file);
  const report = await verificationOf(file);
  const [first] = report.discrepancies;
  if (first !== undefined)
    throw unsound(file, `${first.kind} ${first.where}: expected ${first.expected}, found ${first.actual}`);
  return { newestMs, report };
}

async function verificationOf(file: string): Promise<Backup['report']> {
  const ledger = openLedgerReader(file);
  try {
    return await ledger.verify();
  } finally {
    await ledger.close();
  }
}

/** When the newest call in it ended or began. */
function readSound(file: string): number | null {
  let database: ReturnType<typeof openForReading> | undefined;
  try {
    database = openForReading(file);
    const [check] = database.prepare('pragma integrity_check').all();
    const found = String(Object.values(check ?? {})[0]);
    if (found !== 'ok') throw unsound(file, found);
    const newest = database
      .prepare('select max(coalesce(finished_at_ms, started_at_ms)) as at from attempts')
      .get()?.['at'];
    return newest === null || newest === undefined ? null : Number(newest);
  } catch (error) {
    throw explainSqliteError(error, file);
  } finally {
    database?.close();
  }
}

function unsound(file: string, what: string): HeadgateError {
  return new HeadgateError(
    'BACKUP_UNSOUND',
    `The copy ${file} is not sound: ${what}.`,
    'Look at the ledger with `headgate ledger verify`, and take another backup or an older one.',
  );
}

export interface Restored extends Backup {
  /** Where what was there before lies now; empty: nothing was. */
  readonly keptAs: readonly string[];
}

/**
 * Puts a backup in the place of the ledger `path`; no process may have it open. What was there is kept beside it. An alert says which time is in
 * neither. Throws DATABASE_*, BACKUP_UNSOUND; then nothing was changed.
 */
export async function restoreLedger(file: string, path: string, clock: Clock): Promise<Restored> {
  if (!existsSync(file))
    throw new HeadgateError(
      'DATABASE_NOT_FOUND',
      `there is no backup ${file}`,
      'Name the file that "headgate ledger backup" wrote.',
    );
  const backup = await verified(file);
  makePrivateFiles(path);
  const lock = takeOwnerLock(path);
  try {
    const incoming = `${path}.incoming`;
    try {
      copyFileSync(file, incoming, constants.COPYFILE_FICLONE);
      chmodSync(incoming, FILE_MODE);
      syncFile(incoming);
    } catch (error) {
      rmSync(incoming, { force: true });
      throw unwritable(error, path);
    }
    const nowMs = clock.nowMs();
    const stamp = new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-');
    const keptAs: string[] = [];
    // A log or a journal of the old database must not be taken for the new one's.
    for (const old of [path, `${path}-wal`, `${path}-shm`, journalPath(path), unsentPath(path)]) {
      if (!existsSync(old) || (old === path && isEmpty(path))) continue;
      const kept = old.replace(path, `${path}.before-${stamp}`);
      renameSync(old, kept);
      keptAs.push(kept);
    }
    renameSync(incoming, path);
    syncFile(dirname(path));
    const alerts = new LedgerAlerts(path, clock, systemRandom);
    recordFirstAlert(path, PACKAGE_MIGRATIONS, alerts.restored(backup.newestMs, keptAs));
    return { ...backup, keptAs };
  } finally {
    lock.release();
  }
}

/** As `makePrivateFiles` leaves it where there was none. */
function isEmpty(path: string): boolean {
  try {
    const database = openForReading(path);
    try {
      return database.prepare('select count(*) as tables from sqlite_schema').get()?.['tables'] === 0n;
    } finally {
      database.close();
    }
  } catch {
    return false;
  }
}

function syncFile(path: string): void {
  if (process.platform === 'win32') return;
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
