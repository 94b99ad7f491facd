// A thousand runs at once against one dollar, with failures, cancellations and reloads.
import { describe, expect, it } from 'vitest';
import { createBudgets } from '../../../src/engine/budget/budgets.ts';
import type { Budgets, BudgetView, Hold, HoldRequest } from '../../../src/engine/budget/port.ts';
import { sleep } from '../../../src/common/clock.ts';
import { seededRandom, type Random } from '../../../src/common/random.ts';
import type { Plan } from '../../../src/language/plan/types.ts';
import { createSimulatedClock, type SimulatedClock } from '../../support/simulated-clock.ts';
import { createFakeLedger, type FakeLedger } from './fake-ledger.ts';
import { budgetOf, callerOf, DAY, MONTH, planOf, requestOf, usd } from './support.ts';

const RUNS = 1000;
const LIMIT = 1_000_000_000n;
const MOST_EXPENSIVE = 2_000_000;

interface World {
  readonly clock: SimulatedClock;
  readonly random: Random;
  readonly ledger: FakeLedger;
  readonly budgets: Budgets;
  readonly seen: { most: bigint; refused: number; cancelled: number; failed: number; billed: bigint };
}

const company = budgetOf('company', { limit: { unit: 'usd', nanoUsd: LIMIT }, per: MONTH, warnAt: [0.5] });

/** What a team may do to its files meanwhile; the dollar stays a dollar. */
const plans: readonly Plan[] = [
  planOf(company),
  planOf(
    { ...company, warnAt: [0.8], name: 'the company' },
    budgetOf('caller', { each: { kind: 'caller' }, per: DAY, then: 'downgrade' }),
  ),
  // Another window over the same day: counted again from the ledger, with the holds in flight.
  planOf({ ...company, per: DAY }),
  planOf(
    { ...company, per: { kind: 'rolling', ms: 86_400_000 } },
    budgetOf('calls', { limit: { unit: 'calls', calls: 1_000_000 } }),
  ),
];

async function run(world: World, index: number): Promise<void> {
  const { clock, random, budgets, ledger, seen } = world;
  const between = (low: number, high: number): number => low + Math.floor(random() * (high - low));
  await sleep(clock, between(0, 2000));
  for (let attempt = 0; attempt < 12; attempt += 1) {
    const worst = BigInt(between(1, MOST_EXPENSIVE));
    const request = requestOf(worst, { runId: `run_${index}`, caller: callerOf(`caller_${index % 50}`) });
    const held = budgets.hold(request);
    check(world);
    if (!held.ok) {
      seen.refused += 1;
      await sleep(clock, between(50, 500));
      continue;
    }
    ledger.opened(held.value, request, clock.nowMs());
    await call(world, held.value, request, between);
    check(world);
  }
}

/** One in five fails unbilled, one in ten is cancelled half way and billed for what was seen. */
async function call(
  world: World,
  hold: Hold,
  request: HoldRequest,
  between: (low: number, high: number) => number,
): Promise<void> {
  const { clock, random, budgets, ledger, seen } = world;
  await sleep(clock, between(20, 900));
  const fate = random();
  if (fate < 0.2) {
    seen.failed += 1;
    budgets.release(hold);
    ledger.closed(hold.attemptId, hold.postings, usd(0n, 0, 0));
    return;
  }
  if (fate < 0.3) seen.cancelled += 1;
  const share = fate < 0.3 ? BigInt(between(0, 50)) : BigInt(between(20, 101));
  const actual = usd((request.worst.costNanoUsd * share) / 100n);
  seen.billed += actual.costNanoUsd;
  budgets.settle(hold, actual);
  ledger.closed(hold.attemptId, hold.postings, actual);
}

function check({ budgets, seen }: World): void {
  const { spent, held } = viewOf(budgets);
  if (spent + held > seen.most) seen.most = spent + held;
  if (spent + held > LIMIT) throw new Error(`over the limit by ${spent + held - LIMIT}`);
}

function viewOf(budgets: Budgets): BudgetView {
  const [view] = budgets.views({ budgetId: 'company' });
  if (view === undefined) throw new Error('the budget has gone');
  return view;
}

describe('a thousand runs against one dollar', () => {
  it.each([1, 2, 3])('INV-2: never go over it by one nano-dollar, and use it (seed %i)', async (seed) => {
    const clock = createSimulatedClock(Date.UTC(2026, 4, 1, 9));
    const random = seededRandom(seed);
    const ledger = createFakeLedger(() => true);
    const budgets = createBudgets({ clock, accounts: ledger, matches: () => true });
    const seen = { most: 0n, refused: 0, cancelled: 0, failed: 0, billed: 0n };
    const world: World = { clock, random, ledger, budgets, seen };
    budgets.configure(planOf(company));

    const reloads = (async () => {
      for (let reload = 0; reload < 40; reload += 1) {
        await sleep(clock, 150);
        budgets.configure(plans[reload % plans.length] ?? planOf(company));
        check(world);
      }
    })();
    const runs = Array.from({ length: RUNS }, (_, index) => run(world, index));
    await clock.settle(Promise.all([reloads, ...runs]));

    const view = viewOf(budgets);
    expect(view.held).toBe(0n);
    expect(view.spent).toBe(seen.billed);
    expect(view.spent).toBeLessThanOrEqual(LIMIT);
    expect(view.spent).toBeGreaterThanOrEqual((LIMIT * 95n) / 100n);
    expect(Math.min(seen.refused, seen.cancelled, seen.failed)).toBeGreaterThan(100);
    expect(ledger.calls.history).toBeGreaterThan(10);
  });
});
