// A forecast holds what it says where the days to come are like those that were, and says nothing where there is no past.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import { createSpanStats } from '../../../src/ledger/stats/spans.ts';
import { ledgerPath, openTestLedger } from '../../support/ledger-folder.ts';
import { finish, makeAttempt, makeRun, settle } from '../../support/ledger-records.ts';
import { CONFIDENCE, courseOf, forecastOf } from '../../../src/ledger/stats/forecast.ts';
import { studentQuantile } from '../../../src/ledger/stats/student.ts';
import type { BudgetView } from '../../../src/engine/budget/port.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 10, 23);

/** A plain generator, so that a seed tells a whole course of spending. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Hours with a shape over the day and the week, each a sum of calls of uneven size: nothing like a bell. */
function traffic(seed: number): (hourMs: number) => number {
  const random = randomOf(seed);
  const amounts = new Map<number, number>();
  for (let hour = -28 * 24; hour < 32 * 24; hour += 1) {
    const daytime = 1 + Math.sin((((hour + 28 * 24) % 24) / 24) * Math.PI) * 4;
    const weekend = Math.floor((hour + 28 * 24) / 24) % 7 >= 5 ? 0.3 : 1;
    let sum = 0;
    for (let call = 0; call < 12; call += 1) sum += random() < 0.5 ? random() ** 3 * 1000 : 0;
    amounts.set(START_MS + hour * HOUR_MS, sum * daytime * weekend);
  }
  return (hourMs) => amounts.get(hourMs) ?? 0;
}

function view(fields: Partial<BudgetView> & { readonly resetsAtMs: number | null }): BudgetView {
  return {
    budget: {
      id: 'company',
      name: 'company',
      scope: { kind: 'all' },
      each: null,
      when: null,
      limit: { unit: 'usd', nano: 1n } as unknown as BudgetView['budget']['limit'],
      per: { kind: 'calendar', unit: 'month', timeZone: 'UTC' },
      warnAt: [],
      then: 'reject',
    },
    account: '',
    limit: 1_000_000n,
    spent: 0n,
    held: 0n,
    calls: 0,
    windowStartedAtMs: START_MS,
    ...fields,
  };
}

describe('a forecast', () => {
  it.each([
    ['an evening', 9, 28],
    ['a week', 7 * 24 - 5, 28],
    ['the rest of a month', 20 * 24 + 7, 28],
    ['a day, from five days', 24, 5],
  ])('of %s on stationary traffic holds four ends in five', (_name, hours, pastDays) => {
    const seeds = 500;
    let held = 0;
    for (let seed = 1; seed <= seeds; seed += 1) {
      const amountAt = traffic(seed * 7919);
      const nowMs = START_MS + 20 * 60_000;
      const endMs = START_MS + hours * HOUR_MS;
      const { expected, margin } = courseOf({ startMs: START_MS, pastDays, amountAt }, nowMs, endMs);
      let came = (amountAt(START_MS) * 2) / 3;
      for (let hour = 1; hour < hours; hour += 1) came += amountAt(START_MS + hour * HOUR_MS);
      if (margin !== null && Math.abs(came - expected) <= margin) held += 1;
    }
    // At least what it says, less what 500 draws may be off; and not so wide that it says nothing.
    expect(held / seeds).toBeGreaterThan(CONFIDENCE - 0.06);
    if (pastDays >= 21) expect(held / seeds).toBeLessThan(0.95);
  });

  it('says when the budget is spent, the earlier the more is spent, and never before now', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10_000 }), fc.nat({ max: 3_000_000 }), (seed, limit) => {
        const past = { startMs: START_MS, pastDays: 28, amountAt: traffic(seed) };
        const nowMs = START_MS + 1000;
        const endsAtMs = START_MS + 9 * 24 * HOUR_MS;
        const forecast = forecastOf(view({ limit: BigInt(limit), resetsAtMs: endsAtMs }), past, nowMs);
        if (forecast === undefined) throw new Error('there is a forecast');
        const { earliestMs, exhaustedAtMs, latestMs, low, expected, high } = forecast;
        const at = (ms: number | null): number => ms ?? Number.POSITIVE_INFINITY;
        expect(at(earliestMs)).toBeLessThanOrEqual(at(exhaustedAtMs));
        expect(at(exhaustedAtMs)).toBeLessThanOrEqual(at(latestMs));
        for (const ms of [earliestMs, exhaustedAtMs, latestMs])
          if (ms !== null) {
            expect(ms).toBeGreaterThanOrEqual(nowMs);
            expect(ms).toBeLessThanOrEqual(endsAtMs);
          }
        expect(low ?? 0n).toBeLessThanOrEqual(expected ?? 0n);
        expect(expected ?? 0n).toBeLessThanOrEqual(high ?? 0n);
        expect(exhaustedAtMs === null).toBe((expected ?? 0n) < BigInt(limit));
      }),
      { numRuns: 50 },
    );
  });

  it('gives no interval from less than two days, and no end from none', () => {
    const amountAt = traffic(1);
    const nowMs = START_MS;
    const resetsAtMs = START_MS + 24 * HOUR_MS;
    const one = forecastOf(view({ resetsAtMs }), { startMs: START_MS, pastDays: 1, amountAt }, nowMs);
    expect(one).toMatchObject({ low: null, high: null, earliestMs: null, latestMs: null });
    expect(one?.expected).toBeGreaterThan(0n);
    expect(
      forecastOf(view({ resetsAtMs }), { startMs: START_MS, pastDays: 0, amountAt }, nowMs),
    ).toMatchObject({ expected: null, low: null, high: null, exhaustedAtMs: null });
  });
});

