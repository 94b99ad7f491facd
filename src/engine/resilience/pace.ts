// The pace at which calls go on after a 429: half of what it was, growing until the next one. Without it all who waited would be refused again together.

/** Calls at least, however many refusals: a provider that wants fewer says so with its Retry-After. */
const SLOWEST_PER_MS = 1 / 1_000;
/** From half of the pace that was refused, it is there again after a minute, and beyond. */
const DOUBLES_IN_MS = 60_000;
/** Without a further refusal in three of these, there is no pace to keep. */
const FORGOTTEN_AFTER_MS = 3 * DOUBLES_IN_MS;
/** Calls that were under way together are refused together: within this time they are one refusal. */
const TOGETHER_MS = 1_000;
/** A refusal so soon after the last says that the pace was still far too quick; a later one, that it has grown a little too far. */
const SOON_MS = 5_000;
const MUCH_SLOWER = 0.5;
const SLOWER = 0.7;
/** The time over which the pace before the first refusal is measured. */
const MEASURED_MS = 5_000;
/** Calls that begin together are told apart from a pace by at least this. */
const SHORTEST_MEASURED_MS = 100;
/**
 * Once there is a pace, fewer refusals than this among the calls are noise that has nothing to do with it, such as a server that is short of room now and
 * then. Slowing down for each would end at the slowest pace, since they come at any.
 */
const NOISE = 0.05;
/** Of the calls measured before, so little is left that a new burst is measured by itself. */
const FORGOTTEN = 0.5;

export interface Pace {
  /** Milliseconds until so many calls may have started; 0: now. */
  delayMs(calls: number, nowMs: number): number;
  /** A call starts. */
  take(nowMs: number): void;
  /** A call that was taken is not made after all. */
  giveBack(nowMs: number): void;
  /** The provider refused a call for its rate. */
  refused(nowMs: number): void;
}

/** Additive increase would need to know what is much for this provider; growth in proportion does for one call a second and for a thousand. */
export function createPace(): Pace {
  let recent = 0;
  let recentAtMs = 0;
  let refusals = 0;
  let refusalsAtMs = 0;
  /** Since when there have been calls without a long pause. */
  let busySinceMs = 0;
  let state: { readonly perMs: number; readonly sinceMs: number } | undefined;
  let nextAtMs = Number.NEGATIVE_INFINITY;

  const perMsAt = (nowMs: number): number | undefined => {
    if (state === undefined) return undefined;
    const ageMs = nowMs - state.sinceMs;
    if (ageMs > FORGOTTEN_AFTER_MS) state = undefined;
    return state === undefined ? undefined : state.perMs * 2 ** (ageMs / DOUBLES_IN_MS);
  };

  const measured = (nowMs: number): number => recent * Math.exp(-(nowMs - recentAtMs) / MEASURED_MS);

  /** Calls a millisecond. A burst of a tenth of a second is not spread over five: the first refusal would halve what nobody had asked for. */
  const recentPerMs = (nowMs: number): number => {
    const busyMs = Math.max(SHORTEST_MEASURED_MS, nowMs - busySinceMs);
    return measured(nowMs) / (MEASURED_MS * -Math.expm1(-busyMs / MEASURED_MS));
  };

  return {
    delayMs(calls, nowMs) {
      const perMs = perMsAt(nowMs);
      if (perMs === undefined) return 0;
      return Math.max(0, Math.ceil(nextAtMs - nowMs + (calls - 1) / perMs));
    },
    take(nowMs) {
      if (measured(nowMs) < FORGOTTEN) busySinceMs = nowMs;
      recent = measured(nowMs) + 1;
      recentAtMs = nowMs;
      const perMs = perMsAt(nowMs);
      if (perMs !== undefined) nextAtMs = Math.max(nowMs, nextAtMs) + 1 / perMs;
    },
    giveBack(nowMs) {
      recent = Math.max(0, measured(nowMs) - 1);
      recentAtMs = nowMs;
      const perMs = perMsAt(nowMs);
      if (perMs !== undefined) nextAtMs -= 1 / perMs;
    },
    refused(nowMs) {
      refusals = refusals * Math.exp(-(nowMs - refusalsAtMs) / MEASURED_MS) + 1;
      refusalsAtMs = nowMs;
      const perMs = perMsAt(nowMs);
      if (perMs !== undefined && refusals < NOISE * measured(nowMs)) return;
      const sinceMs = state === undefined ? Number.POSITIVE_INFINITY : nowMs - state.sinceMs;
      if (sinceMs < TOGETHER_MS) return;
      const slower =
        perMs === undefined
          ? recentPerMs(nowMs) * MUCH_SLOWER
          : perMs * (sinceMs < SOON_MS ? MUCH_SLOWER : SLOWER);
      state = { perMs: Math.max(SLOWEST_PER_MS, slower), sinceMs: nowMs };
      nextAtMs = nowMs;
    },
  };
}
