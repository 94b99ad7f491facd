// Sums → the bucket that is shown.
import { quantilesMs } from '../../common/histogram.ts';
import type { PackedSums, Sums } from '../rollup/sums.ts';
import type { CostBucket } from './port.ts';
import type { ViewGroup } from './view.ts';

const NO_MINUTES: ViewGroup['minutes'] = new Map();

export function toBucket(sums: Sums | PackedSums, minutes = NO_MINUTES): CostBucket {
  const [latencyP50Ms, latencyP95Ms, latencyP99Ms] = quantilesMs(sums.latency, [0.5, 0.95, 0.99]);
  const [firstTokenP50Ms] = quantilesMs(sums.firstToken, [0.5]);
  return {
    costNanoUsd: sums.costNanoUsd,
    savedNanoUsd: sums.savedNanoUsd,
    runs: sums.runs,
    attempts: sums.attempts,
    errors: sums.errors,
    inputTokens: sums.inputTokens,
    cachedInputTokens: sums.cachedInputTokens,
    outputTokens: sums.outputTokens,
    cacheWriteTokens: sums.cacheWriteTokens,
    reasoningTokens: sums.reasoningTokens,
    estimatedNanoUsd: sums.estimatedNanoUsd,
    cachedRuns: sums.cachedRuns,
    latencyP50Ms,
    latencyP95Ms,
    latencyP99Ms,
    firstTokenP50Ms,
    perMinute: [...minutes]
      .sort(([a], [b]) => a - b)
      .map(([atMs, { costNanoUsd, runs }]) => ({ atMs, costNanoUsd, runs })),
  };
}
