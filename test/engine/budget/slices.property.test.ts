// Budgets that several nodes spend from: random nodes, holds, kills, skewed clocks, lowered limits and counts above what was held.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBudgets } from '../../../src/engine/budget/budgets.ts';
import type { Budgets, Hold, HoldRequest, Spending } from '../../../src/engine/budget/port.ts';
import type { PlanBudget, PlanWindow } from '../../../src/language/plan/types.ts';
import { createSimulatedClock } from '../../support/simulated-clock.ts';
import type { SimulatedClock } from '../../support/simulated-clock.ts';
import { createFakeLedger } from './fake-ledger.ts';
import { SharedBooks } from './shared-books.ts';
import { budgetOf, callerOf, planOf, requestOf, usd } from './support.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 10, 12);
const LIMIT = 1_000n;

type Step =
  | { readonly kind: 'run'; readonly node: number; readonly amount: number; readonly caller: number }
  | { readonly kind: 'settle'; readonly index: number; readonly share: number }
  | { readonly kind: 'kill'; readonly node: number }
  | { readonly kind: 'limit'; readonly limit: number }
  | { readonly kind: 'wait'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('run' as const),
      node: fc.nat(2),
      amount: fc.integer({ min: 1, max: 200 }),
      caller: fc.nat(1),
    }),
  },
  {
    weight: 5,
    // Beyond 100: a provider that bills more than was held.
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      index: fc.nat(50),
      share: fc.integer({ min: 0, max: 130 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), node: fc.nat(2) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('limit' as const),
      limit: fc.integer({ min: 100, max: 1_200 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(10, 300, 1_300, 3_600_000, DAY_MS),
      // Longer than two seconds, the wall clock alone goes on: nodes look at what they have four times a second.
    }),
  },
);

