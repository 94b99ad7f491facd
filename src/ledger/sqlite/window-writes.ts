// The budget windows' changes of one transaction, added up in memory and written once for each window that they touch.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Posting, Spending } from '../../budget/port.ts';

export interface Settled {
  readonly posting: Posting;
  readonly spending: Spending;
}

interface Change {
  readonly posting: Posting;
  spentNanoUsd: bigint;
  spentTokens: number;
  spentCalls: number;
  heldNanoUsd: bigint;
  heldTokens: number;
  heldCalls: number;
}

export class WindowWrites {
  readonly #upsert: StatementSync;
  readonly #clear: StatementSync;
  readonly #mark: StatementSync;
  readonly #changes = new Map<string, Change>();

  constructor(database: DatabaseSync) {
    this.#upsert = database.prepare(
      `insert into budget_windows values (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
       on conflict (budget_id, account, window_start_ms) do update set
         spent_nano_usd = spent_nano_usd + excluded.spent_nano_usd,
         spent_tokens = spent_tokens + excluded.spent_tokens,
         spent_calls = spent_calls + excluded.spent_calls,
         held_nano_usd = held_nano_usd + excluded.held_nano_usd,
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

  /** These balances take the place of what was spent of a budget from a time on; what is held stays. */
  seed(budgetId: string, sinceMs: number, balances: readonly Settled[]): void {
    this.flush();
    this.#clear.run(budgetId, sinceMs);
    for (const { posting, spending } of balances) this.spend([posting], spending);
    this.flush();
    this.#mark.run(budgetId, sinceMs);
  }

  hold(postings: readonly Posting[], worst: Spending, sign: 1 | -1): void {
    for (const posting of postings.filter(isWindow)) {
      const change = this.#changeOf(posting);
      change.heldNanoUsd += BigInt(sign) * worst.costNanoUsd;
      change.heldTokens += sign * worst.tokens;
      change.heldCalls += sign * worst.calls;
    }
  }

  spend(postings: readonly Posting[], actual: Spending): void {
    for (const posting of postings.filter(isWindow)) {
      const change = this.#changeOf(posting);
      change.spentNanoUsd += actual.costNanoUsd;
      change.spentTokens += actual.tokens;
      change.spentCalls += actual.calls;
    }
  }

  #changeOf(posting: Posting): Change {
    const key = JSON.stringify([posting.budgetId, posting.account, posting.windowStartMs]);
    const known = this.#changes.get(key);
    if (known !== undefined) return known;
    const change: Change = {
      posting,
      spentNanoUsd: 0n,
      spentTokens: 0,
      spentCalls: 0,
      heldNanoUsd: 0n,
      heldTokens: 0,
      heldCalls: 0,
    };
    this.#changes.set(key, change);
    return change;
  }

  /** Writes the changes into the open transaction. */
  flush(): void {
    for (const change of this.#changes.values()) {
      const { budgetId, account, windowStartMs } = change.posting;
      this.#upsert.run(
        budgetId,
        account,
        windowStartMs,
        change.spentNanoUsd,
        BigInt(change.spentTokens),
        BigInt(change.spentCalls),
        change.heldNanoUsd,
        BigInt(change.heldTokens),
        BigInt(change.heldCalls),
      );
    }
    this.#changes.clear();
  }

  forget(): void {
    this.#changes.clear();
  }
}

/** A run's own budget has no window: what it spent is summed from the run's attempts, so that no row is kept for each run. */
function isWindow(posting: Posting): boolean {
  return posting.windowStartMs !== 0;
}
