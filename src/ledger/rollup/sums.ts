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

export function addSums(into: Sums, other: Sums): void {
  into.costNanoUsd += other.costNanoUsd;
  into.savedNanoUsd += other.savedNanoUsd;
  into.runs += other.runs;
  into.attempts += other.attempts;
  into.errors += other.errors;
  into.inputTokens += other.inputTokens;
  into.cachedInputTokens += other.cachedInputTokens;
  into.outputTokens += other.outputTokens;
  for (const [bucket, times] of other.latency) countInto(into.latency, bucket, times);
  for (const [bucket, times] of other.firstToken) countInto(into.firstToken, bucket, times);
}
