// Histograms: quantiles from a few bytes, mergeable.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bucketOf,
  countInto,
  decodeInto,
  durationOf,
  encodeHistogram,
  quantilesMs,
} from '../../src/common/histogram.ts';
import type { Histogram } from '../../src/common/histogram.ts';

const durations = fc.array(fc.double({ min: 0.2, max: 3_600_000, noNaN: true }), {
  minLength: 1,
  maxLength: 200,
});

function histogramOf(values: readonly number[]): Histogram {
  const histogram: Histogram = new Map();
  for (const value of values) countInto(histogram, bucketOf(value), 1);
  return histogram;
}

describe('a histogram', () => {
  it('gives every quantile within 2.2 % of the exact one', () => {
    fc.assert(
      fc.property(durations, fc.constantFrom(0.5, 0.95, 0.99), (values, share) => {
        const sorted = [...values].sort((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(sorted.length * share)) - 1] ?? 0;
        const histogram = histogramOf(values);
        const [found] = quantilesMs(histogram, [share]);
        expect(Math.abs((found ?? 0) / exact - 1)).toBeLessThan(0.022);
        expect(quantilesMs(encodeHistogram(histogram), [share])).toEqual([found]);
      }),
    );
  });

  it('is the same after it was written and read, and adds up with another', () => {
    fc.assert(
      fc.property(durations, durations, (a, b) => {
        const merged: Histogram = new Map();
        decodeInto(merged, encodeHistogram(histogramOf(a)));
        decodeInto(merged, encodeHistogram(histogramOf(b)));
        expect(merged).toEqual(histogramOf([...a, ...b]));
      }),
    );
  });

  it('counts what is out of range at its ends, and knows nothing of nothing', () => {
    expect(bucketOf(0)).toBe(0);
    expect(bucketOf(-1)).toBe(0);
    expect(bucketOf(Number.NaN)).toBe(0);
    expect(durationOf(bucketOf(1e12))).toBeGreaterThan(3_600_000);
    expect(quantilesMs(new Map(), [0.5])).toEqual([null]);
  });
});
