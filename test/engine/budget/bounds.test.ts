// Bounds and edges: many accounts, several refusals at once, rolling windows, alerts and overruns.
import { describe, expect, it, vi } from 'vitest';
import { createBudgets } from '../../../src/engine/budget/budgets.ts';
import type { BudgetAlert, Budgets, Hold, HoldRequest } from '../../../src/engine/budget/port.ts';
import type { PlanBudget } from '../../../src/language/plan/types.ts';
import { createSimulatedClock, type SimulatedClock } from '../../support/simulated-clock.ts';
import { budgetOf, DAY, emptyAccounts, MONTH, planOf, requestOf, usd } from './support.ts';

const HOUR_MS = 3_600_000;

function opened(
  maxAccounts: number,
  ...budgets: PlanBudget[]
): { budgets: Budgets; clock: SimulatedClock; alerts: BudgetAlert[] } {
  const clock = createSimulatedClock(Date.UTC(2026, 2, 10, 12));
  const made = createBudgets({ clock, accounts: emptyAccounts, matches: () => true, maxAccounts });
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

const tagged = (value: string, cost = 10n): HoldRequest => requestOf(cost, { tags: { feature: value } });
const byTag = { each: { kind: 'tag', tag: 'feature' }, limit: { unit: 'usd', nanoUsd: 100n } } as const;

describe('accounts', () => {
  it('INV-14: are as many as may be; a further value is refused with a reason until a window has passed', async () => {
    const { budgets, clock } = opened(3, budgetOf('tag', { ...byTag, per: DAY }));
    for (const value of ['a', 'b', 'c']) budgets.settle(held(budgets, tagged(value)), usd(10n));
    expect(budgets.fits(tagged('d'))).toMatchObject({ reason: 'too_many_accounts', account: 'd' });
    expect(budgets.hold(tagged('d'))).toMatchObject({ ok: false, error: { reason: 'too_many_accounts' } });
    // Those that are open go on, with what they spent.
    expect(budgets.fits(tagged('a', 91n))).toMatchObject({ reason: 'limit', spent: 10n });
    await clock.advance(12 * HOUR_MS);
    held(budgets, tagged('d'));
  });

  it('INV-14: on which nothing was spent make room at once', async () => {
    const { budgets, clock } = opened(3, budgetOf('tag', { ...byTag, per: DAY }));
    const free = held(budgets, tagged('free', 0n));
    budgets.release(held(budgets, tagged('b')));
    held(budgets, tagged('c'));
    await clock.advance(2000);
    held(budgets, tagged('d'));
    // One that holds is kept, though it holds nothing yet.
    expect(budgets.hold(tagged('e')).ok).toBe(false);
    budgets.settle(free, usd(7n));
    expect(budgets.views({ account: 'free' })).toMatchObject([{ spent: 7n, calls: 1 }]);
  });

  it('INV-14: refused requests open none', () => {
    const { budgets } = opened(3, budgetOf('tag', { ...byTag, per: DAY }));
    for (let value = 0; value < 50; value += 1) budgets.hold(tagged(`x${value}`, 101n));
    expect(budgets.hold(tagged('a')).ok).toBe(true);
  });

  it('of a budget that only warns share one when there are too many: it never refuses', () => {
    const { budgets } = opened(2, budgetOf('tag', { ...byTag, then: 'warn' }));
    for (const value of ['a', 'b', 'c', 'd']) budgets.settle(held(budgets, tagged(value)), usd(10n));
    expect(budgets.views().map(({ account, spent }) => [account, spent])).toEqual([
      ['a', 10n],
      ['b', 10n],
      ['*', 20n],
    ]);
  });

  it('INV-14: of runs that nobody ended are let go after a day of silence', async () => {
    const { budgets, clock } = opened(2, budgetOf('run', { per: { kind: 'run' } }));
    for (const runId of ['a', 'b']) budgets.settle(held(budgets, requestOf(5n, { runId })), usd(5n));
    expect(budgets.hold(requestOf(5n, { runId: 'c' })).ok).toBe(false);
    await clock.advance(25 * HOUR_MS);
    expect(budgets.hold(requestOf(5n, { runId: 'c' })).ok).toBe(true);
  });
});

describe('refusals', () => {
  const small = { limit: { unit: 'usd', nanoUsd: 10n } } as const;

  it('name the budget that stays in the way for longest', () => {
    const { budgets } = opened(
      10,
      budgetOf('daily', { ...small, per: DAY }),
      budgetOf('monthly', { ...small, per: MONTH }),
    );
    expect(budgets.fits(requestOf(11n))).toMatchObject({
      budgetId: 'monthly',
      resetsAtMs: Date.UTC(2026, 3, 1),
    });
  });

  it('of a hold name the one that rejects, of a candidate the one that downgrades', () => {
    const { budgets } = opened(
      10,
      budgetOf('down', { ...small, per: DAY, then: 'downgrade' }),
      budgetOf('hard', { ...small, per: MONTH }),
    );
    expect(budgets.fits(requestOf(11n))).toMatchObject({ budgetId: 'down' });
    expect(budgets.hold(requestOf(11n))).toMatchObject({ error: { budgetId: 'hard' } });
  });

  it('of a rolling window say when the hold would fit', async () => {
    const { budgets, clock } = opened(
      10,
      budgetOf('hourly', { limit: { unit: 'usd', nanoUsd: 100n }, per: { kind: 'rolling', ms: HOUR_MS } }),
    );
    for (const cost of [50n, 30n, 20n]) {
      budgets.settle(held(budgets, requestOf(cost)), usd(cost));
      await clock.advance(HOUR_MS / 6);
    }
    const first = budgets.fits(requestOf(50n))?.resetsAtMs ?? 0;
    const second = budgets.fits(requestOf(51n))?.resetsAtMs ?? 0;
    expect(budgets.fits(requestOf(101n))?.resetsAtMs).toBeNull();
    expect(second).toBeGreaterThan(first);
    await clock.advance(first - clock.nowMs() - 1);
    expect(budgets.fits(requestOf(50n))).toBeDefined();
    await clock.advance(1);
    expect(budgets.fits(requestOf(50n))).toBeUndefined();
    expect(budgets.fits(requestOf(51n))).toBeDefined();
    expect(budgets.views()).toMatchObject([
      { spent: 50n, windowStartedAtMs: clock.nowMs() - HOUR_MS, resetsAtMs: second },
    ]);
  });
});

describe('alerts', () => {
  const hundred = { limit: { unit: 'usd', nanoUsd: 100n }, per: DAY } as const;

  it('tell of a budget that is used up when a hold first fails for it, once a window', () => {
    const { budgets, alerts } = opened(10, budgetOf('daily', hundred));
    held(budgets, requestOf(60n));
    budgets.hold(requestOf(41n));
    budgets.hold(requestOf(42n));
    expect(alerts.map(({ kind, share }) => [kind, share])).toEqual([['budget_exhausted', 0.6]]);
  });

  it('tell of a budget that downgrades when it first passes a candidate over', () => {
    const { budgets, alerts } = opened(10, budgetOf('daily', { ...hundred, then: 'downgrade' }));
    held(budgets, requestOf(60n));
    expect(budgets.fits(requestOf(30n))).toBeUndefined();
    expect(alerts).toEqual([]);
    budgets.fits(requestOf(41n));
    expect(alerts).toMatchObject([{ kind: 'budget_exhausted', view: { held: 60n } }]);
  });

  it('do not call a budget used up for a request that is larger than all of it', () => {
    const { budgets, alerts } = opened(10, budgetOf('daily', hundred));
    held(budgets, requestOf(1n));
    budgets.hold(requestOf(101n));
    expect(alerts).toEqual([]);
  });

  it('tell of a provider that bills more than the worst case, and the account shows it', () => {
    const { budgets, alerts } = opened(10, budgetOf('daily', hundred));
    budgets.settle(held(budgets, requestOf(100n)), usd(130n));
    expect(alerts.map(({ kind }) => kind)).toEqual(['budget_overrun', 'budget_exhausted']);
    expect(budgets.views()).toMatchObject([{ spent: 130n, limit: 100n }]);
    expect(budgets.hold(requestOf(1n)).ok).toBe(false);
  });

  it('speak again of a share that a raised limit took back', () => {
    const { budgets, alerts } = opened(10, budgetOf('daily', { ...hundred, warnAt: [0.5] }));
    const spend = (cost: bigint): void => budgets.settle(held(budgets, requestOf(cost)), usd(cost));
    spend(50n);
    budgets.configure(
      planOf(budgetOf('daily', { ...hundred, warnAt: [0.5], limit: { unit: 'usd', nanoUsd: 200n } })),
    );
    spend(49n);
    expect(alerts).toHaveLength(1);
    spend(1n);
    expect(alerts).toHaveLength(2);
  });

  it('cannot disturb the accounting, even when a listener throws', async () => {
    const { budgets } = opened(10, budgetOf('daily', { ...hundred, warnAt: [0.1] }));
    const surfaced = vi.fn();
    const original = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', surfaced);
    budgets.onAlert(() => {
      throw new Error('a broken listener');
    });
    budgets.settle(held(budgets, requestOf(50n)), usd(50n));
    await new Promise((resolve) => setImmediate(resolve));
    for (const listener of original) process.on('uncaughtException', listener);
    expect(surfaced).toHaveBeenCalledOnce();
    expect(budgets.views()).toMatchObject([{ spent: 50n, held: 0n }]);
  });
});

describe('misuse', () => {
  it('throws for a hold before any plan, and for an attempt that holds already', () => {
    const made = createBudgets({
      clock: createSimulatedClock(),
      accounts: emptyAccounts,
      matches: () => true,
    });
    expect(() => made.hold(requestOf(1n))).toThrow('before the first configure');
    made.configure(planOf());
    const request = requestOf(1n);
    made.hold(request);
    expect(() => made.hold(request)).toThrow('holds already');
  });

  it.each([
    ['a negative cost', usd(-1n)],
    ['half a token', usd(1n, 0.5)],
    ['no number of tokens', usd(1n, Number.NaN)],
    ['negative calls', usd(1n, 0, -1)],
  ])('throws for a spending of %s, and keeps what is held', (_, spending) => {
    const { budgets } = opened(10, budgetOf('a'), budgetOf('b', { limit: { unit: 'tokens', tokens: 100 } }));
    expect(() => budgets.hold(requestOf(1n, { worst: spending }))).toThrow(RangeError);
    const hold = held(budgets, requestOf(5n, { worst: usd(5n, 9) }));
    expect(() => budgets.settle(hold, spending)).toThrow(RangeError);
    expect(budgets.views().map((view) => [view.spent, view.held])).toEqual([
      [0n, 5n],
      [0n, 9n],
    ]);
    budgets.settle(hold, usd(1n, 2));
    expect(budgets.views().map((view) => [view.spent, view.held])).toEqual([
      [1n, 0n],
      [2n, 0n],
    ]);
  });
});
