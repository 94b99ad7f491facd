// `balanced`: price against latency, in proportion to the other candidates, divided by quality.
import { loads } from '../load.ts';
import type { Strategy } from '../port.ts';

/**
 * The score is (1 + cost ÷ mean cost) × (1 + time ÷ mean time) ÷ quality, lower is better. The ones keep a free candidate from winning however slow it is, and
 * an instant one however dear. Only the order of candidates is drawn from these floats, never money (INV-1). An unexplored candidate counts as
 * taking no time, so that it is tried; while its first call is out it counts as the slowest.
 */
export const balanced: Strategy = {
  pick: 'balanced',
  order(candidates, context) {
    const times = loads(candidates, context).map((load) => (load.unexplored ? 0 : load.expectedMs));
    const costs = candidates.map((candidate) => Number(candidate.expectedCostNanoUsd));
    const meanTime = mean(times);
    const meanCost = mean(costs);
    return candidates
      .map((candidate, index) => ({
        candidate,
        score:
          ((1 + (costs[index] ?? 0) / meanCost) * (1 + (times[index] ?? 0) / meanTime)) /
          Math.max(1, candidate.model.quality),
      }))
      .sort((a, b) => a.score - b.score);
  },
};

/** Never 0, since it is divided by: where all are 0, all are alike. */
function mean(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum > 0 ? sum / values.length : 1;
}
