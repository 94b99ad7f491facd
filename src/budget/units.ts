// Units: what a budget counts of a spending (nano-dollars, tokens or calls), as an integer.
import type { PlanBudget } from '../plan/types.ts';
import { assertNever } from '../common/assert-never.ts';
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

export function limitOf(limit: PlanBudget['limit']): bigint {
  switch (limit.unit) {
    case 'usd':
      return limit.nanoUsd;
    case 'tokens':
      return BigInt(limit.tokens);
    case 'calls':
      return BigInt(limit.calls);
    default:
      return assertNever(limit);
  }
}

export const nothing: Spending = { costNanoUsd: 0n, tokens: 0, calls: 0 };
