// How often running streams are read where the core is short.
import { describe, expect, it } from 'vitest';
import { createStreamPace } from '../../../src/engine/resilience/stream-pace.ts';
import { createSimulatedClock } from '../../support/simulated-clock.ts';

const STALL_MS = 10_000;

/** The rest at each look, one a second. */
async function rests(shares: readonly number[], stallMs = STALL_MS): Promise<readonly number[]> {
  const clock = createSimulatedClock();
  const left = [...shares];
  const pace = createStreamPace(clock, () => left.shift() ?? 0);
  const seen: number[] = [];
  for (const _share of shares) {
    await clock.advance(1_000);
    seen.push(pace.restMs(stallMs));
  }
  return seen;
}

describe('stream pace', () => {
  it('reads streams as they come while the core has room', async () => {
    expect(await rests([0.1, 0.5, 0.89])).toEqual([0, 0, 0]);
  });

  it('leaves running streams alone for longer and longer while the core is short, and no longer than half a second', async () => {
    expect(await rests([0.95, 1, 1, 1, 1, 1, 1])).toEqual([32, 64, 128, 256, 512, 512, 512]);
  });

  it('reads them as often again when there is room, by and by', async () => {
    expect(await rests([1, 1, 1, 0.8, 0.5, 0.5, 0.5, 0.5])).toEqual([32, 64, 128, 128, 64, 32, 0, 0]);
  });

  it('INV-10: leaves no stream alone for more than a small part of the silence that would end it', async () => {
    expect(await rests([1, 1, 1, 1, 1], 400)).toEqual([32, 64, 100, 100, 100]);
  });

  it('looks at most twenty times a second, however many pieces come', async () => {
    const clock = createSimulatedClock();
    let looks = 0;
    const pace = createStreamPace(clock, () => {
      looks += 1;
      return 0.5;
    });
    for (let piece = 0; piece < 1_000; piece += 1) {
      await clock.advance(1);
      pace.restMs(STALL_MS);
    }
    expect(looks).toBeLessThanOrEqual(20);
  });
});
