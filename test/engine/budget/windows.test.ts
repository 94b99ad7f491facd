// Windows: calendar windows in every kind of time zone, and the buckets of rolling ones.
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  bucketStartMs,
  calendarWindow,
  earlierWindow,
  type CalendarUnit,
  rollingBuckets,
} from '../../../src/engine/budget/windows.ts';
import { sized } from '../../support/cases.ts';

const HOUR_MS = 3_600_000;
const at = (text: string): number => Date.parse(text);

function hours(unit: CalendarUnit, timeZone: string, text: string): number {
  const { startMs, endMs } = calendarWindow(unit, timeZone, at(text));
  return (endMs - startMs) / HOUR_MS;
}

describe('calendar windows', () => {
  it('are the minute, hour, day, week and month of the zone', () => {
    const window = (unit: CalendarUnit): string[] => {
      const { startMs, endMs } = calendarWindow(unit, 'Europe/Berlin', at('2026-07-15T21:30:15Z'));
      return [new Date(startMs).toISOString(), new Date(endMs).toISOString()];
    };
    expect(window('minute')).toEqual(['2026-07-15T21:30:00.000Z', '2026-07-15T21:31:00.000Z']);
    expect(window('hour')).toEqual(['2026-07-15T21:00:00.000Z', '2026-07-15T22:00:00.000Z']);
    expect(window('day')).toEqual(['2026-07-14T22:00:00.000Z', '2026-07-15T22:00:00.000Z']);
    expect(window('week')).toEqual(['2026-07-12T22:00:00.000Z', '2026-07-19T22:00:00.000Z']);
    expect(window('month')).toEqual(['2026-06-30T22:00:00.000Z', '2026-07-31T22:00:00.000Z']);
  });

  it('are counted back one by one, or all at once', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<CalendarUnit>('hour', 'day', 'week', 'month'),
        fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/Sao_Paulo', 'Pacific/Chatham'),
        fc.integer({ min: at('1995-01-01T00:00:00Z'), max: at('2030-01-01T00:00:00Z') }),
        fc.nat({ max: 60 }),
        (unit, timeZone, atMs, count) => {
          let window = calendarWindow(unit, timeZone, atMs);
          for (let back = 0; back < count; back += 1)
            window = calendarWindow(unit, timeZone, window.startMs - 1);
          expect(earlierWindow(unit, timeZone, atMs, count)).toEqual(window);
        },
      ),
    );
    // Four centuries, in one step.
    const { startMs } = earlierWindow('month', 'Europe/Berlin', at('2026-07-15T21:30:15Z'), 4_800);
    expect(new Date(startMs).toISOString()).toBe('1626-06-30T23:06:32.000Z');
  });

  it('INV-14: keep no more zones than there are, however many a caller names', () => {
    const made = vi.spyOn(Intl, 'DateTimeFormat');
    const ask = (minutes: number): number =>
      calendarWindow(
        'hour',
        `+${new Date(minutes * 60_000).toISOString().slice(11, 16)}`,
        at('2026-07-15T21:30:15Z'),
      ).startMs;
    const first = ask(1);
    for (let minutes = 2; minutes < 1_000; minutes += 1) ask(minutes);
    made.mockClear();
    expect(ask(1)).toBe(first);
    expect(made).toHaveBeenCalledTimes(1);
  });

  it('start the week on Monday, over the turn of a year too', () => {
    const { startMs, endMs } = calendarWindow('week', 'UTC', at('2027-01-02T12:00:00Z'));
    expect([new Date(startMs).toISOString(), new Date(endMs).toISOString()]).toEqual([
      '2026-12-28T00:00:00.000Z',
      '2027-01-04T00:00:00.000Z',
    ]);
  });

  it('have 23 and 25 hours on the days on which the clocks change', () => {
    expect(hours('day', 'Europe/Berlin', '2026-03-29T12:00:00Z')).toBe(23);
    expect(hours('day', 'Europe/Berlin', '2026-10-25T12:00:00Z')).toBe(25);
    expect(hours('week', 'America/New_York', '2026-03-08T12:00:00Z')).toBe(167);
    expect(hours('day', 'Australia/Lord_Howe', '2026-04-04T20:00:00Z')).toBe(24.5);
  });

  it('make two windows of the hour that autumn repeats', () => {
    const first = calendarWindow('hour', 'Europe/Berlin', at('2026-10-25T00:30:00Z'));
    const second = calendarWindow('hour', 'Europe/Berlin', at('2026-10-25T01:30:00Z'));
    expect(second.startMs).toBe(first.endMs);
    expect(second.endMs - second.startMs).toBe(HOUR_MS);
  });

  it('begin a day whose midnight is skipped with the change, and one whose midnight comes twice with the first', () => {
    // Cairo went from 23:59:59 to 01:00 on 2024-04-26; Havana shows midnight to 1:00 twice on 2025-11-02.
    const skipped = calendarWindow('day', 'Africa/Cairo', at('2024-04-26T09:00:00Z'));
    expect(new Date(skipped.startMs).toISOString()).toBe('2024-04-25T22:00:00.000Z');
    expect((skipped.endMs - skipped.startMs) / HOUR_MS).toBe(23);
    const twice = calendarWindow('day', 'America/Havana', at('2025-11-02T12:00:00Z'));
    expect((twice.endMs - twice.startMs) / HOUR_MS).toBe(25);
  });

  it('do without the day that Samoa left out', () => {
    const before = calendarWindow('day', 'Pacific/Apia', at('2011-12-30T09:59:00Z'));
    const after = calendarWindow('day', 'Pacific/Apia', at('2011-12-30T10:01:00Z'));
    expect(after.startMs).toBe(before.endMs);
    expect(after.startMs).toBe(at('2011-12-30T10:00:00Z'));
  });

  it('INV-2: cover time without gap or overlap in any zone: no instant is in two windows or in none', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'America/St_Johns',
      'America/Havana',
      'America/Sao_Paulo',
      'Africa/Cairo',
      'Africa/Casablanca',
      'Asia/Kathmandu',
      'Asia/Tehran',
      'Asia/Beirut',
      'Australia/Lord_Howe',
      'Pacific/Apia',
      'Pacific/Chatham',
    ];
    const units: CalendarUnit[] = ['minute', 'hour', 'day', 'week', 'month'];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...units),
        fc.integer({ min: at('2005-01-01T00:00:00Z'), max: at('2035-01-01T00:00:00Z') }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (zone, unit, time, share) => {
          const window = calendarWindow(unit, zone, time);
          expect(window.startMs).toBeLessThanOrEqual(time);
          expect(window.endMs).toBeGreaterThan(time);
          const inside = window.startMs + Math.floor(share * (window.endMs - window.startMs));
          expect(calendarWindow(unit, zone, Math.min(inside, window.endMs - 1))).toEqual(window);
          expect(calendarWindow(unit, zone, window.endMs).startMs).toBe(window.endMs);
          expect(calendarWindow(unit, zone, window.startMs - 1).endMs).toBe(window.startMs);
        },
      ),
      { numRuns: sized(800) },
    );
  });

  it('INV-2: cover the hours around every change of the clocks', () => {
    for (const zone of [
      'Europe/Berlin',
      'Australia/Lord_Howe',
      'America/Havana',
      'Africa/Casablanca',
      'America/St_Johns',
    ]) {
      for (const unit of ['hour', 'day'] as const) {
        let window = calendarWindow(unit, zone, at('2010-01-01T00:00:00Z'));
        const end = at(unit === 'hour' ? '2012-01-01T00:00:00Z' : '2026-01-01T00:00:00Z');
        while (window.endMs < end) {
          const next = calendarWindow(unit, zone, window.endMs);
          if (next.startMs !== window.endMs)
            throw new Error(`${zone} ${unit} ${new Date(window.endMs).toISOString()}`);
          window = next;
        }
      }
    }
  });
});

