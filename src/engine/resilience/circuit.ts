// The circuit of one provider and model: cockatiel's breaker, on our clock, with one probe at a time and settings that may change.
import { CircuitState as CockatielState, circuitBreaker, handleWhenResult } from 'cockatiel';
import type { Clock } from '../../common/clock.ts';
import { type BreakerSettings, createBreakerCounts } from './breaker-counts.ts';
import type { CallHealth, CircuitState } from './port.ts';

export interface Circuit {
  state(): CircuitState;
  /** Milliseconds until a call may start; 0: one may start now. */
  retryAfterMs(): number;
  /** A call starts: only where `retryAfterMs()` is 0. It has to be told, once, how the call ended; after that the state is what follows. */
  begin(): (health: CallHealth) => Promise<void>;
  configure(settings: BreakerSettings): void;
  /** That of another process has changed. */
  heardOf(state: CircuitState): void;
  /** Closes the circuit and forgets what it counted. */
  reset(): void;
}

/** A new object at each change: a call that finds another than it began in says nothing about it. */
type State =
  | { readonly kind: 'closed' }
  /** Monotonic; -Infinity: its pause is over, whatever the settings say. */
  | { readonly kind: 'open'; readonly sinceMs: number }
  /** A probe is out. `abandoned`: it ended without a verdict, since its caller went away. */
  | { readonly kind: 'half-open'; readonly abandoned: boolean };

/** cockatiel counts `failed` results as failures, and leaves a thrown error out of its counts while closed. */
type CallEnd = 'succeeded' | 'failed';
const UNCOUNTED = new Error('neither a success nor a failure of the provider');

export function createCircuit(
  clock: Clock,
  initial: BreakerSettings,
  onChange: (state: CircuitState) => void,
): Circuit {
  const counts = createBreakerCounts(clock, initial);
  let { halfOpenAfterMs } = initial;
  let state: State = { kind: 'closed' };
  /** Another process's is open; this one looks for itself when its own pause would be over. */
  let toldUntilMs = Number.NEGATIVE_INFINITY;

  const retryAfterMs = (): number => {
    switch (state.kind) {
      case 'closed':
        return Math.max(0, toldUntilMs - clock.monotonicMs());
      case 'open':
        return Math.max(0, state.sinceMs + halfOpenAfterMs - clock.monotonicMs());
      case 'half-open':
        // While a probe is out, nobody knows: come back when the next one could start, at the latest.
        return Math.max(1, halfOpenAfterMs);
    }
  };

  /**
   * cockatiel asks `Date.now() - openedAt < backoff.duration`. A duration that is -Infinity once our own clock says so, and Infinity before,
   * makes it follow the Clock port: a wall clock that jumps cannot hold a circuit open, and a changed setting counts at once.
   */
  const pause = {
    get duration(): number {
      return retryAfterMs() === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    },
    next: () => pause,
  };
  const breaker = circuitBreaker(
    handleWhenResult((told) => told === 'failed'),
    { breaker: counts, halfOpenAfter: { next: () => pause } },
  );

  const become = (next: State): void => {
    state = next;
    onChange(next.kind);
  };
  breaker.onStateChange((changed) => {
    switch (changed) {
      case CockatielState.Open: {
        const isDue = state.kind === 'half-open' && state.abandoned;
        return become({ kind: 'open', sinceMs: isDue ? Number.NEGATIVE_INFINITY : clock.monotonicMs() });
      }
      case CockatielState.HalfOpen:
        return become({ kind: 'half-open', abandoned: false });
      case CockatielState.Closed:
        // After a reset it is closed here already.
        return state.kind === 'closed' ? undefined : become({ kind: 'closed' });
      case CockatielState.Isolated:
        return undefined;
    }
  });

  return {
    state: () => (state.kind === 'closed' && retryAfterMs() > 0 ? 'open' : state.kind),
    retryAfterMs,
    heardOf(told) {
      if (told === 'open') toldUntilMs = clock.monotonicMs() + halfOpenAfterMs;
      if (told === 'closed') toldUntilMs = Number.NEGATIVE_INFINITY;
    },
    begin() {
      const { promise: told, resolve, reject } = Promise.withResolvers<CallEnd>();
      const counted = breaker.execute(() => told).then(() => undefined, unlessUncounted);
      // It is told where the end is told.
      counted.catch(() => undefined);
      const began = state;
      return (health) => {
        // A call from before the circuit opened, closed or was reset must not decide about the state it finds at its end.
        if (state !== began || (health === 'ignore' && state.kind === 'closed')) reject(UNCOUNTED);
        else {
          // cockatiel would take an uncounted probe for a success and close. It failed to tell us anything: stay open, and due.
          if (health === 'ignore') state = { kind: 'half-open', abandoned: true };
          resolve(health === 'success' ? 'succeeded' : 'failed');
        }
        return counted;
      };
    },
    configure(next) {
      ({ halfOpenAfterMs } = next);
      counts.configure(next);
    },
    reset() {
      counts.clear();
      toldUntilMs = Number.NEGATIVE_INFINITY;
      const before = state;
      // A new one, even where it was closed: what is under way says nothing about the time after.
      state = { kind: 'closed' };
      // cockatiel has no reset, but a circuit that was isolated closes when the isolation ends.
      breaker.isolate().dispose();
      if (before.kind !== 'closed') onChange('closed');
    },
  };
}

function unlessUncounted(error: unknown): void {
  if (error !== UNCOUNTED) throw error;
}
