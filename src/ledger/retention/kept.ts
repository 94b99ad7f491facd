// How long sums are kept, whatever database they are in.
import {
  BY_SESSION,
  DAYS,
  HOURS,
  MINUTES,
  QUARTERS,
  SESSION_DAYS,
  bucketStartMs,
} from '../rollup/dimensions.ts';

const DAY_MS = 86_400_000;
/** Statistics read minutes of the last hour, and a new budget starts from those of the last two days. */
const KEEP_MINUTES_MS = 2 * DAY_MS;
/** As long as the rows: a day in any time zone is made of hours, and a new budget of a month starts from them. */
const KEEP_HOURS_MS = 400 * DAY_MS;
/** A window is over for good by then; what it spent is in the days' roll-ups. */
export const KEEP_WINDOWS_MS = 400 * DAY_MS;

/** Since when sums by the minute and by the hour are kept, and with them each grain. */
export function sumsKeptFrom(nowMs: number): {
  readonly minutesFromMs: number;
  readonly hoursFromMs: number;
  readonly grains: readonly (readonly [grain: number, fromMs: number])[];
} {
  // Whole days and hours, so that what is left of a coarser bucket can still be added up from its finer ones.
  const minutesFromMs = bucketStartMs(HOURS, nowMs - KEEP_MINUTES_MS);
  const hoursFromMs = bucketStartMs(DAYS, nowMs - KEEP_HOURS_MS);
  const grains = [
    [MINUTES, minutesFromMs],
    [HOURS, hoursFromMs],
    [QUARTERS, hoursFromMs],
    [MINUTES + BY_SESSION, minutesFromMs],
    [HOURS + BY_SESSION, hoursFromMs],
    // Days stay, but for those by session: who ever asked is not kept longer than the rows are.
    [DAYS + BY_SESSION, hoursFromMs],
    [SESSION_DAYS, hoursFromMs],
  ] as const;
  return { minutesFromMs, hoursFromMs, grains };
}
