// Budgets by example: holds, settlement, windows, scopes, actions and alerts.
import { describe, expect, it } from 'vitest';
import { createBudgets } from '../../../src/engine/budget/budgets.ts';
import type { BudgetAlert, Budgets, Hold, HoldRequest } from '../../../src/engine/budget/port.ts';
import type { PlanBudget } from '../../../src/language/plan/types.ts';
import { createSimulatedClock, type SimulatedClock } from '../../support/simulated-clock.ts';
import { budgetOf, callerOf, DAY, emptyAccounts, planOf, requestOf, usd } from './support.ts';

const USD = 1_000_000_000n;

function opened(...budgets: PlanBudget[]): {
  budgets: Budgets;
  clock: SimulatedClock;
  alerts: BudgetAlert[];
} {
  const clock = createSimulatedClock(Date.UTC(2026, 2, 10, 12));
  const made = createBudgets({
    clock,
    accounts: emptyAccounts,
    matches: (budget, request) => budget.when === `tier:${request.caller.tier}`,
  });
  const alerts: BudgetAlert[] = [];
  made.onAlert((alert) => alerts.push(alert));
  made.configure(planOf(...budgets));
  return { budgets: made, clock, alerts };
}

function held(budgets: Budgets, request: HoldRequest): Hold {
  const outcome = budgets.hold(request);
  if (!outcome.ok) throw new Error(`refused by ${outcome.error.budgetId}`);
  return outcome.value;
}

describe('holding and settling', () => {
  it('INV-2: refuses the hold that would pass the limit by one nano-dollar, and takes the one that meets it', () => {
    const { budgets } = opened(budgetOf('company'));
    held(budgets, requestOf(USD - 5n));
    expect(budgets.hold(requestOf(6n))).toMatchObject({
      ok: false,
      error: { budgetId: 'company', limit: USD, spent: 0n, held: USD - 5n, needed: 6n, reason: 'limit' },
    });
    held(budgets, requestOf(5n));
  });

  it('INV-2: holds on every budget that applies, or on none', () => {
    const { budgets } = opened(
      budgetOf('company'),
      budgetOf('small', { limit: { unit: 'usd', nanoUsd: 10n } }),
    );
    expect(budgets.hold(requestOf(11n)).ok).toBe(false);
    expect(budgets.views().map(({ held }) => held)).toEqual([0n, 0n]);
    held(budgets, requestOf(10n));
    expect(budgets.views().map(({ held }) => held)).toEqual([10n, 10n]);
  });

  it('puts the true cost in the place of the worst case, once', () => {
    const { budgets } = opened(budgetOf('company'));
    const hold = held(budgets, requestOf(100n));
    budgets.settle(hold, usd(40n));
    budgets.settle(hold, usd(40n));
    budgets.release(hold);
    expect(budgets.views()).toMatchObject([{ spent: 40n, held: 0n, calls: 1 }]);
  });

  it('gives back a hold for which nothing was billed', () => {
    const { budgets } = opened(budgetOf('company'));
    budgets.release(held(budgets, requestOf(USD)));
    expect(budgets.views()).toMatchObject([{ spent: 0n, held: 0n, calls: 0 }]);
  });

  it('posts a settlement to the window that it was held in, and starts the next one empty', async () => {
    const { budgets, clock } = opened(budgetOf('daily', { per: DAY }));
    const late = held(budgets, requestOf(USD));
    await clock.advance(12 * 3_600_000);
    expect(budgets.views()).toMatchObject([
      { spent: 0n, held: 0n, windowStartedAtMs: Date.UTC(2026, 2, 11) },
    ]);
    budgets.settle(late, usd(USD));
    expect(budgets.views()).toMatchObject([{ spent: 0n, held: 0n }]);
    held(budgets, requestOf(USD));
  });

  it('lets what costs nothing through when the money is gone', () => {
    const { budgets } = opened(budgetOf('company'));
    held(budgets, requestOf(USD));
    expect(budgets.fits(requestOf(0n))).toBeUndefined();
    expect(budgets.hold(requestOf(0n)).ok).toBe(true);
  });
});

