// A ledger in memory for the tests of budgets: it keeps what a real one would have committed, and gives it back after a crash.
import type {
  Accounts,
  Hold,
  HoldRequest,
  Posting,
  RecoveredHold,
  Spending,
} from '../../../src/engine/budget/port.ts';
import { accountOf, covers } from '../../../src/engine/budget/scope.ts';
import type { PlanBudget } from '../../../src/language/plan/types.ts';

interface Row {
  readonly request: HoldRequest;
  readonly heldAtMs: number;
  readonly worst: Spending;
  openPostings: readonly Posting[];
  state: { readonly kind: 'open' } | { readonly kind: 'closed'; readonly spending: Spending };
}

export interface FakeLedger extends Accounts {
  readonly opened: (hold: Hold, request: HoldRequest, heldAtMs: number) => void;
  /** With the postings that the hold has now; null: as the ledger has them, as an operator's command closes an attempt of a former process. */
  readonly closed: (attemptId: string, postings: readonly Posting[] | null, spending: Spending) => void;
  readonly runEnded: (runId: string) => void;
  readonly calls: { history: number; seeded: number };
}

/** @param when How the ledger tells whether a budget's condition held for a past attempt. */
export function createFakeLedger(when: (budget: PlanBudget, request: HoldRequest) => boolean): FakeLedger {
  const rows = new Map<string, Row>();
  const sums = new Map<string, { posting: Posting; spending: Spending }>();
  const endedRuns = new Set<string>();
  const calls = { history: 0, seeded: 0 };
  const keyOf = ({ budgetId, account, windowStartMs }: Posting): string =>
    JSON.stringify([budgetId, account, windowStartMs]);

  return {
    calls,
    opened(hold, request, heldAtMs) {
      rows.set(hold.attemptId, {
        request,
        heldAtMs,
        worst: hold.worst,
        openPostings: structuredClone(hold.postings),
        state: { kind: 'open' },
      });
    },
    closed(attemptId, postings, spending) {
      const row = rows.get(attemptId);
      if (row === undefined || row.state.kind === 'closed') return;
      row.state = { kind: 'closed', spending };
      for (const posting of postings ?? row.openPostings) {
        const sum = sums.get(keyOf(posting));
        sums.set(keyOf(posting), {
          posting: { ...posting },
          spending: sum === undefined ? spending : added(sum.spending, spending),
        });
      }
    },
    runEnded(runId) {
      endedRuns.add(runId);
    },
    *settled(sinceMs) {
      for (const sum of sums.values()) {
        const { windowStartMs, account } = sum.posting;
        if (windowStartMs === 0 ? !endedRuns.has(account) : windowStartMs >= sinceMs) yield sum;
      }
    },
    *open(): Iterable<RecoveredHold> {
      for (const [attemptId, { state, worst, openPostings, request, heldAtMs }] of rows) {
        if (state.kind === 'open')
          yield { attemptId, worst, postings: openPostings, exceededSoftly: [], request, heldAtMs };
      }
    },
    *history(budget, sinceMs) {
      calls.history += 1;
      for (const { request, heldAtMs, state } of rows.values()) {
        if (state.kind === 'open' || heldAtMs < sinceMs) continue;
        if (!covers(budget.scope, request.task, request.provider, request.model)) continue;
        if (budget.when !== null && !when(budget, request)) continue;
        yield { account: accountOf(budget, request), atMs: heldAtMs, spending: state.spending };
      }
    },
    moved(holds) {
      for (const { attemptId, postings } of holds) {
        const row = rows.get(attemptId);
        if (row !== undefined) row.openPostings = structuredClone(postings);
      }
    },
    seeded(budgetId, sinceMs, balances) {
      calls.seeded += 1;
      for (const [key, { posting }] of sums) {
        if (posting.budgetId === budgetId && posting.windowStartMs >= sinceMs) sums.delete(key);
      }
      for (const { posting, spending } of balances) sums.set(keyOf(posting), { posting, spending });
    },
  };
}

function added(a: Spending, b: Spending): Spending {
  return {
    costNanoUsd: a.costNanoUsd + b.costNanoUsd,
    tokens: a.tokens + b.tokens,
    calls: a.calls + b.calls,
  };
}
