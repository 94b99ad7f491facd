// Rate gates: never more than the limit in any window, and callers in order.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forever, limits, MINUTE, openGate, queueUp } from './gate-driver.ts';

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
    const { clock, gate } = openGate(limits(10));
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
          const { clock, gate } = openGate(limits(8, 100));
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
    const { clock, gate } = openGate(limits(2));
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
    const { clock, gate } = openGate(limits(null, 1_000));
    gate.take(10);
    expect(gate.delayMs(5_000)).toBeGreaterThan(0);
    await clock.advance(62_000);
    expect(gate.delayMs(5_000)).toBe(0);
  });

  it('counts the true tokens once they are known, in the window in which they were taken', async () => {
    const { clock, gate } = openGate(limits(null, 1_000));
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
    const { clock, gate } = openGate(limits(null, 1_000));
    const takenAt = gate.take(1_000);
    const seen = queueUp(clock, gate, 1, 500);
    await clock.advance(5_000);
    expect(seen.at).toEqual([]);
    gate.correct(1_000, 200, takenAt);
    await clock.flush();
    expect(seen.at).toEqual([5_000]);
  });

  it('takes back what a call that was not made had taken', async () => {
    const { gate } = openGate(limits(1, 100));
    const takenAt = gate.take(100);
    expect(gate.delayMs(1)).toBeGreaterThan(0);
    gate.release(100, takenAt);
    expect(gate.delayMs(100)).toBe(0);
  });

  it('has no limit where none is configured', () => {
    const { gate } = openGate(limits(null));
    for (let call = 0; call < 10_000; call += 1) gate.take(1_000);
    expect(gate.delayMs(1_000_000)).toBe(0);
    expect(gate.headroom()).toEqual({ requests: null, tokens: null, closedForMs: 0 });
  });

  it('INV-7: a changed limit goes on from what was taken, and lets in who has room now', async () => {
    const { clock, gate, change } = openGate(limits(5));
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
  const { clock, gate, change } = openGate(before);
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
    const { clock, gate } = openGate(limits(1));
    gate.take(1);
    const waiting = gate.wait(1, 5_000, forever);
    await clock.advance(5_000);
    expect(await waiting).toBe(false);
    expect(clock.pendingTimers()).toBe(0);
    await clock.advance(56_000);
    expect(gate.delayMs(1)).toBe(0);
  });

  it('resolves false at once when aborted, and takes nothing', async () => {
    const { clock, gate } = openGate(limits(1));
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
    const { clock, gate } = openGate(limits(null, 100));
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
    const { clock, gate } = openGate(limits(null, 100));
    gate.take(50);
    queueUp(clock, gate, 1, 90);
    expect(gate.delayMs(10)).toBeGreaterThan(0);
  });

  it('counts for a newcomer those who wait, and no longer those who have given up', async () => {
    const { clock, gate } = openGate(limits(null, 100));
    gate.take(40);
    await clock.advance(30_000);
    gate.take(55);
    const controller = new AbortController();
    void gate.wait(90, Number.POSITIVE_INFINITY, controller.signal);
    queueUp(clock, gate, 1, 10);
    expect(gate.delayMs(1)).toBeGreaterThan(55_000);
    controller.abort();
    expect(gate.delayMs(1)).toBeLessThan(35_000);
  });

  it('answers at once when there is room', async () => {
    const { clock, gate } = openGate(limits(1));
    expect(await gate.wait(1, 0, forever)).toBe(true);
    expect(await gate.wait(1, clock.monotonicMs(), forever)).toBe(false);
  });

  it('INV-14: ten thousand waiters that give up leave nothing behind', async () => {
    const { clock, gate } = openGate(limits(1));
    gate.take(1);
    const controller = new AbortController();
    const all = Array.from({ length: 10_000 }, () => gate.wait(1, 1_000_000, controller.signal));
    controller.abort();
    expect((await Promise.all(all)).some(Boolean)).toBe(false);
    expect(clock.pendingTimers()).toBe(0);
  });
});
