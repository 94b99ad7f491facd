// Recorded streams of many vendors, cut in every way that a network can cut them: the same answer, and nothing of its text is lost.
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageReader } from '../../../src/engine/providers/anthropic/messages.ts';
import { chatReader } from '../../../src/engine/providers/openai/chat.ts';
import { responsesReader } from '../../../src/engine/providers/openai/responses.ts';
import { readStream } from '../../../src/engine/providers/shared/read-stream.ts';
import type { AnswerReader } from '../../../src/engine/providers/shared/reading.ts';
import { hasSharedData, readSharedData } from '../../support/shared-data.ts';
import { createSimulatedClock } from '../../support/simulated-clock.ts';

interface Recording {
  readonly id: string;
  readonly api: 'chat' | 'responses' | 'anthropic';
  readonly stream: boolean;
  readonly body: string;
}

const READERS: { readonly [api in Recording['api']]: () => AnswerReader } = {
  chat: chatReader,
  responses: responsesReader,
  anthropic: () => messageReader(false),
};

const PART = 'recordings/vercel-ai.ndjson';
const streams = (): readonly Recording[] =>
  readSharedData(PART)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Recording)
    .filter(({ stream }) => stream);

/** What a caller is left with. */
async function read({ id, api }: Recording, pieces: readonly Uint8Array[]) {
  const reader = READERS[api]();
  let heard = '';
  const end = await readStream(
    Readable.from(pieces, { objectMode: true }),
    reader,
    {
      onText: (delta) => (heard += delta),
      onProgress: null,
      restMs: undefined,
      notEvents: () => ({ kind: 'malformed', message: 'no events', mayRetry: false }),
    },
    createSimulatedClock(),
  );
  const { text, model, finishReason, blocked, usage, failure } = reader.reading;
  return { id, end, heard, text, model, finishReason, blocked, usage, failure };
}

/** The text of the events up to the first end, by the protocol's own words and nothing of our reader: one recording holds several answers. */
function textOf({ api, body }: Recording): string {
  let text = '';
  for (const line of body.split(/\r?\n/)) {
    if (!line.startsWith('data:') || !line.includes('{')) continue;
    const data = JSON.parse(line.slice(5)) as {
      readonly type?: string;
      readonly choices?: readonly { readonly delta?: { readonly content?: unknown } }[];
      readonly delta?: { readonly type?: string; readonly text?: string };
    };
    if (data.type === 'message_stop') return text;
    if (api === 'chat') {
      const content = data.choices?.[0]?.delta?.content;
      if (typeof content === 'string') text += content;
      // Mistral: a list of parts, of which some are what it thinks.
      else if (Array.isArray(content))
        for (const part of content as readonly { readonly type: string; readonly text?: string }[])
          text += part.type === 'text' ? (part.text ?? '') : '';
    } else if (data.type === 'content_block_delta' && data.delta?.type === 'text_delta')
      text += data.delta.text ?? '';
  }
  return text;
}

function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const places = [...new Set(at.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...places, bytes.length].map((place, index) => bytes.subarray(places[index - 1] ?? 0, place));
}

describe.skipIf(!hasSharedData(PART))('INV-10: recorded streams', () => {
  it('are the same answer however they are cut, and never a throw', async () => {
    for (const recording of streams()) {
      const bytes = new TextEncoder().encode(recording.body);
      const whole = await read(recording, [bytes]);
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(), { maxLength: 200 }), async (at) => {
          expect(await read(recording, cut(bytes, at))).toEqual(whole);
        }),
        { numRuns: 4 },
      );
      // Byte by byte, as far as that is quick.
      if (bytes.length < 4_000) expect(await read(recording, cut(bytes, [...bytes.keys()]))).toEqual(whole);
    }
  }, 120_000);

  it('lose nothing of their text: what is heard is what the events say', async () => {
    for (const recording of streams()) {
      const { heard, text, end } = await read(recording, [new TextEncoder().encode(recording.body)]);
      if (end.kind !== 'complete') continue;
      expect([recording.id, heard]).toEqual([recording.id, text]);
      if (recording.api !== 'responses')
        expect([recording.id, heard]).toEqual([recording.id, textOf(recording)]);
    }
  }, 60_000);

  it('cut off anywhere before their end are never a shorter success', async () => {
    for (const recording of streams()) {
      const bytes = new TextEncoder().encode(recording.body);
      const { end, text } = await read(recording, [bytes]);
      if (end.kind !== 'complete') continue;
      await fc.assert(
        fc.asyncProperty(fc.double({ min: 0, max: 0.999, noNaN: true }), async (share) => {
          const cutOff = await read(recording, [bytes.subarray(0, Math.floor(bytes.length * share))]);
          if (cutOff.end.kind === 'complete')
            expect([recording.id, cutOff.text]).toEqual([recording.id, text]);
        }),
        { numRuns: 4 },
      );
    }
  }, 120_000);
});
