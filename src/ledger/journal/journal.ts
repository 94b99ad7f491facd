// The journal: a file beside the database to which the main thread appends each batch before the writer puts it into the tables, so that whoever
// waits for a row waits for one append, and the writer can take many batches at once.
//
// Two words for where a row is. *Written*: it is on disk, here or in the tables, and no crash takes it back. *Committed*: it is in the tables.
//
// The file is frames, one a batch, each saying which operations it holds (numbered in the database's life) and the checksum of the frame before it.
// When the tables have everything, the next frame goes to the beginning of the file; what an earlier round left behind it has numbers that the
// tables have.
//
// A start takes up what the tables do not have (`take-up.ts`). A kill or a power cut leaves a frame without its end, behind which there is nothing
// newer: nobody was told of it, and it is passed over. Anything else that is not as it was written is damage: rows that somebody was told of are
// gone, so the start stops and names `headgate ledger repair`.
import { closeSync, fdatasync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Synchronous } from '../sqlite/connection.ts';
import { FILE_MODE } from '../sqlite/private-files.ts';

/** Changes with what an operation's values mean. A further column that may be missing changes nothing: rows are journaled by its name. */
const JOURNAL_FORMAT = 3;

/** Past it, nothing is appended until the database has everything, and the file begins anew. */
const LARGEST_BYTES = 8 * 1024 * 1024;

const NAME = 'headgate-journal';
const NEWLINE = 10;

export interface Frame {
  /** Numbers of its operations, in the database's life. */
  readonly first: number;
  readonly last: number;
  /** A batch, as `encodeBatch` writes it: one line. */
  readonly text: string;
}

export function journalPath(databasePath: string): string {
  return `${databasePath}.journal`;
}

/**
 * `headgate-journal FORMAT FIRST LAST BYTES PREVIOUS CRC32`, the text, `end LAST CRC32`, a line each. PREVIOUS: the checksum of the frame before;
 * 0: it is the first of its round. The checksum is of the head's numbers and the text.
 */
export function encodeFrame(
  { first, last, text }: Frame,
  previous: number,
  into: Buffer = Buffer.allocUnsafe(mostBytes(text)),
): { bytes: Buffer; sum: number } {
  const end = LONGEST_HEAD + into.write(text, LONGEST_HEAD);
  into[end] = NEWLINE;
  const body = into.subarray(LONGEST_HEAD, end + 1);
  const sum = checksum([JOURNAL_FORMAT, first, last, previous], body);
  const head = `${NAME} ${JOURNAL_FORMAT} ${first} ${last} ${body.length} ${previous} ${sum}\n`;
  const from = LONGEST_HEAD - head.length;
  into.write(head, from, 'latin1');
  const ending = into.write(`end ${last} ${sum}\n`, end + 1, 'latin1');
  return { bytes: into.subarray(from, end + 1 + ending), sum };
}

/** A character of UTF-16 is three bytes of UTF-8 at most. */
function mostBytes(text: string): number {
  return text.length * 3 + 2 * LONGEST_HEAD;
}

function checksum(numbers: readonly number[], body: Buffer): number {
  return crc32(body, crc32(numbers.join(' ')));
}

export interface JournalContent {
  /** In order, numbers growing. */
  readonly frames: readonly Frame[];
  /** Stretches of the file that are not as they were written, although something newer than what the tables have was. */
  readonly damaged: readonly { readonly fromByte: number; readonly toByte: number }[];
  /** The last operation that is known to have been written where something is damaged, else 0; null: it is not even known to be a journal. */
  readonly newest: number | null;
  /** The format of a frame that is whole, and that this version does not read. */
  readonly otherFormat: number | null;
}

/** `lastOperation`: what the tables have up to. */
export function readJournal(bytes: Buffer, lastOperation: number): JournalContent {
  const frames: Frame[] = [];
  const damaged: { fromByte: number; toByte: number }[] = [];
  let previous: FoundFrame | undefined;
  let newest: number | null = 0;
  for (let at = 0; at < bytes.length; at = previous.end) {
    let found = frameAt(bytes, at);
    if (found !== undefined && previous !== undefined && !follows(found, previous)) found = undefined;
    if (found === undefined) {
      const written = newestFrom(bytes, at);
      if (isForeign(bytes, at)) newest = null;
      else if (written > Math.max(lastOperation, previous?.last ?? 0)) newest = written;
      else break;
      found = nextFrame(bytes, at, previous?.last ?? 0);
      damaged.push({ fromByte: at, toByte: found?.at ?? bytes.length });
      if (found === undefined) break;
    }
    if (found.format !== JOURNAL_FORMAT) return { frames, damaged, newest, otherFormat: found.format };
    frames.push({ first: found.first, last: found.last, text: found.text });
    previous = found;
  }
  return { frames, damaged, newest, otherFormat: null };
}

interface FoundFrame extends Frame {
  readonly format: number;
  readonly previous: number;
  readonly sum: number;
  readonly at: number;
  /** Where the next one begins. */
  readonly end: number;
}

/** Other formats say more or less before the checksum. */
const HEAD = /^headgate-journal (?<numbers>\d{1,16}(?: \d{1,16}){4,8})$/;
const LONGEST_HEAD = 128;

