// Stream pace: where the core is short, running streams are read less often, so that a new stream's first token does not wait behind their later pieces.
import type { Clock } from '../../common/clock.ts';

export interface StreamPace {
  /** How long a running stream may be left unread now, in milliseconds; 0: not at all. `stallMs`: the silence that ends it, of which this is a small part. */
  restMs(stallMs: number): number;
}

/** Above it the core is short, below it has room again; between the two nothing changes. */
const SHORT = 0.9;
const ROOM = 0.7;
const LEAST_REST_MS = 32;
/** Text that comes twice a second is still read as it comes. */
const MOST_REST_MS = 512;
const LOOK_EVERY_MS = 50;
/** A rest is no silence of the provider's. */
const STALL_SHARE = 1 / 4;

/** `busy`: the share of the time since it was last asked in which the event loop did not wait. */
export function createStreamPace(clock: Clock, busy: () => number): StreamPace {
  let restMs = 0;
  let lookAtMs = clock.monotonicMs();
  return {
    restMs(stallMs) {
      const nowMs = clock.monotonicMs();
      if (nowMs >= lookAtMs) {
        const share = busy();
        if (share > SHORT) restMs = Math.min(MOST_REST_MS, Math.max(LEAST_REST_MS, restMs * 2));
        else if (share < ROOM) restMs = restMs > LEAST_REST_MS ? restMs / 2 : 0;
        // What it was changed to shows when the streams that rest now are read again.
        lookAtMs = nowMs + Math.max(LOOK_EVERY_MS, restMs);
      }
      return Math.min(restMs, stallMs * STALL_SHARE);
    },
  };
}
