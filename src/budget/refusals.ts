// Refusals: of several budgets in the way, the one that a caller has to know of.
import type { BudgetRefusal } from './port.ts';

/**
 * `reject` before `downgrade`, because no other candidate helps; then the one that stays in the way for longest, so that a caller who waits for it
 * does not wait in vain; then the one with the least left.
 */
export function decisive(a: BudgetRefusal | undefined, b: BudgetRefusal): BudgetRefusal {
  if (a === undefined) return b;
  if (a.action !== b.action) return a.action === 'reject' ? a : b;
  const aResetsAtMs = a.resetsAtMs ?? Number.POSITIVE_INFINITY;
  const bResetsAtMs = b.resetsAtMs ?? Number.POSITIVE_INFINITY;
  if (aResetsAtMs !== bResetsAtMs) return aResetsAtMs > bResetsAtMs ? a : b;
  return remaining(b) < remaining(a) ? b : a;
}

function remaining({ limit, spent, held }: BudgetRefusal): bigint {
  return limit - spent - held;
}
