// What of a streamed body is handed on together, and when it is left unread.
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readInTurns } from '../../../../src/engine/providers/shared/turns.ts';
import { createSimulatedClock } from '../../../support/simulated-clock.ts';

/** A body that is fed by hand, and what was read of it: a list for each turn. */
function body(restMs?: () => number) {
  const clock = createSimulatedClock();
  const stream = new Readable({ read: () => undefined });
  const turns: string[][] = [];
  let chunks: string[] = [];
  readInTurns(stream, {
    clock,
    restMs,
    onChunk: (chunk) => chunks.push(chunk.toString()),
    onTurn: () => {
      turns.push(chunks);
      chunks = [];
    },
  });
  const send = async (...texts: readonly string[]): Promise<void> => {
    for (const text of texts) stream.push(text);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, stream, turns, send };
}

describe('a streamed body', () => {
  it('hands on together what came together', async () => {
    const { turns, send } = body();
    await send('a', 'b', 'c');
    await send('d');
    expect(turns).toEqual([['a', 'b', 'c'], ['d']]);
  });

  it('is left unread for as long as it is told, and then gives all that has come meanwhile', async () => {
    const { clock, turns, send } = body(() => 100);
    await send('a');
    await send('b');
    await send('c');
    expect(turns).toEqual([['a']]);
    await clock.advance(99);
    expect(turns).toHaveLength(1);
    await clock.advance(1);
    await send();
    expect(turns.flat()).toEqual(['a', 'b', 'c']);
    expect(turns).toHaveLength(2);
  });

  it('ends no sooner than what was unread has been given', async () => {
    const { clock, stream, turns, send } = body(() => 100);
    let isOver = false;
    stream.once('end', () => (isOver = true));
    await send('a');
    stream.push('b');
    await send();
    stream.push(null);
    await send();
    expect(isOver).toBe(false);
    await clock.advance(100);
    await send();
    expect(turns.flat()).toEqual(['a', 'b']);
    await clock.advance(100);
    await send();
    expect(isOver).toBe(true);
  });
});
