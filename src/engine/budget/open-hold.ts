// OpenHold: a hold that is not settled yet, with the cells that it was placed in.
import type { Account, Cell } from './account.ts';
import type { BudgetState } from './budget-state.ts';
import type { Hold, HoldRequest, Posting, Spending } from './port.ts';

export interface Placed {
  readonly state: BudgetState;
  readonly account: Account;
  readonly cell: Cell;
  amount: bigint;
  /** Of the amount. */
  margin: bigint;
}

export interface OpenHold {
  /** The one that was handed out; its postings follow a budget that is re-derived under the hold. */
  readonly hold: Hold & { worst: Spending; postings: readonly Posting[] };
  /** null: recovered from a ledger that does not keep it. */
  readonly request: HoldRequest | null;
  /** null: recovered from a ledger that does not tell. */
  readonly heldAtMs: number | null;
  readonly placed: Placed[];
}
