// The body of a request at a door: bytes with a bound, unpacked where they came packed.
import type { IncomingMessage } from 'node:http';
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';
import type { InputType } from 'node:zlib';
import { fail, succeed } from '../../common/outcome.ts';
import type { Outcome } from '../../common/outcome.ts';
import { formatCount } from '../../common/units.ts';
import { ClientBody } from '../../engine/providers/client-body.ts';
import type { HeldBytes } from '../guards/bytes-in-flight.ts';
import { passedJsonLimit } from '../guards/json-size.ts';
import type { JsonLimits } from '../guards/json-size.ts';
import { afterReading, drain } from '../read-body.ts';
import type { DoorRefusal } from './protocol.ts';

export type BodyRead = Outcome<ClientBody, DoorRefusal>;

/** Rejects where the client goes away before its request is read. */
export async function readRequest(
  request: IncomingMessage,
  maxBytes: number,
  limits: JsonLimits,
  held: HeldBytes,
): Promise<BodyRead> {
  const bytes = await readBytes(request, maxBytes, held);
  if ('status' in bytes) return fail(bytes);
  const coding = request.headers['content-encoding']?.trim().toLowerCase() ?? '';
  const unpacked =
    coding === '' || coding === 'identity' ? succeed(bytes) : await unpack(bytes, coding, maxBytes);
  if (!unpacked.ok) return unpacked;
  if (held.grow(Math.max(0, unpacked.value.length - bytes.length)) !== undefined) return fail(NO_ROOM);
  const passed = passedJsonLimit(unpacked.value, limits);
  if (passed !== undefined) return fail(tooMuchJson(passed, limits[passed]));
  const read = ClientBody.read(unpacked.value);
  return read.ok ? read : fail(invalid(`${read.error} Send the request as JSON.`));
}

export function invalid(message: string): DoorRefusal {
  return { status: 400, code: 'invalid_request', message };
}

/** Or why it is not read: what comes beyond a bound is not kept. */
function readBytes(
  request: IncomingMessage,
  maxBytes: number,
  held: HeldBytes,
): Promise<Buffer | DoorRefusal> {
  const declared = Number(request.headers['content-length'] ?? 0);
  const unread = (refusal: DoorRefusal): Promise<DoorRefusal> => {
    drain(request);
    return Promise.resolve(refusal);
  };
  if (declared > maxBytes) return unread(tooLarge(maxBytes));
  if (held.grow(declared) !== undefined) return unread(NO_ROOM);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const stop = (refusal: DoorRefusal): void => {
      chunks.length = 0;
      request.removeAllListeners('data');
      drain(request);
      resolve(refusal);
    };
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) return stop(tooLarge(maxBytes));
      // In pieces of unknown number, each is asked for when it is there.
      if (bytes > declared && held.grow(chunk.length) !== undefined) return stop(NO_ROOM);
      chunks.push(chunk);
    });
    request.on('end', () => {
      const whole = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      afterReading(() => resolve(whole));
    });
    request.on('error', () => reject(new ClientGone()));
    request.on('close', () => {
      if (!request.readableEnded) reject(new ClientGone());
    });
  });
}

/** A moment later there is: what is in flight are bodies that are being read, parsed or answered. */
const NO_ROOM: DoorRefusal = {
  status: 503,
  code: 'too_many_bytes_in_flight',
  message:
    'As many bytes are in flight here, of this caller or in all, as the memory is meant for. Send it again in a moment.',
  headers: { 'retry-after': '1' },
  mayRetry: true,
};

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

function unpack(bytes: Buffer, name: string, maxBytes: number): Promise<Outcome<Buffer, DoorRefusal>> {
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

/** What nests without end, or is a million of nothings, costs far more to look at than to send. */
function tooMuchJson(limit: keyof JsonLimits, most: number): DoorRefusal {
  const what =
    limit === 'maxJsonDepth' ? `nests deeper than ${most} levels` : `holds more than ${most} values`;
  return { status: 413, code: 'request_too_large', message: `The request ${what}. Send it in parts.` };
}

function tooLarge(maxBytes: number): DoorRefusal {
  return {
    status: 413,
    code: 'request_too_large',
    message: `The request has more than the ${formatCount(maxBytes)} bytes that this key may send. Send less, or use a key made with: headgate keys create --max-body 32MB.`,
  };
}
