// What a closed attempt counts for in its budgets.
import type { Spending } from '../../engine/budget/port.ts';

/**
 * One that surely was not billed (a refusal, a connection that was never made, an outcome that an operator released) is no call: it did not succeed, and
 * has neither tokens nor a cost.
 */
export function settledSpending(status: string, costNanoUsd: bigint, tokens: number): Spending {
  return { costNanoUsd, tokens, calls: status === 'succeeded' || costNanoUsd > 0n || tokens > 0 ? 1 : 0 };
}
