// BudgetState: one budget's accounts, its window and its limit, as they stand now.
import { amountOfLimit } from '../../common/limit.ts';
import type { PlanBudget } from '../../language/plan/types.ts';
import { Account, type Cell, deadCell } from './account.ts';
import { createCursor, type WindowCursor } from './cursor.ts';
import type { BudgetRefusal, BudgetView } from './port.ts';
import type { BudgetUnit } from './units.ts';
import { shareOf } from './shares.ts';

/** A run that placed no hold for so long is over, whether or not anybody said so. */
const FORGOTTEN_RUN_MS = 86_400_000;
/** Looking through 10,000 accounts takes a millisecond: not for every hold of somebody who makes up tag values. */
const SWEEP_EVERY_MS = 1000;

export class BudgetState {
  budget: PlanBudget;
  limit: bigint;
  /** The amounts at which `warnAt` speaks, ascending. */
  thresholds: readonly bigint[];
  readonly unit: BudgetUnit;
  readonly cursor: WindowCursor;
  readonly accounts = new Map<string, Account>();
  readonly #maxAccounts: number;
  #sweptAtMs = Number.NEGATIVE_INFINITY;

  constructor(budget: PlanBudget, maxAccounts: number) {
    this.budget = budget;
    this.unit = budget.limit.unit;
    this.limit = amountOfLimit(budget.limit);
    this.thresholds = budget.warnAt.map((share) => shareOf(this.limit, share));
    this.cursor = createCursor(budget.per, budget.each === null ? 'one' : 'each');
    this.#maxAccounts = maxAccounts;
  }

  /** Takes another limit, action, condition or name; what was spent and held stays. A share that is no longer reached may be announced again. */
  adopt(budget: PlanBudget): void {
    const announced = new Map(this.budget.warnAt.map((share, index) => [share, index]));
    this.budget = budget;
    this.limit = amountOfLimit(budget.limit);
    this.thresholds = budget.warnAt.map((share) => shareOf(this.limit, share));
    for (const account of this.accounts.values()) {
      const warnedAtMs = budget.warnAt.map((share, index) => {
        const before = announced.get(share);
        const reached = account.spent >= (this.thresholds[index] ?? 0n);
        return (reached && before !== undefined && account.warnedAtMs[before]) || Number.NEGATIVE_INFINITY;
      });
      account.warnedAtMs.splice(0, account.warnedAtMs.length, ...warnedAtMs);
      if (account.spent + account.held < this.limit) account.exhaustedAtMs = Number.NEGATIVE_INFINITY;
    }
  }

  advance(nowMs: number): void {
    this.cursor.advance(nowMs);
  }

  /** Whether nodes that share it need slices: what only warns is refused nothing, and a run is at one node. */
  get isLeased(): boolean {
    return this.budget.then !== 'warn' && this.budget.per.kind !== 'run';
  }

  /** The start of the window that a slice is of. */
  sliceStartMs(): number {
    return this.budget.per.kind === 'calendar' ? this.cursor.currentStartMs() : 0;
  }

  /** What this node was granted of the account in the window that counts now. */
  grantedOf(account: Account): bigint {
    return account.grantedForMs === this.sliceStartMs() ? account.granted : 0n;
  }

  /** The account as it stands now; undefined: nothing was posted to it. */
  find(key: string): Account | undefined {
    const account = this.accounts.get(key);
    account?.expire(this.cursor.cutoffMs());
    return account;
  }

  /** The account, opened where there is none, however many there are: what is spent or under way is counted, rather than forgotten. */
  obtainAny(key: string, nowMs: number): Account {
    let account = this.find(key);
    if (account === undefined) {
      account = new Account(key, nowMs);
      this.accounts.set(key, account);
    }
    return account;
  }

