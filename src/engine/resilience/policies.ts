// Attempt policies by key: bulkhead, circuit and attempt timeout around one call, living longer than the plans that configure them.
import type { Clock } from '../../common/clock.ts';
import type { Random } from '../../common/random.ts';
import type { PlanPolicy } from '../../language/plan/types.ts';
import { limitAttempt } from './attempt-timeout.ts';
import { retryDelayMs } from './backoff.ts';
import { createBulkhead } from './bulkhead.ts';
import { createCircuit } from './circuit.ts';
import { createInForce } from './in-force.ts';
import {
  type AttemptBody,
  type AttemptPolicy,
  type AttemptRun,
  AttemptTimeout,
  type CallHealth,
  type CircuitState,
  type Policies,
  type Refusal,
  type RefusedInput,
} from './port.ts';

const BULKHEAD_FULL: Refusal = { code: 'bulkhead_full', retryAfterMs: null };
/** So many different inputs are not refused for what is in each of them. */
const SEVERAL_INPUTS = 3;
const ABORTED = { kind: 'aborted' } as const;

interface Dependencies {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * The policies of all models. The breaker and the bulkhead of a key are shared by all plans; the newest settings that were seen for the key are in
 * force (see `createInForce`). Retry settings are those of the plan that asks, since a run keeps its plan.
 */
export function createPolicies({ clock, random }: Dependencies): Policies {
  const shared = new Map<string, SharedPolicy>();
  const listeners = new Set<(key: string, state: CircuitState) => void>();
  const announce = (key: string, state: CircuitState): void => {
    for (const listener of listeners) listener(key, state);
  };
  return {
    get(key, settings) {
      let policy = shared.get(key);
      if (policy === undefined) {
        policy = createSharedPolicy(key, settings, { clock, random }, announce);
        shared.set(key, policy);
      }
      return policy.under(settings);
    },
    heardOf: (key, state) => shared.get(key)?.heardOf(state),
    onCircuitChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

interface SharedPolicy {
  /** The policy as a plan with these settings sees it. */
  under(settings: PlanPolicy): AttemptPolicy;
  heardOf(state: CircuitState): void;
}

function createSharedPolicy(
  key: string,
  initial: PlanPolicy,
  { clock, random }: Dependencies,
  announce: (key: string, state: CircuitState) => void,
): SharedPolicy {
  const bulkhead = createBulkhead(initial.bulkhead);
  const circuit = createCircuit(clock, initial.circuitBreaker, (state) => announce(key, state));
  const views = new WeakMap<PlanPolicy, AttemptPolicy>();
  const inForce = createInForce<PlanPolicy>(clock, (settings) => {
    bulkhead.configure(settings.bulkhead);
    circuit.configure(settings.circuitBreaker);
  });

  const circuitRefusal = (): Refusal | undefined => {
    const retryAfterMs = circuit.retryAfterMs();
    return retryAfterMs > 0 ? { code: 'circuit_open', retryAfterMs } : undefined;
  };

  /** Since the last success; bounded by how many are several. */
  const refusedInputs = new Set<string>();
  const counted = (health: CallHealth | RefusedInput): CallHealth => {
    if (health === 'success') refusedInputs.clear();
    if (typeof health === 'string') return health;
    if (refusedInputs.size < SEVERAL_INPUTS) refusedInputs.add(health.input);
    return refusedInputs.size < SEVERAL_INPUTS ? 'ignore' : 'failure';
  };

  const run = async <Value>(
    body: AttemptBody<Value>,
    { signal, timeoutMs, health }: Parameters<AttemptPolicy['run']>[1],
  ): Promise<AttemptRun<Value>> => {
    if (signal.aborted) return ABORTED;
    const refusal = circuitRefusal();
    if (refusal !== undefined) return { kind: 'refused', refusal };
    let queuedMs = 0;
    let waited = false;
    if (!bulkhead.tryEnter()) {
      if (bulkhead.isFull()) return { kind: 'refused', refusal: BULKHEAD_FULL };
      const arrivedMs = clock.monotonicMs();
      const entry = await bulkhead.enter(signal);
      if (entry === 'aborted') return ABORTED;
      queuedMs = clock.monotonicMs() - arrivedMs;
      waited = true;
    }
    try {
      if (waited) {
        if (signal.aborted) return ABORTED;
        // If the circuit has opened meanwhile, all who wait are sent elsewhere, one after the other, at once.
        const changed = circuitRefusal();
        if (changed !== undefined) return { kind: 'refused', refusal: changed };
      }
      const end = circuit.begin();
      const limit = limitAttempt(clock, timeoutMs, signal);
      let ended: CallHealth = 'ignore';
      try {
        const value = await body(limit.signal, limit.prolong);
        ended = counted(health(value));
        return { kind: 'done', value, queuedMs };
      } catch (error) {
        if (error instanceof AttemptTimeout) ended = 'failure';
        throw error;
      } finally {
        limit.end();
        await end(ended);
      }
    } finally {
      bulkhead.leave();
    }
  };

  const view = (settings: PlanPolicy): AttemptPolicy => ({
    key,
    circuit: () => ({ state: circuit.state(), retryAfterMs: circuit.retryAfterMs() }),
    inFlight: () => bulkhead.active(),
    queued: () => bulkhead.queued(),
    refusal: () => circuitRefusal() ?? (bulkhead.isFull() ? BULKHEAD_FULL : undefined),
    run,
    retryDelayMs: (retriesDone, previousDelayMs, retryAfterMs) =>
      retryDelayMs(settings.retry, random, retriesDone, previousDelayMs, retryAfterMs),
    reset: () => circuit.reset(),
  });

  return {
    heardOf: (state) => circuit.heardOf(state),
    under(settings) {
      inForce.asked(settings);
      let policy = views.get(settings);
      if (policy === undefined) {
        policy = view(settings);
        views.set(settings, policy);
      }
      return policy;
    },
  };
}
