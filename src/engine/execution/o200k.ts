// OpenAI's encoding o200k_base, for counting: the vocabulary in two typed arrays beside V8's heap, found by its bytes.
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';

/** Its data: a token a line, base64, with its rank, which is the line's number. A path that the package exports. */
const VOCABULARY = 'gpt-tokenizer/data/o200k_base.tiktoken';
const TOKENS = 199_998;
const TOKEN_BYTES = 1_397_670;
/** What is decoded at once: 0.3 ms of the event loop, and 8 ms as long as nothing of it is compiled. */
const READ_BYTES = 16 * 1024;

/** The longest piece that may be given, in characters: merging is quadratic, and 200,000 × "a" would block for seconds. */
export const MAX_PIECE = 96;
/** A UTF-16 unit has three bytes of UTF-8 at most. */
const MAX_PIECE_BYTES = MAX_PIECE * 3;

/** A power of two, 38 % full. */
const SLOTS = 2 ** 19;
/** A slot is a token's place and, above it, as much of its hash as fits: nearly all bytes that are no token are known by that alone. 0: empty. */
const PLACE_BITS = 21;
const PLACE_MASK = 2 ** PLACE_BITS - 1;
/** Above every place. */
const NONE = 2 ** PLACE_BITS;

/** Reads the vocabulary (3.6 MB of text to as much of arrays) without holding the event loop for long. */
export async function loadO200k(): Promise<O200k> {
  const vocabulary = new Vocabulary();
  const path = createRequire(import.meta.url).resolve(VOCABULARY);
  for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES }))
    vocabulary.read(chunk as Uint8Array);
  if (!vocabulary.complete)
    throw new Error(`${path} is not the vocabulary of o200k_base: install gpt-tokenizer again.`);
  return new O200k(vocabulary);
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** What a sign of base64 stands for. */
const SEXTETS = new Uint8Array(128);
for (const [value, sign] of Buffer.from(BASE64).entries()) SEXTETS[sign] = value;

const BLANK = 32;
const NEW_LINE = 10;
const EQUALS = 61;

/** The tokens and a hash table from their bytes to their places. */
class Vocabulary {
  /** Each token as a byte with its length and its bytes. They lie in the order of their ranks, so that a token's place says as much as its rank. Place 0 is no token's. */
  readonly tokens = new Uint8Array(1 + TOKENS + TOKEN_BYTES);
  readonly slots = new Int32Array(SLOTS);
  #count = 0;
  /** Of the token that is being read. */
  #place = 1;
  /** Where its next byte goes. */
  #end = 2;
  /** A token may go on in the next chunk: its bits that do not make a byte yet, and whether the rank is being read. */
  #bits = 0;
  #bitCount = 0;
  #inRank = false;

  get complete(): boolean {
    return this.#count === TOKENS && this.#place === this.tokens.length;
  }

  /** The next part of the file, cut anywhere. */
  read(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += 1) {
      const sign = chunk[at] as number;
      if (sign === NEW_LINE) this.#inRank = false;
      else if (sign === BLANK) {
        this.#add();
        this.#inRank = true;
        this.#bitCount = 0;
      } else if (!this.#inRank && sign !== EQUALS) {
        this.#bits = (this.#bits << 6) | (SEXTETS[sign] as number);
        this.#bitCount += 6;
        if (this.#bitCount >= 8) {
          this.#bitCount -= 8;
          this.tokens[this.#end] = this.#bits >> this.#bitCount;
          this.#end += 1;
        }
      }
    }
  }

  #add(): void {
    const { slots, tokens } = this;
    const hash = hashOf(tokens, this.#place + 1, this.#end);
    let slot = hash & (SLOTS - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (SLOTS - 1);
    slots[slot] = (hash & ~PLACE_MASK) | this.#place;
    tokens[this.#place] = this.#end - this.#place - 1;
    this.#count += 1;
    this.#place = this.#end;
    this.#end += 1;
  }
}

/** FNV-1a, its high bits folded into the low ones, by which the slot is chosen. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = -2_128_831_035;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 16_777_619);
  return hash ^ (hash >>> 15);
}

const utf8 = new TextEncoder();

export class O200k {
  readonly #tokens: Uint8Array;
  readonly #slots: Int32Array;
  /** The piece in hand, and by each byte that begins a part of it: the place of the token that it makes with the next part, where that one begins, and where the one before. */
  readonly #piece = new Uint8Array(MAX_PIECE_BYTES);
  readonly #joined = new Int32Array(MAX_PIECE_BYTES);
  readonly #next = new Int32Array(MAX_PIECE_BYTES);
  readonly #previous = new Int32Array(MAX_PIECE_BYTES + 1);

  constructor(vocabulary: Vocabulary) {
    this.#tokens = vocabulary.tokens;
    this.#slots = vocabulary.slots;
  }

  /** Tokens of the characters [start, end) of a text, which are one piece, of MAX_PIECE characters at most. Half a surrogate pair counts as U+FFFD, as which it is sent. */
  count(text: string, start: number, end: number): number {
    const length = this.#write(text, start, end);
    return this.#placeOf(0, length) === NONE ? this.#merge(length) : 1;
  }

  /** Takes the piece in hand, as UTF-8, and gives its length. Most pieces are ASCII, and need no string of their own. */
  #write(text: string, start: number, end: number): number {
    const piece = this.#piece;
    for (let at = start; at < end; at += 1) {
      const code = text.charCodeAt(at);
      if (code > 127) return utf8.encodeInto(text.slice(start, end), piece).written;
      piece[at - start] = code;
    }
    return end - start;
  }

  /** Joins, again and again, the two neighbours that make the token of the lowest rank (the first of them, where there are several), and counts what is left. */
  #merge(length: number): number {
    const joined = this.#joined;
    const next = this.#next;
    const previous = this.#previous;
    for (let at = 0; at < length; at += 1) {
      joined[at] = at + 1 < length ? this.#placeOf(at, at + 2) : NONE;
      next[at] = at + 1;
      previous[at] = at - 1;
    }
    for (let count = length; ; count -= 1) {
      const first = lowest(joined, length);
      if (joined[first] === NONE) return count;
      const second = next[first] as number;
      const end = next[second] as number;
      const before = previous[first] as number;
      next[first] = end;
      previous[end] = first;
      joined[first] = end < length ? this.#placeOf(first, next[end] as number) : NONE;
      joined[second] = NONE;
      if (before >= 0) joined[before] = this.#placeOf(before, end);
    }
  }

  /** The place of the token that has the bytes [start, end) of the piece, or NONE. */
  #placeOf(start: number, end: number): number {
    const slots = this.#slots;
    const hash = hashOf(this.#piece, start, end);
    for (let slot = hash & (SLOTS - 1); ; slot = (slot + 1) & (SLOTS - 1)) {
      const entry = slots[slot] as number;
      if (entry === 0) return NONE;
      if ((entry ^ hash) >>> PLACE_BITS !== 0) continue;
      const place = entry & PLACE_MASK;
      if (this.#isToken(place, start, end)) return place;
    }
  }

  #isToken(place: number, start: number, end: number): boolean {
    const tokens = this.#tokens;
    const piece = this.#piece;
    if (tokens[place] !== end - start) return false;
    for (let at = start; at < end; at += 1) if (tokens[place + 1 + at - start] !== piece[at]) return false;
    return true;
  }
}

/** Where the lowest of the first `length` numbers is; the first of several. */
function lowest(numbers: Int32Array, length: number): number {
  let found = 0;
  for (let at = 1; at < length; at += 1) if ((numbers[at] as number) < (numbers[found] as number)) found = at;
  return found;
}
