// Rate gates: never more than the limit in any window, callers in order, the provider's word, and a tap that a 429 closes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlanRateLimits } from '../../src/plan/types.ts';
import type { RateGate } from '../../src/resilience/port.ts';
import { createRateGates } from '../../src/resilience/rate-gates.ts';
import { createSimulatedClock, type SimulatedClock } from '../support/simulated-clock.ts';

const MINUTE = 60_000;
const limits = (requests: number | null, tokens: number | null = null, perMs = MINUTE): PlanRateLimits => ({
  requests: requests === null ? null : { amount: requests, perMs },
  tokens: tokens === null ? null : { amount: tokens, perMs },
});
const forever = new AbortController().signal;

function open(wanted: PlanRateLimits): {
  clock: SimulatedClock;
  gate: RateGate;
  change: (to: PlanRateLimits) => void;
} {
  const clock = createSimulatedClock();
  const gates = createRateGates({ clock });
  return { clock, gate: gates.get('openai', wanted), change: (to) => void gates.get('openai', to) };
}

/** Callers in order; when each was let in. */
function queueUp(
  clock: SimulatedClock,
  gate: RateGate,
  count: number,
  tokens = 1,
): { at: number[]; order: number[] } {
  const seen = { at: [] as number[], order: [] as number[] };
  for (let caller = 0; caller < count; caller += 1) {
    void gate.wait(tokens, Number.POSITIVE_INFINITY, forever).then((admitted) => {
      if (!admitted) return;
      seen.at.push(clock.monotonicMs());
      seen.order.push(caller);
    });
  }
  return seen;
}

/** The most that falls in any window of that width; each entry is [time, amount]. */
function mostInAnyWindow(taken: readonly (readonly [number, number])[], perMs: number): number {
  let most = 0;
  for (const [start] of taken) {
    let sum = 0;
    for (const [at, amount] of taken) if (at >= start && at < start + perMs) sum += amount;
    most = Math.max(most, sum);
  }
  return most;
}

