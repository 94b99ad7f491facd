// Windows: the calendar window that holds an instant, and the buckets of a rolling one.
import { assertNever } from '../../common/assert-never.ts';
import type { PlanWindow } from '../../language/plan/types.ts';
import { offsetChangeMs, offsetMs, startOfLocalDateMs } from './zones.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** 1970-01-05, a Monday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;
/**
 * A rolling window counts up to one bucket more than its length: 1/64 too careful, for 65 sums of memory. With an account for each of
 * many, 1/24: ten thousand busy ones then take 40 MB instead of 90.
 */
const ROLLING_BUCKETS = { one: 64, each: 24 };

export type CalendarUnit = Extract<PlanWindow, { kind: 'calendar' }>['unit'];

/** From `startMs` (inclusive) to `endMs` (exclusive), milliseconds since 1970 UTC. */
export interface WindowSpan {
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * The calendar window that holds `atMs`. The windows of one unit and zone cover time without gap or overlap: a day may have 23, 24 or 25 hours;
 * the hour that autumn repeats is two windows; weeks start on Monday.
 */
export function calendarWindow(unit: CalendarUnit, timeZone: string, atMs: number): WindowSpan {
  switch (unit) {
    case 'minute':
      return clockWindow(MINUTE_MS, timeZone, atMs);
    case 'hour':
      return clockWindow(HOUR_MS, timeZone, atMs);
    case 'day':
    case 'week':
    case 'month':
      return dateWindow(unit, timeZone, atMs);
    default:
      return assertNever(unit);
  }
}

/** The window so many before the one that holds `atMs`: dates back in the calendar, minutes and hours in elapsed time. */
export function earlierWindow(unit: CalendarUnit, timeZone: string, atMs: number, count: number): WindowSpan {
  const { startMs } = calendarWindow(unit, timeZone, atMs);
  if (unit === 'minute' || unit === 'hour')
    return calendarWindow(unit, timeZone, startMs - count * (unit === 'hour' ? HOUR_MS : MINUTE_MS));
  const local = startMs + offsetMs(timeZone, startMs);
  const date = new Date(truncate(unit, Math.floor(local / DAY_MS) * DAY_MS));
  if (unit === 'month') date.setUTCMonth(date.getUTCMonth() - count);
  else date.setUTCDate(date.getUTCDate() - count * (unit === 'week' ? 7 : 1));
  return calendarWindow(unit, timeZone, startOfLocalDateMs(timeZone, date.getTime()));
}

/** Minutes and hours count elapsed time; a clock change inside one cuts it in two. */
function clockWindow(lengthMs: number, timeZone: string, atMs: number): WindowSpan {
  const offset = offsetMs(timeZone, atMs);
  const startMs = Math.floor((atMs + offset) / lengthMs) * lengthMs - offset;
  const endMs = startMs + lengthMs;
  return {
    startMs: offsetMs(timeZone, startMs) === offset ? startMs : offsetChangeMs(timeZone, startMs, atMs),
    endMs: offsetMs(timeZone, endMs - 1) === offset ? endMs : offsetChangeMs(timeZone, atMs, endMs - 1),
  };
}

function dateWindow(unit: 'day' | 'week' | 'month', timeZone: string, atMs: number): WindowSpan {
  const local = atMs + offsetMs(timeZone, atMs);
  let date = truncate(unit, Math.floor(local / DAY_MS) * DAY_MS);
  let startMs = startOfLocalDateMs(timeZone, date);
  let next = following(unit, date);
  let endMs = startOfLocalDateMs(timeZone, next);
  // A clock set back over midnight shows the old date again, after the new one has begun; a zone that changes sides of the date line skips one.
  while (endMs <= atMs) {
    date = next;
    startMs = endMs;
    next = following(unit, date);
    endMs = startOfLocalDateMs(timeZone, next);
  }
  return { startMs, endMs };
}

function truncate(unit: 'day' | 'week' | 'month', dateMs: number): number {
  if (unit === 'day') return dateMs;
  if (unit === 'week')
    return Math.floor((dateMs - FIRST_MONDAY_MS) / (7 * DAY_MS)) * 7 * DAY_MS + FIRST_MONDAY_MS;
  const date = new Date(dateMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}

function following(unit: 'day' | 'week' | 'month', dateMs: number): number {
  if (unit === 'day') return dateMs + DAY_MS;
  if (unit === 'week') return dateMs + 7 * DAY_MS;
  const date = new Date(dateMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/** The buckets of a rolling window: they start at `phaseMs` plus multiples of `widthMs`. */
export interface RollingBuckets {
  readonly widthMs: number;
  readonly phaseMs: number;
}

/**
 * Windows of different lengths get buckets of different phases, and none that falls on a whole minute: so a posting kept by the ledger
 * is never taken for a bucket of another window when the window was changed while the process was down.
 */
export function rollingBuckets(lengthMs: number, accounts: 'one' | 'each'): RollingBuckets {
  const count = ROLLING_BUCKETS[accounts];
  const widthMs = Math.max(2, Math.ceil(lengthMs / count));
  const mixed = Math.imul((Math.floor(lengthMs) + count) | 0, 0x9e3779b1) >>> 0;
  return { widthMs, phaseMs: 1 + (mixed % (widthMs - 1)) };
}

export function bucketStartMs(buckets: RollingBuckets, atMs: number): number {
  return Math.floor((atMs - buckets.phaseMs) / buckets.widthMs) * buckets.widthMs + buckets.phaseMs;
}
