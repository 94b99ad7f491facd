// What those outside are told of a ledger that cannot be written or read: never a driver's words, nor where its files lie.
import { HeadgateError } from './headgate-error.ts';
import { LedgerUnavailable } from './ledger-unavailable.ts';

const WORDS: { readonly [code: string]: string } = {
  DISK_FULL: 'its disk is full',
  DATABASE_LOCKED: 'its database is locked',
  DATABASE_READ_ONLY: 'its database takes no writes',
  DATABASE_REPLACED: 'its files were taken away or replaced',
  DATABASE_UNWRITABLE: 'its files cannot be written',
  DATABASE_UNREACHABLE: 'its database cannot be reached',
  LEDGER_BACKLOG: 'too many rows wait for its disk',
};
const STORAGE = /^(DATABASE|DISK|LEDGER)_/;

/** Whether an error speaks of files and drivers, which is for the log alone. */
export function isStorageError({ code }: HeadgateError): boolean {
  return STORAGE.test(code);
}

/** Of a question that could not be answered. */
const AWAY = new Set(['DATABASE_UNREACHABLE', 'DATABASE_READ_ONLY', 'DATABASE_LOCKED', 'DISK_FULL']);

/** Whether it is the ledger that failed, and not what was to be written or read: the same may succeed when it is well again. */
export function isLedgerAway(error: unknown): error is HeadgateError {
  if (!(error instanceof HeadgateError)) return false;
  const { code, cause } = error;
  return error instanceof LedgerUnavailable
    ? !(cause instanceof HeadgateError && cause.code === 'LEDGER_VALUE')
    : AWAY.has(code);
}

/** `its disk is full`; of an error whose words are not known here only that something failed. */
export function storageWords({ code, cause }: Pick<HeadgateError, 'code' | 'cause'>): string {
  const inner = (cause as Partial<HeadgateError> | undefined)?.code;
  return WORDS[code] ?? (inner === undefined ? undefined : WORDS[inner]) ?? 'its database cannot be used';
}
