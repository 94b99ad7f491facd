// Time as a port: wall time, monotonic time and timers, so that a test can simulate a week in a second.

export interface Clock {
  /** Wall time: milliseconds since 1970-01-01 UTC. May jump. */
  nowMs(): number;
  /** Milliseconds from an arbitrary start; never goes back. For durations. */
  monotonicMs(): number;
  /** Calls `callback` once after `delayMs`; the function returned cancels it. A pending timer does not keep the process alive. */
  after(delayMs: number, callback: () => void): () => void;
}

const LONGEST_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    // Node fires a longer timer at once, so a long wait is made of several.
    const rest = delayMs - LONGEST_TIMER_MS;
    let cancel = (): void => clearTimeout(timer);
    const timer = setTimeout(
      rest > 0
        ? () => {
            cancel = systemClock.after(rest, callback);
          }
        : callback,
      Math.min(delayMs, LONGEST_TIMER_MS),
    );
    timer.unref();
    return () => cancel();
  },
};

/** Resolves after `delayMs`, or rejects with the signal's reason as soon as it is aborted. Keeps no timer behind. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
