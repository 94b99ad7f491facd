// The channel between who writes events and who reads them.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Channel } from '../../../../src/server/graphql/live/channel.ts';

function channel(
  limit = 3,
  merge?: (last: number, next: number) => number | undefined,
): { readonly channel: Channel<number>; readonly closed: string[] } {
  const closed: string[] = [];
  return {
    closed,
    channel: new Channel<number>({
      limit,
      overflow: () => new Error('too slow'),
      onClose: (reason) => closed.push(reason),
      ...(merge === undefined ? {} : { merge }),
    }),
  };
}

describe('a channel', () => {
  it('gives values in order, those that waited first, and ends after the last', async () => {
    const { channel: one, closed } = channel();
    one.push(1);
    one.push(2);
    one.end();
    one.push(3);
    expect([await one.next(), await one.next(), await one.next()]).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
      { done: true, value: undefined },
    ]);
    expect(closed).toEqual(['writer']);
  });

  it('drops a reader for whom too much waits, with the reason, and forgets what waited', async () => {
    const { channel: one, closed } = channel();
    for (const value of [1, 2, 3, 4, 5]) one.push(value);
    expect([one.waiting, closed]).toEqual([0, ['dropped']]);
    await expect(one.next()).rejects.toThrow('too slow');
    expect(await one.next()).toEqual({ done: true, value: undefined });
  });

  it('keeps no more than one value where values can be made one', async () => {
    const { channel: one } = channel(1, (_last, next) => next);
    for (let value = 0; value < 1000; value += 1) one.push(value);
    expect([one.waiting, (await one.next()).value]).toEqual([1, 999]);
  });

  it('fails after what waited', async () => {
    const { channel: one } = channel();
    one.push(1);
    one.fail(new Error('broken'));
    expect((await one.next()).value).toBe(1);
    await expect(one.next()).rejects.toThrow('broken');
  });

  it('fails a reader that waits', async () => {
    const { channel: one } = channel();
    const waiting = one.next();
    one.fail(new Error('broken'));
    await expect(waiting).rejects.toThrow('broken');
  });

  it('never loses, doubles or reorders a value, however reads and writes are mixed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 60 }), async (writes) => {
        const { channel: one } = channel(100);
        const reads: Promise<IteratorResult<number, undefined>>[] = [];
        let written = 0;
        for (const write of writes) {
          if (write) one.push(written++);
          else reads.push(one.next());
        }
        one.end();
        const read = (await Promise.all(reads)).flatMap(({ value }) => value ?? []);
        for await (const value of one) read.push(value);
        expect(read).toEqual(Array.from({ length: written }, (_, index) => index));
      }),
    );
  });
});
