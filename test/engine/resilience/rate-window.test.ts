// The sliding window by itself: corrections, and what they must not do.
import { describe, expect, it } from 'vitest';
import { createRateWindow } from '../../../src/engine/resilience/rate-window.ts';

const MINUTE = 60_000;

describe('a correction', () => {
  it('gives back no more than was taken at that time', () => {
    const window = createRateWindow({ amount: 100, perMs: MINUTE }, 0);
    window.take(10, 0);
    window.correct(-50, 0, 0);
    window.take(100, 0);
    expect(window.delayMs(1, 0)).toBeGreaterThan(0);
  });

  it('has no effect once its time is out of the window, nor before it has come', () => {
    const window = createRateWindow({ amount: 100, perMs: MINUTE }, 0);
    window.take(100, 0);
    window.correct(50, 0, 2 * MINUTE);
    window.correct(50, 3 * MINUTE, 2 * MINUTE);
    expect(window.left(2 * MINUTE)).toBe(1);
  });

  it('leaves the window when what it corrects does', () => {
    const window = createRateWindow({ amount: 100, perMs: MINUTE }, 0);
    window.take(10, 0);
    window.correct(90, 0, 30_000);
    expect(window.left(30_000)).toBe(0);
    expect(window.left(62_000)).toBe(1);
  });
});
