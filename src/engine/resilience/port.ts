// What the rest of the engine sees of resilience: policies by key, and rate gates by key. Keys outlive plans (INV-7).
import { formatDuration } from '../../common/units.ts';
import type { PlanPolicy, PlanRateLimits } from '../../language/plan/types.ts';

export type CircuitState = 'closed' | 'open' | 'half-open';

/** Why a call cannot be started now. */
export type Refusal =
  | { readonly code: 'circuit_open'; readonly retryAfterMs: number }
  | { readonly code: 'bulkhead_full'; readonly retryAfterMs: null }
  | { readonly code: 'rate_limited'; readonly retryAfterMs: number };

/** How a call ended, as far as a breaker cares. */
export type CallHealth = 'success' | 'failure' | 'ignore';

/** A refusal that may be about what was sent rather than about who sent it: it counts as a failure once several different inputs have met it. */
export interface RefusedInput {
  /** Tells one input from another. */
  readonly input: string;
}

export type AttemptRun<Value> =
  | { readonly kind: 'done'; readonly value: Value; readonly queuedMs: number }
  /** The breaker opened or the queue was full when its turn came: the body did not run. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** The signal was aborted before the body ran. */
  | { readonly kind: 'aborted' };

/** `prolong`: from now on the attempt may take this long in all, in milliseconds. */
export type AttemptBody<Value> = (
  signal: AbortSignal,
  prolong: (timeoutMs: number) => void,
) => Promise<Value>;

export interface AttemptPolicy {
  readonly key: string;
  circuit(): { readonly state: CircuitState; readonly retryAfterMs: number };
  inFlight(): number;
  queued(): number;
  /** A cheap look, without taking a place. */
  refusal(): Refusal | undefined;
  /**
   * Runs the body once: bulkhead, breaker, attempt timeout. The body's signal is aborted by the caller's signal and by the timeout
   * (reason: an AttemptTimeout). `health` says what the breaker counts. Aborting rejects a waiter at once and frees its place in the queue.
   */
  run<Value>(
    body: AttemptBody<Value>,
    options: {
      readonly signal: AbortSignal;
      readonly timeoutMs: number;
      readonly health: (value: Value) => CallHealth | RefusedInput;
    },
  ): Promise<AttemptRun<Value>>;
  /** Milliseconds before the next retry here: decorrelated jitter, or the provider's Retry-After where given; null: no retry is left. */
  retryDelayMs(retriesDone: number, previousDelayMs: number, retryAfterMs: number | null): number | null;
  /** An operator's hand: closes the circuit. */
  reset(): void;
}

/** The attempt took longer than its policy allows. */
export class AttemptTimeout extends Error {
  override readonly name = 'AttemptTimeout';
  readonly kind: 'attempt' | 'first_token' | 'stall';
  readonly afterMs: number;
  constructor(kind: 'attempt' | 'first_token' | 'stall', afterMs: number) {
    super(
      `no ${kind === 'attempt' ? 'answer' : kind === 'first_token' ? 'first token' : 'further token'} within ${formatDuration(afterMs)}`,
    );
    this.kind = kind;
    this.afterMs = afterMs;
  }
}

export interface Policies {
  /** The policy of `provider/model`; the same key keeps its breaker, bulkhead and counters when settings change. */
  get(key: string, settings: PlanPolicy): AttemptPolicy;
  /** Called at once, inside the call that changed it: a listener must be quick, and must not throw. */
  onCircuitChange(listener: (key: string, state: CircuitState) => void): () => void;
  /** The circuit of a key has changed at another process: while it is open there, nothing is called here, for as long as a circuit of this one would be open. */
  heardOf(key: string, state: CircuitState): void;
}

/** Requests and tokens per time, of a provider and of a model: configured limits and what the provider's headers say. */
export interface RateGate {
  /** Milliseconds until a request of that many tokens may start; 0: now. */
  delayMs(tokens: number): number;
  /**
   * Takes the headroom, whether there is any or not; give back the difference with `correct` once the true count is known.
   * Returns when it was taken (monotonic milliseconds), which `correct` and `release` want to know.
   */
  take(tokens: number): number;
  /** `takenAtMs`: what `take` returned, or the time when `wait` resolved; without it, now. */
  correct(estimatedTokens: number, actualTokens: number, takenAtMs?: number): void;
  /** The call was not made after all: gives back the request and its tokens. */
  release(tokens: number, takenAtMs: number): void;
  /** Waits in order until there is headroom and takes it; resolves false when the deadline or the signal came first. */
  wait(tokens: number, deadlineAtMonotonicMs: number, signal: AbortSignal): Promise<boolean>;
  /**
   * What the provider said; call it after each answer. A 429 closes the tap until its time: `closedForMs` where it named one (Retry-After); with
   * `refused` and no time, for a pause that grows with each refusal and starts again after an answer. Headers tell what is left.
   */
  observe(told: {
    readonly closedForMs: number | null;
    readonly refused?: boolean;
    readonly headroom: readonly {
      readonly kind: string;
      readonly limit: number | null;
      readonly remaining: number;
      readonly resetsInMs: number | null;
    }[];
  }): void;
  /** For display. 0 to 1; null: nothing is known to limit it. */
  headroom(): {
    readonly requests: number | null;
    readonly tokens: number | null;
    readonly closedForMs: number;
  };
}

export interface RateGates {
  get(key: string, limits: PlanRateLimits): RateGate;
  /** So many processes share the configured limits: each keeps to its part. */
  divide(processes: number): void;
}
