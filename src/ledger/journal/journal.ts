// The journal: a file beside the database to which the main thread appends each batch before the writer puts it into tables, so that whoever
// waits for a row waits for one write, and the writer can take many batches at once.
import { closeSync, fdatasync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Synchronous } from '../sqlite/connection.ts';
import { encodeFrame } from './frames.ts';
import type { Frame } from './frames.ts';

/** Past it, nothing is appended until the database has everything, and the file begins anew. */
const LARGEST_BYTES = 8 * 1024 * 1024;

export function journalPath(databasePath: string): string {
  return `${databasePath}.journal`;
}

export class Journal {
  readonly #path: string;
  readonly #file: number;
  readonly #synchronous: Synchronous;
  #at = 0;
  #isBusy = false;
  #isClosed = false;

  /** To be opened when what it held is in the database. Throws what the file system throws. */
  constructor(databasePath: string, synchronous: Synchronous) {
    this.#path = journalPath(databasePath);
    this.#synchronous = synchronous;
    this.#file = openSync(this.#path, 'w');
    if (synchronous === 'full') syncFolder(dirname(this.#path));
  }

  get isFull(): boolean {
    return this.#at > LARGEST_BYTES;
  }

  /** The last frame is not written yet: only one at a time is. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** `done`: it survives what `synchronous` says; or, with an error, it may not be there. */
  append(frame: Frame, done: (error: Error | null) => void): void {
    this.#isBusy = true;
    const end = (error: Error | null): void => {
      this.#isBusy = false;
      done(error);
    };
    try {
      // Its number may be another file's by now.
      if (this.#isClosed) throw new Error('the journal is closed');
      this.#write(encodeFrame(frame));
    } catch (error) {
      end(error as Error);
      return;
    }
    // Not waited for in this thread: a bad disk takes a hundred milliseconds.
    if (this.#synchronous === 'full') fdatasync(this.#file, end);
    else end(null);
  }

  #write(bytes: Buffer): void {
    let written = 0;
    while (written < bytes.length)
      written += writeSync(this.#file, bytes, written, bytes.length - written, this.#at + written);
    this.#at += bytes.length;
  }

  /** The database has everything that was appended. What is left of it in the file ends where the next frame does. */
  startOver(): void {
    this.#at = 0;
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
