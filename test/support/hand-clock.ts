// The system's time, which a test moves ahead and stops by hand: beside real databases and real sockets, whose own time cannot be simulated.
import { systemClock, type Clock } from '../../src/common/clock.ts';

export interface HandClock extends Clock {
  /** Monotonic time jumps; timers do not. */
  jump(ms: number): void;
  /** From here on what waits for a time waits for ever, and what needs none goes on: what comes meanwhile comes at once. */
  stop(): void;
  /** Timers that fell due meanwhile fire. */
  go(): void;
}

export function createHandClock(): HandClock {
  let aheadMs = 0;
  let stoppedAtMs: number | undefined;
  const due = new Set<() => void>();
  return {
    nowMs: () => systemClock.nowMs(),
    monotonicMs: () => (stoppedAtMs ?? systemClock.monotonicMs()) + aheadMs,
    after(delayMs, callback) {
      const cancel = systemClock.after(delayMs, () => {
        if (stoppedAtMs === undefined) callback();
        else due.add(callback);
      });
      return () => {
        cancel();
        due.delete(callback);
      };
    },
    jump(ms) {
      aheadMs += ms;
    },
    stop() {
      stoppedAtMs = systemClock.monotonicMs();
    },
    go() {
      stoppedAtMs = undefined;
      const fired = [...due];
      due.clear();
      for (const callback of fired) callback();
    },
  };
}
