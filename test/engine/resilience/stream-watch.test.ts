// Silence in a stream, before the first token and between tokens.
import { describe, expect, it } from 'vitest';
import type { AttemptTimeout } from '../../../src/engine/resilience/port.ts';
import { type StreamWatch, watchStream } from '../../../src/engine/resilience/stream-watch.ts';
import { createSimulatedClock, type SimulatedClock } from '../../support/simulated-clock.ts';

function watch(
  firstTokenMs = 8_000,
  stallMs = 10_000,
): { clock: SimulatedClock; stream: StreamWatch; aborts: AttemptTimeout[] } {
  const clock = createSimulatedClock();
  const aborts: AttemptTimeout[] = [];
  const stream = watchStream({ clock, firstTokenMs, stallMs, abort: (reason) => aborts.push(reason) });
  return { clock, stream, aborts };
}

describe('watchStream', () => {
  it('aborts when no token has come in time, whatever else has', async () => {
    const { clock, stream, aborts } = watch();
    stream.progress('headers');
    await clock.advance(5_000);
    stream.progress('other');
    await clock.advance(2_999);
    expect(aborts).toEqual([]);
    await clock.advance(1);
    expect(aborts).toMatchObject([{ kind: 'first_token', afterMs: 8_000 }]);
  });

  it('INV-10: aborts when a stream falls silent, counted from its last sign of life', async () => {
    const { clock, stream, aborts } = watch();
    for (let token = 0; token < 20; token += 1) {
      stream.progress('token');
      await clock.advance(4_000);
    }
    stream.progress('other');
    await clock.advance(9_999);
    expect(aborts).toEqual([]);
    await clock.advance(1);
    expect(aborts).toMatchObject([{ kind: 'stall', afterMs: 10_000 }]);
  });

  it('notices a stall that is shorter than the wait for the first token', async () => {
    const { clock, stream, aborts } = watch(60_000, 1_000);
    stream.progress('token');
    await clock.advance(1_000);
    expect(aborts).toMatchObject([{ kind: 'stall' }]);
  });

  it('is quiet once the stream has ended, and leaves no timer', async () => {
    const { clock, stream, aborts } = watch();
    stream.progress('token');
    stream.end();
    stream.end();
    stream.progress('token');
    expect(clock.pendingTimers()).toBe(0);
    await clock.advance(100_000);
    expect(aborts).toEqual([]);
  });

  it('sets one timer at a time, however many tokens come', async () => {
    const { clock, stream } = watch();
    for (let token = 0; token < 10_000; token += 1) stream.progress('token');
    expect(clock.pendingTimers()).toBe(1);
    await clock.advance(0);
    expect(clock.pendingTimers()).toBe(1);
  });
});
