// What those outside are told of a ledger that cannot be written or read: never a driver's words, nor where its files lie.
import type { HeadgateError } from './headgate-error.ts';

const WORDS: { readonly [code: string]: string } = {
  DISK_FULL: 'its disk is full',
  DATABASE_LOCKED: 'its database is locked',
  DATABASE_REPLACED: 'its files were taken away or replaced',
  DATABASE_UNWRITABLE: 'its files cannot be written',
  LEDGER_BACKLOG: 'too many rows wait for its disk',
};
const STORAGE = /^(DATABASE|DISK|LEDGER)_/;

/** Whether an error speaks of files and drivers, which is for the log alone. */
export function isStorageError({ code }: HeadgateError): boolean {
  return STORAGE.test(code);
}

/** `its disk is full`; of an error whose words are not known here only that something failed. */
export function storageWords({ code, cause }: Pick<HeadgateError, 'code' | 'cause'>): string {
  const inner = (cause as Partial<HeadgateError> | undefined)?.code;
  return WORDS[code] ?? (inner === undefined ? undefined : WORDS[inner]) ?? 'its database cannot be used';
}