describe('configured limits', () => {
  it('lets a burst of callers in no faster than the limit, in the order of their arrival', async () => {
    const { clock, gate } = open(limits(10));
    const seen = queueUp(clock, gate, 35);
    await clock.runUntilIdle();
    expect(seen.order).toEqual(Array.from({ length: 35 }, (_, caller) => caller));
    expect(
      mostInAnyWindow(
        seen.at.map((at) => [at, 1]),
        MINUTE,
      ),
    ).toBe(10);
    expect(seen.at.at(-1)).toBeLessThan(3.1 * MINUTE);
  });

  it('never lets more through in any window than the limit, whatever the arrivals', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(20_000), fc.integer({ min: 1, max: 60 })), { minLength: 1, maxLength: 60 }),
        async (arrivals) => {
          const { clock, gate } = open(limits(8, 100));
          const taken: [number, number][] = [];
          for (const [pauseMs, tokens] of arrivals) {
            await clock.advance(pauseMs);
            void gate
              .wait(tokens, Number.POSITIVE_INFINITY, forever)
              .then(() => taken.push([clock.monotonicMs(), tokens]));
          }
          await clock.runUntilIdle(7 * 86_400_000);
          expect(taken).toHaveLength(arrivals.length);
          expect(
            mostInAnyWindow(
              taken.map(([at]) => [at, 1]),
              MINUTE,
            ),
          ).toBeLessThanOrEqual(8);
          expect(mostInAnyWindow(taken, MINUTE)).toBeLessThanOrEqual(100);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('says how long until there is room, and there is room then', async () => {
    const { clock, gate } = open(limits(2));
    gate.take(1);
    await clock.advance(20_000);
    gate.take(1);
    const delay = gate.delayMs(1);
    expect(delay).toBeGreaterThan(39_000);
    expect(delay).toBeLessThanOrEqual(42_000);
    await clock.advance(delay - 1);
    expect(gate.delayMs(1)).toBeGreaterThan(0);
    await clock.advance(1);
    expect(gate.delayMs(1)).toBe(0);
  });

  it('lets a call through that is larger than the whole limit, once the window is empty', async () => {
    const { clock, gate } = open(limits(null, 1_000));
    gate.take(10);
    expect(gate.delayMs(5_000)).toBeGreaterThan(0);
    await clock.advance(62_000);
    expect(gate.delayMs(5_000)).toBe(0);
  });

  it('counts the true tokens once they are known, in the window in which they were taken', async () => {
    const { clock, gate } = open(limits(null, 1_000));
    const takenAt = gate.take(900);
    await clock.advance(30_000);
    gate.correct(900, 100, takenAt);
    expect(gate.delayMs(900)).toBe(0);
    gate.take(900);
    // The corrected hundred leaves first; what came with it does not give room twice.
    await clock.advance(32_000);
    expect(gate.headroom().tokens).toBeCloseTo(0.1);
  });

  it('lets the next in line in as soon as a correction makes room', async () => {
    const { clock, gate } = open(limits(null, 1_000));
    const takenAt = gate.take(1_000);
    const seen = queueUp(clock, gate, 1, 500);
    await clock.advance(5_000);
    expect(seen.at).toEqual([]);
    gate.correct(1_000, 200, takenAt);
    await clock.flush();
    expect(seen.at).toEqual([5_000]);
  });

  it('takes back what a call that was not made had taken', async () => {
    const { gate } = open(limits(1, 100));
    const takenAt = gate.take(100);
    expect(gate.delayMs(1)).toBeGreaterThan(0);
    gate.release(100, takenAt);
    expect(gate.delayMs(100)).toBe(0);
  });

  it('has no limit where none is configured', () => {
    const { gate } = open(limits(null));
    for (let call = 0; call < 10_000; call += 1) gate.take(1_000);
    expect(gate.delayMs(1_000_000)).toBe(0);
    expect(gate.headroom()).toEqual({ requests: null, tokens: null, closedForMs: 0 });
  });

  it('INV-7: a changed limit goes on from what was taken, and lets in who has room now', async () => {
    const { clock, gate, change } = open(limits(5));
    for (let call = 0; call < 5; call += 1) gate.take(1);
    const seen = queueUp(clock, gate, 3);
    change(limits(7));
    await clock.flush();
    expect(seen.order).toEqual([0, 1]);
    change(limits(100, null, 30_000));
    await clock.flush();
    expect(seen.order).toEqual([0, 1, 2]);
    expect(gate.headroom().requests).toBeCloseTo(0.92);
  });
});

it('INV-7: limits that a rollback takes away are gone once nobody asks for them, and not before', async () => {
  const before = limits(null);
  const { clock, gate, change } = open(before);
  change(limits(1));
  gate.take(1);
  change(before);
  expect(gate.delayMs(1)).toBeGreaterThan(0);
  await clock.advance(5_000);
  change(before);
  expect(gate.delayMs(1)).toBe(0);
});

