// Where a command finds the ledger: in a folder of data, or in a PostgreSQL that several nodes share.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HeadgateError } from '../errors/headgate-error.ts';

export interface LedgerLocation {
  /** The folder of the database, and of the address of a server. */
  readonly data: string;
  /** `postgres://…`: there instead. */
  readonly database?: string;
}

/** As `openLedger` and `openLedgerReader` take it. */
export async function ledgerPath({ data, database }: LedgerLocation): Promise<string> {
  if (database !== undefined) return database;
  const { DATABASE_FILE } = await import('../app.ts');
  return join(data, DATABASE_FILE);
}

/** The same of one that is there: whoever only reads must not make an empty one and be content. Throws DATABASE_NOT_FOUND with the remedy. */
export async function existingLedger(
  location: LedgerLocation,
  remedy = 'Name its folder with --data DIR, or a server with --server URL.',
): Promise<string> {
  const path = await ledgerPath(location);
  // Whether a database elsewhere holds a ledger, asking it will tell.
  if (location.database === undefined && !existsSync(path))
    throw new HeadgateError('DATABASE_NOT_FOUND', `there is no database ${path}`, remedy);
  return path;
}
