// Rate gates by key: configured limits, the provider's own word, and a tap that a 429 closes; callers wait in order.
import type { Clock } from '../../common/clock.ts';
import type { PlanRate, PlanRateLimits } from '../../language/plan/types.ts';
import { createInForce } from './in-force.ts';
import { createPace } from './pace.ts';
import type { RateGate, RateGates } from './port.ts';
import { createRateWindow, type RateWindow } from './rate-window.ts';
import { createToldHeadroom } from './told-headroom.ts';

/** A 429 without a Retry-After: half a second, then twice as long each time, until a minute. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;
/** A Retry-After is believed for an hour: a header that is wrong must not lock a provider out until the next restart. */
const LONGEST_CLOSED_MS = 3_600_000;
/** While it is closed, what the provider said is told on: limits of days and weeks there are. Longer ones are a mistake. */
const LONGEST_TOLD_MS = 31 * 86_400_000;
/** Node's timers hold 31 bits; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** One gate a key, living longer than plans: changed limits go on from what was taken (INV-7). */
export function createRateGates({ clock }: { readonly clock: Clock }): RateGates {
  const gates = new Map<string, SharedGate>();
  let processes = 1;
  return {
    divide(by) {
      if (by === processes) return;
      processes = by;
      for (const gate of gates.values()) gate.divided();
    },
    get(key, limits) {
      let gate = gates.get(key);
      if (gate === undefined) {
        gate = createGate(clock, () => processes);
        gates.set(key, gate);
      }
      gate.configure(limits);
      return gate.gate;
    },
  };
}

interface SharedGate {
  readonly gate: RateGate;
  configure(limits: PlanRateLimits): void;
  /** The limits are shared by another number of processes. */
  divided(): void;
}

/** Less than one call in a window is one in a longer window. */
function partOf({ amount, perMs }: PlanRate, processes: number): PlanRate {
  const part = amount / processes;
  return part >= 1 ? { amount: part, perMs } : { amount: 1, perMs: perMs / part };
}

interface Waiter {
  readonly tokens: number;
  answer(admitted: boolean): void;
}

