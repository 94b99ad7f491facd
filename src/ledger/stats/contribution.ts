// What a written row adds to the statistics: the same that the writer added to the roll-ups in its transaction.
import type { WrittenRow } from '../port.ts';
import { addDifference, cachedBy, countAttempt, countRun, countedOf, emptySums } from '../rollup/sums.ts';
import type { Sums } from '../rollup/sums.ts';

export interface Contribution {
  /** As `decodeDimensions` reads it. */
  readonly dimensions: string;
  /** When the attempt or the run started: a row is counted where it began. */
  readonly atMs: number;
  readonly sums: Sums;
}

/** undefined: the row adds nothing (yet). */
export function contributionOf(row: WrittenRow): Contribution | undefined {
  if (row.kind === 'attempt_closed' && row.rollupKey !== undefined) {
    const { attempt } = row;
    const sums = emptySums();
    countAttempt(sums, countedOf(attempt));
    return { dimensions: row.rollupKey, atMs: attempt.startedAtMs, sums };
  }
  if (row.kind === 'attempt_lowered') {
    const sums = emptySums();
    addDifference(sums, countedOf(row.before), countedOf(row.attempt));
    return { dimensions: row.rollupKey, atMs: row.attempt.startedAtMs, sums };
  }
  if (row.kind === 'run_finished' && row.rollupKey !== undefined) {
    const sums = emptySums();
    countRun(sums, row.run.savedNanoUsd, cachedBy(row.run));
    return { dimensions: row.rollupKey, atMs: row.run.startedAtMs, sums };
  }
  return undefined;
}
