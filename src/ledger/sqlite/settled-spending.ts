// What a closed attempt counts for in its budgets.
import type { Spending } from '../../engine/budget/port.ts';

/** An operator found that it was never billed: its hold was released, and it is not a call. Every other closed attempt is one. */
export function settledSpending(
  status: string,
  reconciled: boolean,
  costNanoUsd: bigint,
  tokens: number,
): Spending {
  const released = reconciled && status === 'cancelled';
  return { costNanoUsd, tokens, calls: released ? 0 : 1 };
}
