// Units are read once, at the edge, and exactly.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration } from '../../../src/common/units.ts';
import { parseCount, parseDuration } from '../../../src/language/definition/fields/units.ts';

describe('a duration', () => {
  test.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['5min', 300_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
    ['2w', 1_209_600_000],
    ['0s', 0],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(['', '30', '30 s', 's', '-5s', '1.5ms', '1e3s', '5M', '9'.repeat(30) + 'w', '1h 30m'])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  test('prints as a text that reads as the same duration', () => {
    fc.assert(
      fc.property(fc.nat({ max: 40 * 86_400_000 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });
});

describe('a count', () => {
  test.each([
    ['400', 400],
    ['128k', 128_000],
    ['1.5k', 1500],
    ['2M', 2_000_000],
    ['1_000_000', 1_000_000],
  ])('%s is %d', (text, count) => {
    expect(parseCount(text)).toBe(count);
  });

  test.each(['', '0', '-1', '1.5', '1.0001k', '1K', '1e3', '9'.repeat(20)])('%j is none', (text) => {
    expect(parseCount(text)).toBeUndefined();
  });
});
