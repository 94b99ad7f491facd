// Recovery: what a new process knows of budgets, and what a reload changes about them.
import { describe, expect, it } from 'vitest';
import { createBudgets } from '../../../src/engine/budget/budgets.ts';
import type { Accounts, Budgets, Hold, RecoveredHold } from '../../../src/engine/budget/port.ts';
import type { PlanBudget } from '../../../src/language/plan/types.ts';
import { createSimulatedClock } from '../../support/simulated-clock.ts';
import { createFakeLedger } from './fake-ledger.ts';
import { budgetOf, callerOf, DAY, emptyAccounts, MONTH, planOf, requestOf, usd } from './support.ts';

const NOON = Date.UTC(2026, 2, 10, 12);
const TODAY = Date.UTC(2026, 2, 10);
const THIS_MONTH = Date.UTC(2026, 2, 1);

function started(accounts: Partial<Accounts>, ...budgets: PlanBudget[]): Budgets {
  const made = createBudgets({
    clock: createSimulatedClock(NOON),
    accounts: { ...emptyAccounts, ...accounts },
    matches: () => true,
  });
  made.configure(planOf(...budgets));
  return made;
}

function sums(budgets: Budgets): unknown[] {
  return budgets
    .views()
    .map(({ budget, account, spent, held, calls }) => [budget.id, account, spent, held, calls]);
}

const posted = (
  budgetId: string,
  windowStartMs: number,
  cost: bigint,
  account = '',
): ReturnType<Accounts['settled']> => [
  { posting: { budgetId, account, windowStartMs }, spending: usd(cost, 10, 3) },
];

describe('a new process', () => {
  it('INV-3: starts from the settled sums of the windows that are open, and from every open attempt at its worst case', () => {
    const open: RecoveredHold = {
      attemptId: 'att_dead',
      worst: usd(100n),
      postings: [{ budgetId: 'daily', account: 'ana', windowStartMs: TODAY }],
      exceededSoftly: [],
    };
    const budgets = started(
      {
        settled: () => [
          ...posted('daily', TODAY, 40n, 'ana'),
          ...posted('daily', TODAY, 7n, 'ben'),
          ...posted('daily', TODAY - 86_400_000, 99n, 'ana'),
          ...posted('gone', TODAY, 1000n),
        ],
        open: () => [open],
      },
      budgetOf('daily', { each: { kind: 'caller' }, per: DAY, limit: { unit: 'usd', nanoUsd: 150n } }),
    );
    expect(sums(budgets)).toEqual([
      ['daily', 'ana', 40n, 100n, 3],
      ['daily', 'ben', 7n, 0n, 3],
    ]);
    expect(budgets.fits(requestOf(11n))).toMatchObject({ spent: 40n, held: 100n, needed: 11n });
    budgets.settle(open, usd(30n));
    expect(sums(budgets)[0]).toEqual(['daily', 'ana', 70n, 0n, 4]);
  });

  it('asks only for the windows that its budgets have', () => {
    const since: number[] = [];
    const settled: Accounts['settled'] = (sinceMs) => {
      since.push(sinceMs);
      return [];
    };
    started({ settled }, budgetOf('daily', { per: DAY }), budgetOf('run', { per: { kind: 'run' } }));
    started({ settled }, budgetOf('daily', { per: DAY }), budgetOf('monthly', { per: MONTH }));
    expect(since).toEqual([TODAY, THIS_MONTH]);
  });

  it('takes a budget that it has never seen from past attempts, and tells the ledger its balance', () => {
    const seeded: unknown[] = [];
    const budgets = started(
      {
        history: ({ id }, sinceMs) => {
          expect([id, sinceMs]).toEqual(['monthly', THIS_MONTH]);
          return [
            { account: '', atMs: NOON - 1, spending: usd(3n, 5) },
            { account: '', atMs: THIS_MONTH, spending: usd(4n, 6) },
          ];
        },
        seeded: (...given) => seeded.push(given),
      },
      budgetOf('monthly'),
    );
    expect(sums(budgets)).toEqual([['monthly', '', 7n, 0n, 2]]);
    const posting = { budgetId: 'monthly', account: '', windowStartMs: THIS_MONTH };
    expect(seeded).toEqual([['monthly', THIS_MONTH, [{ posting, spending: usd(7n, 11, 2) }]]]);
  });

  it.each([
    ['a month to a day', posted('b', THIS_MONTH, 50n), { per: DAY }],
    ['a day to a month', [...posted('b', THIS_MONTH, 50n), ...posted('b', TODAY, 50n)], { per: MONTH }],
    ['a month to a week', posted('b', THIS_MONTH, 50n), { per: { ...MONTH, unit: 'week' } }],
    [
      'one time zone to another',
      posted('b', TODAY - 3_600_000, 50n),
      { per: { ...DAY, timeZone: 'Europe/Lisbon' } },
    ],
    ['a day to the last 24 hours', posted('b', TODAY, 50n), { per: { kind: 'rolling', ms: 86_400_000 } }],
  ] as const)('adds up again what was posted under another window: %s', (_, rows, given) => {
    const budgets = started(
      { settled: () => rows, history: () => [{ account: '', atMs: NOON, spending: usd(3n) }] },
      budgetOf('b', given),
    );
    expect(sums(budgets)).toEqual([['b', '', 3n, 0n, 1]]);
  });

  it("finds what a run has spent of its own budget, so that a continued run's limit is one limit", () => {
    const rows = posted('run', 0, 60n, 'run_1');
    const budgets = started(
      { settled: () => rows },
      budgetOf('run', { per: { kind: 'run' }, limit: { unit: 'usd', nanoUsd: 100n } }),
    );
    expect(budgets.hold(requestOf(41n, { runId: 'run_1' })).ok).toBe(false);
    expect(budgets.hold(requestOf(40n, { runId: 'run_1' })).ok).toBe(true);
  });

  it('does not announce again what the process before it announced', () => {
    const alerts: string[] = [];
    const budgets = createBudgets({
      clock: createSimulatedClock(NOON),
      accounts: { ...emptyAccounts, settled: () => posted('daily', TODAY, 60n) },
      matches: () => true,
    });
    budgets.onAlert(({ kind, share }) => alerts.push(`${kind} ${share}`));
    budgets.configure(
      planOf(budgetOf('daily', { per: DAY, limit: { unit: 'usd', nanoUsd: 100n }, warnAt: [0.5, 0.8] })),
    );
    const spend = (cost: bigint): void => {
      const held = budgets.hold(requestOf(cost));
      if (held.ok) budgets.settle(held.value, usd(cost));
    };
    spend(1n);
    expect(alerts).toEqual([]);
    spend(19n);
    expect(alerts).toEqual(['budget_warn 0.8']);
  });
});

