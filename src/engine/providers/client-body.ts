// A client's own body: read once, and changed in a few places of its text, so that everything else in it arrives as it was sent.
import { isAscii, isUtf8 } from 'node:buffer';
import { fail, succeed } from '../../common/outcome.ts';
import type { Outcome } from '../../common/outcome.ts';

type Members = { readonly [name: string]: unknown };

/** Where the value of a member stands in the text. */
interface Span {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

export class ClientBody {
  readonly text: string;
  /** Read to be looked at; what is sent on is the text. */
  readonly value: Members;
  #spans: readonly Span[] | undefined;

  private constructor(text: string, value: Members) {
    this.text = text;
    this.value = value;
  }

  /** What is wrong with it, in a sentence, where it is no object of JSON. */
  static read(bytes: Uint8Array): Outcome<ClientBody, string> {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const isPlain = isAscii(bytes);
    if (!isPlain && !isUtf8(bytes)) return fail('The body is not UTF-8.');
    // Of a megabyte of ASCII there is nothing to decode.
    const text = buffer.toString(isPlain ? 'latin1' : 'utf8');
    try {
      const value: unknown = JSON.parse(text);
      return isObject(value)
        ? succeed(new ClientBody(text, value))
        : fail('The body is JSON, but not an object.');
    } catch (error) {
      return fail(`The body is not JSON: ${(error as Error).message}.`);
    }
  }

  /** The text with these members set to JSON texts: replaced wherever they stand at the top, or put first. */
  with(changes: { readonly [name: string]: string }): string {
    this.#spans ??= spansOf(this.text, this.text.indexOf('{'));
    return changed(this.text, this.#spans, changes, this.text.indexOf('{'));
  }

  /** The name of a member that stands there twice: servers differ in which of the two they go by. */
  get repeated(): string | undefined {
    this.#spans ??= spansOf(this.text, this.text.indexOf('{'));
    const seen = new Set<string>();
    return this.#spans.find(({ name }) => seen.size === seen.add(name).size)?.name;
  }

  /** The JSON text of a member that is an object, with a member of it set; an object of its own where there is none. */
  inside(name: string, changes: { readonly [name: string]: string }): string {
    this.#spans ??= spansOf(this.text, this.text.indexOf('{'));
    const span = this.#spans.findLast((one) => one.name === name);
    if (span === undefined || !isObject(this.value[name])) return changed('{}', [], changes, 0);
    const text = this.text.slice(span.start, span.end);
    const open = text.indexOf('{');
    return changed(text, spansOf(text, open), changes, open);
  }
}

export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function changed(
  text: string,
  spans: readonly Span[],
  changes: { readonly [name: string]: string },
  open: number,
): string {
  let result = '';
  let at = open + 1;
  const added = Object.keys(changes).filter((name) => !spans.some((span) => span.name === name));
  const first = added.map((name) => `${JSON.stringify(name)}:${changes[name] ?? 'null'}`).join(',');
  result += text.slice(0, at) + first + (first !== '' && spans.length > 0 ? ',' : '');
  for (const { name, start, end } of spans) {
    const value = Object.hasOwn(changes, name) ? changes[name] : undefined;
    if (value === undefined) continue;
    result += text.slice(at, start) + value;
    at = end;
  }
  return result + text.slice(at);
}

/** The members of the object that opens at `open`, in a text that is known to be JSON. */
function spansOf(text: string, open: number): readonly Span[] {
  const spans: Span[] = [];
  let at = skipSpace(text, open + 1);
  while (text[at] === '"') {
    const nameEnd = stringEnd(text, at);
    const name = JSON.parse(text.slice(at, nameEnd)) as string;
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = valueEnd(text, start);
    spans.push({ name, start, end });
    at = skipSpace(text, end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return spans;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (' \t\n\r'.includes(text[at] ?? 'x')) at += 1;
  return at;
}

/** After the quotation mark that closes the one at `at`. */
function stringEnd(text: string, at: number): number {
  let from = at + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
    from = quote + 1;
  }
}

const OPENING = /["[\]{}]/g;
const SCALAR_END = /[,\]}\s]/g;

function valueEnd(text: string, start: number): number {
  const first = text[start];
  if (first === '"') return stringEnd(text, start);
  if (first !== '{' && first !== '[') {
    SCALAR_END.lastIndex = start;
    return SCALAR_END.exec(text)?.index ?? text.length;
  }
  let depth = 0;
  let at = start;
  for (;;) {
    OPENING.lastIndex = at;
    const found = OPENING.exec(text);
    if (found === null) return text.length;
    if (found[0] === '"') {
      at = stringEnd(text, found.index);
      continue;
    }
    at = found.index + 1;
    depth += found[0] === '{' || found[0] === '[' ? 1 : -1;
    if (depth === 0) return at;
  }
}
