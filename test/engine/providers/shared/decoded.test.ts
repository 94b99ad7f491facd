// Answers that come compressed, as servers compress them.
import { Readable } from 'node:stream';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decoded } from '../../../../src/engine/providers/shared/decoded.ts';
import { WireHeaders } from '../../../../src/engine/providers/shared/wire-headers.ts';

const answer = (coding: string, bytes: Buffer, type = 'application/json') =>
  decoded(
    {
      status: 200,
      headers: new WireHeaders({ 'content-encoding': coding, 'content-type': type }),
      text: () => Promise.reject(new Error('it is read packed')),
      body: () => Readable.from([bytes.subarray(0, 3), bytes.subarray(3)]),
    },
    1_000,
  );

describe('an answer that comes compressed', () => {
  const text = '{"a":"café"}';

  it.each([
    ['deflate', zlib.deflateSync(text)],
    ['deflate', zlib.deflateRawSync(text)],
    ['deflate', Buffer.concat([zlib.deflateSync(text), Buffer.from('\r\n')])],
    ['GZIP, br', zlib.brotliCompressSync(zlib.gzipSync(text))],
  ])(
    'is unpacked, with the wrapper of its coding or without, also where more comes behind its end: %s',
    async (coding, bytes) => {
      expect(await answer(coding, bytes).text()).toBe(text);
    },
  );

  it('is read in the charset that it says', async () => {
    const bytes = zlib.gzipSync(Buffer.from(text, 'latin1'));
    expect(await answer('gzip', bytes, 'application/json; charset=iso-8859-1').text()).toBe(text);
  });

  it.each([
    ['gzip', Buffer.from(text)],
    ['deflate', Buffer.from(text)],
    ['gzip', zlib.gzipSync(text).subarray(0, 20)],
    ['br', zlib.brotliCompressSync(text).subarray(0, 8)],
    ['lzma', Buffer.from(text)],
  ])('and does not unpack as %s is told by its content-encoding', async (coding, bytes) => {
    await expect(answer(coding, bytes).text()).rejects.toThrow(`content-encoding ${coding}`);
  });

  it('that unpacks to more than may be is not unpacked further (INV-14)', async () => {
    for (const pack of [zlib.deflateSync, zlib.deflateRawSync])
      await expect(answer('deflate', pack('x'.repeat(5_000))).text()).rejects.toThrow('more than 1000 bytes');
  });
});
