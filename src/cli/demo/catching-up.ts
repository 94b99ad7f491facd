// A clock that starts in the past, runs fast until it has caught up with the system's, and is the system's from then on.
import { systemClock, type Clock } from '../../common/clock.ts';

export interface CatchingUpClock extends Clock {
  /** Calls back once it has caught up. */
  onCaughtUp(callback: () => void): void;
}

/** An hour behind and 120 times as fast: caught up after half a minute. */
export function catchingUpClock(behindMs: number, speed: number, real: Clock = systemClock): CatchingUpClock {
  const startedMs = real.monotonicMs();
  const caughtUpAfterMs = behindMs / (speed - 1);
  /** How far this clock is ahead of where it began, when the real one has gone on by `realMs`. */
  const elapsed = (realMs: number): number => (realMs < caughtUpAfterMs ? realMs * speed : realMs + behindMs);
  const nowRealMs = (): number => real.monotonicMs() - startedMs;
  const wallMs = real.nowMs() - behindMs;
  return {
    nowMs: () => (nowRealMs() < caughtUpAfterMs ? Math.floor(wallMs + elapsed(nowRealMs())) : real.nowMs()),
    monotonicMs: () => elapsed(nowRealMs()),
    onCaughtUp: (callback) => void real.after(Math.max(0, caughtUpAfterMs - nowRealMs()), callback),
    after(delayMs, callback) {
      const realMs = nowRealMs();
      const dueMs = elapsed(realMs) + delayMs;
      const fast = dueMs / speed;
      const dueRealMs = fast < caughtUpAfterMs ? fast : dueMs - behindMs;
      return real.after(Math.max(0, dueRealMs - realMs), callback);
    },
  };
}
