// A Clock whose time is moved by hand: timers run in the order of their due times, with all promises settled between them. For replays, and for tests.
import { nextTick } from 'node:process';
import { setImmediate } from 'node:timers';
import type { Clock } from '../common/clock.ts';

/**
 * Time stands still until it is advanced. Wall time and monotonic time move together; `setWallMs` makes the wall jump alone.
 *
 * Everything in `src/` takes its time from `Clock`, cockatiel's circuit breakers included (see docs/decisions/resilience-cockatiel.md), so
 * no fake timers are needed, and `Date.now()` is left alone. Code that calls `setTimeout` by itself (an SDK, undici) does not follow
 * this clock: drive such code with a loopback server instead.
 */
export interface SimulatedClock extends Clock {
  /**
   * Moves time forward by `ms`, stopping at each timer that falls due on the way. Promises settle before, between and after timers; timers set
   * on the way run too when they are due within the span.
   */
  advance(ms: number): Promise<void>;
  /**
   * Moves from timer to timer until none is left. Throws after `limitMs` simulated milliseconds (one day unless told): something then sets
   * timers for ever.
   */
  runUntilIdle(limitMs?: number): Promise<void>;
  /** Lets every settled promise run its callbacks, without moving time. */
  flush(): Promise<void>;
  /** Advances until the promise is settled, and gives its value or throws its error. Throws when no timer is left that could settle it. */
  settle<Value>(promise: Promise<Value>, limitMs?: number): Promise<Value>;
  /** Timers that are set and not cancelled. */
  pendingTimers(): number;
  /** The wall clock jumps; monotonic time and timers are untouched. */
  setWallMs(ms: number): void;
}

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  callback: (() => void) | undefined;
}

/** A day is more than any timeout; a test that needs more says so. */
const DAY_MS = 86_400_000;

/** Both come after every microtask, however deep the chain of promises: a turn of the event loop, with what the system had to tell, and the queue of ticks, at a tenth of its price. */
const AFTER_MICROTASKS = { turn: setImmediate, tick: nextTick } as const;

/**
 * @param startMs Wall time at the start, milliseconds since 1970; 2026-01-01T00:00Z unless told.
 * @param settling What is waited for between instants. `tick` is for what waits for nothing but this clock.
 */
export function createSimulatedClock(
  startMs = Date.UTC(2026, 0, 1),
  settling: keyof typeof AFTER_MICROTASKS = 'turn',
): SimulatedClock {
  const afterMicrotasks = AFTER_MICROTASKS[settling];
  const timers = createTimerHeap();
  let elapsedMs = 0;
  let wallOffsetMs = startMs;
  let live = 0;
  let order = 0;

  const flush = (): Promise<void> => new Promise((resolve) => afterMicrotasks(resolve));

  const next = (): Timer | undefined => {
    while (timers.peek()?.callback === undefined && timers.size() > 0) timers.pop();
    return timers.peek();
  };

  /** Runs all timers of the earliest instant up to `untilMs`; false when there is none. */
  const runNextInstant = async (untilMs: number): Promise<boolean> => {
    const first = next();
    if (first === undefined || first.dueMs > untilMs) return false;
    elapsedMs = Math.max(elapsedMs, first.dueMs);
    for (let timer = next(); timer !== undefined && timer.dueMs <= elapsedMs; timer = next()) {
      timers.pop();
      const { callback } = timer;
      timer.callback = undefined;
      live -= 1;
      callback?.();
    }
    await flush();
    return true;
  };

  const self: SimulatedClock = {
    // Whole milliseconds, as the system gives them.
    nowMs: () => Math.floor(wallOffsetMs + elapsedMs),
    monotonicMs: () => elapsedMs,
    after(delayMs, callback) {
      const delay = Number.isFinite(delayMs) ? Math.max(0, delayMs) : DAY_MS * 365;
      const timer: Timer = { dueMs: elapsedMs + delay, order: (order += 1), callback };
      timers.push(timer);
      live += 1;
      return () => {
        if (timer.callback === undefined) return;
        timer.callback = undefined;
        live -= 1;
      };
    },
    async advance(ms) {
      const untilMs = elapsedMs + ms;
      await flush();
      while (await runNextInstant(untilMs));
      elapsedMs = untilMs;
    },
    async runUntilIdle(limitMs = DAY_MS) {
      const untilMs = elapsedMs + limitMs;
      await flush();
      while (await runNextInstant(untilMs));
      if (live > 0) throw new Error(`${live} timers were still set after ${limitMs} simulated milliseconds`);
    },
    flush,
    async settle<Value>(promise: Promise<Value>, limitMs = DAY_MS): Promise<Value> {
      const state = { settled: false };
      void Promise.allSettled([promise]).then(() => {
        state.settled = true;
      });
      const untilMs = elapsedMs + limitMs;
      await flush();
      while (!state.settled) {
        if (!(await runNextInstant(untilMs)))
          throw new Error('no timer is left that could settle the promise');
      }
      return promise;
    },
    pendingTimers: () => live,
    setWallMs(ms) {
      wallOffsetMs = ms - elapsedMs;
    },
  };
  return self;
}

function createTimerHeap(): {
  push(timer: Timer): void;
  pop(): void;
  peek(): Timer | undefined;
  size(): number;
} {
  const heap: Timer[] = [];
  const before = (a: Timer, b: Timer): boolean =>
    a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
  const at = (index: number): Timer => heap[index] as Timer;
  const swap = (a: number, b: number): void => {
    const held = at(a);
    heap[a] = at(b);
    heap[b] = held;
  };
  return {
    peek: () => heap[0],
    size: () => heap.length,
    push(timer) {
      let index = heap.push(timer) - 1;
      while (index > 0) {
        const parent = (index - 1) >> 1;
        if (!before(at(index), at(parent))) return;
        swap(index, parent);
        index = parent;
      }
    },
    pop() {
      const last = heap.pop();
      if (last === undefined || heap.length === 0) return;
      heap[0] = last;
      let index = 0;
      for (;;) {
        let least = index;
        for (const child of [index * 2 + 1, index * 2 + 2]) {
          if (child < heap.length && before(at(child), at(least))) least = child;
        }
        if (least === index) return;
        swap(index, least);
        index = least;
      }
    },
  };
}
