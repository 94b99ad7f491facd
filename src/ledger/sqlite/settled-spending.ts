// What a closed attempt counts for in its budgets.
import type { Spending } from '../../budget/port.ts';

/** An attempt that ended without success, tokens or cost was never billed: its hold was released, and it is not a call. */
export function settledSpending(status: string, costNanoUsd: bigint, tokens: number): Spending {
  const released = status !== 'succeeded' && costNanoUsd === 0n && tokens === 0;
  return { costNanoUsd, tokens, calls: released ? 0 : 1 };
}
