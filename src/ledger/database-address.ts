// Whether a ledger is in a file, or in a PostgreSQL that several nodes share.
import { HeadgateError } from '../errors/headgate-error.ts';

export function isDatabaseAddress(path: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(path);
}

/** The address holds a password, so it is not repeated. */
export function wrongAddress(what: string): HeadgateError {
  return new HeadgateError(
    'DATABASE_ADDRESS',
    `The address of the database is not one of PostgreSQL. ${what}`,
    'Write it as postgres://USER:PASSWORD@HOST/DATABASE, best in HEADGATE_DATABASE.',
  );
}