function frameAt(bytes: Buffer, at: number): FoundFrame | undefined {
  const endOfHead = bytes.subarray(0, at + LONGEST_HEAD).indexOf(NEWLINE, at);
  if (endOfHead === -1) return undefined;
  const head = HEAD.exec(bytes.toString('latin1', at, endOfHead))?.groups?.['numbers'];
  if (head === undefined) return undefined;
  const numbers = head.split(' ').map(Number);
  const sum = numbers.pop() ?? 0;
  const [format = 0, first = 0, last = 0, length = 0, ...others] = numbers;
  const previous = others[0] ?? 0;
  const start = endOfHead + 1;
  const body = bytes.subarray(start, start + length);
  if (body.length !== length || checksum([format, first, last, ...others], body) !== sum) return undefined;
  const ending = `end ${last} ${sum}\n`;
  const hasEnding = bytes.toString('latin1', start + length, start + length + ending.length) === ending;
  const text = body.toString('utf8', 0, length - 1);
  const end = hasEnding ? start + length + ending.length : start + length;
  return { format, first, last, text, previous, sum, at, end };
}

function follows(frame: FoundFrame, previous: FoundFrame): boolean {
  return frame.first === previous.last + 1 && frame.previous === previous.sum;
}

/** The next whole frame behind a stretch that is none. */
function nextFrame(bytes: Buffer, from: number, after: number): FoundFrame | undefined {
  // A text is one line of JSON: no head can be in it.
  for (let at = bytes.indexOf(`\n${NAME} `, from); at !== -1; at = bytes.indexOf(`\n${NAME} `, at + 1)) {
    const found = frameAt(bytes, at + 1);
    if (found !== undefined && found.first > after) return found;
  }
  return undefined;
}

/** The newest operation of frames that were written to their end from here on: the last of their lines says so, whatever became of the others. */
function newestFrom(bytes: Buffer, from: number): number {
  let newest = 0;
  // A text ends with a brace: the digits of no text stand before a newline.
  for (let at = bytes.indexOf('end ', from); at !== -1; at = bytes.indexOf('end ', at + 1)) {
    const line = bytes.toString('latin1', at, at + LONGEST_HEAD);
    const last = /^end (?<last>\d{1,16}) \d{1,10}\n/.exec(line)?.groups?.['last'];
    if (last !== undefined) newest = Math.max(newest, Number(last));
  }
  return newest;
}

/** A file begins with a frame, or with as much of one as was written; a power cut may leave zeros. */
function isForeign(bytes: Buffer, at: number): boolean {
  if (at > 0) return false;
  const start = bytes.subarray(0, NAME.length);
  return !NAME.startsWith(start.toString('latin1')) && start.some((byte) => byte !== 0);
}

export class Journal {
  readonly #path: string;
  readonly #file: number;
  readonly #synchronous: Synchronous;
  #at = 0;
  #previous = 0;
  /** Whoever waits for the last frame. */
  #done: ((error: Error | null) => void) | null = null;
  #isClosed = false;
  /** Frames are put together here, one after the other. */
  #room = Buffer.allocUnsafe(64 * 1024);

  /** To be opened when what it held is in the database. Throws what the file system throws. */
  constructor(databasePath: string, synchronous: Synchronous) {
    this.#path = journalPath(databasePath);
    this.#synchronous = synchronous;
    this.#file = openSync(this.#path, 'w', FILE_MODE);
    if (synchronous === 'full') syncFolder(dirname(this.#path));
  }

  get isFull(): boolean {
    return this.#at > LARGEST_BYTES;
  }

  /** The last frame is not written yet: only one at a time is. */
  get isBusy(): boolean {
    return this.#done !== null;
  }

  /** `done`: it survives what `synchronous` says; or, with an error, it may not be there. */
  append(frame: Frame, done: (error: Error | null) => void): void {
    this.#done = done;
    try {
      // Its number may be another file's by now.
      if (this.#isClosed) throw new Error('the journal is closed');
      const most = mostBytes(frame.text);
      if (most > this.#room.length) this.#room = Buffer.allocUnsafe(2 * most);
      const { bytes, sum } = encodeFrame(frame, this.#previous, this.#room);
      this.#write(bytes);
      this.#previous = sum;
    } catch (error) {
      this.#end(error as Error);
      return;
    }
    // Not waited for in this thread: a bad disk takes a hundred milliseconds.
    if (this.#synchronous === 'full') fdatasync(this.#file, this.#end);
    else this.#end(null);
  }

  /** One for all frames: what Node makes for a sync lives until the next full collection, and a function of its own would have it keep the frame. */
  readonly #end = (error: Error | null): void => {
    const done = this.#done;
    this.#done = null;
    done?.(error);
  };

  #write(bytes: Buffer): void {
    let written = 0;
    while (written < bytes.length)
      written += writeSync(this.#file, bytes, written, bytes.length - written, this.#at + written);
    this.#at += bytes.length;
  }

  /** The database has everything that was appended. What is left of it in the file ends where the next frame does. */
  startOver(): void {
    this.#at = 0;
    this.#previous = 0;
  }

  /** The database has everything. */
  remove(): void {
    this.close();
    rmSync(this.#path, { force: true });
  }

  /** Leaves what the database does not have to the next start. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#file);
  }
}

/** A file survives a power cut when its folder knows of it. */
function syncFolder(path: string): void {
  // Windows opens no folders, and has no need to.
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
