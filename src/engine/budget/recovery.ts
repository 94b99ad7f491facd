// Recovery: accounts from what the ledger kept: settled sums, holds left open, and past attempts for a budget that is new.
import type { BudgetState } from './budget-state.ts';
import type { OpenHold } from './open-hold.ts';
import type { Accounts, HoldRequest, Posting, RecoveredHold, Spending } from './port.ts';
import { accountOf, covers } from './scope.ts';
import { amountOf } from './units.ts';

interface SettledRow {
  readonly posting: Posting;
  readonly spending: Spending;
}

/** Reads the settled sums of these budgets' current windows, by budget. */
export function readSettled(
  accounts: Accounts,
  states: readonly BudgetState[],
  nowMs: number,
): ReadonlyMap<string, readonly SettledRow[]> {
  const byBudget = new Map<string, SettledRow[]>();
  if (states.length === 0) return byBudget;
  const sinceMs = Math.min(nowMs, ...states.map(({ cursor }) => cursor.sinceMs()));
  for (const row of accounts.settled(sinceMs)) {
    const rows = byBudget.get(row.posting.budgetId);
    if (rows === undefined) byBudget.set(row.posting.budgetId, [row]);
    else rows.push(row);
  }
  return byBudget;
}

/**
 * Starts a budget from its postings, if they are of the window that it has now. A posting that starts no window of the budget was made under
 * another `per`: then, and where there is none at all, the past attempts are asked instead.
 */
export function recover(
  state: BudgetState,
  rows: readonly SettledRow[],
  accounts: Accounts,
  nowMs: number,
): void {
  const { cursor } = state;
  const counted = rows.filter(({ posting }) => posting.windowStartMs >= cursor.cutoffMs());
  const isOwn = counted.every(
    ({ posting }) => cursor.startOf(posting.windowStartMs) === posting.windowStartMs,
  );
  if (counted.length === 0 || !isOwn) {
    seed(state, accounts, counted.length > 0, nowMs);
    return;
  }
  for (const { posting, spending } of counted) {
    const account = state.obtainAny(posting.account, nowMs);
    const cell = account.cell(posting.windowStartMs);
    account.setForeign(cell, cell.foreign + amountOf(state.unit, spending), spending.calls);
  }
  markAnnounced(state, nowMs);
}

/**
 * Starts a budget from past attempts, and tells the ledger the balance. Runs' own budgets have no past.
 * @param replaces The ledger may have postings of this budget that count something else.
 */
export function seed(state: BudgetState, accounts: Accounts, replaces: boolean, nowMs: number): void {
  const { cursor, budget } = state;
  if (budget.per.kind === 'run') return;
  const balances = new Map<string, { posting: Posting; spending: Spending }>();
  for (const { account: key, atMs, spending } of accounts.history(budget, cursor.sinceMs())) {
    const windowStartMs = cursor.startOf(atMs);
    if (windowStartMs < cursor.cutoffMs()) continue;
    const account = state.obtainAny(key, nowMs);
    const cell = account.cell(windowStartMs);
    account.setForeign(cell, cell.foreign + amountOf(state.unit, spending), spending.calls);
    const id = `${windowStartMs}\n${key}`;
    const before = balances.get(id)?.spending;
    balances.set(id, {
      posting: { budgetId: budget.id, account: key, windowStartMs },
      spending: before === undefined ? spending : add(before, spending),
    });
  }
  if (replaces || balances.size > 0) accounts.seeded?.(budget.id, cursor.sinceMs(), [...balances.values()]);
  markAnnounced(state, nowMs);
}

/** What a former process announced is not announced again. */
function markAnnounced(state: BudgetState, nowMs: number): void {
  for (const account of state.accounts.values()) {
    state.thresholds.forEach((threshold, index) => {
      account.warnedAtMs[index] = account.spent >= threshold ? nowMs : Number.NEGATIVE_INFINITY;
    });
    if (account.spent >= state.limit) account.exhaustedAtMs = nowMs;
  }
}

/** An open attempt of a former process: in the books, though not yet on any account. */
export function reopen(recovered: RecoveredHold): OpenHold {
  const { attemptId, worst, postings, exceededSoftly, request, heldAtMs } = recovered;
  return {
    hold: { attemptId, worst, postings: [...postings], exceededSoftly },
    request: request ?? null,
    heldAtMs: heldAtMs ?? null,
    placed: [],
  };
}

/**
 * Puts a hold in flight on a budget that did not hold it, or held it in another window. It is placed whether or not it fits: the call is on its
 * way. A hold whose request is not known is placed as its postings say. True: its postings are others now.
 */
export function place(
  open: OpenHold,
  state: BudgetState,
  applies: (request: HoldRequest) => boolean,
  nowMs: number,
): boolean {
  const { budget, cursor } = state;
  const { hold, request, placed } = open;
  const known = hold.postings.find(({ budgetId }) => budgetId === budget.id);
  const isCovered =
    request === null
      ? known !== undefined
      : covers(budget.scope, request.task, request.provider, request.model) && applies(request);
  if (!isCovered) {
    if (known !== undefined) hold.postings = hold.postings.filter((posting) => posting !== known);
    return known !== undefined;
  }
  // The posting says where it was held, if it starts one of the windows that the budget has now; the time says when. Where they differ
  // (the window was changed, or the row was written after it passed), the later window is the careful one; where neither is known, it is now.
  const isOwn = known !== undefined && cursor.startOf(known.windowStartMs) === known.windowStartMs;
  const postedMs = isOwn ? known.windowStartMs : Number.NEGATIVE_INFINITY;
  const timedMs =
    open.heldAtMs === null ? (isOwn ? postedMs : cursor.currentStartMs()) : cursor.startOf(open.heldAtMs);
  const startMs = Math.max(postedMs, timedMs);
  const key = request === null ? (known?.account ?? '') : accountOf(budget, request);
  const account = state.obtainAny(key, nowMs);
  const cell = state.cellOf(account, startMs);
  const amount = amountOf(state.unit, hold.worst);
  account.hold(cell, amount);
  placed.push({ state, account, cell, amount, margin: 0n });
  const posting: Posting = { budgetId: budget.id, account: key, windowStartMs: cell.startMs };
  if (known !== undefined && known.account === key && known.windowStartMs === cell.startMs) return false;
  hold.postings = [...hold.postings.filter((other) => other !== known), posting];
  return true;
}

function add(a: Spending, b: Spending): Spending {
  return {
    costNanoUsd: a.costNanoUsd + b.costNanoUsd,
    tokens: a.tokens + b.tokens,
    calls: a.calls + b.calls,
  };
}
