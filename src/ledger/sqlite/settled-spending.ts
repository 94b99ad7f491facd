// What a closed attempt counts for in its budgets.
import type { Spending } from '../../engine/budget/port.ts';
import type { AttemptRecord, AttemptStatus, SavedBy } from '../../engine/execution/records.ts';
import type { CountedAttempt } from '../rollup/sums.ts';
import type { AttemptProgress } from './rows.ts';

/**
 * One that surely was not billed (a refusal, a connection that was never made, an outcome that an operator released) is no call: it did not succeed, and
 * has neither tokens nor a cost.
 */
export function settledSpending(status: string, costNanoUsd: bigint, tokens: number): Spending {
  return { costNanoUsd, tokens, calls: status === 'succeeded' || costNanoUsd > 0n || tokens > 0 ? 1 : 0 };
}

/** The same, of an attempt that is closed. */
export function spendingOfRecord({
  status,
  costNanoUsd,
  inputTokens,
  outputTokens,
}: AttemptRecord): Spending {
  return settledSpending(status, costNanoUsd, inputTokens + outputTokens);
}

/** The same, from the columns that close it. */
export function spendingOf({ status, costNanoUsd, inputTokens, outputTokens }: AttemptProgress): Spending {
  return settledSpending(status, BigInt(costNanoUsd), inputTokens + outputTokens);
}

/** What statistics count of the columns that close it. */
export function countedOf(progress: AttemptProgress): CountedAttempt {
  return {
    ...progress,
    status: progress.status as AttemptStatus,
    costNanoUsd: BigInt(progress.costNanoUsd),
    estimated: progress.estimated === 1,
    savedBy: progress.savedBy as SavedBy | null,
    savedRouteNanoUsd: BigInt(progress.savedRouteNanoUsd),
    savedPromptCacheNanoUsd: BigInt(progress.savedPromptCacheNanoUsd),
  };
}