describe('a reload', () => {
  const ledger = createFakeLedger(() => true);

  function spent(budgets: Budgets, cost: bigint): void {
    const request = requestOf(cost);
    const held = budgets.hold(request);
    if (!held.ok) throw new Error('refused');
    ledger.opened(held.value, request, NOON);
    budgets.settle(held.value, usd(cost));
    ledger.closed(held.value.attemptId, held.value.postings, usd(cost));
  }

  it('INV-7: that changes a limit keeps what was spent and held', () => {
    const budgets = started({}, budgetOf('company', { limit: { unit: 'usd', nanoUsd: 100n } }));
    spent(budgets, 60n);
    budgets.hold(requestOf(30n));
    budgets.configure(
      planOf(
        budgetOf('company', { limit: { unit: 'usd', nanoUsd: 80n }, then: 'downgrade', name: 'Company' }),
      ),
    );
    expect(sums(budgets)).toEqual([['company', '', 60n, 30n, 1]]);
    expect(budgets.fits(requestOf(1n))).toMatchObject({ name: 'Company', action: 'downgrade', limit: 80n });
    budgets.configure(planOf(budgetOf('company', { limit: { unit: 'usd', nanoUsd: 200n } })));
    expect(budgets.fits(requestOf(110n))).toBeUndefined();
    expect(budgets.fits(requestOf(111n))).toBeDefined();
  });

  it('INV-7: that adds a budget counts what was spent before it, and what is in flight', () => {
    const budgets = started(ledger, budgetOf('other'));
    spent(budgets, 25n);
    const held = budgets.hold(requestOf(30n));
    if (!held.ok) throw new Error('refused');
    const before = held.value.postings;
    budgets.configure(planOf(budgetOf('other'), budgetOf('caller', { each: { kind: 'caller' } })));
    expect(sums(budgets).at(-1)).toEqual(['caller', 'ana', 85n, 30n, 2]);
    // The hold says where it is now; what was written before is another array.
    expect(before).toHaveLength(1);
    expect(held.value.postings.map(({ budgetId }) => budgetId)).toEqual(['other', 'caller']);
    budgets.settle(held.value, usd(10n));
    expect(sums(budgets).at(-1)).toEqual(['caller', 'ana', 95n, 0n, 3]);
  });

  it('settles a hold whose budget was taken away', () => {
    const budgets = started({}, budgetOf('company'));
    const held = budgets.hold(requestOf(30n)) as { readonly value: Hold };
    budgets.configure(planOf());
    budgets.settle(held.value, usd(10n));
    expect(budgets.views()).toEqual([]);
    expect(budgets.hold(requestOf(1n, { caller: callerOf('ben') })).ok).toBe(true);
  });
});
