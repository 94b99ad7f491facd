// How long a call to a candidate will probably take, as strategies estimate it: learnt latency, made to age, times the calls in flight.
import type { Candidate, StrategyContext } from './port.ts';

/**
 * After this long without a sample, what is known about a candidate begins to count for less: a slow replica that has recovered is tried again,
 * one call at a time. Halves about every 14 seconds from then on.
 */
const FRESH_MS = 10_000;
const FADE_MS = 20_000;

/** The latency at which everything counts as equally quick; keeps ratios finite. */
const LEAST_MS = 1;

export interface Load {
  /** Estimated milliseconds; lower is better. */
  readonly expectedMs: number;
  /** Nothing is known, and nobody is out to find out: worth a first call. */
  readonly unexplored: boolean;
}

/**
 * Peak-sensitive average × (in flight + 1). One that nothing is known about is `unexplored` while it has no call in flight: strategies try it early.
 * While its first call is out it counts as the slowest of the known, so that it is not flooded before it has answered once.
 */
export function loads(candidates: readonly Candidate[], context: StrategyContext): readonly Load[] {
  const known = candidates.map((candidate) => latencyMs(candidate, context));
  let slowest = LEAST_MS;
  for (const latency of known) if (latency !== null && latency > slowest) slowest = latency;
  return candidates.map(({ inFlight }, index) => {
    const latency = known[index] ?? null;
    return {
      expectedMs: (latency ?? slowest) * (inFlight + 1),
      unexplored: latency === null && inFlight === 0,
    };
  });
}

function latencyMs({ model }: Candidate, { signals, streaming }: StrategyContext): number | null {
  const latency = signals.latency(model.key);
  if (latency === null || latency.samples === 0) return null;
  const ms = (streaming ? latency.firstTokenMs : null) ?? latency.totalMs;
  const staleMs = (latency.ageMs ?? 0) - FRESH_MS;
  return Math.max(LEAST_MS, staleMs > 0 ? ms * Math.exp(-staleMs / FADE_MS) : ms);
}
