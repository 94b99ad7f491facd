// Refusals: of several budgets in the way, the one that a caller has to know of.
import type { BudgetAction } from '../../language/plan/types.ts';
import type { BudgetRefusal } from './port.ts';

/**
 * Of the action asked for first: a hold is refused by `reject` before `downgrade`, because no other candidate helps; a candidate is passed over for
 * `downgrade` before `reject`, because another may fit both. Then the one that stays in the way for longest, so that a caller who waits for it
 * does not wait in vain; then the one with the least left.
 */
export function decisive(first: BudgetAction, a: BudgetRefusal | undefined, b: BudgetRefusal): BudgetRefusal {
  if (a === undefined) return b;
  if (a.action !== b.action) return a.action === first ? a : b;
  const aResetsAtMs = opensAtMs(a);
  const bResetsAtMs = opensAtMs(b);
  if (aResetsAtMs !== bResetsAtMs) return aResetsAtMs > bResetsAtMs ? a : b;
  return remaining(b) < remaining(a) ? b : a;
}

/** Only what calls under way hold is in the way: it would fit the rest of the limit, and they may cost less than their worst case. */
export function isOnlyHeld({ limit, spent, held, needed, reason }: BudgetRefusal): boolean {
  return reason !== 'too_many_accounts' && held > 0n && spent + needed <= limit;
}

/** It would fit if nothing were held beyond the worst cases as they are known. */
export function isOnlyMargin({ limit, spent, held, margin, needed, reason }: BudgetRefusal): boolean {
  return reason !== 'too_many_accounts' && margin > 0n && spent + held - margin + needed <= limit;
}

/** Calls end within seconds; who comes back sooner asks in vain. */
const HELD_RETRY_MS = 1_000;

/** How long a caller should wait; null: waiting does not help. */
export function retryAfterMs(refusal: BudgetRefusal, nowMs: number): number | null {
  if (isOnlyHeld(refusal)) return HELD_RETRY_MS;
  return refusal.resetsAtMs === null ? null : Math.max(0, refusal.resetsAtMs - nowMs);
}

function opensAtMs(refusal: BudgetRefusal): number {
  return isOnlyHeld(refusal) ? Number.NEGATIVE_INFINITY : (refusal.resetsAtMs ?? Number.POSITIVE_INFINITY);
}

function remaining({ limit, spent, held }: BudgetRefusal): bigint {
  return limit - spent - held;
}
