// The surge guard: silent through everything that a team's normal months bring, and quick when a loop begins.
import { describe, expect, it } from 'vitest';
import { createGuards } from '../../../../src/engine/budget/guards/guards.ts';
import type { GuardAlert, Guards } from '../../../../src/engine/budget/guards/port.ts';
import type { PlanSurgeGuard } from '../../../../src/language/plan/types.ts';
import { sized } from '../../../support/cases.ts';
import { createSimulatedClock } from '../../../support/simulated-clock.ts';
import { type Call, DAY_MS, hasTraces, HOUR_MS, month, recordedSizes } from './traffic.ts';

const CENT = 10_000_000n;
const surge: PlanSurgeGuard = {
  factor: 8,
  overMs: 15 * 60_000,
  baselineMs: 7 * DAY_MS,
  floorNanoUsd: 500n * CENT,
  then: 'pause',
};
const START = Date.UTC(2026, 2, 1);

function opened(
  given: Partial<PlanSurgeGuard> = {},
  maxScopes?: number,
): { guards: Guards; alerts: GuardAlert[] } {
  const clock = createSimulatedClock(START);
  const guards = createGuards({
    clock,
    switches: [],
    surge: { ...surge, ...given },
    ...(maxScopes === undefined ? {} : { maxScopes }),
  });
  const alerts: GuardAlert[] = [];
  guards.onAlert((alert) => alerts.push(alert));
  return { guards, alerts };
}

function feed(guards: Guards, calls: Iterable<Call>): void {
  for (const call of calls) guards.spent(call);
}

/** One call after the other until a switch is pulled; how many it took. */
function loop(
  guards: Guards,
  given: { atMs: number; everyMs: number; costNanoUsd: bigint; caller?: string; task?: string },
  most = 20_000,
): number {
  const { atMs, everyMs, costNanoUsd, caller = 'ben', task = 'summarize' } = given;
  for (let call = 1; call <= most; call += 1) {
    guards.spent({ task, caller, costNanoUsd, atMs: atMs + call * everyMs });
    if (guards.switches().length > 0) return call;
  }
  return Number.POSITIVE_INFINITY;
}

describe('normal traffic', () => {
  it.each(Array.from({ length: sized(1) }, (_, at) => at + 1))(
    'of two months, with mornings, weekends, bursts and the rush at the end, raises no alarm (seed %i)',
    (seed) => {
      const { guards, alerts } = opened();
      feed(guards, month({ startMs: START, days: 61, usdPerMonth: 400, seed }));
      expect(alerts).toEqual([]);
    },
  );

  it.skipIf(!hasTraces)('with the sizes of recorded conversations raises no alarm', () => {
    const { guards, alerts } = opened();
    feed(guards, month({ startMs: START, days: 31, usdPerMonth: 400, seed: 4 }, recordedSizes()));
    expect(alerts).toEqual([]);
  });

  it('of a team that grows by a tenth a day raises no alarm', () => {
    const { guards, alerts } = opened();
    feed(guards, month({ startMs: START, days: 28, usdPerMonth: 150, seed: 5, growth: (day) => 1.1 ** day }));
    expect(alerts).toEqual([]);
  });

  it('ten times what the floor is for stops nobody, from the first day; it is warned of once at most', () => {
    const { guards, alerts } = opened();
    feed(guards, month({ startMs: START, days: 11, usdPerMonth: 4000, seed: 6 }));
    expect(alerts.filter(({ details }) => details['stage'] === 'surge')).toEqual([]);
    expect(alerts.length).toBeLessThanOrEqual(1);
  });

  it('after a week of holidays raises no alarm', () => {
    const { guards, alerts } = opened();
    const isHoliday = (day: number): boolean => day >= 14 && day < 22;
    feed(
      guards,
      month({
        startMs: START,
        days: 30,
        usdPerMonth: 2500,
        seed: 7,
        growth: (day) => (isHoliday(day) ? 0.02 : 1),
      }),
    );
    expect(alerts).toEqual([]);
  });

  it('that the ledger recorded is learnt at the start, without alarms', () => {
    const { guards, alerts } = opened();
    const days = [...month({ startMs: START, days: 18, usdPerMonth: 3000, seed: 8 })];
    guards.seed(days.filter(({ atMs }) => atMs < START + 14 * DAY_MS));
    feed(
      guards,
      days.filter(({ atMs }) => atMs >= START + 14 * DAY_MS),
    );
    expect(alerts).toEqual([]);
    expect(loop(guards, { atMs: START + 18 * DAY_MS, everyMs: 250, costNanoUsd: CENT })).toBeLessThan(1000);
  });
});

