// Budgets: a hold on every account that applies, or on none; settled to the true cost; in bigint and in this process (INV-1, INV-2).
import type { Clock } from '../common/clock.ts';
import { canonicalJson } from '../common/json.ts';
import { type Outcome, fail, succeed } from '../common/outcome.ts';
import type { Plan, PlanBudget } from '../plan/types.ts';
import type { Account } from './account.ts';
import { createAlerts } from './alerts.ts';
import { type Applicable, createApplicable } from './applicable.ts';
import { BudgetState } from './budget-state.ts';
import type { OpenHold, Placed } from './open-hold.ts';
import type {
  Accounts,
  BudgetRefusal,
  Budgets,
  BudgetView,
  Hold,
  HoldRequest,
  Posting,
  Spending,
} from './port.ts';
import { place, readSettled, recover, reopen, seed } from './recovery.ts';
import { decisive } from './refusals.ts';
import { accountOf } from './scope.ts';
import { amountOf, nothing } from './units.ts';

export interface BudgetsOptions {
  readonly clock: Clock;
  readonly accounts: Accounts;
  /** Whether a budget's `when` holds; asked only for budgets that have one, on each hold. It must not throw: what it cannot tell counts as true. */
  readonly matches: (budget: PlanBudget, request: HoldRequest) => boolean;
  /** The most accounts (callers, teams, tag values, runs) of one budget at a time; default 10,000, about 5 MB. Beyond it, holds of new ones are refused. */
  readonly maxAccounts?: number;
}

/** The account of a `warn` budget for all that came after its accounts were full. */
const OVERFLOW = '*';

