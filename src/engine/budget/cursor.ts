// WindowCursor: where a budget's window stands now; moves forward only, and asks the calendar only when a window ends.
import { assertNever } from '../../common/assert-never.ts';
import type { PlanWindow } from '../../language/plan/types.ts';
import { bucketStartMs, calendarWindow, type RollingBuckets, rollingBuckets } from './windows.ts';

export interface WindowCursor {
  /** Moves to `nowMs`, which must never be less than before. */
  advance(nowMs: number): void;
  /** The start of the cell that takes what is held now: of the window, of the bucket, 0 for `run`. */
  currentStartMs(): number;
  /** Cells that start before this no longer count. */
  cutoffMs(): number;
  /** The cell that an instant belongs to, past or future. */
  startOf(atMs: number): number;
  /** When a cell stops counting; null: never. */
  expiryMs(cellStartMs: number): number | null;
  /** For people: when the window began. */
  startedAtMs(): number;
  /** From how early on settled sums can still count, given the time of the last `advance`. */
  readonly sinceMs: () => number;
}

export function createCursor(window: PlanWindow, accounts: 'one' | 'each'): WindowCursor {
  switch (window.kind) {
    case 'calendar':
      return calendarCursor(window);
    case 'rolling':
      return rollingCursor(window.ms, rollingBuckets(window.ms, accounts));
    case 'run':
      return runCursor;
    default:
      return assertNever(window);
  }
}

function calendarCursor(window: Extract<PlanWindow, { kind: 'calendar' }>): WindowCursor {
  let startMs = 0;
  let endMs = Number.NEGATIVE_INFINITY;
  return {
    advance(nowMs) {
      if (nowMs >= endMs) ({ startMs, endMs } = calendarWindow(window.unit, window.timeZone, nowMs));
    },
    currentStartMs: () => startMs,
    cutoffMs: () => startMs,
    startOf: (atMs) =>
      atMs >= startMs && atMs < endMs ? startMs : calendarWindow(window.unit, window.timeZone, atMs).startMs,
    expiryMs: (cellStartMs) =>
      cellStartMs === startMs ? endMs : calendarWindow(window.unit, window.timeZone, cellStartMs).endMs,
    startedAtMs: () => startMs,
    sinceMs: () => startMs,
  };
}

function rollingCursor(lengthMs: number, buckets: RollingBuckets): WindowCursor {
  let nowAtMs = 0;
  let startMs = 0;
  let nextMs = Number.NEGATIVE_INFINITY;
  const cutoffMs = (): number => nowAtMs - lengthMs - buckets.widthMs;
  return {
    advance(nowMs) {
      nowAtMs = nowMs;
      if (nowMs < nextMs) return;
      startMs = bucketStartMs(buckets, nowMs);
      nextMs = startMs + buckets.widthMs;
    },
    currentStartMs: () => startMs,
    cutoffMs,
    startOf: (atMs) => bucketStartMs(buckets, atMs),
    // Strictly after the last instant of the bucket has left the window.
    expiryMs: (cellStartMs) => cellStartMs + buckets.widthMs + lengthMs + 1,
    startedAtMs: () => nowAtMs - lengthMs,
    sinceMs: cutoffMs,
  };
}

const runCursor: WindowCursor = {
  advance: () => undefined,
  currentStartMs: () => 0,
  cutoffMs: () => Number.NEGATIVE_INFINITY,
  startOf: () => 0,
  expiryMs: () => null,
  startedAtMs: () => 0,
  // Runs' sums are asked for by their start of 0, not by time.
  sinceMs: () => Number.POSITIVE_INFINITY,
};