const windows: fc.Arbitrary<PlanWindow> = fc.constantFrom(
  { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
  { kind: 'calendar', unit: 'month', timeZone: 'UTC' },
  { kind: 'rolling', ms: 6 * 3_600_000 },
);

interface Node {
  readonly number: number;
  readonly budgets: Budgets;
  readonly skewMs: number;
}

interface Open {
  readonly node: Node;
  readonly hold: Hold;
  readonly worst: Spending;
}

/** The nodes' clocks may be apart, and go on together. */
const skewed = (clock: SimulatedClock, skewMs: number) => ({ ...clock, nowMs: () => clock.nowMs() + skewMs });

async function run(
  steps: readonly Step[],
  { per, each, skews }: { per: PlanWindow; each: boolean; skews: readonly number[] },
): Promise<{ readonly refused: number; readonly held: number }> {
  const clock = createSimulatedClock(START_MS);
  const books = new SharedBooks();
  let limit = LIMIT;
  /** What was billed beyond what was held: a hold cannot know of it. */
  let beyond = 0n;
  const budget = (): PlanBudget =>
    budgetOf('shared', {
      per,
      each: each ? { kind: 'caller' } : null,
      limit: { unit: 'usd', nanoUsd: limit },
    });
  let born = 0;
  const birth = (skewMs: number): Node => {
    born += 1;
    const budgets = createBudgets({
      clock: skewed(clock, skewMs),
      accounts: createFakeLedger(() => true),
      matches: () => true,
      leases: books.leasesOf(born),
    });
    budgets.configure(planOf(budget()));
    return { number: born, budgets, skewMs };
  };
  const nodes = skews.map(birth);
  const open: Open[] = [];
  const counts = { refused: 0, held: 0 };

  /** Spent and held by all nodes, in the window of an instant that every clock agrees on. */
  const check = (account: string, nowMs: number): void => {
    const dayMs = Math.floor(nowMs / DAY_MS) * DAY_MS;
    const fromMs =
      per.kind === 'rolling'
        ? nowMs - per.ms
        : per.kind === 'calendar' && per.unit === 'day'
          ? dayMs
          : Date.UTC(new Date(nowMs).getUTCFullYear(), new Date(nowMs).getUTCMonth(), 1);
    expect(books.used('shared', account, fromMs, 'usd') <= limit + beyond).toBe(true);
  };

  for (const each_ of steps) {
    switch (each_.kind) {
      case 'run': {
        const node = nodes[each_.node % nodes.length] as Node;
        const request: HoldRequest = requestOf(BigInt(each_.amount), {
          caller: callerOf(`c${each_.caller}`),
        });
        let held = node.budgets.holdOrAsk(request);
        if (!held.ok && 'kind' in held.error)
          held = await clock.settle(node.budgets.leaseAndHold(request, held.error));
        if (!held.ok) {
          counts.refused += 1;
          break;
        }
        counts.held += 1;
        books.open(node.number, held.value);
        open.push({ node, hold: held.value, worst: held.value.worst });
        check(each ? `c${each_.caller}` : '', clock.nowMs() + node.skewMs);
        break;
      }
      case 'settle': {
        const one = open.splice(each_.index % Math.max(1, open.length), 1)[0];
        if (one === undefined) break;
        const worst = one.worst.costNanoUsd;
        const cost = (worst * BigInt(each_.share)) / 100n;
        if (cost > worst) beyond += cost - worst;
        books.close(one.node.number, one.hold, one.worst, usd(cost));
        // Of a node that is dead, it stays held in the books until somebody decides: here at once.
        if (nodes.includes(one.node)) one.node.budgets.settle(one.hold, usd(cost));
        break;
      }
      case 'kill': {
        const index = each_.node % nodes.length;
        const dead = nodes[index] as Node;
        books.bury(dead.number);
        nodes[index] = birth(dead.skewMs);
        break;
      }
      case 'limit':
        limit = BigInt(each_.limit);
        for (const node of nodes) node.budgets.configure(planOf(budget()));
        // What was held under the old limit stays, whatever the new one is.
        beyond = larger(beyond, mostUsed(books) - limit);
        break;
      case 'wait':
        if (each_.ms > 2_000) clock.setWallMs(clock.nowMs() + each_.ms);
        else await clock.advance(each_.ms);
        break;
    }
  }
  for (const node of nodes) void node.budgets.close();
  return counts;
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** All that was ever spent and is held, of the account that has most. */
function mostUsed(books: SharedBooks): bigint {
  return ['', 'c0', 'c1'].reduce(
    (most, account) => larger(most, books.used('shared', account, 0, 'usd')),
    0n,
  );
}

describe('budgets that several nodes spend from', () => {
  it('INV-2: never hold more than the limit over all nodes, but for what was billed beyond a hold or held before the limit was lowered', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 60 }),
        fc.record({
          per: windows,
          each: fc.boolean(),
          skews: fc.array(fc.constantFrom(0, 0, 400, -1_500), { minLength: 1, maxLength: 3 }),
        }),
        async (steps, options) => {
          await run(steps, options);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('let the last of a limit be used, whichever node asks for it', async () => {
    const clock = createSimulatedClock(START_MS);
    const books = new SharedBooks();
    const budgets = [1, 2, 3].map((node) =>
      createBudgets({
        clock,
        accounts: createFakeLedger(() => true),
        matches: () => true,
        leases: books.leasesOf(node),
      }),
    );
    const shared = budgetOf('shared', { limit: { unit: 'usd', nanoUsd: LIMIT } });
    for (const each of budgets) each.configure(planOf(shared));
    let used = 0n;
    for (let index = 0; index < 400; index += 1) {
      const node = index % 3;
      const one = budgets[node] as Budgets;
      const request = requestOf(10n);
      let held = one.holdOrAsk(request);
      if (!held.ok && 'kind' in held.error) held = await clock.settle(one.leaseAndHold(request, held.error));
      if (!held.ok) continue;
      books.open(node + 1, held.value);
      books.close(node + 1, held.value, held.value.worst, usd(10n));
      one.settle(held.value, usd(10n));
      used += 10n;
    }
    expect(used).toBe(LIMIT);
  });

  it('INV-2: refuse none of a burst that there is room for, and leases few times for it', async () => {
    const clock = createSimulatedClock(START_MS);
    const books = new SharedBooks();
    const leases = books.leasesOf(1);
    let asked = 0;
    const one = createBudgets({
      clock,
      accounts: createFakeLedger(() => true),
      matches: () => true,
      leases: {
        ...leases,
        lease(...args) {
          asked += 1;
          return leases.lease(...args);
        },
      },
    });
    const limit = { unit: 'usd', nanoUsd: 100_000n } as const;
    one.configure(planOf(budgetOf('shared', { limit }), budgetOf('second', { limit })));
    const burst = async (): Promise<boolean[]> =>
      clock.settle(
        Promise.all(
          Array.from({ length: 100 }, async () => {
            const request = requestOf(10n);
            let held = one.holdOrAsk(request);
            if (!held.ok && 'kind' in held.error) held = await one.leaseAndHold(request, held.error);
            if (held.ok) one.settle(held.value, usd(10n));
            return held.ok;
          }),
        ),
      );
    for (let round = 0; round < 20; round += 1) {
      expect(new Set(await burst())).toEqual(new Set([true]));
      await clock.advance(50);
    }
    expect(asked).toBeLessThan(100);
  });

  it('refuse by the budget that is used up, and tell of no other that they have no slice of', async () => {
    const clock = createSimulatedClock(START_MS);
    const books = new SharedBooks();
    const [first, second] = [1, 2].map((node) =>
      createBudgets({
        clock,
        accounts: createFakeLedger(() => true),
        matches: () => true,
        leases: books.leasesOf(node),
      }),
    ) as [Budgets, Budgets];
    const full = budgetOf('full', { limit: { unit: 'usd', nanoUsd: LIMIT } });
    // It ends later, so that it would be the one to know of.
    const roomy = budgetOf('roomy', {
      limit: { unit: 'usd', nanoUsd: 1_000_000n },
      per: { kind: 'calendar', unit: 'month', timeZone: 'UTC' },
    });
    const told: string[] = [];
    for (const one of [first, second]) {
      one.configure(planOf(full, roomy));
      one.onAlert(({ kind, view }) => {
        if (kind === 'budget_exhausted') told.push(view.budget.id);
      });
    }
    const place = async (one: Budgets, amount: bigint): ReturnType<Budgets['leaseAndHold']> => {
      const request = requestOf(amount);
      const held = one.holdOrAsk(request);
      if (held.ok || !('kind' in held.error)) return held as Awaited<ReturnType<Budgets['leaseAndHold']>>;
      return clock.settle(one.leaseAndHold(request, held.error));
    };
    for (const [node, one, amount] of [
      [1, first, 10n],
      [2, second, 900n],
    ] as const) {
      const held = await place(one, amount);
      if (!held.ok) throw new Error('it fits');
      books.open(node, held.value);
    }
    expect(await place(first, 95n)).toMatchObject({ ok: false, error: { budgetId: 'full' } });
    expect(told).toEqual(['full']);
  });

  it('say that nobody answers, where the ledger is away, and not that the budget is used up', async () => {
    const clock = createSimulatedClock(START_MS);
    const away = new Error('nobody answers');
    const one = createBudgets({
      clock,
      accounts: createFakeLedger(() => true),
      matches: () => true,
      leases: { ...new SharedBooks().leasesOf(1), lease: () => Promise.reject(away) },
    });
    one.configure(planOf(budgetOf('shared', { limit: { unit: 'usd', nanoUsd: LIMIT } })));
    const request = requestOf(10n);
    const held = one.holdOrAsk(request);
    if (held.ok || !('kind' in held.error)) throw new Error('no slice was needed');
    await expect(clock.settle(one.leaseAndHold(request, held.error))).rejects.toBe(away);
  });
});
