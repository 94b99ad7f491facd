// Alerts: what a budget announces, each once per account and window, to listeners that cannot disturb the accounting.
import type { Account } from './account.ts';
import type { BudgetState } from './budget-state.ts';
import type { BudgetAlert } from './port.ts';
import { createListeners } from './listeners.ts';
import { ratioOf } from './shares.ts';

export interface Alerts {
  /** After money was spent: the shares of `warnAt` that were passed, and the limit. */
  readonly spent: (state: BudgetState, account: Account, nowMs: number) => void;
  /** A hold did not fit. */
  readonly exhausted: (state: BudgetState, account: Account, nowMs: number) => void;
  /** A provider billed more than the worst case that was held. */
  readonly overrun: (state: BudgetState, account: Account, nowMs: number) => void;
  readonly listen: (listener: (alert: BudgetAlert) => void) => () => void;
}

export function createAlerts(): Alerts {
  const listeners = createListeners<BudgetAlert>();

  function announce(
    kind: BudgetAlert['kind'],
    share: number,
    state: BudgetState,
    account: Account,
    nowMs: number,
  ): void {
    if (listeners.isEmpty()) return;
    listeners.tell({ kind, share, view: state.view(account.key, account, nowMs) });
  }

  const alerts: Alerts = {
    spent(state, account, nowMs) {
      const { thresholds, cursor, budget } = state;
      for (let index = 0; index < thresholds.length; index += 1) {
        if (account.spent < (thresholds[index] ?? 0n)) break;
        if (isSince(account.warnedAtMs[index], cursor.cutoffMs())) continue;
        account.warnedAtMs[index] = nowMs;
        announce('budget_warn', budget.warnAt[index] ?? 1, state, account, nowMs);
      }
      if (account.spent >= state.limit && state.limit > 0n) alerts.exhausted(state, account, nowMs);
    },
    exhausted(state, account, nowMs) {
      if (isSince(account.exhaustedAtMs, state.cursor.cutoffMs())) return;
      account.exhaustedAtMs = nowMs;
      announce('budget_exhausted', ratioOf(account.spent + account.held, state.limit), state, account, nowMs);
    },
    overrun(state, account, nowMs) {
      if (isSince(account.overrunAtMs, state.cursor.cutoffMs())) return;
      account.overrunAtMs = nowMs;
      announce('budget_overrun', ratioOf(account.spent + account.held, state.limit), state, account, nowMs);
    },
    listen: listeners.listen,
  };
  return alerts;
}

/** `-Infinity` and undefined mean never, also where the cutoff is `-Infinity` itself. */
function isSince(atMs: number | undefined, cutoffMs: number): boolean {
  return atMs !== undefined && atMs !== Number.NEGATIVE_INFINITY && atMs >= cutoffMs;
}
