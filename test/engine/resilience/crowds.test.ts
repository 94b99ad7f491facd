// Crowds: thousands of callers at one policy or one gate, with some that give up, and nobody starved, flooded or forgotten.
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/common/random.ts';
import { sleep } from '../../../src/common/clock.ts';
import { createPolicies } from '../../../src/engine/resilience/policies.ts';
import type { CallHealth } from '../../../src/engine/resilience/port.ts';
import { createRateGates } from '../../../src/engine/resilience/rate-gates.ts';
import { createSimulatedClock } from '../../support/simulated-clock.ts';
import { settings } from './settings.ts';

const MINUTE = 60_000;

describe('a crowd at the bulkhead', () => {
  it('is served in order of arrival, none twice, none never, and never too many at a time', async () => {
    const clock = createSimulatedClock();
    const random = seededRandom(4);
    const policy = createPolicies({ clock, random }).get(
      'p/m',
      settings({ bulkhead: { concurrent: 8, queue: 5_000 } }),
    );
    const started: number[] = [];
    let running = 0;
    let most = 0;
    const callers = Array.from({ length: 5_000 }, async (_, caller) =>
      policy.run(
        async (signal) => {
          started.push(caller);
          running += 1;
          most = Math.max(most, running);
          await sleep(clock, 50 * random(), signal);
          running -= 1;
          return caller;
        },
        { signal: new AbortController().signal, timeoutMs: 30_000, health: (): CallHealth => 'success' },
      ),
    );
    const runs = await clock.settle(Promise.all(callers));
    expect(runs.every(({ kind }) => kind === 'done')).toBe(true);
    expect(started).toEqual(Array.from({ length: 5_000 }, (_, caller) => caller));
    expect(most).toBe(8);
    expect(clock.pendingTimers()).toBe(0);
  });

  it('serves those who stay when most give up', async () => {
    const clock = createSimulatedClock();
    const policy = createPolicies({ clock, random: seededRandom(4) }).get(
      'p/m',
      settings({ bulkhead: { concurrent: 1, queue: 100 } }),
    );
    const call = (patienceMs: number) => {
      const controller = new AbortController();
      clock.after(patienceMs, () => controller.abort());
      return policy.run(
        (signal) =>
          sleep(clock, 1_000, signal).then(
            () => 'served',
            () => 'gone',
          ),
        {
          signal: controller.signal,
          timeoutMs: 30_000,
          health: (value): CallHealth => (value === 'served' ? 'success' : 'ignore'),
        },
      );
    };
    const running = call(MINUTE);
    const impatient = Array.from({ length: 100 }, () => call(100));
    expect((await call(MINUTE)).kind).toBe('refused');
    await clock.advance(200);
    const patient = call(MINUTE);
    expect(policy.queued()).toBe(1);
    await clock.advance(1_800);
    expect(await running).toMatchObject({ value: 'served' });
    expect(await patient).toMatchObject({ kind: 'done', value: 'served', queuedMs: 800 });
    for (const run of impatient) expect((await run).kind).toBe('aborted');
  });
});

describe('a crowd at the gate', () => {
  it('passes at the rate, in order, with everybody served or told in time', async () => {
    const clock = createSimulatedClock();
    const random = seededRandom(9);
    const gate = createRateGates({ clock }).get('p', {
      requests: { amount: 100, perMs: MINUTE },
      tokens: { amount: 50_000, perMs: MINUTE },
    });
    const admittedAt: number[] = [];
    const order: number[] = [];
    const callers = Array.from({ length: 2_000 }, async (_, caller) => {
      const controller = new AbortController();
      const patienceMs = random() < 0.3 ? random() * MINUTE : 30 * MINUTE;
      clock.after(patienceMs, () => controller.abort());
      const tokens = Math.ceil(random() * 900);
      const admitted = await gate.wait(tokens, 10 * MINUTE, controller.signal);
      const waitedMs = clock.monotonicMs();
      if (admitted) {
        admittedAt.push(waitedMs);
        order.push(caller);
      }
      return { admitted, waitedMs, limitMs: Math.min(patienceMs, 10 * MINUTE) };
    });
    const ends = await clock.settle(Promise.all(callers));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(ends.every(({ waitedMs, limitMs }) => waitedMs <= limitMs + 1)).toBe(true);
    // Ten minutes at a hundred requests each, less what the slices of the window and large calls at the head leave unused.
    expect(admittedAt.length).toBeGreaterThan(850);
    for (let index = 100; index < admittedAt.length; index += 1) {
      expect((admittedAt[index] ?? 0) - (admittedAt[index - 100] ?? 0)).toBeGreaterThanOrEqual(MINUTE);
    }
  });

  it('comes back one by one and in order after a 429, never beyond the limit', async () => {
    const clock = createSimulatedClock();
    const gate = createRateGates({ clock }).get('p', { requests: { amount: 5, perMs: 1_000 }, tokens: null });
    gate.observe({ closedForMs: 2_000, refused: true, headroom: [] });
    const at: number[] = [];
    const order: number[] = [];
    for (let caller = 0; caller < 400; caller += 1) {
      void gate.wait(1, 60 * MINUTE, new AbortController().signal).then(() => {
        at.push(clock.monotonicMs());
        order.push(caller);
      });
    }
    await clock.advance(1_999);
    expect(at).toEqual([]);
    await clock.advance(1);
    expect(at).toHaveLength(1);
    await clock.runUntilIdle();
    expect(order).toEqual(Array.from({ length: 400 }, (_, caller) => caller));
    const gaps = at.slice(5).map((later, index) => later - (at[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
    // Once the pace is forgotten, the limit alone is kept.
    expect(at.at(-1)).toBeLessThan(4 * MINUTE);
  });
});
