// How long to wait before a retry on the same candidate: the provider's word where it gave one, else decorrelated jitter.
import type { Random } from '../../common/random.ts';
import type { PlanPolicy } from '../../language/plan/types.ts';

/**
 * Decorrelated jitter: uniform between the initial delay and three times the previous one, never above `maxDelayMs`. Callers that failed together do not
 * come back together. A Retry-After is taken as it is, beyond `maxDelayMs` too: coming earlier would only be refused again; whether it is
 * worth waiting for is the caller's to judge (a fallback may be nearer).
 *
 * cockatiel's generators are not used: they draw from Math.random, and its RetryPolicy sleeps through an abort.
 *
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 *
 * @returns milliseconds, or null when no retry is left.
 */
export function retryDelayMs(
  settings: PlanPolicy['retry'],
  random: Random,
  retriesDone: number,
  previousDelayMs: number,
  retryAfterMs: number | null,
): number | null {
  if (retriesDone >= settings.attempts) return null;
  if (retryAfterMs !== null) return Math.max(0, retryAfterMs);
  const { initialDelayMs, maxDelayMs } = settings;
  if (settings.backoff === 'constant') return Math.min(initialDelayMs, maxDelayMs);
  const ceilingMs = Math.max(initialDelayMs, previousDelayMs) * 3;
  return Math.min(maxDelayMs, initialDelayMs + random() * (ceilingMs - initialDelayMs));
}