describe("Student's t", () => {
  it('is that of the tables', () => {
    expect(studentQuantile(0.9, 1)).toBeCloseTo(3.078, 3);
    expect(studentQuantile(0.9, 2)).toBeCloseTo(1.886, 3);
    expect(studentQuantile(0.975, 5)).toBeCloseTo(2.571, 3);
    expect(studentQuantile(0.9, 21)).toBeCloseTo(1.323, 3);
    expect(studentQuantile(0.9, 27)).toBeCloseTo(1.314, 3);
  });
});

it('accounts that are asked for together have the past that each has by itself, which is read once an hour', async () => {
  const DAY_MS = 24 * HOUR_MS;
  let nowMs = START_MS + HOUR_MS;
  const clock = { ...systemClock, nowMs: () => nowMs };
  const ledger = await openTestLedger(ledgerPath(), { clock, writer: 'inline' });
  for (const [index, caller] of ['ana', 'bob', 'ana', 'cy', 'bob', 'ana'].entries()) {
    const run = makeRun(`run_${index}`, {
      startedAtMs: START_MS - (1 + index) * DAY_MS + 12 * HOUR_MS,
      caller: { name: caller, team: caller === 'cy' ? null : 'support', tier: null },
      tags: index % 2 === 0 ? { env: 'prod' } : {},
    });
    const attempt = makeAttempt(`att_${index}`, run);
    await ledger.openRun(run);
    await ledger.openAttempt(attempt);
    await ledger.closeAttempt(settle(attempt, { costNanoUsd: 1_000n * BigInt(index + 1) }), null);
    await ledger.finishRun(finish(run));
  }
  let reads = 0;
  const counted = { ...ledger, rollups: (read: never) => ((reads += 1), ledger.rollups(read)) };
  const accounts = {
    caller: ['ana', 'bob', 'cy', 'nobody'],
    team: ['support', ''],
    tag: ['prod', 'dev'],
  };
  for (const kind of ['caller', 'team', 'tag'] as const) {
    const each = kind === 'tag' ? { kind, tag: 'env' } : { kind };
    const views = accounts[kind].map((account) => {
      const one = view({ account, resetsAtMs: START_MS + DAY_MS });
      return { ...one, budget: { ...one.budget, each } };
    });
    const together = createSpanStats(counted, clock);
    reads = 0;
    const forecasts = await Promise.all(views.map((one) => together.forecast(one)));
    await Promise.all(views.map((one) => together.forecast(one)));
    expect(reads).toBe(1);
    for (const [index, one] of views.entries())
      expect(forecasts[index]).toEqual(await createSpanStats(ledger, clock).forecast(one));
    expect(new Set(forecasts.map((forecast) => forecast?.expected)).size).toBeGreaterThan(1);
    nowMs += HOUR_MS;
    await together.forecast(views[0] as BudgetView);
    expect(reads).toBe(2);
  }
});
