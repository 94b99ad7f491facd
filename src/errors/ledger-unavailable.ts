// LedgerUnavailable: a row could not be written; whoever waited for it must not spend.
import { HeadgateError } from './headgate-error.ts';

/** Nothing of the refused write is in the database. The process goes on, and later writes are tried again. */
export class LedgerUnavailable extends HeadgateError {
  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super('LEDGER_UNAVAILABLE', message, remedy, options);
  }
}
