// An answer that comes compressed although it was asked for as it is: some servers and gateways compress whatever they are told.
import { pipeline, Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import zlib from 'node:zlib';
import type { WireResponse } from './http-pool.ts';

/** What it would have been without its coding. `mostBytes`: unpacked; a small body may be made to unpack without end (INV-14). */
export function decoded(response: WireResponse, mostBytes: number): WireResponse {
  const coding = response.headers.get('content-encoding')?.trim().toLowerCase() ?? '';
  const codings = coding.split(/\s*,\s*/).filter((name) => name !== '' && name !== 'identity');
  if (codings.length === 0) return response;
  const body = (): Readable => unpacked(response.body(), codings, mostBytes);
  return {
    status: response.status,
    headers: response.headers,
    body,
    async text() {
      const pieces: Buffer[] = [];
      for await (const piece of body()) pieces.push(piece as Buffer);
      return Buffer.concat(pieces).toString('utf8');
    },
  };
}

/** It cannot be read, whoever asks again. */
export class Undecodable extends Error {
  override readonly name = 'Undecodable';
}

function unpacked(body: Readable, codings: readonly string[], mostBytes: number): Readable {
  let left = mostBytes;
  const bounded = new Transform({
    transform(piece: Buffer, _encoding, done) {
      left -= piece.length;
      if (left >= 0) done(null, piece);
      else done(new Undecodable(`the answer unpacks to more than ${mostBytes} bytes`));
    },
  });
  const what = `the answer's content-encoding ${codings.join(', ')}`;
  // The last one was applied last.
  const decoders = codings.toReversed().map((name) => decoder(name));
  if (decoders.some((each) => each === undefined)) {
    body.destroy();
    bounded.destroy(new Undecodable(`${what} is not one that can be unpacked here`));
    return bounded;
  }
  const chain = [body, ...decoders.filter((each) => each !== undefined), bounded];
  pipeline(chain, (error) => {
    const code = (error as { code?: unknown } | null | undefined)?.code;
    // What came does not unpack; a connection that broke is told as one.
    if (typeof code === 'string' && /^(?:Z_|ERR__?(?:ZLIB|BROTLI|ZSTD)|ZSTD_)/.test(code))
      bounded.destroy(new Undecodable(`${what} cannot be unpacked (${code})`));
  });
  return bounded;
}

function decoder(coding: string): Transform | undefined {
  // Each gives what it has at once: a stream's events are not to wait for more of them.
  const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH } = zlib.constants;
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip({ flush: Z_SYNC_FLUSH });
    case 'deflate':
      return zlib.createInflate({ flush: Z_SYNC_FLUSH });
    case 'br':
      return zlib.createBrotliDecompress({ flush: BROTLI_OPERATION_FLUSH });
    case 'zstd':
      return zlib.createZstdDecompress();
    default:
      return undefined;
  }
}
