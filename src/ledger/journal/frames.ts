// How the journal writes down a batch: a line that says which operations these are and what they must look like, then the batch.
import { crc32 } from 'node:zlib';
import { HeadgateError } from '../../errors/headgate-error.ts';

/** Changes with what an operation's values mean, so that no version applies what another one wrote differently. */
export const JOURNAL_FORMAT = 3;

export interface Frame {
  /** Numbers of its operations, in the database's life. */
  readonly first: number;
  readonly last: number;
  /** A batch, as `encodeBatch` writes it. */
  readonly text: string;
}

const NAME = 'headgate-journal';
const NEWLINE = 10;

/** `headgate-journal FORMAT FIRST LAST BYTES CRC32`, a newline, the text, a newline. */
export function encodeFrame({ first, last, text }: Frame): Buffer {
  const body = Buffer.from(`${text}\n`);
  const head = Buffer.from(
    `${NAME} ${JOURNAL_FORMAT} ${first} ${last} ${body.length} ${checksum(JOURNAL_FORMAT, first, last, body)}\n`,
  );
  return Buffer.concat([head, body]);
}

function checksum(format: number, first: number, last: number, body: Buffer): number {
  return crc32(body, crc32(`${format} ${first} ${last}`));
}

/**
 * The frames from the beginning on, each following the one before. What a killed process did not finish, and what an earlier round left behind
 * the last frame, ends them: nobody was told that it is written. Throws JOURNAL_NEWER.
 */
export function decodeFrames(bytes: Buffer, path: string): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const endOfHead = bytes.indexOf(NEWLINE, at);
    if (endOfHead === -1) break;
    const [name, ...numbers] = bytes.toString('latin1', at, endOfHead).split(' ');
    if (name !== NAME) break;
    const [format = 0, first = 0, last = 0, length = 0, sum = 0] = numbers.map(Number);
    const body = bytes.subarray(endOfHead + 1, endOfHead + 1 + length);
    const previous = frames.at(-1);
    if (previous !== undefined && first !== previous.last + 1) break;
    if (body.length !== length || checksum(format, first, last, body) !== sum) break;
    if (format !== JOURNAL_FORMAT) throw newer(path);
    frames.push({ first, last, text: body.toString('utf8', 0, length - 1) });
    at = endOfHead + 1 + length;
  }
  return frames;
}

function newer(path: string): HeadgateError {
  return new HeadgateError(
    'JOURNAL_NEWER',
    `The journal ${path} holds rows that another version of headgate wrote and did not get to put into the database.`,
    'Start that version once more, so that it does; nothing was changed.',
  );
}
