// The windows of statistics: which roll-ups each is made of, and where it starts.
import { DAYS, GRAIN_MS, HOURS, MINUTES, bucketStartMs } from '../ledger/rollup/dimensions.ts';
import type { Grain } from '../ledger/rollup/dimensions.ts';
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

export function grainOf(window: StatsWindow): Grain {
  return SHAPES[window].grain;
}

/** The start of the window's oldest bucket. */
export function windowStartMs(window: StatsWindow, nowMs: number): number {
  const { grain, buckets } = SHAPES[window];
  if (buckets === null) return Number.MIN_SAFE_INTEGER;
  return bucketStartMs(grain, nowMs) - (buckets - 1) * GRAIN_MS[grain];
}