  /** false: there are as many accounts as may be, and none that can be let go without losing count (INV-14). */
  hasRoomFor(key: string, nowMs: number): boolean {
    if (this.accounts.size < this.#maxAccounts || this.accounts.has(key)) return true;
    this.#sweep(nowMs);
    return this.accounts.size < this.#maxAccounts;
  }

  /** The cell for an instant or a start that lies in the past, the present or (after a clock was set back) the future. */
  cellOf(account: Account, startMs: number): Cell {
    return startMs < this.cursor.cutoffMs() ? deadCell(startMs) : account.cell(startMs);
  }

  endRun(runId: string): void {
    if (this.budget.per.kind !== 'run') return;
    const account = this.accounts.get(runId);
    if (account === undefined) return;
    account.ended = true;
    this.dropIfEnded(account);
  }

  dropIfEnded(account: Account): void {
    if (account.ended && account.openHolds === 0 && this.accounts.get(account.key) === account) {
      this.accounts.delete(account.key);
    }
  }

  /** Lets go of accounts whose window passed, and of those on which nothing was spent; looked for once a second. */
  #sweep(nowMs: number): void {
    if (nowMs - this.#sweptAtMs < SWEEP_EVERY_MS) return;
    this.#sweptAtMs = nowMs;
    const cutoffMs = this.cursor.cutoffMs();
    const isRun = this.budget.per.kind === 'run';
    for (const [key, account] of this.accounts) {
      account.expire(cutoffMs);
      const isForgotten = isRun && account.openHolds === 0 && nowMs - account.usedAtMs > FORGOTTEN_RUN_MS;
      if (account.isEmpty || isForgotten) this.accounts.delete(key);
    }
  }

  view(key: string, account: Account | undefined, nowMs: number): BudgetView {
    return {
      budget: this.budget,
      account: key,
      limit: this.limit,
      spent: account?.spent ?? 0n,
      held: (account?.held ?? 0n) + (account?.foreignHeld ?? 0n),
      calls: account?.calls ?? 0,
      windowStartedAtMs: this.#startedAtMs(account, nowMs),
      resetsAtMs: this.#resetsAtMs(account, nowMs),
    };
  }

  refusal(
    key: string,
    account: Account | undefined,
    needed: bigint,
    reason: 'limit' | 'too_many_accounts',
    nowMs: number,
  ): BudgetRefusal {
    return {
      budgetId: this.budget.id,
      name: this.budget.name,
      account: key,
      action: this.budget.then,
      unit: this.unit,
      limit: this.limit,
      spent: account?.spent ?? 0n,
      held: (account?.held ?? 0n) + (account?.foreignHeld ?? 0n),
      needed,
      margin: account?.margin ?? 0n,
      windowStartedAtMs: this.#startedAtMs(account, nowMs),
      resetsAtMs: this.#fitsAtMs(account, needed, nowMs),
      reason,
    };
  }

  #startedAtMs(account: Account | undefined, nowMs: number): number {
    return this.budget.per.kind === 'run' ? (account?.openedAtMs ?? nowMs) : this.cursor.startedAtMs();
  }

  /** Calendar: when the window ends. Rolling: when the oldest of what counts stops counting. Run: never. */
  #resetsAtMs(account: Account | undefined, nowMs: number): number | null {
    if (this.budget.per.kind !== 'rolling') return this.cursor.expiryMs(this.cursor.currentStartMs());
    const oldest = account?.cells[0];
    return oldest === undefined ? nowMs : this.cursor.expiryMs(oldest.startMs);
  }

  /** When `needed` would fit if all that is held were spent; null: never. */
  #fitsAtMs(account: Account | undefined, needed: bigint, nowMs: number): number | null {
    if (this.budget.per.kind !== 'rolling') return this.#resetsAtMs(account, nowMs);
    if (needed > this.limit) return null;
    let counted = (account?.spent ?? 0n) + (account?.held ?? 0n);
    for (const cell of account?.cells ?? []) {
      counted -= cell.spent + cell.held;
      if (counted + needed <= this.limit) return this.cursor.expiryMs(cell.startMs);
    }
    return nowMs;
  }
}
