// The body of a request, read once, within bounds of its bytes, its depth and its values: what is beyond them is neither kept nor parsed.
import type { IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';
import { inexactNumber, jsonProblemText } from '../common/exact-json.ts';
import { sideBySide } from '../common/side-by-side.ts';
import type { HeldBytes, NoRoom } from './guards/bytes-in-flight.ts';
import { passedJsonLimit } from './guards/json-size.ts';
import type { ServerLimits } from './options.ts';

export type BodyLimits = Pick<ServerLimits, 'maxBodyBytes' | 'maxJsonDepth' | 'maxJsonValues'>;

/** Requests that are read in one turn of the event loop, whoever reads them. */
export const afterReading = sideBySide();

export function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/(graphql\+)?json\s*(;|,|$)/i.test(contentType);
}

/** Rejects with a GraphQLError whose status is 413 for too much, 429 or 503 where the memory for it is taken, 400 for what is not JSON. */
export function readJsonBody(
  request: IncomingMessage,
  limits: BodyLimits,
  held?: HeldBytes,
): Promise<unknown> {
  const declared = Number(request.headers['content-length'] ?? 0);
  const coding = request.headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (coding !== '' && coding !== 'identity') return refused(request, packed(coding));
  if (declared > limits.maxBodyBytes) return refused(request, tooLarge(limits.maxBodyBytes));
  const noRoom = held?.grow(declared);
  if (noRoom !== undefined) return refused(request, noRoomFor(noRoom));
  return readText(request, limits, held, declared).then(parseJson);
}

function parseJson(text: string): unknown {
  const inexact = inexactNumberIn(text);
  if (inexact !== undefined) throw inexact;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw badBody(`The body is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null) throw badBody('The body is JSON, but not an object.');
  return value;
}

function badBody(message: string): GraphQLError {
  return new GraphQLError(message, {
    extensions: {
      code: 'BAD_REQUEST',
      remedy: 'Send {"query": "…", "variables": {…}}.',
      http: { status: 400 },
    },
  });
}

function packed(coding: string): GraphQLError {
  return new GraphQLError(`A body packed as '${coding}' is not read here.`, {
    extensions: { code: 'UNSUPPORTED_ENCODING', remedy: 'Send it plain.', http: { status: 415 } },
  });
}

/** A number is never changed silently: not an identifier of 64 bits either. */
export function inexactNumberIn(text: string): GraphQLError | undefined {
  const problem = inexactNumber(text);
  return problem === undefined
    ? undefined
    : new GraphQLError(`The body cannot be taken: ${jsonProblemText(problem)}.`, {
        extensions: {
          code: 'BAD_USER_INPUT',
          remedy: 'Write it in quotes: fields of the type BigInt take both, and identifiers are best texts.',
          http: { status: 400 },
        },
      });
}

function readText(
  request: IncomingMessage,
  limits: BodyLimits,
  held: HeldBytes | undefined,
  declared: number,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const stop = (error: GraphQLError): void => {
      chunks.length = 0;
      request.removeAllListeners('data');
      drain(request);
      reject(error);
    };
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limits.maxBodyBytes) return stop(tooLarge(limits.maxBodyBytes));
      // In pieces of unknown number, each is asked for when it is there.
      const noRoom = bytes > declared ? held?.grow(chunk.length) : undefined;
      if (noRoom !== undefined) return stop(noRoomFor(noRoom));
      chunks.push(chunk);
    });
    request.on('end', () => {
      const whole = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      const passed = passedJsonLimit(whole, limits);
      if (passed !== undefined) return reject(tooMuchJson(passed, limits[passed]));
      afterReading(() => resolve(whole.toString('utf8')));
    });
    request.on('error', () => reject(clientGone()));
    // Every request closes: the error is made only for those that were not read to their end.
    request.on('close', () => {
      if (!request.readableEnded) reject(clientGone());
    });
  });
}

/** What is still to come of a body that is refused: who sends it reads the answer only then, and a socket that is closed before would be reset under it. */
const MOST_DRAINED_BYTES = 64 * 1024 * 1024;
const DRAIN_MS = 10_000;

function refused(request: IncomingMessage, error: GraphQLError): Promise<never> {
  drain(request);
  return Promise.reject(error);
}

/** Lets the rest of the body run out unread, within bounds. */
export function drain(request: IncomingMessage): void {
  let drained = 0;
  const cut = setTimeout(() => request.destroy(), DRAIN_MS).unref();
  request.on('data', (chunk: Buffer) => {
    drained += chunk.length;
    if (drained > MOST_DRAINED_BYTES) request.destroy();
  });
  request.once('error', () => undefined);
  request.once('close', () => clearTimeout(cut));
  request.once('end', () => clearTimeout(cut));
  request.resume();
}

/** Nobody reads the answer; it is no error of ours, and not one to be logged. */
function clientGone(): GraphQLError {
  return new GraphQLError('The client went away before its request was read.', {
    extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
  });
}

function tooLarge(maxBytes: number): GraphQLError {
  return new GraphQLError(`The body has more than ${maxBytes} bytes.`, {
    extensions: {
      code: 'BODY_TOO_LARGE',
      limit: 'maxBodyBytes',
      remedy: 'Send less, or start the server with a larger limit.',
      http: { status: 413 },
    },
  });
}

export function tooMuchJson(limit: 'maxJsonDepth' | 'maxJsonValues', most: number): GraphQLError {
  const what =
    limit === 'maxJsonDepth' ? `nests deeper than ${most} levels` : `holds more than ${most} values`;
  return new GraphQLError(`The body ${what}.`, {
    extensions: {
      code: 'BODY_TOO_LARGE',
      limit,
      remedy: 'Send it in parts, or as one text that a `parse: json` step reads.',
      http: { status: 413 },
    },
  });
}

function noRoomFor(limit: NonNullable<NoRoom>): GraphQLError {
  const [who, status] =
    limit === 'maxBytesInFlight'
      ? ['This server is reading and answering', 503]
      : ['This caller has under way', 429];
  return new GraphQLError(`${who} as many bytes of requests as it may.`, {
    extensions: {
      code: 'TOO_MANY_BYTES',
      limit,
      remedy: 'Send it again when requests under way have been answered.',
      http: { status, headers: { 'Retry-After': '1' } },
    },
  });
}
