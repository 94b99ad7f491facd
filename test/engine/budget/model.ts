// The model that budgets are held against: every attempt ever made, added up from the start each time, in the plainest way.
import type { HoldRequest, Spending } from '../../../src/engine/budget/port.ts';
import type { PlanBudget, PlanWindow } from '../../../src/language/plan/types.ts';

export interface Attempt {
  readonly request: HoldRequest;
  readonly heldAtMs: number;
  state: 'open' | 'settled';
  actual: Spending;
}

export interface Sums {
  readonly spent: bigint;
  readonly held: bigint;
  readonly calls: number;
}

export function modelApplies(budget: PlanBudget, request: HoldRequest): boolean {
  const { scope } = budget;
  const inScope =
    scope.kind === 'all' ||
    (scope.kind === 'provider' && scope.provider === request.provider) ||
    (scope.kind === 'model' && scope.model === request.model) ||
    (scope.kind === 'task' && scope.task === request.task);
  return inScope && (budget.when === null || request.caller.tier === budget.when);
}

export function modelAccount(budget: PlanBudget, request: HoldRequest): string {
  if (budget.per.kind === 'run') return request.runId;
  if (budget.each?.kind === 'caller') return request.caller.name;
  if (budget.each?.kind === 'team') return request.caller.team ?? '';
  if (budget.each?.kind === 'tag') return request.tags[budget.each.tag] ?? '';
  return '';
}

export function modelAmount(budget: PlanBudget, spending: Spending): bigint {
  if (budget.limit.unit === 'usd') return spending.costNanoUsd;
  return BigInt(budget.limit.unit === 'tokens' ? spending.tokens : spending.calls);
}

export function modelLimit({ limit }: PlanBudget): bigint {
  return limit.unit === 'usd' ? limit.nanoUsd : BigInt(limit.unit === 'tokens' ? limit.tokens : limit.calls);
}

/** UTC only; months by the Date constructor. */
function modelWindowStart(per: Extract<PlanWindow, { kind: 'calendar' }>, atMs: number): number {
  const date = new Date(atMs);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  switch (per.unit) {
    case 'minute':
      return date.setUTCSeconds(0, 0);
    case 'hour':
      return date.setUTCMinutes(0, 0, 0);
    case 'day':
      return Date.UTC(year, month, day);
    case 'week':
      return Date.UTC(year, month, day - ((date.getUTCDay() + 6) % 7));
    case 'month':
      return Date.UTC(year, month, 1);
  }
}

/**
 * What an account of a budget stands at. Of a rolling window, `slackMs` is how much longer than its length it counts: the budget may be as
 * careful as that, and no more.
 */
export function modelSums(
  budget: PlanBudget,
  account: string,
  attempts: readonly Attempt[],
  nowMs: number,
  slackMs = 0,
): Sums {
  const { per } = budget;
  let spent = 0n;
  let held = 0n;
  let calls = 0;
  for (const { request, heldAtMs, state, actual } of attempts) {
    if (!modelApplies(budget, request) || modelAccount(budget, request) !== account) continue;
    const counts =
      per.kind === 'run' ||
      (per.kind === 'rolling'
        ? heldAtMs > nowMs - per.ms - slackMs
        : modelWindowStart(per, heldAtMs) >= modelWindowStart(per, nowMs));
    if (!counts) continue;
    if (state === 'open') held += modelAmount(budget, request.worst);
    else {
      spent += modelAmount(budget, actual);
      calls += actual.calls;
    }
  }
  return { spent, held, calls };
}
