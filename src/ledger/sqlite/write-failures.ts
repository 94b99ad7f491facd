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

/** What a constraint refused of one row. `keyConstraint`: how the database names the one of a caller's idempotency keys. */
export function rowRefusal(error: unknown, keyConstraint: string): Failure {
  const detail = error instanceof Error ? error.message : String(error);
  if (detail.includes(keyConstraint))
    return {
      code: 'IDEMPOTENCY_KEY_USED',
      message: 'This caller has already made a run with this idempotency key.',
      remedy: 'Ask for the run that was made with it, or send another key.',
    };
  return {
    code: 'LEDGER_CONSTRAINT',
    message: `The ledger refused a row: ${detail}.`,
    remedy: 'Each run and each attempt is written once, under an id of its own.',
  };
}
