// JSON as it is written: read in one pass before JSON.parse, so that a mistake has its place, numbers are not changed in silence, and size is bounded.
import type { Json } from './json.ts';
import { fail, succeed } from './outcome.ts';
import type { Outcome } from './outcome.ts';

export interface JsonBounds {
  /** The deepest nesting. */
  readonly levels: number;
  /** Values in all: members, items and what they are in. */
  readonly values: number;
}

export interface JsonProblem {
  readonly line: number;
  readonly column: number;
  readonly reason: string;
}

const NO_BOUNDS: JsonBounds = { levels: 5_000, values: Number.POSITIVE_INFINITY };
const LITERAL = /(?:true|false|null)(?![A-Za-z0-9_])/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.])/y;
/** No number with fewer digits is beyond what a double holds exactly. */
const EXACT_DIGITS = 15;

/** RFC 8259, a byte order mark before it allowed. Refuses a number that a double would change: an integer beyond 2^53 that it does not hit, or one that is infinite. */
export function parseExactJson(given: string, bounds: JsonBounds = NO_BOUNDS): Outcome<Json, JsonProblem> {
  const text = given.startsWith('\uFEFF') ? given.slice(1) : given;
  const problem = new Scan(text, bounds).problem();
  return problem === undefined
    ? succeed(JSON.parse(text) as Json)
    : fail({ ...placeOf(text, problem.at), reason: problem.reason });
}

function placeOf(text: string, at: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, at);
  let line = 1;
  for (let end = before.indexOf('\n'); end !== -1; end = before.indexOf('\n', end + 1)) line += 1;
  return { line, column: at - before.lastIndexOf('\n') };
}

/** Hardly a text has what it takes for a number to be changed. */
const SUSPECT = /[0-9.]{16}|[eE][+-]?[0-9]{3}/;
const NUMBERS = /-?[0-9][0-9.eE+-]*/g;

/** The first number that JSON.parse would change, in a text that it takes: one pass, and nearly none where no number is long. */
export function inexactNumber(text: string): JsonProblem | undefined {
  if (!SUSPECT.test(text)) return undefined;
  for (let at = 0; at < text.length;) {
    const quote = text.indexOf('"', at);
    const end = quote === -1 ? text.length : quote;
    for (const { 0: written, index } of text.slice(at, end).matchAll(NUMBERS))
      if (changes(written)) return { ...placeOf(text, at + index), reason: cannotBeKept(written) };
    at = quote === -1 ? end : stringEnd(text, quote);
  }
  return undefined;
}

/** Behind the quotation mark that closes the one at `at`. */
function stringEnd(text: string, at: number): number {
  for (let from = at + 1; ;) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return text.length;
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
    from = quote + 1;
  }
}

function cannotBeKept(written: string): string {
  const shown = written.length > 40 ? `${written.slice(0, 40)}…` : written;
  return `the number ${shown} cannot be kept exactly; write it in quotes, as a text`;
}

/** As JSON.parse; but numbers that it would change are kept so that JSON.stringify writes them as they were. */
export function parseKeepingNumbers(text: string): unknown {
  if (inexactNumber(text) === undefined) return JSON.parse(text);
  return JSON.parse(text, function keep(_name, value: unknown, context?: { readonly source?: string }) {
    const written = context?.source;
    return typeof value === 'number' && written !== undefined && changes(written) ? rawJson(written) : value;
  });
}

/** Of ECMAScript 2025, and in no library of types yet. */
const { rawJSON: rawJson } = JSON as unknown as { readonly rawJSON: (text: string) => object };

/** The problem as one line: `line 3, column 5: …`. */
export function jsonProblemText({ line, column, reason }: JsonProblem): string {
  return `line ${line}, column ${column}: ${reason}`;
}

class Scan {
  readonly #text: string;
  readonly #bounds: JsonBounds;
  #at = 0;
  #values = 0;
  /** `}` or `]` for each that is open. */
  readonly #open: string[] = [];

  constructor(text: string, bounds: JsonBounds) {
    this.#text = text;
    this.#bounds = bounds;
  }