function createGate(clock: Clock, processes: () => number): SharedGate {
  const told = createToldHeadroom();
  const pace = createPace();
  /** In the order of arrival; a Set lets go from the middle in constant time. */
  const line = new Set<Waiter>();
  /** What all in the line ask for together. */
  let lineTokens = 0;
  let requests: RateWindow | undefined;
  let tokens: RateWindow | undefined;
  let closedUntilMs = Number.NEGATIVE_INFINITY;
  /** As the provider said. */
  let toldUntilMs = Number.NEGATIVE_INFINITY;
  let nextPauseMs = FIRST_PAUSE_MS;
  let cancelTimer: (() => void) | undefined;

  const delayFor = (calls: number, amount: number, nowMs: number): number => {
    let delay = Math.max(
      0,
      closedUntilMs > nowMs ? Math.max(closedUntilMs, toldUntilMs) - nowMs : 0,
      pace.delayMs(calls, nowMs),
      told.delayMs(calls, amount, nowMs),
    );
    if (requests !== undefined) delay = Math.max(delay, requests.delayMs(calls, nowMs));
    if (tokens !== undefined) delay = Math.max(delay, tokens.delayMs(amount, nowMs));
    return delay;
  };

  const take = (amount: number): number => {
    const nowMs = clock.monotonicMs();
    pace.take(nowMs);
    requests?.take(1, nowMs);
    tokens?.take(amount, nowMs);
    told.take(1, amount);
    return nowMs;
  };

  /** Lets in from the head of the line whoever may go, and sets the one timer for the head that may not. */
  const admit = (): void => {
    cancelTimer?.();
    cancelTimer = undefined;
    for (const waiter of line) {
      const nowMs = clock.monotonicMs();
      const delay = delayFor(1, waiter.tokens, nowMs);
      if (delay > 0) {
        // It opens when it opens, whatever was told; whoever waits longer than an hour looks again in between.
        const closedMs = closedUntilMs - nowMs;
        cancelTimer = clock.after(Math.min(closedMs > 0 ? closedMs : delay, LONGEST_CLOSED_MS), admit);
        return;
      }
      take(waiter.tokens);
      waiter.answer(true);
    }
  };

  const gate: RateGate = {
    delayMs(amount) {
      const nowMs = clock.monotonicMs();
      if (line.size === 0) return delayFor(1, amount, nowMs);
      // Behind those who wait: at least until all of them and this one have room together, and never "now".
      return Math.max(1, delayFor(line.size + 1, lineTokens + amount, nowMs));
    },
    take,
    correct(estimated, actual, takenAtMs = clock.monotonicMs()) {
      tokens?.correct(actual - estimated, takenAtMs, clock.monotonicMs());
      if (actual < estimated) admit();
    },
    release(amount, takenAtMs) {
      const nowMs = clock.monotonicMs();
      requests?.correct(-1, takenAtMs, nowMs);
      tokens?.correct(-amount, takenAtMs, nowMs);
      told.take(-1, -amount);
      pace.giveBack(nowMs);
      admit();
    },
    wait(amount, deadlineAtMonotonicMs, signal) {
      if (signal.aborted) return Promise.resolve(false);
      const nowMs = clock.monotonicMs();
      if (line.size === 0 && delayFor(1, amount, nowMs) === 0) {
        take(amount);
        return Promise.resolve(true);
      }
      if (deadlineAtMonotonicMs <= nowMs) return Promise.resolve(false);
      return new Promise((resolve) => {
        const waiter: Waiter = {
          tokens: amount,
          answer(admitted) {
            const wasHead = line.values().next().value === waiter;
            line.delete(waiter);
            lineTokens -= amount;
            cancelDeadline();
            signal.removeEventListener('abort', giveUp);
            resolve(admitted);
            // Who leaves from the head without going in lets the next one try: it may ask for less.
            if (!admitted && wasHead) admit();
          },
        };
        const giveUp = (): void => waiter.answer(false);
        const cancelDeadline = clock.after(Math.min(deadlineAtMonotonicMs - nowMs, LONGEST_TIMER_MS), giveUp);
        signal.addEventListener('abort', giveUp);
        line.add(waiter);
        lineTokens += amount;
        if (line.size === 1) admit();
      });
    },
    observe({ closedForMs, headroom, refused }) {
      const nowMs = clock.monotonicMs();
      for (const word of headroom) told.observe(word, nowMs);
      if (refused === true) pace.refused(nowMs);
      if (closedForMs !== null && Number.isFinite(closedForMs)) {
        if (nowMs >= closedUntilMs) toldUntilMs = nowMs;
        closedUntilMs = Math.max(closedUntilMs, nowMs + Math.min(closedForMs, LONGEST_CLOSED_MS));
        if (closedForMs <= LONGEST_TOLD_MS) toldUntilMs = Math.max(toldUntilMs, nowMs + closedForMs);
      } else if (refused === true) {
        // Calls that were under way together are refused together: that is one refusal, and no reason to wait longer.
        if (nowMs >= closedUntilMs) {
          closedUntilMs = nowMs + nextPauseMs;
          nextPauseMs = Math.min(LONGEST_PAUSE_MS, nextPauseMs * 2);
        }
      } else if (nowMs >= closedUntilMs) {
        nextPauseMs = FIRST_PAUSE_MS;
      }
      admit();
    },
    headroom() {
      const nowMs = clock.monotonicMs();
      return {
        requests: least(requests?.left(nowMs) ?? null, told.left('requests', nowMs)),
        tokens: least(tokens?.left(nowMs) ?? null, told.left('tokens', nowMs)),
        closedForMs: Math.max(0, closedUntilMs - nowMs),
      };
    },
  };

  const reconfigured = (window: RateWindow | undefined, whole: PlanRate | null): RateWindow | undefined => {
    if (whole === null) return undefined;
    const rate = partOf(whole, processes());
    if (window === undefined) return createRateWindow(rate, clock.monotonicMs());
    window.configure(rate);
    return window;
  };

  let inUse: PlanRateLimits = { requests: null, tokens: null };
  const use = (limits: PlanRateLimits): void => {
    inUse = limits;
    requests = reconfigured(requests, limits.requests);
    tokens = reconfigured(tokens, limits.tokens);
    admit();
  };
  const inForce = createInForce<PlanRateLimits>(clock, use);

  return {
    gate,
    divided: () => use(inUse),
    configure: (limits) => inForce.asked(limits),
  };
}

function least(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.min(a, b);
}
