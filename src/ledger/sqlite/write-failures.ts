// What a write that failed is told.
import { HeadgateError } from '../../errors/headgate-error.ts';
import { LedgerUnavailable } from '../../errors/ledger-unavailable.ts';
import type { Failure } from './writer.ts';

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
