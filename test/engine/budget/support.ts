// What the tests of budgets share: plans with nothing but budgets, requests, and a ledger that remembers nothing.
import type { Accounts, Caller, HoldRequest, Spending } from '../../../src/engine/budget/port.ts';
import type { Plan, PlanBudget, PlanWindow } from '../../../src/language/plan/types.ts';

export const MONTH: PlanWindow = { kind: 'calendar', unit: 'month', timeZone: 'UTC' };
export const DAY: PlanWindow = { kind: 'calendar', unit: 'day', timeZone: 'UTC' };

export function planOf(...budgets: readonly PlanBudget[]): Plan {
  return {
    language: 1,
    hash: '',
    providers: {},
    models: {},
    budgets,
    guards: { loop: null, surge: null },
    tasks: {},
    environment: {},
  };
}

export function budgetOf(id: string, given: Partial<PlanBudget> = {}): PlanBudget {
  return {
    id,
    name: id,
    scope: { kind: 'all' },
    each: null,
    when: null,
    limit: { unit: 'usd', nanoUsd: 1_000_000_000n },
    per: MONTH,
    warnAt: [],
    then: 'reject',
    ...given,
  };
}

export function callerOf(name: string, given: Partial<Caller> = {}): Caller {
  return { name, team: null, tier: null, tags: {}, scopes: [], keyId: null, ...given };
}

export function usd(costNanoUsd: bigint, tokens = 0, calls = 1): Spending {
  return { costNanoUsd, tokens, calls };
}

let attempts = 0;

export function requestOf(costNanoUsd: bigint, given: Partial<HoldRequest> = {}): HoldRequest {
  attempts += 1;
  return {
    runId: 'run_1',
    attemptId: `att_${attempts}`,
    task: 'summarize',
    provider: 'openai',
    model: 'openai/gpt',
    caller: callerOf('ana'),
    tags: {},
    worst: usd(costNanoUsd),
    ...given,
  };
}

export const emptyAccounts: Accounts = { settled: () => [], open: () => [], history: () => [] };
