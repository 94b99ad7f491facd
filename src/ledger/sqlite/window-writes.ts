// The budget windows' changes of one transaction, added up in memory and written once for each window that they touch.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Posting, Spending } from '../../engine/budget/port.ts';
import { LARGEST_SUM, withinSum } from './written-values.ts';

export interface Settled {
  readonly posting: Posting;
  readonly spending: Spending;
}

/** What the open transaction adds to a window; zero between transactions. */
export interface WindowChange {
  readonly posting: Posting;
  /** Whether it is among those that the open transaction has to write. */
  touched: boolean;
  spentNanoUsd: bigint;
  spentTokens: number;
  spentCalls: number;
  heldNanoUsd: bigint;
  heldTokens: number;
  heldCalls: number;
}

/** Most attempts have the postings of the one before: they are read once, not for each. */
const REMEMBERED_POSTINGS = 5_000;
const REMEMBERED_WINDOWS = 20_000;

export class WindowWrites {
  readonly #upsert: StatementSync;
  readonly #clear: StatementSync;
  readonly #mark: StatementSync;
  #touched: WindowChange[] = [];
  #windows = new Map<string, WindowChange>();
  #byText = new Map<string, readonly WindowChange[]>();

  constructor(database: DatabaseSync) {
    this.#upsert = database.prepare(
      `insert into budget_windows values (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
       on conflict (budget_id, account, window_start_ms) do update set
         spent_nano_usd = ${sum('spent_nano_usd')},
         spent_tokens = spent_tokens + excluded.spent_tokens,
         spent_calls = spent_calls + excluded.spent_calls,
         held_nano_usd = ${sum('held_nano_usd')},
         held_tokens = held_tokens + excluded.held_tokens,
         held_calls = held_calls + excluded.held_calls`,
    );
    this.#clear = database.prepare(
      `update budget_windows set spent_nano_usd = 0, spent_tokens = 0, spent_calls = 0 where budget_id = ? and window_start_ms >= ?`,
    );
    this.#mark = database.prepare(
      'update budget_windows set seeded = 1 where budget_id = ? and window_start_ms >= ?',
    );
  }

  /** The windows of an attempt's postings, given as JSON. */
  of(postings: string): readonly WindowChange[] {
    const known = this.#byText.get(postings);
    if (known !== undefined) return known;
    if (this.#byText.size >= REMEMBERED_POSTINGS) this.#byText = new Map();
    const changes = (JSON.parse(postings) as Posting[]).filter(isWindow).map((each) => this.#changeOf(each));
    this.#byText.set(postings, changes);
    return changes;
  }

  #changeOf(posting: Posting): WindowChange {
    const key = JSON.stringify([posting.budgetId, posting.account, posting.windowStartMs]);
    const known = this.#windows.get(key);
    if (known !== undefined) return known;
    // One that is forgotten here may still be in use by an attempt in flight: both add to the same row.
    if (this.#windows.size >= REMEMBERED_WINDOWS) this.#windows = new Map();
    const change: WindowChange = {
      posting,
      touched: false,
      spentNanoUsd: 0n,
      spentTokens: 0,
      spentCalls: 0,
      heldNanoUsd: 0n,
      heldTokens: 0,
      heldCalls: 0,
    };
    this.#windows.set(key, change);
    return change;
  }

  hold(changes: readonly WindowChange[], worst: Spending): void {
    for (const change of changes) {
      this.#touch(change);
      change.heldNanoUsd += worst.costNanoUsd;
      change.heldTokens += worst.tokens;
      change.heldCalls += worst.calls;
    }
  }

  release(changes: readonly WindowChange[], worst: Spending): void {
    for (const change of changes) {
      this.#touch(change);
      change.heldNanoUsd -= worst.costNanoUsd;
      change.heldTokens -= worst.tokens;
      change.heldCalls -= worst.calls;
    }
  }

  spend(changes: readonly WindowChange[], actual: Spending): void {
    for (const change of changes) {
      this.#touch(change);
      change.spentNanoUsd += actual.costNanoUsd;
      change.spentTokens += actual.tokens;
      change.spentCalls += actual.calls;
    }
  }

  #touch(change: WindowChange): void {
    if (change.touched) return;
    change.touched = true;
    this.#touched.push(change);
  }

  /** These balances take the place of what was spent of a budget from a time on; what is held stays. */
  seed(budgetId: string, sinceMs: number, balances: readonly Settled[]): void {
    this.flush();
    this.#clear.run(budgetId, sinceMs);
    for (const { posting, spending } of balances) this.spend([this.#changeOf(posting)], spending);
    this.flush();
    this.#mark.run(budgetId, sinceMs);
  }

  /** Writes the changes into the open transaction. */
  flush(): void {
    for (const change of this.#touched) {
      const { budgetId, account, windowStartMs } = change.posting;
      this.#upsert.run(
        budgetId,
        account,
        windowStartMs,
        withinSum(change.spentNanoUsd),
        change.spentTokens,
        change.spentCalls,
        withinSum(change.heldNanoUsd),
        change.heldTokens,
        change.heldCalls,
      );
    }
    this.#reset();
  }

  #reset(): void {
    for (const change of this.#touched) {
      change.touched = false;
      change.spentNanoUsd = 0n;
      change.spentTokens = 0;
      change.spentCalls = 0;
      change.heldNanoUsd = 0n;
      change.heldTokens = 0;
      change.heldCalls = 0;
    }
    this.#touched = [];
  }

  /** After a rollback. */
  forget(): void {
    this.#reset();
  }
}

/** Not past 64 bits, where SQLite would go on with a fraction that nobody reads as money. */
function sum(column: string): string {
  return `max(-${LARGEST_SUM}, min(${LARGEST_SUM}, ${column} + excluded.${column}))`;
}

/** A run's own budget has no window: what it spent is summed from the run's attempts, so that no row is kept for each run. */
function isWindow(posting: Posting): boolean {
  return posting.windowStartMs !== 0;
}