describe('a loop', () => {
  it.each([
    ['at night', 27 * HOUR_MS, 'ben', 'summarize'],
    ['on Sunday', 34 * DAY_MS, 'ben', 'summarize'],
    ['at the busiest hour', 32 * DAY_MS + 9 * HOUR_MS, 'ana', 'code-review'],
    ['of the busiest caller', 32 * DAY_MS + 14 * HOUR_MS, 'support-bot', 'email-parse'],
    ['of a caller that nobody knows', 32 * DAY_MS + 10 * HOUR_MS, 'new-script', 'summarize'],
  ])(
    '%s is stopped for less than twelve dollars, and its caller alone is paused',
    (_, afterMs, caller, task) => {
      const { guards, alerts } = opened();
      guards.seed(month({ startMs: START, days: 31, usdPerMonth: 400, seed: 9 }));
      const atMs = START + Math.max(afterMs, 31 * DAY_MS);
      const calls = loop(guards, { atMs, everyMs: 250, costNanoUsd: CENT, caller, task });
      expect(calls).toBeLessThan(1200);
      expect(guards.switches()).toMatchObject([{ scope: `caller:${caller}`, by: 'guard:surge' }]);
      expect(alerts.map(({ details }) => details['stage'])).toContain('warning');
      // Calls that were under way still arrive, and the team goes on: nobody else is paused.
      for (let call = 0; call < 30; call += 1)
        guards.spent({ task, caller, costNanoUsd: CENT, atMs: atMs + calls * 250 });
      const team = month({ startMs: atMs + calls * 250, days: 1, usdPerMonth: 400, seed: 10 });
      feed(
        guards,
        [...team].filter((call) => call.caller !== caller),
      );
      expect(guards.switches()).toHaveLength(1);
    },
  );

  it('that many callers make together pauses their task', () => {
    const { guards } = opened();
    guards.seed(month({ startMs: START, days: 31, usdPerMonth: 400, seed: 11 }));
    let call = 0;
    for (; guards.switches().length === 0 && call < 10_000; call += 1) {
      const atMs = START + 31 * DAY_MS + call * 250;
      guards.spent({ task: 'code-review', caller: `agent_${call % 40}`, costNanoUsd: CENT, atMs });
    }
    expect(guards.switches()).toMatchObject([{ scope: 'task:code-review' }]);
    expect(call).toBeLessThan(1200);
  });

  it('is not put down to a caller whose spending is over', () => {
    const { guards } = opened();
    guards.seed(month({ startMs: START, days: 31, usdPerMonth: 400, seed: 20 }));
    const atMs = START + 31 * DAY_MS;
    for (let call = 0; call < 450; call += 1)
      guards.spent({ task: 'report', caller: 'nightly', costNanoUsd: CENT, atMs: atMs + call });
    let call = 0;
    for (; guards.switches().length === 0 && call < 10_000; call += 1) {
      const caller = `agent_${call % 40}`;
      guards.spent({ task: 'code-review', caller, costNanoUsd: CENT, atMs: atMs + 30 * 60_000 + call * 250 });
    }
    expect(guards.switches()).toMatchObject([{ scope: 'task:code-review' }]);
  });

  it('without a past is warned of at the floor and stopped at twice that, in the first week', () => {
    const { guards, alerts } = opened();
    const calls = loop(guards, { atMs: START, everyMs: 50, costNanoUsd: CENT });
    expect(calls).toBe(1001);
    expect(alerts.map(({ details }) => [details['stage'], details['spentNanoUsd']])).toEqual([
      ['warning', String(501n * CENT)],
      ['surge', String(1001n * CENT)],
    ]);
  });

  it('is only announced where the guard says `warn`, once a window', () => {
    const { guards, alerts } = opened({ then: 'warn' });
    guards.seed(month({ startMs: START, days: 10, usdPerMonth: 400, seed: 12 }));
    loop(guards, { atMs: START + 10 * DAY_MS, everyMs: 250, costNanoUsd: CENT }, 2400);
    expect(guards.switches()).toEqual([]);
    expect(alerts.map(({ scope, details }) => [scope, details['stage']])).toEqual([
      ['caller:ben', 'warning'],
      ['caller:ben', 'surge'],
    ]);
    expect(alerts.at(-1)?.message).toMatch(/spent \$5\.\d+ within 15 min/);
  });

  it('is no precedent: the same loop a week later is stopped as early', () => {
    const { guards } = opened();
    guards.seed(month({ startMs: START, days: 10, usdPerMonth: 400, seed: 13 }));
    const first = loop(guards, { atMs: START + 10 * DAY_MS, everyMs: 250, costNanoUsd: CENT });
    guards.resume('caller:ben', 'ana');
    guards.seed(month({ startMs: START + 11 * DAY_MS, days: 7, usdPerMonth: 400, seed: 14 }));
    const second = loop(guards, { atMs: START + 18 * DAY_MS + HOUR_MS, everyMs: 250, costNanoUsd: CENT });
    expect(second).toBeLessThanOrEqual(first + 1);
  });

  it('that a person has allowed on purpose takes twice as much to be stopped again', () => {
    const { guards } = opened();
    guards.seed(month({ startMs: START, days: 10, usdPerMonth: 400, seed: 15 }));
    const atMs = START + 10 * DAY_MS;
    const first = loop(guards, { atMs, everyMs: 100, costNanoUsd: CENT });
    expect(guards.resume('caller:ben', 'ana')).toMatchObject({ by: 'guard:surge' });
    const more = loop(guards, { atMs: atMs + first * 100, everyMs: 100, costNanoUsd: CENT });
    expect(first).toBeLessThanOrEqual(501);
    expect(first + more).toBeGreaterThan(2 * first - 5);
    expect(first + more).toBeLessThan(2 * first + 20);
  });
});

