// What a roll-up adds up, for one bucket of time and one combination of dimensions.
import type { NanoUsd } from '../../common/money.ts';
import { countInto } from './histogram.ts';
import type { Histogram } from './histogram.ts';

export interface Sums {
  costNanoUsd: NanoUsd;
  savedNanoUsd: NanoUsd;
  runs: number;
  attempts: number;
  errors: number;
  inputTokens: bigint;
  cachedInputTokens: bigint;
  outputTokens: bigint;
  latency: Histogram;
  firstToken: Histogram;
}

export function emptySums(): Sums {
  return {
    costNanoUsd: 0n,
    savedNanoUsd: 0n,
    runs: 0,
    attempts: 0,
    errors: 0,
    inputTokens: 0n,
    cachedInputTokens: 0n,
    outputTokens: 0n,
    latency: new Map(),
    firstToken: new Map(),
  };
}

/** `sign` 1 adds, -1 takes away what was added before: a window that moves on gives back its oldest bucket. */
export function addSums(into: Sums, other: Sums, sign: 1 | -1 = 1): void {
  const by = BigInt(sign);
  into.costNanoUsd += by * other.costNanoUsd;
  into.savedNanoUsd += by * other.savedNanoUsd;
  into.runs += sign * other.runs;
  into.attempts += sign * other.attempts;
  into.errors += sign * other.errors;
  into.inputTokens += by * other.inputTokens;
  into.cachedInputTokens += by * other.cachedInputTokens;
  into.outputTokens += by * other.outputTokens;
  for (const [bucket, times] of other.latency) countInto(into.latency, bucket, sign * times);
  for (const [bucket, times] of other.firstToken) countInto(into.firstToken, bucket, sign * times);
}
