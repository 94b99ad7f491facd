// Policy settings for tests: ordinary ones, and a way to change some of them.
import type { PlanPolicy } from '../../../src/language/plan/types.ts';

export const ordinary: PlanPolicy = {
  name: 'hosted',
  timeoutMs: 30_000,
  firstTokenMs: 8_000,
  stallMs: 10_000,
  retry: { attempts: 2, backoff: 'exponential', initialDelayMs: 250, maxDelayMs: 8_000 },
  circuitBreaker: { kind: 'consecutive', failures: 3, halfOpenAfterMs: 15_000 },
  bulkhead: { concurrent: 32, queue: 128 },
};

export function settings(changes: Partial<PlanPolicy> = {}): PlanPolicy {
  return { ...ordinary, ...changes };
}
