// Nearly the same input: its words are equal, and what else is in it moves as a clock, a counter or a new identifier does in a loop.
import { sha256Hex } from '../../../../common/json.ts';
import type { Json, JsonObject } from '../../../../common/json.ts';
import { withoutFields } from '../normalise.ts';
import type { LoopKind, LoopTrace, LoopWatch } from './kind.ts';

/** Of longer texts the beginning and the end are looked at: linear, and no more than some milliseconds. */
const MAX_CHARACTERS = 128 * 1024;
/** Two kilobytes of memory a key at most. Numbers beyond count as volatile. */
const MAX_NUMBERS = 256;
/** A record's number alone says nothing: inputs that have hardly a word are items of a list, not tries of one thing. In bytes, so that three Chinese signs weigh what a word does. */
const MIN_WORDS_BYTES = 12;

/** Signs that nobody sees: joiners, marks of direction, soft hyphens, variation selectors. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cf}]+/gu;
/** Words, numbers and identifiers, with what joins their parts; the joiners are none of the other signs, so that nothing is tried twice. */
const CHUNK = /[\p{L}\p{M}\p{N}_]+(?:[-:./,+@'][\p{L}\p{M}\p{N}_]+)*|[^\s\p{L}\p{M}\p{N}_.,;:!?'"()-]/gu;
const HAS_DIGIT = /\p{N}/u;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Digits, what stands between the parts of dates and times, and the two letters of ISO 8601. */
const CLOCK = /^[0-9][0-9tz:./,+-]*$/;
const PART = /[0-9]+|[^0-9\-:./,+@']+/gu;
/** `0.8437263512`: no price and no measure has so many places. */
const RANDOM_FRACTION = /^[0-9]{1,3}\.[0-9]{8,}$/;
/** More digits than any date has. */
const MAX_DIGITS = 17;
const ASCII = /^\w+$/;
const MIN_IDENTIFIER = 6;

const NUMBER = '#';
const IDENTIFIER = '*';

class Reading {
  readonly words: string[] = [];
  readonly numbers: number[] = [];
  wordsBytes = 0;
  left = MAX_CHARACTERS;

  value(value: Json): void {
    if (typeof value === 'string') this.text(value);
    else if (typeof value === 'number') this.number(value);
    else if (Array.isArray(value)) for (const item of value as readonly Json[]) this.value(item);
    else if (typeof value === 'object' && value !== null)
      for (const key of Object.keys(value).sort()) {
        this.words.push(`${key}:`);
        this.value((value as JsonObject)[key] ?? null);
      }
    else this.words.push(String(value));
  }

  text(whole: string): void {
    if (this.left <= 0) return;
    const half = Math.ceil(this.left / 2);
    const parts = whole.length <= this.left ? [whole] : [whole.slice(0, half), whole.slice(-half)];
    this.left -= Math.min(this.left, whole.length);
    for (const part of parts) {
      const seen = part.normalize('NFKC').replace(INVISIBLE, '').toLowerCase();
      for (const [chunk] of seen.matchAll(CHUNK)) this.chunk(chunk);
    }
  }

  chunk(chunk: string): void {
    if (!HAS_DIGIT.test(chunk)) {
      this.word(chunk);
    } else if (UUID.test(chunk) || RANDOM_FRACTION.test(chunk)) this.words.push(IDENTIFIER);
    else if (CLOCK.test(chunk)) this.digits(chunk.replaceAll(/[^0-9]+/g, ''));
    else for (const group of chunk.split(/[-:./,+@']/)) this.group(group);
  }

  /** Between two joiners: `17`, `item17`, `a3f9c2e1`. */
  group(group: string): void {
    const parts = group.match(PART) ?? [];
    if (parts.length > 2 && group.length >= MIN_IDENTIFIER && ASCII.test(group)) this.words.push(IDENTIFIER);
    else
      for (const part of parts) {
        if (/^[0-9]/.test(part)) this.digits(part);
        else if (HAS_DIGIT.test(part)) this.words.push(IDENTIFIER);
        else this.word(part);
      }
  }

  word(word: string): void {
    this.words.push(word);
    this.wordsBytes += Buffer.byteLength(word);
  }

  digits(digits: string): void {
    if (digits.length > MAX_DIGITS) this.words.push(IDENTIFIER);
    else this.number(Number(digits));
  }

  number(value: number): void {
    this.words.push(NUMBER);
    if (this.numbers.length < MAX_NUMBERS) this.numbers.push(value);
  }
}

/** The mean is over all tries at first, and over the last thirty or so later. */
const MAX_WEIGHED = 32;
/** What changes in fewer than one of ten tries is no part of what varies. */
const RARELY = 0.1;
/** Four of five steps in one direction: a clock, or a counter that starts again at times. Numbers by chance come to this once in ten thousand. */
const STEADY = 0.6;

/** How the tries with one key differ from each other. */
class Variation implements LoopWatch {
  #exact = '';
  #numbers: readonly number[] | undefined;
  #steps = 0;
  /** The last change, and the one before it. */
  #changedAtMs = Number.NEGATIVE_INFINITY;
  #changedBeforeMs = Number.NEGATIVE_INFINITY;
  /** For each number: how often it changes, and in which direction: 1, always up; -1, always down. */
  readonly #moves: number[] = [];
  readonly #directions: number[] = [];

  saw({ exact, numbers = [] }: LoopTrace, nowMs: number): void {
    const before = this.#numbers;
    if (before !== undefined) {
      this.#steps = Math.min(this.#steps + 1, MAX_WEIGHED);
      if (exact !== this.#exact) {
        this.#changedBeforeMs = this.#changedAtMs;
        this.#changedAtMs = nowMs;
      }
      for (const [at, value] of numbers.entries()) {
        const direction = Math.sign(value - (before[at] ?? value));
        this.#moves[at] = this.#mean(this.#moves[at] ?? 0, Math.abs(direction));
        this.#directions[at] = this.#mean(this.#directions[at] ?? 0, direction);
      }
    }
    this.#exact = exact;
    this.#numbers = numbers;
  }

  /** Alike to the last sign, or after one change, as of a date at midnight, tries are no variation: `same: input` counts those. Numbers that go up and down are what the input is about. */
  isLoop(sinceMs: number): boolean {
    if (this.#changedBeforeMs < sinceMs) return false;
    return this.#moves.every(
      (moves, at) => moves < RARELY || Math.abs(this.#directions[at] ?? 0) >= STEADY * moves,
    );
  }

  #mean(known: number, seen: number): number {
    return known + (seen - known) / this.#steps;
  }
}

export const nearly: LoopKind = {
  trace(input, ignore, exact) {
    const reading = new Reading();
    reading.value(withoutFields(input, ignore));
    const { words, numbers, wordsBytes } = reading;
    if (wordsBytes < MIN_WORDS_BYTES) return { key: exact, exact };
    return { key: sha256Hex(words.join(' ')), exact, numbers };
  },
  watch: () => new Variation(),
};
