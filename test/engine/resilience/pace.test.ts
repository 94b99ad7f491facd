// The pace after refusals: how far it is lowered, and by what.
import { describe, expect, it } from 'vitest';
import { createPace, type Pace } from '../../../src/engine/resilience/pace.ts';

/** Milliseconds between two calls at the pace of that moment; Infinity-free, 0 when there is none. */
function gapMs(pace: Pace, nowMs: number): number {
  return pace.delayMs(2, nowMs) - pace.delayMs(1, nowMs);
}

/** Ten calls a second for half a minute. */
function busy(): Pace {
  const pace = createPace();
  for (let atMs = 0; atMs < 30_000; atMs += 100) pace.take(atMs);
  return pace;
}

describe('the pace', () => {
  it('is none before a refusal, and half of what was refused after it', () => {
    const pace = busy();
    expect(pace.delayMs(1_000, 30_000)).toBe(0);
    pace.refused(30_000);
    expect(gapMs(pace, 30_000)).toBeGreaterThan(190);
    expect(gapMs(pace, 30_000)).toBeLessThan(210);
  });

  it('is half of what was asked for also when the refusal comes early in a burst', () => {
    const pace = createPace();
    // 400 calls a second, for half a second, after a minute of nothing.
    pace.take(0);
    for (let atMs = 60_000; atMs < 60_500; atMs += 2.5) pace.take(atMs);
    pace.refused(60_500);
    expect(1 / gapMs(pace, 60_500)).toBeGreaterThan(0.15);
    expect(1 / (pace.delayMs(1_001, 60_500) / 1_000)).toBeLessThan(0.25);
  });

  it('counts no call that was not made after all', () => {
    const pace = busy();
    pace.refused(30_000);
    const before = pace.delayMs(1, 30_000);
    pace.take(30_000);
    expect(pace.delayMs(1, 30_000)).toBeGreaterThan(before);
    pace.giveBack(30_000);
    expect(pace.delayMs(1, 30_000)).toBe(before);
  });

  it('is lowered once by refusals of calls that were under way together', () => {
    const pace = busy();
    for (let atMs = 30_000; atMs < 31_000; atMs += 10) pace.refused(atMs);
    expect(gapMs(pace, 31_000)).toBeLessThan(210);
  });

  it('is halved again by a refusal soon after, and lowered less by a later one', () => {
    const soon = busy();
    soon.refused(30_000);
    soon.refused(33_000);
    expect(gapMs(soon, 33_000)).toBeGreaterThan(370);
    const later = busy();
    later.refused(30_000);
    later.refused(60_000);
    // It had grown by the root of two in half a minute, and is at seven tenths of that again.
    expect(gapMs(later, 60_000)).toBeGreaterThan(190);
    expect(gapMs(later, 60_000)).toBeLessThan(210);
  });

  it('is kept by refusals that are few among the calls, and come whatever the pace', () => {
    const pace = createPace();
    let atMs = 0;
    // Three calls in a hundred are refused, for ten minutes, with as many calls as the pace lets through and a hundred a second at most.
    for (let call = 0; atMs < 600_000; call += 1) {
      atMs += Math.max(10, pace.delayMs(1, atMs));
      pace.take(atMs);
      if (call % 33 === 32) pace.refused(atMs);
    }
    expect(gapMs(pace, atMs)).toBeLessThan(50);
  });

  it('is never under one call a second, however many refusals', () => {
    const pace = createPace();
    for (let atMs = 0; atMs < 60_000; atMs += 2_000) pace.refused(atMs);
    expect(gapMs(pace, 58_000)).toBe(1_000);
  });
});
