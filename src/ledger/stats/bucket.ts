// Sums → the bucket that is shown.
import { quantileMs } from '../../common/histogram.ts';
import type { CostBucket } from './port.ts';
import type { ViewGroup } from './view.ts';

export function toBucket({ sums, minutes }: ViewGroup): CostBucket {
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
    latencyP50Ms: quantileMs(sums.latency, 0.5),
    latencyP95Ms: quantileMs(sums.latency, 0.95),
    latencyP99Ms: quantileMs(sums.latency, 0.99),
    firstTokenP50Ms: quantileMs(sums.firstToken, 0.5),
    perMinute: [...minutes]
      .sort(([a], [b]) => a - b)
      .map(([atMs, { costNanoUsd, runs }]) => ({ atMs, costNanoUsd, runs })),
  };
}
