// Refusals: of several budgets in the way, the one that a caller has to know of.
import type { BudgetAction } from '../plan/types.ts';
import type { BudgetRefusal } from './port.ts';

/**
 * Of the action asked for first: a hold is refused by `reject` before `downgrade`, because no other candidate helps; a candidate is passed over for
 * `downgrade` before `reject`, because another may fit both. Then the one that stays in the way for longest, so that a caller who waits for it
 * does not wait in vain; then the one with the least left.
 */
export function decisive(first: BudgetAction, a: BudgetRefusal | undefined, b: BudgetRefusal): BudgetRefusal {
  if (a === undefined) return b;
  if (a.action !== b.action) return a.action === first ? a : b;
  const aResetsAtMs = a.resetsAtMs ?? Number.POSITIVE_INFINITY;
  const bResetsAtMs = b.resetsAtMs ?? Number.POSITIVE_INFINITY;
  if (aResetsAtMs !== bResetsAtMs) return aResetsAtMs > bResetsAtMs ? a : b;
  return remaining(b) < remaining(a) ? b : a;
}

function remaining({ limit, spent, held }: BudgetRefusal): bigint {
  return limit - spent - held;
}
