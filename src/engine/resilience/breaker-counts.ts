// What a circuit breaker counts: outcomes of the last window, or failures in a row. Plugs into cockatiel's circuit breaker as its IBreaker.
import type { IBreaker } from 'cockatiel';
import type { Clock } from '../../common/clock.ts';
import type { PlanPolicy } from '../../language/plan/types.ts';

export type BreakerSettings = PlanPolicy['circuitBreaker'];

/** Enough that a window forgets smoothly, few enough that summing them costs nothing. */
const SLICES = 10;

interface Slice {
  /** The slice's number since the clock's start; an older number means that its counts are over. */
  number: number;
  failures: number;
  successes: number;
}

/**
 * Counts for both kinds of breaker, all the time, so that a change of settings (even of the kind) judges by what has happened already (INV-7).
 * The window's width is the one thing that cannot be carried over: when it changes, the counts of the slices are kept as one slice of now.
 *
 * cockatiel's own SamplingBreaker is not used: it reads Date.now, drops one slice per call however long the silence was (so failures of an
 * hour ago still open a circuit), refuses a threshold of 100 %, and knows a minimum rate rather than a minimum of calls.
 */
export interface BreakerCounts extends IBreaker {
  configure(settings: BreakerSettings): void;
  clear(): void;
}

export function createBreakerCounts(clock: Clock, initial: BreakerSettings): BreakerCounts {
  let settings = initial;
  let consecutiveFailures = 0;
  let sliceMs = sliceWidth(initial);
  let slices: Slice[] = emptySlices();

  const current = (): Slice => {
    const number = Math.floor(clock.monotonicMs() / sliceMs);
    const slice = slices[number % SLICES] as Slice;
    if (slice.number !== number) {
      slice.number = number;
      slice.failures = 0;
      slice.successes = 0;
    }
    return slice;
  };

  const totals = (): { failures: number; calls: number } => {
    const oldest = Math.floor(clock.monotonicMs() / sliceMs) - SLICES + 1;
    let failures = 0;
    let calls = 0;
    for (const slice of slices) {
      if (slice.number < oldest) continue;
      failures += slice.failures;
      calls += slice.failures + slice.successes;
    }
    return { failures, calls };
  };

  const clear = (): void => {
    consecutiveFailures = 0;
    slices = emptySlices();
  };

  return {
    /** cockatiel's hook for carrying a breaker over to another process; ours lives as long as its key. */
    state: null,
    success() {
      consecutiveFailures = 0;
      current().successes += 1;
    },
    failure() {
      consecutiveFailures += 1;
      current().failures += 1;
      if (settings.kind === 'consecutive') return consecutiveFailures >= settings.failures;
      const { failures, calls } = totals();
      return calls >= settings.minimumCalls && failures >= settings.threshold * calls;
    },
    configure(next) {
      const width = sliceWidth(next);
      if (width !== sliceMs) {
        const { failures, calls } = totals();
        sliceMs = width;
        slices = emptySlices();
        const slice = current();
        slice.failures = failures;
        slice.successes = calls - failures;
      }
      settings = next;
    },
    clear,
  };
}

/** A consecutive breaker has no window of its own; half a minute is what is carried over when it becomes a sampling one. */
function sliceWidth(settings: BreakerSettings): number {
  return Math.max(1, (settings.kind === 'sampling' ? settings.windowMs : 30_000) / SLICES);
}

function emptySlices(): Slice[] {
  return Array.from({ length: SLICES }, () => ({ number: -1, failures: 0, successes: 0 }));
}
