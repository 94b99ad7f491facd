// The windows of statistics: where each starts, and which roll-ups it is made of.
import { DAYS, GRAIN_MS, HOURS, MINUTES, bucketStartMs } from '../rollup/dimensions.ts';
import type { Grain } from '../rollup/dimensions.ts';
import type { RollupSpan } from '../rollup/group.ts';
import type { StatsWindow } from './port.ts';

interface WindowShape {
  readonly grain: Grain;
  /** The bucket of now included; null: all that there are. */
  readonly buckets: number | null;
}

/** Rolling, in whole buckets: HOUR is this minute and the 59 before it, DAY this hour and the 23 before it, MONTH 30 days (UTC). */
const SHAPES: { readonly [window in StatsWindow]: WindowShape } = {
  HOUR: { grain: MINUTES, buckets: 60 },
  DAY: { grain: HOURS, buckets: 24 },
  WEEK: { grain: HOURS, buckets: 7 * 24 },
  MONTH: { grain: DAYS, buckets: 30 },
  ALL: { grain: DAYS, buckets: null },
};

const POINTS = 60;
const END_MS = Number.MAX_SAFE_INTEGER;

/** The start of the window's oldest bucket. */
export function windowStartMs(window: StatsWindow, nowMs: number): number {
  const { grain, buckets } = SHAPES[window];
  if (buckets === null) return Number.MIN_SAFE_INTEGER;
  return bucketStartMs(grain, nowMs) - (buckets - 1) * GRAIN_MS[grain];
}

/** The window from the fewest roll-ups: whole days of a week are read as days. */
export function windowSpans(window: StatsWindow, startMs: number): readonly RollupSpan[] {
  const { grain } = SHAPES[window];
  if (window !== 'WEEK') return [{ grain, fromMs: startMs, toMs: END_MS }];
  const firstDayMs = bucketStartMs(DAYS, startMs + GRAIN_MS[DAYS] - 1);
  return [
    { grain: HOURS, fromMs: startMs, toMs: firstDayMs },
    { grain: DAYS, fromMs: firstDayMs, toMs: END_MS },
  ];
}

/** The oldest minute that is shown by itself. */
export function oldestPointMs(nowMs: number): number {
  return bucketStartMs(MINUTES, nowMs) - (POINTS - 1) * GRAIN_MS[MINUTES];
}

export function pointSpans(nowMs: number): readonly RollupSpan[] {
  return [{ grain: MINUTES, fromMs: oldestPointMs(nowMs), toMs: END_MS }];
}
