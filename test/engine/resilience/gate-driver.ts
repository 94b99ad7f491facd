// Opens one rate gate on a simulated clock, and lines callers up at it.
import type { PlanRateLimits } from '../../../src/language/plan/types.ts';
import type { RateGate } from '../../../src/engine/resilience/port.ts';
import { createRateGates } from '../../../src/engine/resilience/rate-gates.ts';
import { createSimulatedClock, type SimulatedClock } from '../../support/simulated-clock.ts';

export const MINUTE = 60_000;
export const limits = (
  requests: number | null,
  tokens: number | null = null,
  perMs = MINUTE,
): PlanRateLimits => ({
  requests: requests === null ? null : { amount: requests, perMs },
  tokens: tokens === null ? null : { amount: tokens, perMs },
});
export const forever = new AbortController().signal;

export function openGate(wanted: PlanRateLimits): {
  clock: SimulatedClock;
  gate: RateGate;
  change: (to: PlanRateLimits) => void;
} {
  const clock = createSimulatedClock();
  const gates = createRateGates({ clock });
  return { clock, gate: gates.get('openai', wanted), change: (to) => void gates.get('openai', to) };
}

/** Callers in order; when each was let in. */
export function queueUp(
  clock: SimulatedClock,
  gate: RateGate,
  count: number,
  tokens = 1,
): { at: number[]; order: number[] } {
  const seen = { at: [] as number[], order: [] as number[] };
  for (let caller = 0; caller < count; caller += 1) {
    void gate.wait(tokens, Number.POSITIVE_INFINITY, forever).then((admitted) => {
      if (!admitted) return;
      seen.at.push(clock.monotonicMs());
      seen.order.push(caller);
    });
  }
  return seen;
}
