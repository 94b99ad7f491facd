// Drives one attempt policy in tests: calls that succeed, fail, hang or are abandoned, on a simulated clock.
import { createPolicies } from '../../../src/engine/resilience/policies.ts';
import type {
  AttemptPolicy,
  AttemptRun,
  CallHealth,
  CircuitState,
} from '../../../src/engine/resilience/port.ts';
import type { PlanPolicy } from '../../../src/language/plan/types.ts';
import { seededRandom } from '../../../src/common/random.ts';
import { createSimulatedClock, type SimulatedClock } from '../../support/simulated-clock.ts';

export interface OpenCall {
  readonly result: Promise<AttemptRun<CallHealth>>;
  /** Ends the body; no effect when it did not run. */
  end(health: CallHealth): void;
  readonly controller: AbortController;
  started(): boolean;
  /** The body's own signal. */
  signal(): AbortSignal | undefined;
}

export interface PolicyDriver {
  readonly clock: SimulatedClock;
  readonly changes: CircuitState[];
  policy(): AttemptPolicy;
  configure(settings: PlanPolicy): void;
  /** A call that ends when told to, or when its signal is aborted (as `abortedHealth`, `ignore` unless told). */
  open(options?: { timeoutMs?: number; abortedHealth?: CallHealth }): OpenCall;
  /** A call that ends at once. */
  call(health: CallHealth): Promise<AttemptRun<CallHealth>>;
}

export function drivePolicy(initial: PlanPolicy): PolicyDriver {
  const clock = createSimulatedClock();
  const policies = createPolicies({ clock, random: seededRandom(1) });
  const changes: CircuitState[] = [];
  policies.onCircuitChange((_key, state) => changes.push(state));
  let policy = policies.get('openai/a', initial);

  const open: PolicyDriver['open'] = ({ timeoutMs = 60_000, abortedHealth = 'ignore' } = {}) => {
    const controller = new AbortController();
    const { promise, resolve } = Promise.withResolvers<CallHealth>();
    let bodySignal: AbortSignal | undefined;
    const result = policy.run(
      (signal) => {
        bodySignal = signal;
        if (signal.aborted) resolve(abortedHealth);
        signal.addEventListener('abort', () => resolve(abortedHealth));
        return promise;
      },
      { signal: controller.signal, timeoutMs, health: (value) => value },
    );
    return {
      result,
      controller,
      end: resolve,
      started: () => bodySignal !== undefined,
      signal: () => bodySignal,
    };
  };

  return {
    clock,
    changes,
    policy: () => policy,
    configure(next) {
      policy = policies.get('openai/a', next);
    },
    open,
    call(health) {
      const call = open();
      call.end(health);
      return call.result;
    },
  };
}
