// The circuit of one provider and model: cockatiel's breaker, on our clock, with one probe at a time and settings that may change.
import { CircuitState as CockatielState, circuitBreaker, handleWhenResult } from 'cockatiel';
import type { Clock } from '../../common/clock.ts';
import { type BreakerSettings, createBreakerCounts } from './breaker-counts.ts';
import type { CallHealth, CircuitState } from './port.ts';

export interface Circuit {
  state(): CircuitState;
  /** Milliseconds until a call may start; 0: one may start now. */
  retryAfterMs(): number;
  /**
   * Runs `body`, whose result says how healthy it was. Only call it when `retryAfterMs()` is 0. What the body throws is thrown on, and counts
   * as neither success nor failure unless `isFailure` says so.
   */
  run(body: () => Promise<CallHealth>, isFailure: (error: unknown) => boolean): Promise<void>;
  configure(settings: BreakerSettings): void;
  /** Closes the circuit and forgets what it counted. */
  reset(): void;
}

/** What a body tells cockatiel: it counts `failed` results as failures, and leaves a thrown error out of its counts while closed. */
type Told = 'succeeded' | 'failed';
const UNCOUNTED = new Error('neither a success nor a failure of the provider');

export function createCircuit(
  clock: Clock,
  initial: BreakerSettings,
  onChange: (state: CircuitState) => void,
): Circuit {
  const counts = createBreakerCounts(clock, initial);
  let halfOpenAfterMs = initial.halfOpenAfterMs;
  let openedAtMs = 0;
  /** The probe that is out; its identity, so that one from before a reset cannot end another's. */
  let probe: object | undefined;
  let probeWasAbandoned = false;
  /** Raised at each change of state: what was started before says nothing about the state after. */
  let generation = 0;
  let resetting = false;

  const waitMs = (): number => Math.max(0, openedAtMs + halfOpenAfterMs - clock.monotonicMs());

  /**
   * cockatiel asks `Date.now() - openedAt < backoff.duration`. A duration that is -Infinity once our own clock says so, and Infinity before,
   * makes it follow the Clock port: a wall clock that jumps cannot hold a circuit open, and a changed setting counts at once.
   */
  const pause = {
    get duration(): number {
      return waitMs() === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    },
    next: () => pause,
  };
  const halfOpenAfter = {
    next: () => pause,
  };

  const breaker = circuitBreaker(
    handleWhenResult((told) => told === 'failed'),
    { breaker: counts, halfOpenAfter },
  );

  const read = (): CircuitState => {
    switch (breaker.state) {
      case CockatielState.Closed:
        return 'closed';
      case CockatielState.HalfOpen:
        return 'half-open';
      case CockatielState.Open:
      case CockatielState.Isolated:
        return 'open';
      default:
        throw new Error(`cockatiel knows a circuit state that we do not: ${String(breaker.state)}`);
    }
  };

  breaker.onStateChange((state) => {
    generation += 1;
    if (state === CockatielState.Open) {
      // A probe that ended without a verdict (its caller went away) leaves the circuit open, but due: the next call is a probe again.
      openedAtMs = probeWasAbandoned ? Number.NEGATIVE_INFINITY : clock.monotonicMs();
      probeWasAbandoned = false;
    }
    if (!resetting) onChange(read());
  });

  return {
    state: read,
    retryAfterMs() {
      if (breaker.state === CockatielState.Closed) return 0;
      // While a probe is out, nobody knows: come back when the next one could start, at the latest.
      if (probe !== undefined) return Math.max(1, halfOpenAfterMs);
      return waitMs();
    },
    async run(body, isFailure) {
      const isProbe = breaker.state !== CockatielState.Closed;
      const self = {};
      if (isProbe) probe = self;
      let thrown: { readonly error: unknown } | undefined;
      try {
        await breaker.execute(async (): Promise<Told> => {
          const startedIn = generation;
          let health: CallHealth;
          try {
            health = await body();
          } catch (error) {
            thrown = { error };
            health = isFailure(error) ? 'failure' : 'ignore';
          }
          // A call from before the circuit opened, closed or was reset must not decide about the state it finds at its end.
          if (generation !== startedIn) throw UNCOUNTED;
          if (health === 'success') return 'succeeded';
          if (health === 'failure') return 'failed';
          if (!isProbe) throw UNCOUNTED;
          // cockatiel would take an uncounted probe for a success and close. It failed to tell us anything: stay open, and due.
          probeWasAbandoned = true;
          return 'failed';
        });
      } catch (error) {
        if (error !== UNCOUNTED) throw error;
      } finally {
        if (probe === self) probe = undefined;
      }
      if (thrown !== undefined) throw thrown.error;
    },
    configure(next) {
      halfOpenAfterMs = next.halfOpenAfterMs;
      counts.configure(next);
    },
    reset() {
      const wasClosed = breaker.state === CockatielState.Closed;
      counts.clear();
      // cockatiel has no reset, but a circuit that was isolated closes when the isolation ends.
      resetting = true;
      probe = undefined;
      breaker.isolate().dispose();
      resetting = false;
      if (!wasClosed) onChange('closed');
    },
  };
}
