// Brings a database to the code's schema: drizzle-kit's migrations in order, each once, all in one transaction, and never backwards.
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { readMigrations } from '../migrations.ts';
import { notADatabase } from './connection.ts';

/** `HGL1`: in the file's header, so that another program's database is told from ours. */
const APPLICATION_ID = 0x48474c31;
const MAGIC = 'SQLite format 3\0';

/** Throws DATABASE_UNREADABLE or DATABASE_NEWER before the file is opened for writing, so that nothing in it can be touched. */
export function checkHeader(path: string, migrationsFolder: string): void {
  const known = readMigrations(migrationsFolder).length;
  if (!existsSync(path)) return;
  const header = readHeader(path);
  if (header.length === 0) return;
  if (header.length < 100 || header.toString('latin1', 0, 16) !== MAGIC) throw notADatabase(path);
  const applicationId = header.readInt32BE(68);
  const version = header.readInt32BE(60);
  // A file that was made and never migrated has no mark, and no tables either.
  if (applicationId === 0 && version === 0) return refuseForeignTables(path);
  if (applicationId !== APPLICATION_ID) throw notADatabase(path);
  if (version > known) throw newer(path, version, known);
}

function readHeader(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const header = Buffer.alloc(100);
    return header.subarray(0, readSync(file, header, 0, 100, 0));
  } finally {
    closeSync(file);
  }
}

function newer(path: string, version: number, known: number): HeadgateError {
  return new HeadgateError(
    'DATABASE_NEWER',
    `The database ${path} was written by a newer headgate (schema ${version}; this one knows ${known}).`,
    'Install the newer version again, or restore a backup from before the upgrade; nothing was changed.',
  );
}

/** Applies what is missing; returns how many were applied. */
export function migrate(database: DatabaseSync, path: string, migrationsFolder: string): number {
  const migrations = readMigrations(migrationsFolder);
  const done = appliedCount(database);
  if (done > migrations.length) throw newer(path, done, migrations.length);
  if (done === migrations.length) return 0;
  database.exec('begin immediate');
  try {
    for (const migration of migrations.slice(done)) {
      for (const statement of migration.statements) database.exec(statement);
    }
    database.exec(`pragma application_id = ${APPLICATION_ID}`);
    database.exec(`pragma user_version = ${migrations.length}`);
    database.exec('commit');
  } catch (error) {
    if (database.isTransaction) database.exec('rollback');
    throw error;
  }
  // The version is read from the file itself at the next start, so it must not stay in the log.
  database.exec('pragma wal_checkpoint(truncate)');
  return migrations.length - done;
}

function appliedCount(database: DatabaseSync): number {
  return Number(database.prepare('pragma user_version').get()?.['user_version'] ?? 0);
}

function refuseForeignTables(path: string): void {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const table = database.prepare("select name from sqlite_schema where type = 'table' limit 1").get();
    if (table !== undefined) throw notADatabase(path);
  } finally {
    database.close();
  }
}
