// SpendSeries against a list of everything that was ever added to it.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SpendSeries } from '../../../../src/engine/budget/guards/spend-series.ts';

const MINUTE_MS = 60_000;
const shape = { overMs: 15 * MINUTE_MS, baselineMs: 6 * 60 * MINUTE_MS };

const steps = fc.array(
  fc.tuple(
    fc.oneof(fc.nat(30_000), fc.nat(20 * MINUTE_MS), fc.nat(600 * MINUTE_MS)),
    fc.bigInt(0n, 1_000_000_000n),
  ),
  {
    minLength: 1,
    maxLength: 60,
    size: 'max',
  },
);

describe('what a scope spent', () => {
  it('INV-1: over the sliding window is all of the last 15 minutes, and nothing older than a fifteenth more', () => {
    fc.assert(
      fc.property(steps, (given) => {
        const series = new SpendSeries(shape);
        const added: (readonly [atMs: number, nanoUsd: bigint])[] = [];
        let atMs = Date.UTC(2026, 0, 1);
        for (const [gapMs, nanoUsd] of given) {
          atMs += gapMs;
          added.push([atMs, nanoUsd]);
          series.add(atMs, nanoUsd);
          const since = (ms: number): bigint =>
            added.filter(([time]) => time > atMs - ms).reduce((sum, [, one]) => sum + one, 0n);
          expect(series.windowNanoUsd).toBeGreaterThanOrEqual(since(shape.overMs));
          expect(series.windowNanoUsd).toBeLessThanOrEqual(since(shape.overMs + MINUTE_MS));
        }
      }),
    );
  });

  it('INV-1: in each slot that is over is the sum of what was added in it, as far back as the baseline', () => {
    fc.assert(
      fc.property(steps, (given) => {
        const series = new SpendSeries(shape);
        const sums = new Map<number, bigint>();
        let atMs = Date.UTC(2026, 0, 1);
        const first = Math.floor((atMs + (given[0]?.[0] ?? 0)) / series.slotMs);
        for (const [gapMs, nanoUsd] of given) {
          atMs += gapMs;
          series.add(atMs, nanoUsd);
          const slot = Math.floor(atMs / series.slotMs);
          sums.set(slot, (sums.get(slot) ?? 0n) + nanoUsd);
        }
        const now = Math.floor(atMs / series.slotMs);
        expect(series.slot(now)).toBeUndefined();
        for (let slot = Math.max(first, now - series.slotCount + 1); slot < now; slot += 1)
          expect(series.slot(slot)).toBe(sums.get(slot) ?? 0n);
        expect(series.slot(first - 1)).toBeUndefined();
        expect(series.slot(now - series.slotCount)).toBeUndefined();
      }),
    );
  });

  it('INV-14: has a bounded number of slots, however long the baseline', () => {
    const series = new SpendSeries({ overMs: MINUTE_MS, baselineMs: 90 * 24 * 60 * MINUTE_MS });
    expect(series.slotCount).toBeLessThan(1400);
    expect(series.slotCount * series.slotMs).toBeGreaterThanOrEqual(90 * 24 * 60 * MINUTE_MS);
  });

  it('remembers the busiest slot of past days for weeks', () => {
    const day = 24 * 60 * MINUTE_MS;
    const series = new SpendSeries(shape);
    series.add(0, 1000n);
    expect(series.provenPeakNanoUsd).toBe(0n);
    series.moveTo(day);
    expect(series.provenPeakNanoUsd).toBe(980n);
    series.moveTo(15 * day);
    expect(series.provenPeakNanoUsd).toBeGreaterThan(700n);
  });
});
