// What a provider says of its limits: headers that tell what is left, and a tap that a 429 closes.
import { describe, expect, it } from 'vitest';
import { createRateGates } from '../../../src/engine/resilience/rate-gates.ts';
import { forever, limits, openGate, queueUp } from './gate-driver.ts';

describe("the provider's word", () => {
  const nothing = { closedForMs: null, headroom: [] };

  it('closes the tap for as long as a 429 says', async () => {
    const { clock, gate } = openGate(limits(null));
    gate.observe({ ...nothing, closedForMs: 2_000, refused: true });
    expect(gate.delayMs(1)).toBe(2_000);
    expect(gate.headroom().closedForMs).toBe(2_000);
    const seen = queueUp(clock, gate, 1);
    await clock.runUntilIdle();
    expect(seen.at).toEqual([2_000]);
  });

  it('lets those in who came late when the hour is over for which a longer word is believed', async () => {
    const { clock, gate } = openGate(limits(null));
    gate.observe({ ...nothing, closedForMs: 5 * 86_400_000, refused: true });
    await clock.advance(50 * 60_000);
    const seen = queueUp(clock, gate, 1);
    await clock.runUntilIdle(7_200_000);
    expect(seen.at).toEqual([3_600_000]);
  });

  it('lets callers in one by one after a 429, at half the pace that was refused, and faster as time goes by', async () => {
    const { clock, gate } = openGate(limits(null));
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
    // Twenty a second were made: ten are.
    expect(within(6_000, 7_000)).toBeGreaterThan(8);
    expect(within(6_000, 7_000)).toBeLessThan(13);
    expect(within(66_000, 67_000)).toBeGreaterThan(1.7 * within(6_000, 7_000));
  });

  it('forgets the pace after three minutes without a further 429', async () => {
    const { clock, gate } = openGate(limits(null));
    gate.observe({ ...nothing, closedForMs: 1_000, refused: true });
    await clock.advance(2_000);
    gate.take(1);
    expect(gate.delayMs(1)).toBeGreaterThan(0);
    await clock.advance(180_000);
    for (let call = 0; call < 1_000; call += 1) gate.take(1);
    expect(gate.delayMs(1)).toBe(0);
  });

  it('closes it for longer each time when a 429 names no time, and starts again after an answer', async () => {
    const { clock, gate } = openGate(limits(null));
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
    const { gate } = openGate(limits(null));
    for (let call = 0; call < 32; call += 1) gate.observe({ ...nothing, refused: true });
    expect(gate.delayMs(1)).toBe(500);
  });

  it('is not opened by the success of a call from before', () => {
    const { gate } = openGate(limits(null));
    gate.observe({ ...nothing, closedForMs: 5_000, refused: true });
    gate.observe(nothing);
    expect(gate.delayMs(1)).toBe(5_000);
  });

  it('holds calls back when the headers say that nothing is left, until it has refilled enough', async () => {
    const { clock, gate } = openGate(limits(null));
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
    const { gate } = openGate(limits(null));
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
    const { clock, gate } = openGate(limits(null));
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
    const { gate } = openGate(limits(null));
    gate.observe({ ...nothing, closedForMs: Number.NaN, refused: true });
    expect(gate.delayMs(1)).toBe(500);
    gate.observe({ ...nothing, closedForMs: 10 * 365 * 86_400_000, refused: true });
    expect(gate.delayMs(1)).toBe(3_600_000);
  });

  it('tells on what a Retry-After of days says, and lets one try after an hour all the same', async () => {
    const { gate, clock } = openGate(limits(null));
    gate.observe({ ...nothing, closedForMs: 86_400_000, refused: true });
    expect(gate.delayMs(1)).toBe(86_400_000);
    await clock.advance(3_599_000);
    expect(gate.delayMs(1)).toBe(86_400_000 - 3_599_000);
    await clock.advance(1_000);
    expect(gate.delayMs(1)).toBe(0);
    gate.observe({ ...nothing, closedForMs: 5_000, refused: true });
    expect(gate.delayMs(1)).toBe(5_000);
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
    const { clock, gate } = openGate(limits(null));
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
