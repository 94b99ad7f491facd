// What the rest of the engine sees of budgets: holds before calls, settlement after, and the Accounts port for recovery.
import type { NanoUsd } from '../../common/money.ts';
import type { Outcome } from '../../common/outcome.ts';
import type { BudgetAction, Plan, PlanBudget } from '../../language/plan/types.ts';

/** Who runs a task. Attributes come from the key, or are the open loopback caller's. */
export interface Caller {
  readonly name: string;
  readonly team: string | null;
  readonly tier: string | null;
  readonly tags: { readonly [key: string]: string };
  readonly scopes: readonly string[];
  readonly keyId: string | null;
  /** What the client says that the call belongs to: a coding agent's session. Of letters, digits and `._:@-`. Left out: it says nothing. */
  readonly session?: string;
}

export interface Spending {
  readonly costNanoUsd: NanoUsd;
  readonly tokens: number;
  readonly calls: number;
}

export interface HoldRequest {
  readonly runId: string;
  readonly attemptId: string;
  readonly task: string;
  readonly provider: string;
  /** `provider/model`. */
  readonly model: string;
  readonly caller: Caller;
  /** The run's own tags over the caller's. */
  readonly tags: { readonly [key: string]: string };
  /** The worst case. */
  readonly worst: Spending;
  /** Held on top as far as every budget has room for it. */
  readonly margin?: Margin;
}

export type Margin = Pick<Spending, 'costNanoUsd' | 'tokens'>;

/** One budget account's share of a hold; stored with the attempt, so that recovery can rebuild every account. JSON-safe. */
export interface Posting {
  readonly budgetId: string;
  /** '' where the budget has one account in all; the run's id where it is `per: run`. */
  readonly account: string;
  /** Start of the calendar window, of the rolling bucket, or 0 for `run`. */
  readonly windowStartMs: number;
}

export interface Hold {
  readonly attemptId: string;
  /** With what was granted of the margin. Read it again at settlement: `adjust` may have changed it. */
  readonly worst: Spending;
  /** Read them again when the attempt is closed: a reload that moves a hold in flight to other accounts puts another array here. */
  readonly postings: readonly Posting[];
  /** Budgets with `then: warn` that this hold goes beyond. */
  readonly exceededSoftly: readonly string[];
}

export interface BudgetRefusal {
  readonly budgetId: string;
  readonly name: string;
  readonly account: string;
  readonly action: BudgetAction;
  readonly unit: 'usd' | 'tokens' | 'calls';
  /** In nano-dollars, tokens or calls. */
  readonly limit: bigint;
  readonly spent: bigint;
  readonly held: bigint;
  readonly needed: bigint;
  /** Of what is held, what is only held because little is known of a model; it is given back with the first answers. */
  readonly margin: bigint;
  readonly windowStartedAtMs: number;
  /** When it would fit; null: never, as for a run's own budget. */
  readonly resetsAtMs: number | null;
  /** `too_many_accounts`: the budget keeps count of as many values (callers, teams, tag values) as it can in this window (INV-14). */
  readonly reason?: 'limit' | 'too_many_accounts';
}

export interface BudgetView {
  readonly budget: PlanBudget;
  readonly account: string;
  readonly limit: bigint;
  readonly spent: bigint;
  readonly held: bigint;
  readonly calls: number;
  readonly windowStartedAtMs: number;
  readonly resetsAtMs: number | null;
}

/**
 * Where several nodes spend from one budget: what this one has of it does not reach, and may be had. Ask for it once, then hold: it is
 * held or refused.
 */
export interface SliceNeeded {
  readonly kind: 'slice';
  readonly needs: readonly SliceNeed[];
}

export interface SliceNeed {
  readonly budgetId: string;
  readonly account: string;
  /** In the budget's unit. */
  readonly amount: bigint;
}

export interface Budgets {
  /** Takes over a plan's budgets; what was spent and held under a budget's id stays. */
  configure(plan: Plan): void;
  /** On every budget that applies, or on none (INV-2). Synchronous: nothing can come between the look and the hold. */
  hold(request: HoldRequest): Outcome<Hold, BudgetRefusal>;
  /** The same, with one more answer where several nodes spend from a budget: that a slice of it has to be had first. Then `leaseAndHold`. */
  holdOrAsk(request: HoldRequest): Outcome<Hold, BudgetRefusal | SliceNeeded>;
  /** Asks for what a hold needed, as long as it is to be had, and holds. Rejects where nobody can say whether it is: as with LedgerUnavailable. */
  leaseAndHold(request: HoldRequest, needed: SliceNeeded): Promise<Outcome<Hold, BudgetRefusal>>;
  /** Would it fit? Takes nothing. */
  fits(request: HoldRequest): BudgetRefusal | undefined;
  /** The true cost takes the place of the worst case. Idempotent by attempt. Never more than was held on a budget, unless a provider billed beyond the worst case: then the account shows it and alerts. An attempt of a former process is closed in the ledger first, and settled here when that is written. */
  settle(hold: Hold, actual: Spending): void;
  /** Another worst case is known of a call under way: its hold is raised as far as there is room, and lowered. */
  adjust(hold: Hold, worst: Spending, margin: Margin): void;
  /** What this process settled already cost something else. Counts in the windows that are still open. */
  correct(postings: readonly Posting[], before: Spending, after: Spending): void;
  /** Resolves when something that was held has been given back. */
  nextRoom(): Promise<void>;
  /** Nothing was billed. */
  release(hold: Hold): void;
  /** The run is over: its accounts of budgets `per: run` are let go, each with its last hold. */
  endRun(runId: string): void;
  /** A run goes on that another process began: what it has spent and holds counts in its own budgets. */
  takeUp(runId: string): Promise<void>;
  /** Accounts with anything in their current window, and every budget's sole account. */
  views(filter?: { readonly budgetId?: string; readonly account?: string }): readonly BudgetView[];
  onAlert(listener: (alert: BudgetAlert) => void): () => void;
  /** Gives back what this node has of budgets that it shares. */
  close(): Promise<void>;
}

