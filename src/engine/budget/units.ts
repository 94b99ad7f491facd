// Units: what a budget counts of a spending (nano-dollars, tokens or calls), as an integer.
import type { PlanBudget } from '../../language/plan/types.ts';
import { assertNever } from '../../common/assert-never.ts';
import type { Spending } from './port.ts';

export type BudgetUnit = PlanBudget['limit']['unit'];

export function amountOf(unit: BudgetUnit, spending: Spending): bigint {
  switch (unit) {
    case 'usd':
      return spending.costNanoUsd;
    case 'tokens':
      return BigInt(spending.tokens);
    case 'calls':
      return BigInt(spending.calls);
    default:
      return assertNever(unit);
  }
}

export const nothing: Spending = { costNanoUsd: 0n, tokens: 0, calls: 0 };

/** Before anything is posted: a count that is no count must not stop a posting half way, and a negative one must not free money. */
export function assertSpending({ costNanoUsd, tokens, calls }: Spending): void {
  if (
    costNanoUsd >= 0n &&
    Number.isSafeInteger(tokens) &&
    tokens >= 0 &&
    Number.isSafeInteger(calls) &&
    calls >= 0
  )
    return;
  throw new RangeError(
    `Budgets: no spending has ${costNanoUsd} nano-dollars, ${tokens} tokens and ${calls} calls.`,
  );
}
