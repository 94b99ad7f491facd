// The body of a request at a door: bytes with a bound, unpacked where they came packed.
import type { IncomingMessage } from 'node:http';
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';
import type { InputType } from 'node:zlib';
import { fail, succeed } from '../../common/outcome.ts';
import type { Outcome } from '../../common/outcome.ts';
import { formatCount } from '../../common/units.ts';
import { ClientBody } from '../../engine/providers/client-body.ts';
import type { DoorRefusal } from './protocol.ts';

export type BodyRead = Outcome<ClientBody, DoorRefusal>;

/** Rejects where the client goes away before its request is read. */
export async function readRequest(request: IncomingMessage, maxBytes: number): Promise<BodyRead> {
  const bytes = await readBytes(request, maxBytes);
  if (bytes === undefined) return fail(tooLarge(maxBytes));
  const unpacked = await unpack(bytes, request.headers['content-encoding'], maxBytes);
  if (!unpacked.ok) return unpacked;
  const read = ClientBody.read(unpacked.value);
  return read.ok ? read : fail(invalid(`${read.error} Send the request as JSON.`));
}

export function invalid(message: string): DoorRefusal {
  return { status: 400, code: 'invalid_request', message };
}

/** undefined: it has more. What comes beyond it is not kept. */
function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        request.pause();
        request.removeAllListeners('data');
        resolve(undefined);
        return;
      }
      chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('close', () => {
      if (!request.readableEnded) reject(new ClientGone());
    });
  });
}

export class ClientGone extends Error {
  override readonly name = 'ClientGone';
  constructor() {
    super('the client went away before its request was read');
  }
}

type Unpack = (
  bytes: InputType,
  options: { readonly maxOutputLength: number },
  done: (error: Error | null, result: Buffer) => void,
) => void;

const CODINGS: { readonly [coding: string]: Unpack } = {
  gzip: gunzip,
  'x-gzip': gunzip,
  deflate: inflate,
  br: brotliDecompress,
  zstd: zstdDecompress,
};

function unpack(
  bytes: Buffer,
  coding: string | undefined,
  maxBytes: number,
): Promise<Outcome<Buffer, DoorRefusal>> {
  const name = coding?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return Promise.resolve(succeed(bytes));
  const unpacker = Object.hasOwn(CODINGS, name) ? CODINGS[name] : undefined;
  if (unpacker === undefined)
    return Promise.resolve(
      fail({
        status: 415,
        code: 'unsupported_encoding',
        message: `A body packed as '${name}' is not read here. Send it plain, or as ${Object.keys(CODINGS).join(', ')}.`,
      }),
    );
  return new Promise((resolve) => {
    unpacker(bytes, { maxOutputLength: maxBytes }, (error, result) => {
      if (error === null) resolve(succeed(result));
      else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
        resolve(fail(tooLarge(maxBytes)));
      else resolve(fail(invalid(`The body could not be unpacked as ${name}: ${error.message}.`)));
    });
  });
}

function tooLarge(maxBytes: number): DoorRefusal {
  return {
    status: 413,
    code: 'request_too_large',
    message: `The request has more than the ${formatCount(maxBytes)} bytes that this key may send. Send less, or use a key made with: headgate keys create --max-body 32MB.`,
    headers: { Connection: 'close' },
  };
}
