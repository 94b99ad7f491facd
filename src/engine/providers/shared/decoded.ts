// An answer that comes compressed although it was asked for as it is: some servers and gateways compress whatever they are told.
import { Transform } from 'node:stream';
import type { Duplex, Readable } from 'node:stream';
import zlib from 'node:zlib';
import type { WireResponse } from './http-pool.ts';
import { textOf } from './wire-answer.ts';

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
      return textOf(pieces, response.headers.get('content-type') ?? '');
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
  const chain: readonly Duplex[] = [...decoders.filter((each) => each !== undefined), bounded];
  const all = [body, ...chain];
  for (const each of all) {
    each.on('error', (error) => bounded.destroy(failure(error, what)));
    each.once('close', () => {
      if (!each.readableEnded) bounded.destroy(new Error('the answer was closed before its end'));
    });
  }
  chain.reduce((from: Readable, to) => from.pipe(to), body);
  // Who has read enough lets go of the socket.
  bounded.once('close', () => {
    for (const each of all) each.destroy();
  });
  return bounded;
}

/** What came does not unpack; a connection that broke is told as one. */
function failure(error: NodeJS.ErrnoException, what: string): Error {
  return /^(?:Z_|ERR__?(?:ZLIB|BROTLI|ZSTD)|ZSTD_)/.test(error.code ?? '')
    ? new Undecodable(`${what} cannot be unpacked (${error.code})`)
    : error;
}

/** `deflate` with its wrapper, as it should be, or without, as some servers send it: its first byte tells. */
class Inflated extends Transform {
  #inflate: zlib.Inflate | zlib.InflateRaw | undefined;
  #isOver = false;
  #done: ((error?: Error | null) => void) | undefined;

  override _transform(piece: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    // What comes behind its end is no part of it.
    if (piece.length === 0 || this.#isOver) return done();
    this.#inflate ??= this.#begin(piece);
    this.#done = done;
    this.#inflate.write(piece, (error) => this.#goOn(error));
  }

  override _flush(done: (error?: Error | null) => void): void {
    if (this.#inflate === undefined || this.#isOver) return done();
    this.#done = done;
    this.#inflate.end();
  }

  #goOn(error?: Error | null): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(error);
  }

  #begin(piece: Buffer): zlib.Inflate | zlib.InflateRaw {
    const isWrapped = ((piece[0] ?? 0) & 0x0f) === 8;
    const options = { flush: zlib.constants.Z_SYNC_FLUSH };
    const inflate = isWrapped ? zlib.createInflate(options) : zlib.createInflateRaw(options);
    inflate.on('data', (unpackedPiece: Buffer) => this.push(unpackedPiece));
    inflate.on('error', (error) => this.destroy(error));
    // It calls nobody back whose piece goes on behind its end.
    inflate.once('end', () => {
      this.#isOver = true;
      this.#goOn();
    });
    return inflate;
  }
}

function decoder(coding: string): Transform | undefined {
  // Each gives what it has at once: a stream's events are not to wait for more of them.
  const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH } = zlib.constants;
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip({ flush: Z_SYNC_FLUSH });
    case 'deflate':
      return new Inflated();
    case 'br':
      return zlib.createBrotliDecompress({ flush: BROTLI_OPERATION_FLUSH });
    case 'zstd':
      return zlib.createZstdDecompress();
    default:
      return undefined;
  }
}
