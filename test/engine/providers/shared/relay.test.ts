// A relayed stream: when it is over, and what of it was seen.
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chatReader } from '../../../../src/engine/providers/openai/chat.ts';
import { relay } from '../../../../src/engine/providers/shared/relay.ts';
import type { AnswerEnd } from '../../../../src/engine/providers/shared/read-stream.ts';
import { WireHeaders } from '../../../../src/engine/providers/shared/wire-headers.ts';
import { createSimulatedClock } from '../../../support/simulated-clock.ts';

function relayed() {
  const clock = createSimulatedClock();
  const body = new Readable({ read: () => undefined });
  const reader = chatReader();
  const given: string[] = [];
  const ends: AnswerEnd[] = [];
  const whole = relay({
    response: {
      status: 200,
      headers: new WireHeaders({ 'content-type': 'text/event-stream' }),
      text: () => Promise.resolve(''),
      body: () => body,
    },
    reader,
    context: {
      signal: new AbortController().signal,
      onProgress: null,
      receiver: {
        begin: () => undefined,
        write: (piece) => void given.push(Buffer.from(piece as string).toString()),
        learn: () => undefined,
        refused: () => undefined,
      },
    },
    stream: true,
    hidesUsage: false,
    clock,
  }).then((end) => ends.push(end));
  const send = async (index: number, delta: object, finish: string | null = null): Promise<void> => {
    body.push(`data: ${JSON.stringify({ choices: [{ index, delta, finish_reason: finish }] })}\n\n`);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, body, reader, given, ends, send, whole };
}

describe('a stream of several answers', () => {
  it('INV-10: is not over while another of them goes on', async () => {
    const { clock, body, given, ends, send, whole } = relayed();
    await send(0, { content: 'One.' });
    await send(0, {}, 'stop');
    for (const word of ['Two', ' is', ' longer.']) {
      await clock.advance(1_500);
      await send(1, { content: word });
    }
    expect(ends).toEqual([]);
    expect(given.join('')).toContain('longer.');
    await clock.advance(2_000);
    body.push(null);
    await whole;
    expect(ends).toEqual([{ kind: 'complete', notes: [] }]);
  });

  it('INV-1: is seen whole, for what it costs when it is cut', async () => {
    const { body, reader, ends, send, whole } = relayed();
    await send(0, { content: 'One.' });
    await send(1, { content: 'Two.' });
    body.push(null);
    await whole;
    expect(reader.reading.text).toBe('One.Two.');
    expect(ends).toMatchObject([{ kind: 'cut' }]);
  });
});

describe('a relayed stream', () => {
  const event = (delta: object, finish: string | null, end: string): string =>
    `event: x${end}data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}${end}${end}`;

  it('is given on as it came, however its bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), async (cuts) => {
        const { body, given, ends, whole } = relayed();
        const sent = [
          event({ content: 'Grüße' }, null, '\n'),
          event({ content: 'you' }, null, '\r\n'),
          event({}, 'stop', '\n'),
        ].join('');
        const bytes = Buffer.from(sent);
        for (let at = 0, index = 0; at < bytes.length; index += 1) {
          const size = cuts[index % cuts.length] ?? 1;
          body.push(bytes.subarray(at, at + size));
          at += size;
        }
        body.push(null);
        await whole;
        expect(ends).toEqual([{ kind: 'complete', notes: [] }]);
        expect(given.join('')).toBe(sent);
      }),
      { numRuns: 20 },
    );
  });

  it('loses nothing of its first event to a byte order mark', async () => {
    const { body, given, whole } = relayed();
    const sent = event({ content: 'one' }, null, '\n') + event({}, 'stop', '\n');
    body.push(`\uFEFF${sent}`);
    body.push(null);
    await whole;
    expect(given.join('')).toBe(sent);
  });

  it('INV-14: takes an event of many lines and pieces, and one that nests without end, in linear time', async () => {
    const { body, ends, send, whole } = relayed();
    body.push(
      `data: {"choices":[{"index":0,"delta":{"tool_calls":${'['.repeat(50_000)}${']'.repeat(50_000)}}}]}\n\n`,
    );
    for (let index = 0; index < 50_000; index += 1) body.push(': x\n');
    body.push('\n');
    await send(0, { content: 'all' }, null);
    await send(0, {}, 'stop');
    body.push(null);
    await whole;
    expect(ends).toEqual([{ kind: 'complete', notes: [] }]);
  });
});
