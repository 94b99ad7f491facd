// What a write that failed is told, and what the process says of one that could not be told any more.
import { HeadgateError } from '../../errors/headgate-error.ts';
import { LedgerUnavailable } from '../../errors/ledger-unavailable.ts';
import type { Acknowledgement, Failure } from './writer.ts';

/** Whoever asked for it was told that it is written: that cannot be taken back, and is not to be passed over in silence. */
export function warnOfRefused({ refused }: Acknowledgement, firstNotJournaled: number): void {
  for (const { number, failure } of refused) {
    if (number < firstNotJournaled) process.emitWarning(failure.message, { code: failure.code });
  }
}

export const BACKLOG_FAILURE: Failure = {
  code: 'LEDGER_BACKLOG',
  message: 'Too many rows wait for the disk.',
  remedy: 'The disk is slower than the traffic: slow the traffic down, or use a faster disk.',
};

export function lostFailure(reason: string): Failure {
  return {
    code: 'LEDGER_WRITER_LOST',
    message: `The ledger's writer ended: ${reason}.`,
    remedy: 'Start headgate again.',
  };
}

export function unavailable(failure: Failure): LedgerUnavailable {
  const cause = new HeadgateError(failure.code, failure.message, failure.remedy);
  return new LedgerUnavailable(failure.message, failure.remedy, { cause });
}

/** What could not be made into a row. */
export function refusedValue(error: unknown): unknown {
  return error instanceof HeadgateError ? unavailable(error) : error;
}
