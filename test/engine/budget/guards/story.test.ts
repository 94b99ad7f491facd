// The owner's story on a simulated clock: a month at $400, then a loop. With the real budgets and the real guards, as a project starts out with them.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createBudgets } from '../../../../src/engine/budget/budgets.ts';
import { createGuards } from '../../../../src/engine/budget/guards/guards.ts';
import { loopTraces } from '../../../../src/engine/budget/guards/loop.ts';
import type { GuardAlert, Guards } from '../../../../src/engine/budget/guards/port.ts';
import type { BudgetAlert, Budgets } from '../../../../src/engine/budget/port.ts';
import { canonicalJson, sha256Hex, type JsonObject } from '../../../../src/common/json.ts';
import { DEFAULT_LOOP_GUARDS } from '../../../../src/language/plan/defaults.ts';
import type { PlanLoopGuard, PlanLoops, PlanSurgeGuard } from '../../../../src/language/plan/types.ts';
import { createSimulatedClock, type SimulatedClock } from '../../../support/simulated-clock.ts';
import { budgetOf, callerOf, DAY, emptyAccounts, MONTH, planOf, requestOf, usd } from '../support.ts';
import { DAY_MS, month } from './traffic.ts';

const USD = 1_000_000_000n;
const sameInput: PlanLoopGuard = {
  same: 'input',
  ignore: ['now'],
  repeats: 20,
  withinMs: 60_000,
  then: 'reuse',
};
const loops: PlanLoops = {
  guards: [sameInput, { ...DEFAULT_LOOP_GUARDS.nearly, ignore: ['now'] }],
  depth: 8,
  fanOut: 100,
};
const { guards: loopGuards } = loops;
const surgeGuard: PlanSurgeGuard = {
  factor: 8,
  overMs: 15 * 60_000,
  baselineMs: 7 * DAY_MS,
  floorNanoUsd: 5n * USD,
  then: 'pause',
};
const START = Date.UTC(2026, 3, 1);
/** What a call of the loop costs: that of the month's mean call. */
const CALL = 4_000_000n;

interface Company {
  readonly clock: SimulatedClock;
  readonly budgets: Budgets;
  readonly guards: Guards;
  readonly alerts: (BudgetAlert | GuardAlert)[];
  refused: number;
  runs: number;
}

type Ending = 'called' | 'reused' | 'rejected' | 'paused' | 'over budget';

function company(): Company {
  const clock = createSimulatedClock(START);
  const budgets = createBudgets({ clock, accounts: emptyAccounts, matches: () => true });
  const guards = createGuards({ clock, switches: [], surge: surgeGuard });
  budgets.configure(
    planOf(
      budgetOf('company', { limit: { unit: 'usd', nanoUsd: 500n * USD }, per: MONTH }),
      budgetOf('caller', {
        each: { kind: 'caller' },
        limit: { unit: 'usd', nanoUsd: 10n * USD },
        per: DAY,
        then: 'downgrade',
      }),
    ),
  );
  const alerts: (BudgetAlert | GuardAlert)[] = [];
  budgets.onAlert((alert) => alerts.push(alert));
  guards.onAlert((alert) => alerts.push(alert));
  return { clock, budgets, guards, alerts, refused: 0, runs: 0 };
}

/** One run of one call, in the order in which the engine asks: guards, hold, call, settle. The worst case is three times what it costs. */
function ask(at: Company, task: string, caller: string, input: JsonObject, costNanoUsd: bigint): Ending {
  const { budgets, guards, clock } = at;
  at.runs += 1;
  const runId = `run_${at.runs}`;
  const inputHash = sha256Hex(canonicalJson(input));
  const run = { runId, task, caller, guards: loopGuards, traces: loopTraces(loops, input, inputHash) };
  const admission = guards.admit({ ...run, inputHash });
  if (admission.kind === 'reuse') return 'reused';
  if (admission.kind === 'reject') return 'rejected';
  if (admission.kind === 'paused') return 'paused';
  const held = budgets.hold(requestOf(costNanoUsd * 3n, { runId, task, caller: callerOf(caller) }));
  if (!held.ok) {
    guards.ended({ ...run, succeeded: false });
    return 'over budget';
  }
  budgets.settle(held.value, usd(costNanoUsd, 1000));
  guards.spent({ task, caller, costNanoUsd, atMs: clock.nowMs() });
  guards.ended({ ...run, succeeded: true });
  return 'called';
}

function spentBy(at: Company): bigint {
  return at.budgets.views({ budgetId: 'company' })[0]?.spent ?? 0n;
}

/** 30 days; afterwards it is the first of May. */
const CALLS = [...month({ startMs: START, days: 30, usdPerMonth: 400, seed: 2026 })];

async function normalMonth(at: Company): Promise<void> {
  for (const { atMs, task, caller, costNanoUsd } of CALLS) {
    // Nothing sets timers here, so that time can simply be set.
    at.clock.setWallMs(atMs);
    if (
      ask(at, task, caller, { text: `${caller} at ${atMs}`, cost: Number(costNanoUsd) }, costNanoUsd) !==
      'called'
    )
      at.refused += 1;
  }
}

