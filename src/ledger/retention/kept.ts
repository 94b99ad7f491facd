// How long sums are kept, whatever database they are in.
const DAY_MS = 86_400_000;
/** Statistics read minutes of the last hour, and a new budget starts from those of the last two days. */
export const KEEP_MINUTES_MS = 2 * DAY_MS;
/** As long as the rows: a day in any time zone is made of hours, and a new budget of a month starts from them. */
export const KEEP_HOURS_MS = 400 * DAY_MS;
/** A window is over for good by then; what it spent is in the days' roll-ups. */
export const KEEP_WINDOWS_MS = 400 * DAY_MS;