describe('rolling buckets', () => {
  it('hold each instant in the bucket that starts last before it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 * 24 * HOUR_MS }),
        fc.integer({ min: 0, max: at('2100-01-01') }),
        (length, time) => {
          const buckets = rollingBuckets(length, 'one');
          const start = bucketStartMs(buckets, time);
          expect(start).toBeLessThanOrEqual(time);
          expect(start + buckets.widthMs).toBeGreaterThan(time);
          expect(bucketStartMs(buckets, start)).toBe(start);
        },
      ),
    );
  });

  it('of one length are not those of another, nor whole minutes: a posting is not taken for one of another window', () => {
    const lengths = [1, 2, 3, 4, 6, 8, 12, 24, 48, 168, 720].map((hour) => hour * HOUR_MS);
    for (const length of lengths) {
      const own = rollingBuckets(length, 'one');
      const start = bucketStartMs(own, at('2026-05-05T05:05:05Z'));
      for (const other of lengths) {
        if (other !== length) expect(bucketStartMs(rollingBuckets(other, 'one'), start)).not.toBe(start);
      }
      expect(bucketStartMs(rollingBuckets(length, 'each'), start)).not.toBe(start);
      const midnight = at('2026-05-05T00:00:00Z');
      expect(bucketStartMs(own, midnight)).not.toBe(midnight);
    }
  });
});
