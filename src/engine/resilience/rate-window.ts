// A sliding window over what was taken: in no span of `perMs` is more taken than the amount allowed, wherever the span begins.
import type { PlanRate } from '../../language/plan/types.ts';

/** Each slice is one more part of the window in which nothing can be taken again: 60 slices cost at most 1.7 % of the rate. */
const SLICES = 60;

/**
 * Counts in slices of `perMs / 60`; a slice counts until the whole of it is out of the window, so that the limit holds exactly and the
 * memory is the same for a limit of ten and of ten million.
 */
export interface RateWindow {
  /** Milliseconds until `amount` may be taken; 0: now. What is more than the whole limit may be taken when the window is empty. */
  delayMs(amount: number, nowMs: number): number;
  take(amount: number, nowMs: number): void;
  /** Changes what was taken at `takenAtMs`; no effect once that is out of the window. */
  correct(difference: number, takenAtMs: number, nowMs: number): void;
  /** Share of the limit that is left, 0 to 1. */
  left(nowMs: number): number;
  /** A changed limit goes on with what was taken under the old one (INV-7). */
  configure(rate: PlanRate): void;
}

export function createRateWindow(initial: PlanRate, startMs: number): RateWindow {
  let rate = initial;
  let sliceMs = rate.perMs / SLICES;
  /** One slice more than the window has: the current one is not over yet. */
  let taken = new Float64Array(SLICES + 1);
  let total = 0;
  let newest = Math.floor(startMs / sliceMs);

  const place = (slice: number): number => ((slice % taken.length) + taken.length) % taken.length;

  const forget = (nowMs: number): void => {
    const current = Math.floor(nowMs / sliceMs);
    const passed = Math.min(current - newest, taken.length);
    for (let step = 1; step <= passed; step += 1) {
      const index = place(current - passed + step);
      total -= taken[index] ?? 0;
      taken[index] = 0;
    }
    if (current > newest) newest = current;
  };

  const delayMs = (amount: number, nowMs: number): number => {
    forget(nowMs);
    let excess = total + Math.min(amount, rate.amount) - rate.amount;
    if (excess <= 0) return 0;
    for (let slice = newest - SLICES; slice <= newest; slice += 1) {
      excess -= taken[place(slice)] ?? 0;
      // The slice leaves the window when the slice one window (and one slice) later begins.
      if (excess <= 0) return Math.max(1, Math.ceil((slice + taken.length) * sliceMs - nowMs));
    }
    return Math.ceil(rate.perMs + sliceMs);
  };

  return {
    delayMs,
    take(amount, nowMs) {
      forget(nowMs);
      const index = place(newest);
      taken[index] = (taken[index] ?? 0) + amount;
      total += amount;
    },
    correct(difference, takenAtMs, nowMs) {
      forget(nowMs);
      const slice = Math.floor(takenAtMs / sliceMs);
      if (slice < newest - SLICES || slice > newest) return;
      const index = place(slice);
      const change = Math.max(difference, -(taken[index] ?? 0));
      taken[index] = (taken[index] ?? 0) + change;
      total += change;
    },
    left(nowMs) {
      forget(nowMs);
      return Math.max(0, Math.min(1, 1 - total / rate.amount));
    },
    configure(next) {
      if (next.perMs !== rate.perMs) {
        // Slices of another width: what was taken in the window counts as taken at its newest moment, which errs on the side of waiting.
        const at = newest * sliceMs;
        sliceMs = next.perMs / SLICES;
        taken = new Float64Array(SLICES + 1);
        newest = Math.floor(at / sliceMs);
        taken[place(newest)] = total;
      }
      rate = next;
    },
  };
}
