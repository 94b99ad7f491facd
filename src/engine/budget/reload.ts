// Reload: a plan's budgets take over from those before them; what was spent and is held stays (INV-7).
import type { InFlight } from '../../common/in-flight.ts';
import { canonicalJson } from '../../common/json.ts';
import type { Plan, PlanBudget } from '../../language/plan/types.ts';
import { BudgetState } from './budget-state.ts';
import type { OpenHold } from './open-hold.ts';
import type { Accounts, HoldRequest } from './port.ts';
import { place, readSettled, recover, reopen, seed } from './recovery.ts';

export interface Reload {
  readonly plan: Plan;
  readonly accounts: Accounts;
  readonly open: InFlight<string, OpenHold>;
  /** null: the first plan of this process; everything starts from the ledger. */
  readonly before: ReadonlyMap<string, BudgetState> | null;
  readonly applies: (budget: PlanBudget, request: HoldRequest) => boolean;
  readonly maxAccounts: number;
  /** Several nodes spend from these budgets: attempts in flight at others are not held here. */
  readonly isShared: boolean;
  readonly nowMs: number;
}

/** The states of the plan's budgets, by id. One that counts as before is taken over; one that is new or counts otherwise is added up from the ledger. */
export function reload(given: Reload): Map<string, BudgetState> {
  const { plan, accounts, open, before, maxAccounts, nowMs } = given;
  const next = new Map<string, BudgetState>();
  const fresh: BudgetState[] = [];
  for (const budget of plan.budgets) {
    const state = before?.get(budget.id);
    if (state !== undefined && countsAlike(state.budget, budget)) {
      state.adopt(budget);
      next.set(budget.id, state);
      continue;
    }
    const made = new BudgetState(budget, maxAccounts);
    made.advance(nowMs);
    fresh.push(made);
    next.set(budget.id, made);
  }
  if (before === null) {
    if (!given.isShared)
      for (const recovered of accounts.open()) open.set(recovered.attemptId, reopen(recovered));
    const settled = readSettled(accounts, fresh, nowMs);
    for (const state of fresh) recover(state, settled.get(state.budget.id) ?? [], accounts, nowMs);
  } else {
    for (const state of fresh) seed(state, accounts, true, nowMs);
  }
  moveHolds(given, fresh, next);
  return next;
}

/** Holds in flight follow the budgets that were added up again under them. */
function moveHolds(
  { accounts, open, applies, nowMs }: Reload,
  fresh: readonly BudgetState[],
  next: ReadonlyMap<string, BudgetState>,
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

/** Budgets that differ only in limit, `when`, `warnAt`, `then` or name count the same spending in the same windows. */
function countsAlike(a: PlanBudget, b: PlanBudget): boolean {
  return canonicalJson(countedBy(a)) === canonicalJson(countedBy(b));
}

function countedBy({ scope, each, per, limit }: PlanBudget): unknown {
  return { scope, each, per, unit: limit.unit };
}