describe('bounds and changes', () => {
  it('INV-14: a flood of callers is remembered up to a bound, and everything together is still watched', () => {
    const { guards } = opened({}, 100);
    guards.seed(month({ startMs: START, days: 10, usdPerMonth: 400, seed: 16 }));
    let call = 0;
    for (; guards.switches().length === 0 && call < 20_000; call += 1) {
      guards.spent({
        task: `t${call % 700}`,
        caller: `c${call}`,
        costNanoUsd: CENT,
        atMs: START + 10 * DAY_MS + call * 50,
      });
    }
    expect(guards.switches()).toMatchObject([{ scope: 'all' }]);
    expect(call).toBeLessThan(1200);
  });

  it('INV-7: another factor or floor keeps the past; another window pours it over', () => {
    const { guards } = opened();
    guards.seed(month({ startMs: START, days: 14, usdPerMonth: 3000, seed: 17 }));
    guards.configure({ ...surge, overMs: 30 * 60_000, baselineMs: 14 * DAY_MS });
    guards.configure({ ...surge, overMs: 30 * 60_000, baselineMs: 14 * DAY_MS, floorNanoUsd: 400n * CENT });
    feed(guards, month({ startMs: START + 14 * DAY_MS, days: 3, usdPerMonth: 3000, seed: 18 }));
    expect(guards.switches()).toEqual([]);
    expect(loop(guards, { atMs: START + 17 * DAY_MS, everyMs: 250, costNanoUsd: CENT })).toBeLessThan(800);
  });

  it('says nothing while it is not configured', () => {
    const { guards } = opened();
    guards.configure(null);
    expect(loop(guards, { atMs: START, everyMs: 1, costNanoUsd: 1000n * CENT }, 100)).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  it('is not confused by a clock that goes back', () => {
    const { guards } = opened();
    guards.seed(month({ startMs: START, days: 10, usdPerMonth: 400, seed: 19 }));
    for (let call = 0; call < 400; call += 1) {
      guards.spent({
        task: 'summarize',
        caller: 'ben',
        costNanoUsd: CENT,
        atMs: START + 10 * DAY_MS - call * 60_000,
      });
    }
    expect(guards.switches()).toEqual([]);
    for (let call = 0; call < 110; call += 1)
      guards.spent({ task: 'summarize', caller: 'ben', costNanoUsd: CENT, atMs: START });
    expect(guards.switches()).toHaveLength(1);
  });
});
