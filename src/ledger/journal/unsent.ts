// Which attempts have a row and no request yet: a file beside the database, so that after a kill nothing is held for what never left the process.
//
// An attempt is listed before its row is written, and taken off the list when nothing is left between it and its socket; what changes in one turn is
// written at once. It is a copy into the system's memory, and nothing waits for a disk: the list outlives the process, and is not needed when the
// machine goes down, since another boot does not believe it. Neither is one believed that lies in a copied file: it may be older than the database
// beside it. Whatever cannot be known is taken for sent.
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { FILE_MODE } from '../sqlite/private-files.ts';

/** The system's memory is as old as its boot. Linux alone says which one it is. */
const BOOT_PATH = '/proc/sys/kernel/random/boot_id';
const HEAD_BYTES = 128;
/** Each of them one line: an id, or nothing. */
const PLACE_BYTES = 32;
const NOTHING = `${' '.repeat(PLACE_BYTES - 1)}\n`;

export function unsentPath(databasePath: string): string {
  return `${databasePath}.unsent`;
}

export class UnsentAttempts {
  readonly #path: string;
  /** undefined: nothing is listed, so that everything is taken for sent. */
  #file: number | undefined;
  /** As the file is to be, behind its head. */
  #list = Buffer.alloc(64 * PLACE_BYTES, NOTHING, 'latin1');
  #places = 0;
  readonly #free: number[] = [];
  /** What of it the file does not have yet: from one place up to another. */
  #changedFrom = Number.POSITIVE_INFINITY;
  #changedTo = 0;

  /** To be opened when what the list of another process says is in the database. */
  constructor(databasePath: string) {
    this.#path = unsentPath(databasePath);
    const boot = bootId();
    if (boot === undefined) return;
    try {
      const file = openSync(this.#path, 'w', FILE_MODE);
      this.#file = file;
      writeSync(file, `headgate-unsent ${boot} ${inodeOf(file)}`.padEnd(HEAD_BYTES - 1).concat('\n'), 0);
    } catch {
      this.close();
    }
  }

  /** Where it is listed, as soon as that is written; undefined: it cannot be. */
  list(id: string): number | undefined {
    if (this.#file === undefined || id.length >= PLACE_BYTES) return undefined;
    const place = this.#free.pop() ?? this.#places;
    if (place === this.#places) this.#places += 1;
    if (this.#places * PLACE_BYTES > this.#list.length)
      this.#list = Buffer.concat([this.#list, Buffer.alloc(this.#list.length, NOTHING, 'latin1')]);
    this.#list.write(id, place * PLACE_BYTES, 'latin1');
    this.#changed(place);
    return place;
  }

  /** It may be sent as soon as that is written. */
  takeOff(place: number): void {
    this.#list.write(NOTHING, place * PLACE_BYTES, 'latin1');
    this.#changed(place);
    this.#free.push(place);
  }

  /** Throws where what was taken off could not be written: then it must not be sent. */
  write(): void {
    if (this.#file === undefined || this.#changedFrom >= this.#changedTo) return;
    const from = this.#changedFrom * PLACE_BYTES;
    try {
      writeSync(this.#file, this.#list, from, this.#changedTo * PLACE_BYTES - from, HEAD_BYTES + from);
    } catch {
      // A list that cannot be changed any more says nothing.
      ftruncateSync(this.#file, 0);
      this.close();
    }
    this.#changedFrom = Number.POSITIVE_INFINITY;
    this.#changedTo = 0;
  }

  #changed(place: number): void {
    this.#changedFrom = Math.min(this.#changedFrom, place);
    this.#changedTo = Math.max(this.#changedTo, place + 1);
  }

  close(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    this.#file = undefined;
    rmSync(this.#path, { force: true });
  }
}

/** Ids of attempts that a process which died had not sent; of another boot, or a copy: none. */
export function readUnsent(databasePath: string): readonly string[] {
  const boot = bootId();
  if (boot === undefined) return [];
  let file: number;
  try {
    file = openSync(unsentPath(databasePath), 'r');
  } catch {
    return [];
  }
  try {
    const text = readFileSync(file, 'latin1');
    if (text.slice(0, HEAD_BYTES).trimEnd() !== `headgate-unsent ${boot} ${inodeOf(file)}`) return [];
    return text
      .slice(HEAD_BYTES)
      .split('\n')
      .filter((line) => line.length === PLACE_BYTES - 1 && line.trim() !== '')
      .map((line) => line.trimEnd());
  } finally {
    closeSync(file);
  }
}

function inodeOf(file: number): bigint {
  return fstatSync(file, { bigint: true }).ino;
}

function bootId(): string | undefined {
  try {
    return readFileSync(BOOT_PATH, 'latin1').trim();
  } catch {
    return undefined;
  }
}