describe('waiting', () => {
  it('resolves false at the deadline, and leaves the line', async () => {
    const { clock, gate } = open(limits(1));
    gate.take(1);
    const waiting = gate.wait(1, 5_000, forever);
    await clock.advance(5_000);
    expect(await waiting).toBe(false);
    expect(clock.pendingTimers()).toBe(0);
    await clock.advance(56_000);
    expect(gate.delayMs(1)).toBe(0);
  });

  it('resolves false at once when aborted, and takes nothing', async () => {
    const { clock, gate } = open(limits(1));
    gate.take(1);
    const controller = new AbortController();
    const waiting = gate.wait(1, Number.POSITIVE_INFINITY, controller.signal);
    const behind = queueUp(clock, gate, 1);
    controller.abort();
    expect(await waiting).toBe(false);
    await clock.runUntilIdle();
    expect(behind.order).toEqual([0]);
    expect(behind.at[0]).toBeLessThanOrEqual(61_000);
    expect(await gate.wait(1, Number.POSITIVE_INFINITY, controller.signal)).toBe(false);
  });

  it('lets a smaller call in when the larger one before it gives up', async () => {
    const { clock, gate } = open(limits(null, 100));
    gate.take(50);
    const controller = new AbortController();
    void gate.wait(90, Number.POSITIVE_INFINITY, controller.signal);
    const behind = queueUp(clock, gate, 1, 50);
    await clock.flush();
    expect(behind.order).toEqual([]);
    controller.abort();
    await clock.flush();
    expect(behind.order).toEqual([0]);
  });

  it('never tells a newcomer that it may go now while others wait', async () => {
    const { clock, gate } = open(limits(null, 100));
    gate.take(50);
    queueUp(clock, gate, 1, 90);
    expect(gate.delayMs(10)).toBeGreaterThan(0);
  });

  it('answers at once when there is room', async () => {
    const { clock, gate } = open(limits(1));
    expect(await gate.wait(1, 0, forever)).toBe(true);
    expect(await gate.wait(1, clock.monotonicMs(), forever)).toBe(false);
  });

  it('INV-14: ten thousand waiters that give up leave nothing behind', async () => {
    const { clock, gate } = open(limits(1));
    gate.take(1);
    const controller = new AbortController();
    const all = Array.from({ length: 10_000 }, () => gate.wait(1, 1_000_000, controller.signal));
    controller.abort();
    expect((await Promise.all(all)).some(Boolean)).toBe(false);
    expect(clock.pendingTimers()).toBe(0);
  });
});

