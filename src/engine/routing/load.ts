// How long a call to a candidate will probably take, as strategies estimate it: learnt latency, made to age, times the calls in flight.
import type { Candidate, StrategyContext } from './port.ts';

/**
 * After so long without a sample, what is known about an idle candidate begins to count for less, falling to a third in each further `FADE`: a slow replica
 * that has recovered is tried again. While that one call is out the candidate counts as slow as before, so that it gets no second.
 */
const FRESH_MS = 10_000;
const FADE_MS = 20_000;
/** Failures are forgotten sooner: an outage that is over should be noticed within half a minute, and trying costs one call. */
const FAILING_FRESH_MS = 5_000;
const FAILING_FADE_MS = 5_000;

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
 * While its first call is out it counts as more loaded than any that is known: it gets no second before it has answered once.
 */
export function loads(candidates: readonly Candidate[], context: StrategyContext): readonly Load[] {
  let most = LEAST_MS;
  const known = candidates.map((candidate) => {
    const latency = latencyMs(candidate, context);
    if (latency === null) return null;
    const expectedMs = latency * (candidate.inFlight + 1);
    most = Math.max(most, expectedMs);
    return expectedMs;
  });
  return candidates.map(({ inFlight }, index) => {
    const expectedMs = known[index] ?? null;
    if (expectedMs !== null) return { expectedMs, unexplored: false };
    return { expectedMs: most * (inFlight + 1), unexplored: inFlight === 0 };
  });
}

function latencyMs({ model, inFlight }: Candidate, { signals, streaming }: StrategyContext): number | null {
  const latency = signals.latency(model.key);
  if (latency === null || latency.samples === 0) return null;
  const ms = (streaming ? latency.firstTokenMs : null) ?? latency.totalMs;
  if (inFlight > 0) return Math.max(LEAST_MS, ms);
  const failing = latency.failing === true;
  const staleMs = (latency.ageMs ?? 0) - (failing ? FAILING_FRESH_MS : FRESH_MS);
  const faded = staleMs > 0 ? ms * Math.exp(-staleMs / (failing ? FAILING_FADE_MS : FADE_MS)) : ms;
  return Math.max(LEAST_MS, faded);
}