  problem(): { readonly at: number; readonly reason: string } | undefined {
    let reason = this.#value();
    while (reason === undefined && this.#open.length > 0) reason = this.#next();
    if (reason === undefined) {
      this.#blank();
      if (this.#at < this.#text.length) reason = `${this.#here()} stands behind the end of the value`;
    }
    return reason === undefined ? undefined : { at: this.#at, reason };
  }

  /** A value, or the beginning of one. */
  #value(): string | undefined {
    this.#blank();
    const text = this.#text;
    const sign = text[this.#at];
    this.#values += 1;
    if (this.#values > this.#bounds.values) return `it has more than ${this.#bounds.values} values`;
    if (sign === '{' || sign === '[') {
      if (this.#open.length >= this.#bounds.levels)
        return `it is nested more than ${this.#bounds.levels} deep`;
      this.#open.push(sign === '{' ? '}' : ']');
      this.#at += 1;
      this.#blank();
      if (text[this.#at] === this.#open.at(-1)) {
        this.#at += 1;
        this.#open.pop();
        return undefined;
      }
      return sign === '{' ? this.#member() : this.#value();
    }
    if (sign === '"') return this.#string();
    LITERAL.lastIndex = this.#at;
    if (LITERAL.test(text)) {
      this.#at = LITERAL.lastIndex;
      return undefined;
    }
    return this.#number();
  }

  /** After a value within a list or an object. */
  #next(): string | undefined {
    this.#blank();
    const sign = this.#text[this.#at];
    const close = this.#open.at(-1);
    if (sign === close) {
      this.#at += 1;
      this.#open.pop();
      return undefined;
    }
    if (sign !== ',') return `${this.#here()} stands where "," or "${close}" is needed`;
    this.#at += 1;
    return close === '}' ? this.#member() : this.#value();
  }

  #member(): string | undefined {
    this.#blank();
    if (this.#text[this.#at] !== '"') return `${this.#here()} stands where a name in double quotes is needed`;
    const reason = this.#string();
    if (reason !== undefined) return reason;
    this.#blank();
    if (this.#text[this.#at] !== ':') return `${this.#here()} stands where ":" is needed`;
    this.#at += 1;
    return this.#value();
  }

  #string(): string | undefined {
    const text = this.#text;
    const start = this.#at;
    for (let at = start + 1; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code === 34) {
        this.#at = at + 1;
        return undefined;
      }
      if (code === 92) {
        const escaped = text[at + 1] ?? '';
        const length = escaped === 'u' ? 5 : 1;
        const isKnown =
          escaped === 'u'
            ? /^[0-9a-fA-F]{4}$/.test(text.slice(at + 2, at + 6))
            : escaped !== '' && '"\\/bfnrt'.includes(escaped);
        if (!isKnown) {
          this.#at = at;
          return 'an escape that JSON does not have';
        }
        at += length;
      } else if (code < 32) {
        this.#at = at;
        return 'a sign of control in a text; write it as \\n, \\t or \\u00…';
      }
    }
    return 'a text without its closing quote';
  }

  #number(): string | undefined {
    const text = this.#text;
    NUMBER.lastIndex = this.#at;
    if (!NUMBER.test(text)) return `${this.#here()} stands where a value is needed`;
    const written = text.slice(this.#at, NUMBER.lastIndex);
    if (changes(written)) return cannotBeKept(written);
    this.#at = NUMBER.lastIndex;
    return undefined;
  }

  #blank(): void {
    const text = this.#text;
    for (;;) {
      const code = text.charCodeAt(this.#at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.#at += 1;
    }
  }

  #here(): string {
    const sign = this.#text.slice(this.#at, this.#at + 1);
    return sign === '' ? 'the end' : JSON.stringify(sign);
  }
}

const PARTS = /^-?([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/;

/**
 * Whether a double, written again, is another number than the one that is written: fractions are rounded, as everywhere; integers are not, nor is anything
 * made infinite or nothing.
 */
export function changes(written: string): boolean {
  if (written.length <= EXACT_DIGITS && !/[eE]/.test(written)) return false;
  const given = decimalOf(written);
  if (given === undefined || given.digits === '') return false;
  const number = Number(written);
  if (!Number.isFinite(number) || number === 0) return true;
  // A fraction, or few enough digits.
  if (given.power < 0 || given.digits.length <= EXACT_DIGITS) return false;
  const kept = decimalOf(String(number));
  return kept?.digits !== given.digits || kept.power !== given.power;
}

/** `digits` × 10^`power`, without a zero at either end. */
function decimalOf(written: string): { readonly digits: string; readonly power: number } | undefined {
  const [, whole, fraction = '', exponent = '0'] = PARTS.exec(written) ?? [];
  if (whole === undefined) return undefined;
  const all = (whole + fraction).replace(/^0+/, '');
  let end = all.length;
  while (all.codePointAt(end - 1) === 48) end -= 1;
  return { digits: all.slice(0, end), power: Number(exponent) - fraction.length + all.length - end };
}
