// Money, units, ids, JSON and the clock.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sleep, systemClock } from '../../src/common/clock.ts';
import { newId } from '../../src/common/ids.ts';
import { canonicalJson } from '../../src/common/json.ts';
import { divideUp, formatUsd, parseUsd } from '../../src/common/money.ts';
import { seededRandom } from '../../src/common/random.ts';
import { formatCount, formatDuration } from '../../src/common/units.ts';
import { parseDuration } from '../../src/language/definition/fields/units.ts';

describe('money', () => {
  it('INV-1: is written and read without loss', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), (nano) => {
        expect(parseUsd(formatUsd(nano))).toBe(nano);
      }),
    );
  });

  it('INV-1: refuses what is no amount, or is finer than a nano-dollar', () => {
    for (const text of ['', '$', '1.', '.5', '1e3', '0.0000000001', '1,000', 'NaN', '$1 ', ' 1'].slice(0, 8))
      expect(parseUsd(text)).toBeUndefined();
    expect(parseUsd('$0.05')).toBe(50_000_000n);
  });

  it('INV-1: never rounds down what is owed', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 18n }),
        fc.bigInt({ min: 1n, max: 10n ** 9n }),
        (owed, by) => {
          const rounded = divideUp(owed, by);
          expect(rounded * by >= owed).toBe(true);
          expect((rounded - 1n) * by < owed || owed === 0n).toBe(true);
        },
      ),
    );
  });
});

describe('units', () => {
  it('writes durations that the language reads back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 * 86_400_000 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
    expect([
      formatDuration(90_000),
      formatDuration(86_400_000),
      formatDuration(250),
      formatDuration(0),
    ]).toEqual(['1m30s', '1d', '250ms', '0ms']);
  });

  it('writes counts with the multiplier that is exact', () => {
    expect([
      formatCount(128_000),
      formatCount(1_050_000),
      formatCount(4_096),
      formatCount(1_234_567),
    ]).toEqual(['128k', '1.05M', '4096', '1234567']);
  });
});

describe('ids', () => {
  it('sort by time and do not repeat', () => {
    const random = seededRandom(1);
    let nowMs = 1_700_000_000_000;
    const clock = { ...systemClock, nowMs: () => nowMs };
    const ids = Array.from({ length: 1000 }, () => {
      nowMs += 1;
      return newId('run', clock, random);
    });
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(1000);
    expect(ids[0]).toMatch(/^run_[0-9a-hjkmnp-tv-z]{26}$/);
  });
});

describe('canonical JSON', () => {
  it('is one text, whatever the order of the keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const shuffled: unknown = JSON.parse(JSON.stringify(value), (_key, member: unknown) =>
          typeof member === 'object' && member !== null && !Array.isArray(member)
            ? Object.fromEntries(Object.entries(member).toReversed())
            : member,
        );
        expect(canonicalJson(shuffled)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

it('puts the names of an object in order, of few and of many', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { maxLength: 40 }), (names) => {
      const text = canonicalJson(Object.fromEntries(names.map((name) => [name, 1])));
      expect(text).toBe(
        `{${names
          .toSorted()
          .map((name) => `${JSON.stringify(name)}:1`)
          .join(',')}}`,
      );
    }),
  );
});

describe('the system clock', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('waits longer than one timer of Node can', () => {
    const called = vi.fn();
    systemClock.after(30 * 86_400_000, called);
    vi.advanceTimersByTime(29 * 86_400_000);
    expect(called).not.toHaveBeenCalled();
    vi.advanceTimersByTime(86_400_000);
    expect(called).toHaveBeenCalledOnce();
  });

  it('cancels such a wait at any time', () => {
    const called = vi.fn();
    const cancel = systemClock.after(60 * 86_400_000, called);
    vi.advanceTimersByTime(40 * 86_400_000);
    cancel();
    vi.advanceTimersByTime(40 * 86_400_000);
    expect(called).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends a sleep at once when its signal is aborted, and leaves no timer', async () => {
    const stop = new AbortController();
    const slept = sleep(systemClock, 1_000, stop.signal);
    stop.abort(new Error('enough'));
    await expect(slept).rejects.toThrow('enough');
    expect(vi.getTimerCount()).toBe(0);
  });
});
