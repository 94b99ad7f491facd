// Budgets: a hold on every account that applies, or on none; settled to the true cost; in bigint and in this process (INV-1, INV-2).
import type { Clock } from '../../common/clock.ts';
import { InFlight } from '../../common/in-flight.ts';
import { type Outcome, fail, succeed } from '../../common/outcome.ts';
import type { Plan, PlanBudget } from '../../language/plan/types.ts';
import type { Account } from './account.ts';
import { createAlerts } from './alerts.ts';
import { type Applicable, createApplicable } from './applicable.ts';
import type { BudgetState } from './budget-state.ts';
import type { OpenHold, Placed } from './open-hold.ts';
import type {
  Accounts,
  BudgetRefusal,
  Budgets,
  BudgetView,
  Hold,
  HoldRequest,
  Leases,
  Margin,
  Posting,
  SliceNeed,
  SliceNeeded,
  Spending,
} from './port.ts';
import { decisive } from './refusals.ts';
import { reload } from './reload.ts';
import { accountOf } from './scope.ts';
import { createSlices } from './slices.ts';
import { amountOf, assertSpending, nothing } from './units.ts';

export interface BudgetsOptions {
  readonly clock: Clock;
  readonly accounts: Accounts;
  /** Whether a budget's `when` holds; asked only for budgets that have one, on each hold. It must not throw: what it cannot tell counts as true. */
  readonly matches: (budget: PlanBudget, request: HoldRequest) => boolean;
  /** The most accounts (callers, teams, tag values, runs) of one budget at a time; default 10,000: 7 MB, or 40 where a rolling window keeps all of them busy. Beyond it, holds of new ones are refused. */
  readonly maxAccounts?: number;
  /** Where several nodes spend from the same budgets. */
  readonly leases?: Leases;
}

interface Considered {
  readonly state: BudgetState;
  readonly key: string;
  readonly account: Account | undefined;
  readonly amount: bigint;
  readonly refusal: BudgetRefusal | undefined;
  /** It may fit, and this node has not enough of the budget. */
  readonly need: SliceNeed | undefined;
}

const NO_MARGIN: Margin = { costNanoUsd: 0n, tokens: 0 };

/** As much of a margin as every budget in its unit has room for; none where no budget caps what it stands for. */
function grantOf(
  margin: Margin = NO_MARGIN,
  considered: readonly Considered[],
  leftOf: (state: BudgetState, account: Account | undefined) => bigint,
): Margin {
  let costNanoUsd: bigint | undefined;
  let tokens: number | undefined;
  for (const { state, account, amount } of considered) {
    if (state.budget.then === 'warn') continue;
    const left = larger(leftOf(state, account) - amount, 0n);
    if (state.unit === 'usd') costNanoUsd = smaller(costNanoUsd ?? margin.costNanoUsd, left);
    if (state.unit === 'tokens') tokens = Math.min(tokens ?? margin.tokens, Number(left));
  }
  return { costNanoUsd: costNanoUsd ?? 0n, tokens: tokens ?? 0 };
}

