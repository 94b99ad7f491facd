// What a committed row adds to the statistics: the same that the writer added to the roll-ups in its transaction.
import type { CommittedRow } from '../port.ts';
import { bucketOf, countInto } from '../rollup/histogram.ts';
import { emptySums } from '../rollup/sums.ts';
import type { Sums } from '../rollup/sums.ts';

export interface Contribution {
  /** As `decodeDimensions` reads it. */
  readonly dimensions: string;
  /** When the attempt or the run started: a row is counted where it began. */
  readonly atMs: number;
  readonly sums: Sums;
}

/** undefined: the row adds nothing (yet). */
export function contributionOf(row: CommittedRow): Contribution | undefined {
  if (row.kind === 'attempt_closed' && row.rollupKey !== undefined) {
    const { attempt } = row;
    const sums = emptySums();
    sums.attempts = 1;
    sums.errors = attempt.status === 'failed' ? 1 : 0;
    sums.costNanoUsd = attempt.costNanoUsd;
    sums.inputTokens = BigInt(attempt.inputTokens);
    sums.cachedInputTokens = BigInt(attempt.cachedInputTokens);
    sums.outputTokens = BigInt(attempt.outputTokens);
    if (attempt.latencyMs !== null) countInto(sums.latency, bucketOf(attempt.latencyMs), 1);
    if (attempt.firstTokenMs !== null) countInto(sums.firstToken, bucketOf(attempt.firstTokenMs), 1);
    return { dimensions: row.rollupKey, atMs: attempt.startedAtMs, sums };
  }
  if (row.kind === 'run_finished' && row.rollupKey !== undefined) {
    const sums = emptySums();
    sums.runs = 1;
    sums.savedNanoUsd = row.run.savedNanoUsd;
    return { dimensions: row.rollupKey, atMs: row.run.startedAtMs, sums };
  }
  return undefined;
}
