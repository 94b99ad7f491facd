// `cheapest`: by the expected cost of this very request.
import type { Candidate, Scored, Strategy } from '../port.ts';

/**
 * The score is the expected cost in nano-dollars, for display; the order compares the exact integers. Candidates that cost the same are ordered by
 * quality, then by learnt latency, then as the route names them.
 */
export const cheapest: Strategy = {
  pick: 'cheapest',
  order(candidates, { signals }) {
    const latency = (key: string): number => signals.latency(key)?.totalMs ?? 0;
    const order = (a: Candidate, b: Candidate): number => {
      if (a.expectedCostNanoUsd !== b.expectedCostNanoUsd)
        return a.expectedCostNanoUsd < b.expectedCostNanoUsd ? -1 : 1;
      return b.model.quality - a.model.quality || latency(a.model.key) - latency(b.model.key);
    };
    return candidates.toSorted(order).map(scored);
  },
};

function scored(candidate: Candidate): Scored {
  return { candidate, score: Number(candidate.expectedCostNanoUsd) };
}