function plus({ costNanoUsd, tokens, calls }: Spending, margin: Margin): Spending {
  return { costNanoUsd: costNanoUsd + margin.costNanoUsd, tokens: tokens + margin.tokens, calls };
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** The account of a `warn` budget for all that came after its accounts were full. */
const OVERFLOW = '*';

/** Nothing can be held before the first `configure`, which also takes over what the ledger kept. */
export function createBudgets(options: BudgetsOptions): Budgets {
  const { clock, accounts, matches, maxAccounts = 10_000 } = options;
  const alerts = createAlerts();
  const open = new InFlight<string, OpenHold>();
  let states = new Map<string, BudgetState>();
  let applicable: Applicable | undefined;
  let latestMs = Number.NEGATIVE_INFINITY;
  let room: PromiseWithResolvers<void> | undefined;

  const slices =
    options.leases === undefined
      ? undefined
      : createSlices(
          options.leases,
          clock,
          () => states,
          now,
          () => tellRoom(),
        );

  /** What may still be taken of an account: of the limit, or of what this node was granted. */
  function leftOf(state: BudgetState, account: Account | undefined): bigint {
    if (slices !== undefined && state.isLeased)
      return account === undefined ? 0n : slices.leftOf(state, account);
    return state.limit - (account?.spent ?? 0n) - (account?.held ?? 0n) - (account?.foreignHeld ?? 0n);
  }

  function tellRoom(): void {
    room?.resolve();
    room = undefined;
  }

  /** Time for windows never goes back, so that a clock set back cannot open a window twice. */
  function now(): number {
    latestMs = Math.max(latestMs, Math.floor(clock.nowMs()));
    return latestMs;
  }

  function applies(budget: PlanBudget, request: HoldRequest): boolean {
    return budget.when === null || matches(budget, request);
  }

  function configure(plan: Plan): void {
    const nowMs = now();
    const before = applicable === undefined ? null : states;
    states = reload({
      plan,
      accounts,
      open,
      before,
      applies,
      maxAccounts,
      isShared: slices !== undefined,
      nowMs,
    });
    applicable = createApplicable(plan, [...states.values()]);
    slices?.reconfigured();
  }

  /** Where a request would be posted in a budget, and what is in the way. The key is that of the account it would get, which may not be open yet. */
  function consider(state: BudgetState, request: HoldRequest, nowMs: number): Considered {
    const { budget, unit, limit } = state;
    state.advance(nowMs);
    let key = accountOf(budget, request);
    const amount = amountOf(unit, request.worst);
    if (!state.hasRoomFor(key, nowMs)) {
      if (budget.then !== 'warn') {
        return {
          state,
          key,
          account: undefined,
          amount,
          refusal: state.refusal(key, undefined, amount, 'too_many_accounts', nowMs),
          need: undefined,
        };
      }
      key = OVERFLOW;
    }
    const account = state.find(key);
    // What costs nothing fits everywhere: a free model still answers when the money is gone.
    const fits = amount === 0n || amount <= leftOf(state, account);
    // What is beyond the limit whoever has the rest of it needs no question.
    const isLeased = slices !== undefined && state.isLeased && amount <= limit;
    return {
      state,
      key,
      account,
      amount,
      refusal: fits ? undefined : state.refusal(key, account, amount, 'limit', nowMs),
      need: fits || !isLeased ? undefined : { budgetId: budget.id, account: key, amount },
    };
  }

  /** Said the first time in a window that a hold goes beyond a budget that warns, or is refused where an untouched account would have taken it. */
  function announce({ state, key, amount, refusal }: Considered, nowMs: number): void {
    if (refusal === undefined || (state.budget.then !== 'warn' && amount > state.limit)) return;
    const account = state.find(key);
    if (account !== undefined) alerts.exhausted(state, account, nowMs);
  }

  function hold(request: HoldRequest): Outcome<Hold, BudgetRefusal> {
    // It is not asked whether a slice is needed, so that nothing else is answered.
    return place(request, false) as Outcome<Hold, BudgetRefusal>;
  }

  /** `mayAsk`: the answer may be that a slice is needed first. `lacking`: the slice that cannot be had; after it no other was asked for. */
  function place(
    request: HoldRequest,
    mayAsk: boolean,
    lacking?: SliceNeed,
  ): Outcome<Hold, BudgetRefusal | SliceNeeded> {
    if (applicable === undefined) throw new Error('Budgets: hold before the first configure.');
    assertSpending(request.worst);
    if (open.has(request.attemptId)) throw new Error(`Budgets: attempt ${request.attemptId} holds already.`);
    const nowMs = now();
    const considered: Considered[] = [];
    const exceededSoftly: string[] = [];
    let refusal: BudgetRefusal | undefined;
    let unasked: BudgetRefusal | undefined;
    for (const state of applicable(request)) {
      if (!applies(state.budget, request)) continue;
      const one = consider(state, request, nowMs);
      considered.push(one);
      if (one.refusal === undefined) continue;
      if (state.budget.then === 'warn') exceededSoftly.push(state.budget.id);
      else if (isUnasked(one, lacking)) unasked = decisive('reject', unasked, one.refusal);
      else refusal = decisive('reject', refusal, one.refusal);
    }
    if (mayAsk) {
      const needs = considered.flatMap(({ need }) => (need === undefined ? [] : [need]));
      // What another budget refuses anyway needs no slice of this one.
      const isRefused = considered.some(
        (one) => one.refusal !== undefined && one.need === undefined && one.state.budget.then !== 'warn',
      );
      if (needs.length > 0 && !isRefused) return fail({ kind: 'slice', needs });
    }
    refusal ??= unasked;
    // Everything has been asked; from here on nothing can fail (INV-2: on every budget, or on none).
    const postings: Posting[] = [];
    const placed: Placed[] = [];
    const granted = refusal === undefined ? grantOf(request.margin, considered, leftOf) : NO_MARGIN;
    const worst = plus(request.worst, granted);
    if (refusal === undefined) {
      for (const { state, key, account: known } of considered) {
        const account = known ?? state.obtainAny(key, nowMs);
        const cell = account.cell(state.cursor.currentStartMs());
        const amount = amountOf(state.unit, worst);
        const margin = amount - amountOf(state.unit, request.worst);
        account.usedAtMs = nowMs;
        account.hold(cell, amount);
        account.margin += margin;
        if (slices !== undefined && state.isLeased) slices.taken(state, account, amount);
        placed.push({ state, account, cell, amount, margin });
        postings.push({ budgetId: state.budget.id, account: key, windowStartMs: cell.startMs });
      }
    }
    const made = { attemptId: request.attemptId, worst, postings, exceededSoftly };
    if (refusal === undefined) open.set(request.attemptId, { hold: made, request, heldAtMs: nowMs, placed });
    for (const one of considered) if (!isUnasked(one, lacking)) announce(one, nowMs);
    return refusal === undefined ? succeed(made) : fail(refusal);
  }

  function fits(request: HoldRequest): BudgetRefusal | undefined {
    if (applicable === undefined) throw new Error('Budgets: fits before the first configure.');
    const nowMs = now();
    let refusal: BudgetRefusal | undefined;
    for (const state of applicable(request)) {
      const { budget } = state;
      if (budget.then === 'warn' || !applies(budget, request)) continue;
      const one = consider(state, request, nowMs);
      // Whether it fits beside what others have is for the hold to find out; here counts what is known of all of them.
      if (one.refusal === undefined || (one.need !== undefined && fitsAsKnown(one))) continue;
      refusal = decisive('downgrade', refusal, one.refusal);
      // `reject` is announced by the hold that it refuses; a candidate passed over for `downgrade` is never held.
      if (budget.then === 'downgrade') announce(one, nowMs);
    }
    return refusal;
  }

  function fitsAsKnown({ state, account, amount }: Considered): boolean {
    if (account === undefined) return amount <= state.limit;
    return account.spent + account.held + account.foreignHeld + amount <= state.limit;
  }

  function settle({ attemptId }: Hold, actual: Spending): void {
    const settled = open.get(attemptId);
    if (settled === undefined) return;
    assertSpending(actual);
    open.take(attemptId);
    const nowMs = now();
    for (const { state, account, cell, amount, margin } of settled.placed) {
      account.margin -= margin;
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
    tellRoom();
  }

  function adjust({ attemptId }: Hold, worst: Spending, margin: Margin): void {
    const adjusted = open.get(attemptId);
    if (adjusted === undefined) return;
    assertSpending(worst);
    const { hold: held, placed } = adjusted;
    const wanted = plus(worst, margin);
    let { costNanoUsd, tokens } = wanted;
    const nowMs = now();
    for (const { state, account, cell } of placed) {
      state.advance(nowMs);
      account.expire(state.cursor.cutoffMs());
      if (!cell.live || state.budget.then === 'warn') continue;
      const left = larger(leftOf(state, account), 0n);
      if (state.unit === 'usd') costNanoUsd = smaller(costNanoUsd, larger(held.worst.costNanoUsd + left, 0n));
      if (state.unit === 'tokens') tokens = Math.min(tokens, held.worst.tokens + Number(left));
    }
    held.worst = { costNanoUsd, tokens, calls: worst.calls };
    for (const one of placed) {
      const amount = amountOf(one.state.unit, held.worst);
      const beyond = larger(amount - amountOf(one.state.unit, worst), 0n);
      one.account.adjust(one.cell, amount - one.amount);
      one.account.margin += beyond - one.margin;
      one.amount = amount;
      one.margin = beyond;
    }
    tellRoom();
  }

  function correct(postings: readonly Posting[], before: Spending, after: Spending): void {
    for (const { budgetId, account: key, windowStartMs } of postings) {
      const state = states.get(budgetId);
      state?.advance(now());
      const account = state?.find(key);
      const cell = account?.cells.find(({ startMs }) => startMs === windowStartMs);
      if (state === undefined || account === undefined || cell === undefined) continue;
      const by = amountOf(state.unit, after) - amountOf(state.unit, before);
      account.post(cell, by, after.calls - before.calls);
    }
    tellRoom();
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
    holdOrAsk: (request) => place(request, slices !== undefined),
    async leaseAndHold(request, { needs }) {
      let needed = needs;
      for (;;) {
        const lacking = await slices?.need(needed, states);
        if (lacking !== undefined) return place(request, false, lacking) as Outcome<Hold, BudgetRefusal>;
        const held = place(request, true);
        if (held.ok || !('kind' in held.error)) return held as Outcome<Hold, BudgetRefusal>;
        // Another call was quicker.
        needed = held.error.needs;
      }
    },
    fits,
    settle,
    adjust,
    correct,
    nextRoom: () => (room ??= Promise.withResolvers<void>()).promise,
    release: (held) => settle(held, nothing),
    async takeUp(runId) {
      for (const { posting, spending } of (await accounts.ofRun?.(runId)) ?? []) {
        const state = states.get(posting.budgetId);
        if (state?.budget.per.kind !== 'run') continue;
        const account = state.obtainAny(posting.account, now());
        account.setForeign(
          account.cell(posting.windowStartMs),
          amountOf(state.unit, spending),
          spending.calls,
        );
      }
    },
    endRun(runId) {
      for (const state of states.values()) state.endRun(runId);
    },
    views,
    onAlert: alerts.listen,
    close: async () => slices?.close(),
  };
}

/** Whether it only lacks a slice that nobody has asked for: there may be any room for it. */
function isUnasked({ need }: Considered, lacking: SliceNeed | undefined): boolean {
  if (need === undefined) return false;
  return need.budgetId !== lacking?.budgetId || need.account !== lacking.account;
}