describe('scopes, units and actions', () => {
  it('counts calls and tokens as it counts dollars', () => {
    const { budgets } = opened(
      budgetOf('calls', { limit: { unit: 'calls', calls: 2 } }),
      budgetOf('tokens', { limit: { unit: 'tokens', tokens: 100 } }),
    );
    held(budgets, requestOf(1n, { worst: usd(1n, 60) }));
    expect(budgets.fits(requestOf(1n, { worst: usd(1n, 41) }))).toMatchObject({
      budgetId: 'tokens',
      needed: 41n,
    });
    held(budgets, requestOf(1n, { worst: usd(1n, 40) }));
    expect(budgets.fits(requestOf(0n, { worst: usd(0n, 0) }))).toMatchObject({ budgetId: 'calls' });
  });

  it('keeps an account for each caller, team or tag value, and one for those without', () => {
    const { budgets } = opened(
      budgetOf('team', { each: { kind: 'team' } }),
      budgetOf('tag', { each: { kind: 'tag', tag: 'feature' } }),
    );
    held(budgets, requestOf(1n, { caller: callerOf('ana', { team: 'red' }), tags: { feature: 'x' } }));
    held(budgets, requestOf(2n));
    held(budgets, requestOf(4n));
    expect(budgets.views().map(({ budget, account, held }) => [budget.id, account, held])).toEqual([
      ['team', 'red', 1n],
      ['team', '', 6n],
      ['tag', 'x', 1n],
      ['tag', '', 6n],
    ]);
  });

  it('applies a budget to its task, provider or model, and where its condition holds', () => {
    const { budgets } = opened(
      budgetOf('task', { scope: { kind: 'task', task: 'summarize' } }),
      budgetOf('provider', { scope: { kind: 'provider', provider: 'openai' } }),
      budgetOf('model', { scope: { kind: 'model', model: 'openai/gpt' } }),
      budgetOf('trial', { when: 'tier:trial' }),
    );
    const postings = (given: Partial<HoldRequest>): string[] =>
      held(budgets, requestOf(1n, given)).postings.map(({ budgetId }) => budgetId);
    expect(postings({})).toEqual(['task', 'provider', 'model']);
    expect(postings({ task: 'other' })).toEqual(['provider', 'model']);
    expect(postings({ model: 'openai/mini' })).toEqual(['task', 'provider']);
    expect(
      postings({ provider: 'x', model: 'x/y', task: 'z', caller: callerOf('t', { tier: 'trial' }) }),
    ).toEqual(['trial']);
  });

  it('never refuses for a budget that only warns, and says that it was passed', () => {
    const { budgets, alerts } = opened(
      budgetOf('soft', { then: 'warn', limit: { unit: 'usd', nanoUsd: 10n } }),
    );
    expect(budgets.fits(requestOf(11n))).toBeUndefined();
    expect(held(budgets, requestOf(11n)).exceededSoftly).toEqual(['soft']);
    expect(alerts.map(({ kind }) => kind)).toEqual(['budget_exhausted']);
  });

  it('announces each share once a window, and again in the next', async () => {
    const { budgets, clock, alerts } = opened(
      budgetOf('daily', { per: DAY, warnAt: [0.5, 0.8], limit: { unit: 'usd', nanoUsd: 100n } }),
    );
    const spend = (amount: bigint): void => budgets.settle(held(budgets, requestOf(amount)), usd(amount));
    spend(49n);
    expect(alerts).toEqual([]);
    spend(1n);
    spend(1n);
    spend(40n);
    expect(alerts.map(({ kind, share }) => [kind, share])).toEqual([
      ['budget_warn', 0.5],
      ['budget_warn', 0.8],
    ]);
    await clock.advance(86_400_000);
    spend(60n);
    expect(alerts).toHaveLength(3);
  });

  it('lets a run spend from its own account until the run is over', () => {
    const { budgets } = opened(budgetOf('run', { per: { kind: 'run' } }));
    const first = held(budgets, requestOf(USD, { runId: 'a' }));
    expect(budgets.fits(requestOf(1n, { runId: 'a' }))).toMatchObject({ account: 'a', resetsAtMs: null });
    held(budgets, requestOf(USD, { runId: 'b' }));
    budgets.endRun('a');
    expect(budgets.views()).toHaveLength(2);
    budgets.settle(first, usd(1n));
    expect(budgets.views().map(({ account }) => account)).toEqual(['b']);
  });
});