/** Nothing can be held before the first `configure`, which also takes over what the ledger kept. */
export function createBudgets(options: BudgetsOptions): Budgets {
  const { clock, accounts, matches, maxAccounts = 10_000 } = options;
  const alerts = createAlerts();
  const open = new Map<string, OpenHold>();
  let states = new Map<string, BudgetState>();
  let applicable: Applicable | undefined;
  let latestMs = Number.NEGATIVE_INFINITY;

  /** Time for windows never goes back, so that a clock set back cannot open a window twice. */
  function now(): number {
    latestMs = Math.max(latestMs, Math.floor(clock.nowMs()));
    return latestMs;
  }

  function applies(budget: PlanBudget, request: HoldRequest): boolean {
    return budget.when === null || matches(budget, request);
  }

  function refusalOf(
    state: BudgetState,
    account: Account | undefined,
    request: HoldRequest,
    nowMs: number,
  ): BudgetRefusal | undefined {
    const needed = amountOf(state.unit, request.worst);
    const taken = account === undefined ? 0n : account.spent + account.held;
    // What costs nothing fits everywhere: a free model still answers when the money is gone.
    if (needed === 0n || taken + needed <= state.limit) return undefined;
    return state.refusal(accountOf(state.budget, request), account, needed, 'limit', nowMs);
  }

  function configure(plan: Plan): void {
    const nowMs = now();
    const isFirst = applicable === undefined;
    const next = new Map<string, BudgetState>();
    const fresh: BudgetState[] = [];
    for (const budget of plan.budgets) {
      const before = states.get(budget.id);
      if (before !== undefined && countsAlike(before.budget, budget)) {
        before.adopt(budget);
        next.set(budget.id, before);
      } else {
        const state = new BudgetState(budget, maxAccounts);
        state.advance(nowMs);
        fresh.push(state);
        next.set(budget.id, state);
      }
    }
    if (isFirst) {
      for (const recovered of accounts.open()) open.set(recovered.attemptId, reopen(recovered));
      const settled = readSettled(accounts, fresh, nowMs);
      for (const state of fresh) recover(state, settled.get(state.budget.id) ?? [], accounts, nowMs);
    } else {
      for (const state of fresh) seed(state, accounts, true, nowMs);
    }
    moveHolds(fresh, next, nowMs);
    states = next;
    applicable = createApplicable(plan, [...next.values()]);
  }

  /** Holds in flight follow the budgets that were re-derived under them. */
  function moveHolds(
    fresh: readonly BudgetState[],
    next: ReadonlyMap<string, BudgetState>,
    nowMs: number,
  ): void {
    const moved: OpenHold['hold'][] = [];
    for (const one of open.values()) {
      const kept = one.placed.filter(({ state }) => next.get(state.budget.id) === state);
      one.placed.splice(0, one.placed.length, ...kept);
      let hasMoved = false;
      for (const state of fresh) {
        if (place(one, state, (request) => applies(state.budget, request), nowMs)) hasMoved = true;
      }
      if (hasMoved) moved.push(one.hold);
    }
    if (moved.length > 0) accounts.moved?.(moved);
  }

  function hold(request: HoldRequest): Outcome<Hold, BudgetRefusal> {
    if (applicable === undefined) throw new Error('Budgets: hold before the first configure.');
    if (open.has(request.attemptId)) throw new Error(`Budgets: attempt ${request.attemptId} holds already.`);
    const nowMs = now();
    const { worst } = request;
    const found: { readonly state: BudgetState; readonly account: Account; readonly amount: bigint }[] = [];
    const exceededSoftly: string[] = [];
    let refusal: BudgetRefusal | undefined;
    for (const state of applicable(request)) {
      const { budget } = state;
      if (budget.when !== null && !matches(budget, request)) continue;
      state.advance(nowMs);
      const key = accountOf(budget, request);
      let account = state.obtain(key, nowMs);
      if (account === undefined) {
        if (budget.then !== 'warn') {
          refusal = decisive(
            refusal,
            state.refusal(key, undefined, amountOf(state.unit, worst), 'too_many_accounts', nowMs),
          );
          continue;
        }
        account = state.obtainAny(OVERFLOW, nowMs);
      }
      const amount = amountOf(state.unit, worst);
      if (amount > 0n && account.spent + account.held + amount > state.limit) {
        alerts.exhausted(state, account, nowMs);
        if (budget.then === 'warn') exceededSoftly.push(budget.id);
        else refusal = decisive(refusal, state.refusal(key, account, amount, 'limit', nowMs));
      }
      found.push({ state, account, amount });
    }
    if (refusal !== undefined) return fail(refusal);

    const postings: Posting[] = [];
    const placed: Placed[] = [];
    for (const { state, account, amount } of found) {
      const cell = account.cell(state.cursor.currentStartMs());
      account.usedAtMs = nowMs;
      account.hold(cell, amount);
      placed.push({ state, account, cell, amount });
      postings.push({ budgetId: state.budget.id, account: account.key, windowStartMs: cell.startMs });
    }
    const made = { attemptId: request.attemptId, worst, postings, exceededSoftly };
    open.set(request.attemptId, { hold: made, request, heldAtMs: nowMs, placed });
    return succeed(made);
  }

  function fits(request: HoldRequest): BudgetRefusal | undefined {
    if (applicable === undefined) throw new Error('Budgets: fits before the first configure.');
    const nowMs = now();
    let refusal: BudgetRefusal | undefined;
    for (const state of applicable(request)) {
      const { budget } = state;
      if (budget.then === 'warn' || !applies(budget, request)) continue;
      state.advance(nowMs);
      const key = accountOf(budget, request);
      const found = state.hasRoomFor(key, nowMs)
        ? refusalOf(state, state.find(key), request, nowMs)
        : state.refusal(key, undefined, amountOf(state.unit, request.worst), 'too_many_accounts', nowMs);
      if (found !== undefined) refusal = decisive(refusal, found);
    }
    return refusal;
  }

  function settle({ attemptId }: Hold, actual: Spending): void {
    const settled = open.get(attemptId);
    if (settled === undefined) return;
    open.delete(attemptId);
    const nowMs = now();
    for (const { state, account, cell, amount } of settled.placed) {
      state.advance(nowMs);
      account.expire(state.cursor.cutoffMs());
      const spent = amountOf(state.unit, actual);
      account.settle(cell, amount, spent, actual.calls);
      if (cell.live) {
        if (spent > amount) alerts.overrun(state, account, nowMs);
        alerts.spent(state, account, nowMs);
      }
      state.dropIfEnded(account);
    }
  }

  function views(
    filter: { readonly budgetId?: string; readonly account?: string } = {},
  ): readonly BudgetView[] {
    const nowMs = now();
    const found: BudgetView[] = [];
    for (const state of states.values()) {
      if (filter.budgetId !== undefined && filter.budgetId !== state.budget.id) continue;
      state.advance(nowMs);
      const isSole = state.budget.each === null && state.budget.per.kind !== 'run';
      const keys =
        filter.account === undefined
          ? new Set([...(isSole ? [''] : []), ...state.accounts.keys()])
          : [filter.account];
      for (const key of keys) {
        const account = state.find(key);
        const isEmpty = account === undefined || account.cells.length === 0;
        if (isEmpty && !(isSole && key === '')) continue;
        found.push(state.view(key, account, nowMs));
      }
    }
    return found;
  }

  return {
    configure,
    hold,
    fits,
    settle,
    release: (held) => settle(held, nothing),
    endRun(runId) {
      for (const state of states.values()) state.endRun(runId);
    },
    views,
    onAlert: alerts.listen,
  };
}

/** Budgets that differ only in limit, `when`, `warnAt`, `then` or name count the same spending in the same windows. */
function countsAlike(a: PlanBudget, b: PlanBudget): boolean {
  return canonicalJson(countedBy(a)) === canonicalJson(countedBy(b));
}

function countedBy({ scope, each, per, limit }: PlanBudget): unknown {
  return { scope, each, per, unit: limit.unit };
}