describe("the provider's word", () => {
  const nothing = { closedForMs: null, headroom: [] };

  it('closes the tap for as long as a 429 says', async () => {
    const { clock, gate } = open(limits(null));
    gate.observe({ ...nothing, closedForMs: 2_000, refused: true });
    expect(gate.delayMs(1)).toBe(2_000);
    expect(gate.headroom().closedForMs).toBe(2_000);
    const seen = queueUp(clock, gate, 1);
    await clock.runUntilIdle();
    expect(seen.at).toEqual([2_000]);
  });

  it('lets callers in one by one after a 429, at half the pace that was refused, and faster as time goes by', async () => {
    const { clock, gate } = open(limits(null));
    for (let call = 0; call < 100; call += 1) {
      gate.take(1);
      await clock.advance(50);
    }
    gate.observe({ ...nothing, closedForMs: 1_000, refused: true });
    const seen = queueUp(clock, gate, 2_000);
    await clock.runUntilIdle();
    const within = (fromMs: number, toMs: number): number =>
      seen.at.filter((at) => at >= fromMs && at < toMs).length;
    expect(within(5_000, 6_000)).toBe(0);
    // Twenty a second were made, so the first measure of them, five seconds' worth, gives six to seven.
    expect(within(6_000, 7_000)).toBeGreaterThan(4);
    expect(within(6_000, 7_000)).toBeLessThan(10);
    expect(within(66_000, 67_000)).toBeGreaterThan(1.7 * within(6_000, 7_000));
  });

  it('forgets the pace after three minutes without a further 429', async () => {
    const { clock, gate } = open(limits(null));
    gate.observe({ ...nothing, closedForMs: 1_000, refused: true });
    await clock.advance(2_000);
    gate.take(1);
    expect(gate.delayMs(1)).toBeGreaterThan(0);
    await clock.advance(180_000);
    for (let call = 0; call < 1_000; call += 1) gate.take(1);
    expect(gate.delayMs(1)).toBe(0);
  });

  it('closes it for longer each time when a 429 names no time, and starts again after an answer', async () => {
    const { clock, gate } = open(limits(null));
    const pauses: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      gate.observe({ ...nothing, refused: true });
      pauses.push(gate.delayMs(1));
      await clock.advance(gate.delayMs(1));
    }
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    gate.observe(nothing);
    gate.observe({ ...nothing, refused: true });
    expect(gate.delayMs(1)).toBe(500);
  });

  it('takes the refusals of calls that were under way together for one', () => {
    const { gate } = open(limits(null));
    for (let call = 0; call < 32; call += 1) gate.observe({ ...nothing, refused: true });
    expect(gate.delayMs(1)).toBe(500);
  });

  it('is not opened by the success of a call from before', () => {
    const { gate } = open(limits(null));
    gate.observe({ ...nothing, closedForMs: 5_000, refused: true });
    gate.observe(nothing);
    expect(gate.delayMs(1)).toBe(5_000);
  });

  it('holds calls back when the headers say that nothing is left, until it has refilled enough', async () => {
    const { clock, gate } = open(limits(null));
    gate.observe({
      closedForMs: null,
      headroom: [{ kind: 'requests', limit: 60, remaining: 0, resetsInMs: 60_000 }],
    });
    expect(gate.delayMs(1)).toBe(1_000);
    await clock.advance(1_000);
    expect(gate.delayMs(1)).toBe(0);
    gate.take(1);
    expect(gate.delayMs(1)).toBeGreaterThan(0);
  });

  it('counts its own calls against what is left before the next answer says so', () => {
    const { gate } = open(limits(null));
    gate.observe({
      closedForMs: null,
      headroom: [{ kind: 'tokens', limit: 1_000, remaining: 300, resetsInMs: 60_000 }],
    });
    expect(gate.delayMs(200)).toBe(0);
    gate.take(200);
    expect(gate.delayMs(200)).toBeGreaterThan(0);
    expect(gate.headroom().tokens).toBeCloseTo(0.1);
  });

  it('forgets the headers once their time is over', async () => {
    const { clock, gate } = open(limits(null));
    gate.observe({
      closedForMs: null,
      headroom: [
        { kind: 'requests', limit: null, remaining: 0, resetsInMs: 500 },
        { kind: 'inputTokens', limit: 10, remaining: 0, resetsInMs: null },
      ],
    });
    expect(gate.delayMs(1)).toBeGreaterThan(0);
    await clock.advance(60_000);
    expect(gate.delayMs(1)).toBe(0);
    expect(gate.headroom()).toEqual({ requests: null, tokens: null, closedForMs: 0 });
  });

  it('believes a Retry-After for an hour, and no longer; and one that is no number not at all', () => {
    const { gate } = open(limits(null));
    gate.observe({ ...nothing, closedForMs: Number.NaN, refused: true });
    expect(gate.delayMs(1)).toBe(500);
    gate.observe({ ...nothing, closedForMs: 10 * 365 * 86_400_000, refused: true });
    expect(gate.delayMs(1)).toBe(3_600_000);
  });

  it('asks no timer for more time than a timer can hold', () => {
    const asked: number[] = [];
    const clock = {
      nowMs: () => 0,
      monotonicMs: () => 0,
      after: (ms: number) => (asked.push(ms), () => undefined),
    };
    const far = createRateGates({ clock }).get('openai', limits(null));
    far.observe({ ...nothing, closedForMs: 90 * 86_400_000, refused: true });
    void far.wait(1, Number.POSITIVE_INFINITY, forever);
    expect(Math.max(...asked)).toBeLessThan(2 ** 31);
  });

  it('lets in those who wait when an answer brings good news', async () => {
    const { clock, gate } = open(limits(null));
    const told = (remaining: number): void =>
      gate.observe({
        closedForMs: null,
        headroom: [{ kind: 'requests', limit: 10, remaining, resetsInMs: 600_000 }],
      });
    told(0);
    const seen = queueUp(clock, gate, 2);
    await clock.advance(1_000);
    told(5);
    await clock.flush();
    expect(seen.at).toEqual([1_000, 1_000]);
  });
});
