// The simulated clock keeps the order of timers and settles promises between them.
import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/common/clock.ts';
import { createSimulatedClock } from './simulated-clock.ts';

describe('createSimulatedClock', () => {
  it('runs timers in the order of their due times, and those of one instant in the order they were set', async () => {
    const clock = createSimulatedClock();
    const seen: string[] = [];
    clock.after(20, () => seen.push('c'));
    clock.after(10, () => seen.push('a'));
    clock.after(10, () => seen.push('b'));
    clock.after(10, () => seen.push('cancelled'))();
    await clock.advance(15);
    expect(seen).toEqual(['a', 'b']);
    await clock.advance(5);
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(clock.pendingTimers()).toBe(0);
  });

  it('settles promises between timers, so that a chain of sleeps takes its time', async () => {
    const clock = createSimulatedClock(1_000);
    const seen: number[] = [];
    const work = (async () => {
      for (let round = 0; round < 3; round += 1) {
        await sleep(clock, 100);
        seen.push(clock.nowMs());
      }
    })();
    await clock.advance(250);
    expect(seen).toEqual([1_100, 1_200]);
    await clock.settle(work);
    expect(clock.monotonicMs()).toBe(300);
  });

  it('tells when timers are set for ever', async () => {
    const clock = createSimulatedClock();
    const again = (): void => {
      clock.after(1_000, again);
    };
    again();
    await expect(clock.runUntilIdle(10_000)).rejects.toThrow('still set');
  });
});