async function looped(
  at: Company,
  everyMs: number,
  tries: number,
  input: (time: number) => JsonObject,
): Promise<Map<Ending, number>> {
  const endings = new Map<Ending, number>();
  for (let time = 0; time < tries; time += 1) {
    await at.clock.advance(everyMs);
    const ending = ask(at, 'summarize', 'ben', input(time), CALL);
    endings.set(ending, (endings.get(ending) ?? 0) + 1);
  }
  return endings;
}

/** A number in letters alone, so that no prompt is nearly another. */
function inWords(number: number): string {
  return Array.from(
    String(number),
    (digit) => ['oh', 'one', 'two', 'tre', 'for', 'fiv', 'six', 'sev', 'ate', 'nin'][Number(digit)],
  ).join('');
}

// A month is a hundred thousand calls.
describe("the owner's story", { timeout: 120_000 }, () => {
  it('the normal month of $400 has no stop, no refusal and no alarm', async () => {
    const at = company();
    await normalMonth(at);
    expect(at.runs).toBe(102_748);
    expect(spentBy(at)).toBe(410_511_655_293n);
    expect(at.refused).toBe(0);
    expect(at.alerts).toEqual([]);
    expect(at.guards.switches()).toEqual([]);
  });

  it('the loop that repeats itself is answered from its 20th call on: 20 calls, $0.08', async () => {
    const at = company();
    at.guards.seed(CALLS);
    at.clock.setWallMs(START + 30 * DAY_MS + 3 * 3_600_000);
    // Hours of it, with a new time stamp and other white space each time.
    const endings = await looped(at, 500, 20_000, (time) => ({
      text: `Summarise${' '.repeat(1 + (time % 7))}this.`,
      now: time,
    }));
    expect(Object.fromEntries(endings)).toEqual({ called: 20, reused: 19_980 });
    expect(spentBy(at)).toBe(20n * CALL);
  });

  it('the loop that varies a counter and a time stamp is refused from its 40th call on: 40 calls, $0.16', async () => {
    for (const everyMs of [250, 4_000, 14_000]) {
      const at = company();
      const endings = await looped(at, everyMs, 2_000, (time) => ({
        text: `${new Date(START + time * everyMs).toISOString()} Attempt ${time}: summarise this.`,
      }));
      expect(Object.fromEntries(endings)).toEqual({ called: 40, rejected: 1_960 });
      expect(spentBy(at)).toBe(40n * CALL);
    }
  });

  it('the loop that writes another prompt each time is paused after at most 1,251 calls and $5.01, whatever the hour', async () => {
    for (const hour of [3, 9, 14, 22]) {
      const at = company();
      at.guards.seed(CALLS);
      at.clock.setWallMs(START + 30 * DAY_MS + hour * 3_600_000);
      const endings = await looped(at, 250, 5000, (time) => ({ text: `Now ${inWords(time)}: summarise.` }));
      const calls = endings.get('called') ?? 0;
      expect(calls).toBeLessThanOrEqual(1251);
      expect(spentBy(at)).toBeLessThanOrEqual(5_010_000_000n);
      expect(endings.get('paused')).toBe(5000 - calls);
      expect(at.guards.switches()).toMatchObject([{ scope: 'caller:ben', by: 'guard:surge' }]);
    }
  });

  it('on its first day, without a past, such a loop is told of at the floor, and ends at $10 at the latest', async () => {
    const at = company();
    const endings = await looped(at, 250, 5000, (time) => ({ text: `Now ${inWords(time)}: summarise.` }));
    expect(spentBy(at)).toBeLessThanOrEqual(10n * USD);
    expect(endings.get('called')).toBeLessThanOrEqual(2500);
    expect(at.alerts.find(({ kind }) => kind === 'surge')).toMatchObject({
      details: { stage: 'warning', spentNanoUsd: '5004000000' },
    });
  });

  it('a loop too slow for the surge guard, in other words each time, ends at the daily budget of its caller: $10', async () => {
    const at = company();
    at.guards.seed(CALLS);
    at.clock.setWallMs(START + 30 * DAY_MS);
    const endings = await looped(at, 4000, 20_000, (time) => ({ text: `Now ${inWords(time)}: summarise.` }));
    expect(spentBy(at)).toBeLessThanOrEqual(10n * USD);
    expect(endings.get('called')).toBe(2498);
    expect(endings.get('over budget')).toBe(20_000 - 2498);
    expect(endings.has('paused')).toBe(false);
  });

  it('is told in the reference with these very numbers', () => {
    const text = readFileSync(new URL('../../../../docs/reference/guards.md', import.meta.url), 'utf8');
    for (const number of [
      '102,748 calls',
      '$410.51',
      '| 20 | $0.08 |',
      '| 40 | $0.16 |',
      '| at most 1,251 | at most $5.01 |',
      '| 2,498 |',
    ]) {
      expect(text).toContain(number);
    }
  });
});