export interface BudgetAlert {
  readonly kind: 'budget_warn' | 'budget_exhausted' | 'budget_overrun';
  readonly view: BudgetView;
  /** The share that was passed, 0 to 1. */
  readonly share: number;
}

/** An open attempt as the ledger gives it back. With `request` and `heldAtMs`, a budget added while the process was down finds it too. */
export interface RecoveredHold extends Hold {
  readonly request?: HoldRequest;
  readonly heldAtMs?: number;
}

/** One account of a budget that several nodes spend from. */
export interface SharedAccount {
  readonly budgetId: string;
  readonly account: string;
  /** Of the calendar window; 0 for a rolling one. */
  readonly windowStartMs: number;
  readonly unit: 'usd' | 'tokens' | 'calls';
  /** Postings from here on count. */
  readonly countedFromMs: number;
}

/** What all nodes have of an account, in the budget's unit. */
export interface Shared {
  /** Up to here this node may spend and hold. */
  readonly granted: bigint;
  readonly othersSpent: bigint;
  readonly othersHeld: bigint;
}

/** What other nodes have spent and hold, of accounts that have anything. */
export interface OthersUse {
  readonly budgetId: string;
  readonly account: string;
  readonly windowStartMs: number;
  readonly spent: Spending;
  readonly held: Spending;
}

/**
 * Slices of budgets that several nodes spend from (INV-2 over all of them): each node spends and holds up to what it was granted, and the sum of what
 * is granted and of what was spent without a grant never passes the limit. Declared here, implemented by the ledger.
 */
export interface Leases {
  /**
   * More of an account: at least `need`, at most `want`, never more than a share of the room. `have`: what this node was granted before; it takes
   * the place of what the ledger says, so that a lost answer is asked for again. Rejects with a LedgerUnavailable, also where this node is fenced.
   */
  lease(
    of: SharedAccount,
    ask: { readonly limit: bigint; readonly have: bigint; readonly need: bigint; readonly want: bigint },
  ): Promise<Shared>;
  /** Less: `granted` takes the place of what it had. */
  giveBack(of: SharedAccount, granted: bigint): Promise<void>;
  /** Asks the other nodes to give back what they do not use. */
  recall(budgetId: string, account: string): Promise<void>;
  onRecall(listener: (budgetId: string, account: string) => void): () => void;
  /** Of all windows that start at `sinceMs` or later. */
  others(sinceMs: number): Promise<readonly OthersUse[]>;
}

/** The ledger's sums, from which accounts start; declared here, implemented by the ledger. */
export interface Accounts {
  /** Where the ledger is not in this process: reads what these budgets will ask for, so that the others can answer at once. */
  prepare?(budgets: readonly PlanBudget[]): Promise<void>;
  /**
   * Settled sums by posting, of windows not yet over: all with `windowStartMs >= sinceMs`, and those with `windowStartMs` 0 (`per: run`)
   * of runs that are not finished.
   */
  settled(sinceMs: number): Iterable<{ readonly posting: Posting; readonly spending: Spending }>;
  /** Where other nodes write too: what a run and its children have spent and hold in the budgets of their own. */
  ofRun?(runId: string): Promise<readonly { readonly posting: Posting; readonly spending: Spending }[]>;
  /** Holds of attempts left open: they stay held at their worst case until reconciled. */
  open(): Iterable<RecoveredHold>;
  /**
   * For a budget that has no postings yet: what past attempts in its scope spent since `sinceMs`, by account. It must hold every attempt that was
   * handed over to be closed, once, even if its transaction is still under way; and none that is open.
   */
  history(
    budget: PlanBudget,
    sinceMs: number,
  ): Iterable<{ readonly account: string; readonly atMs: number; readonly spending: Spending }>;
  /**
   * A budget started from `history`: these opening balances take the place of all that the ledger has for the budget from `sinceMs` on, in the order of
   * the other writes, so that the next recovery finds them in `settled`. Not called where there is nothing to replace and no balance.
   */
  seeded?(
    budgetId: string,
    sinceMs: number,
    balances: readonly { readonly posting: Posting; readonly spending: Spending }[],
  ): void;
  /** A reload moved open attempts to other accounts: these postings take the place of the ones that they were opened with, in the order of the other writes. */
  moved?(holds: readonly { readonly attemptId: string; readonly postings: readonly Posting[] }[]): void;
}
