// The reader of server-sent events gives the same events however the bytes are cut.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EventTooLarge,
  isSignOfLife,
  ServerEventReader,
} from '../../../../src/engine/providers/shared/sse.ts';

function read(chunks: readonly Uint8Array[]): { readonly events: string[]; readonly comments: number } {
  const events: string[] = [];
  let comments = 0;
  const reader = new ServerEventReader(
    (data) => events.push(data),
    () => {
      comments += 1;
    },
  );
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return { events, comments };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('the reader of server-sent events', () => {
  it('reads data of one and of several lines, with and without the space', () => {
    expect(read([bytes('data: one\n\ndata:two\ndata: three\n\n')]).events).toEqual(['one', 'two\nthree']);
  });

  it('passes over event names, ids, retry times and unknown fields', () => {
    expect(read([bytes('event: x\nid: 1\nretry: 5\nwhatever\ndata: one\n\n')]).events).toEqual(['one']);
  });

  it('tells of comments, which servers send to keep a connection alive', () => {
    expect(read([bytes(': ping\n\n: PROCESSING\n\ndata: one\n\n')])).toEqual({
      events: ['one'],
      comments: 2,
    });
  });

  it('gives the error that llama.cpp puts into a field of its own', () => {
    const events: unknown[] = [];
    const reader = new ServerEventReader(
      (data, name) => events.push([name, data]),
      () => undefined,
    );
    reader.push(bytes('error: {"code":500}\n\n'));
    expect(events).toEqual([['error', '{"code":500}']]);
  });

  it('tells data that are only a sign of life from data', () => {
    for (const data of ['', ' ', 'null', ': OPENROUTER PROCESSING', 'ping', '[keep-alive]', 'HEARTBEAT'])
      expect([data, isSignOfLife(data)]).toEqual([data, true]);
    for (const data of ['{}', '[DONE]', 'overloaded', 'ping failed', '0'])
      expect([data, isSignOfLife(data)]).toEqual([data, false]);
  });

  it('ends lines at LF, CRLF and CR alike', () => {
    expect(read([bytes('data: a\r\n\r\ndata: b\r\rdata: c\n\n')]).events).toEqual(['a', 'b', 'c']);
  });

  it('gives an event whose blank line never came, for the caller to judge', () => {
    expect(read([bytes('data: {"cut":')]).events).toEqual(['{"cut":']);
  });

  it('dispatches nothing for an event without data', () => {
    expect(read([bytes('event: ping\n\n\n\n')]).events).toEqual([]);
  });

  it('gives the same events wherever the bytes are cut', () => {
    const value = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ' '));
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 8 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 60 }),
        (values, newline, sizes) => {
          const all = bytes(values.map((text) => `data: ${text}${newline}${newline}`).join(''));
          const chunks: Uint8Array[] = [];
          let start = 0;
          for (let index = 0; start < all.length; index += 1) {
            const size = sizes[index % sizes.length] ?? 1;
            chunks.push(all.subarray(start, start + size));
            start += size;
          }
          expect(read(chunks).events).toEqual(values);
        },
      ),
    );
  });

  it('INV-14: refuses an event that never ends', () => {
    const megabyte = new Uint8Array(1_000_000).fill(0x61);
    const reader = new ServerEventReader(
      () => undefined,
      () => undefined,
    );
    expect(() => {
      for (let count = 0; count < 20; count += 1) reader.push(megabyte);
    }).toThrow(EventTooLarge);
  });
});
