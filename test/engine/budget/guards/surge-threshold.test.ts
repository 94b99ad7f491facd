// The surge threshold, term by term.
import { describe, expect, it } from 'vitest';
import { SpendSeries } from '../../../../src/engine/budget/guards/spend-series.ts';
import { median, spread, surgeThreshold } from '../../../../src/engine/budget/guards/surge-threshold.ts';
import type { PlanSurgeGuard } from '../../../../src/language/plan/types.ts';
import { DAY_MS, HOUR_MS } from './traffic.ts';

const USD = 1_000_000_000n;
const MINUTE_MS = 60_000;
const guard: PlanSurgeGuard = {
  factor: 8,
  overMs: 15 * MINUTE_MS,
  baselineMs: 7 * DAY_MS,
  floorNanoUsd: 5n * USD,
  then: 'pause',
};
/** A Monday at midnight. */
const MONDAY = Date.UTC(2026, 2, 2);

/** Spends, then time up to `nowMs`; what is asked is the threshold then. */
function threshold(
  spends: readonly (readonly [afterMs: number, usd: number])[],
  nowMs: number,
  given: Partial<PlanSurgeGuard> = {},
): bigint {
  const settings = { ...guard, ...given };
  const series = new SpendSeries(settings);
  series.moveTo(MONDAY);
  for (const [afterMs, usd] of spends) series.add(MONDAY + afterMs, BigInt(usd * 1e9));
  series.moveTo(MONDAY + nowMs);
  return surgeThreshold(series, settings, MONDAY + nowMs);
}

/** The same on each of the first days. */
const daily = (hour: number, usd: readonly number[]): (readonly [number, number])[] =>
  usd.map((one, day) => [day * DAY_MS + hour * HOUR_MS, one]);

describe('the threshold', () => {
  it('is the floor where nothing was spent, and twice that while the past is shorter than the baseline', () => {
    expect(threshold([], 8 * DAY_MS)).toBe(5n * USD);
    expect(threshold([], 7 * DAY_MS - MINUTE_MS)).toBe(10n * USD);
    // A longer baseline is waited for by a week only.
    expect(threshold([], 7 * DAY_MS, { baselineMs: 30 * DAY_MS })).toBe(5n * USD);
    expect(threshold([], 2 * HOUR_MS, { baselineMs: HOUR_MS })).toBe(5n * USD);
  });

  it('is the factor times what is usual within an hour of this time of day', () => {
    const week = daily(9, [1, 1, 1, 1, 1, 1, 1, 1]);
    expect(threshold(week, 8 * DAY_MS + 9 * HOUR_MS)).toBe(8n * USD);
    expect(threshold(week, 8 * DAY_MS + 8 * HOUR_MS)).toBe(8n * USD);
    expect(threshold(week, 8 * DAY_MS + 10 * HOUR_MS)).toBe(8n * USD);
    // Elsewhere it is three times the busiest of the last weeks, if that is more than the floor.
    expect(threshold(week, 8 * DAY_MS + 12 * HOUR_MS)).toBe(5n * USD);
    expect(threshold(daily(9, [2, 2, 2, 2, 2, 2, 2, 2]), 8 * DAY_MS + 12 * HOUR_MS)).toBe(
      (3n * 2n * USD * 98n) / 100n,
    );
  });

  it('takes the median of the days, and three deviations more: one strange day changes little', () => {
    const steady = daily(9, [1, 1, 1, 1, 1, 1, 1, 1]);
    const strange = daily(9, [1, 1, 1, 1, 1, 1.5, 1, 1]);
    expect(threshold(strange, 8 * DAY_MS + 9 * HOUR_MS)).toBe(threshold(steady, 8 * DAY_MS + 9 * HOUR_MS));
    // 0.8, 0.9, 1, 1, 1.1, 1.2, 1.3: the median is 1, its absolute deviations' median 0.1.
    const noisy = daily(9, [0, 0.8, 1.2, 0.9, 1, 1.1, 1, 1.3]);
    expect(threshold(noisy, 8 * DAY_MS + 9 * HOUR_MS)).toBe(8n * (USD + ((USD / 10n) * 44_478n) / 10_000n));
  });

  it('knows the hour of the week: what is usual on Mondays is no surge on a Monday', () => {
    const mondays = [0, 7].map((day) => [day * DAY_MS + 9 * HOUR_MS, 2] as const);
    expect(threshold(mondays, 14 * DAY_MS + 9 * HOUR_MS)).toBe(16n * USD);
    expect(threshold(mondays, 15 * DAY_MS + 9 * HOUR_MS)).toBeLessThan(6n * USD);
  });

  it('never goes below the floor', () => {
    expect(
      threshold(
        daily(
          9,
          Array.from({ length: 8 }, () => 0.01),
        ),
        8 * DAY_MS + 9 * HOUR_MS,
      ),
    ).toBe(5n * USD);
  });
});

describe('robust statistics', () => {
  it('are the middle, and the middle of the distances from it', () => {
    expect([median([]), median([3n]), median([5n, 1n, 3n]), median([1n, 2n, 3n, 4n])]).toEqual([
      0n,
      3n,
      3n,
      3n,
    ]);
    expect([spread([]), spread([7n, 7n, 100n]), spread([1n, 2n, 4n, 8n, 16n])]).toEqual([0n, 0n, 3n]);
  });
});
