// Lets `${{ … }}` stand in a plain YAML value wherever a person would write it: what YAML would read as its own signs is masked
// for the parse, character for character, so that every offset stays true. (GitHub Actions users write `{ default: ${{ now.date }} }`.)
import { PLACEHOLDER_START, placeholderEnd } from '../../common/placeholder.ts';

export interface Masked {
  /** Of the same length as the original. */
  readonly text: string;
  restore(text: string): string;
}

const REACH = 4200;

/** First code points of 128-wide runs of the private use area; the first that the text does not use is taken. */
const BASES = Array.from({ length: 48 }, (_, index) => 0xe000 + index * 128);

export function maskPlaceholders(text: string): Masked {
  const base = text.includes(PLACEHOLDER_START) ? freeBase(text) : undefined;
  if (base === undefined) return { text, restore: WIDE.test(text) ? narrow : (masked) => masked };
  const scanner = new PlainScanner(text);
  let out = '';
  let done = 0;
  for (const [start, end] of scanner.placeholders()) {
    out += text.slice(done, start) + shift(text.slice(start, end), base);
    done = end;
  }
  const signs = new RegExp(`[\\u{${base.toString(16)}}-\\u{${(base + 127).toString(16)}}]`, 'gu');
  return {
    text: out + text.slice(done),
    restore: (masked) =>
      narrow(masked.replace(signs, (sign) => String.fromCharCode(sign.charCodeAt(0) - base))),
  };
}

/** V8 keeps a character in two bytes for the sake of any of these in its text, and what is cut out of such a text, and what that is put into: decisions, rows, requests. */
const WIDE = /[\u0100-\uffff]/;

function narrow(text: string): string {
  return WIDE.test(text) ? text : Buffer.from(text, 'latin1').toString('latin1');
}

function freeBase(text: string): number | undefined {
  const used = new Set<number>();
  for (const sign of text.match(/[\ue000-\uf7ff]/g) ?? []) used.add(sign.charCodeAt(0) >> 7);
  return BASES.find((base) => !used.has(base >> 7));
}

function shift(text: string, base: number): string {
  return text.replace(/[^\w\s.]|(?<=\S)[ \t](?=\S)/g, (sign) =>
    sign.charCodeAt(0) < 128 ? String.fromCharCode(base + sign.charCodeAt(0)) : sign,
  );
}

/** Finds the placeholders that stand in plain scalars; those in quotes, comments and block scalars need no mask. */
class PlainScanner {
  readonly #text: string;
  readonly #found: [number, number][] = [];
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  placeholders(): readonly (readonly [number, number])[] {
    while (this.#position < this.#text.length) this.#line();
    return this.#found;
  }

  #line(): void {
    const indent = this.#skipIndicators();
    const start = this.#text.charAt(this.#position);
    if (start === '#' || start === '\n' || start === '\r' || start === '') return this.#skipLine();
    const key = /^(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s"'[{#$][^\n:#{}[\],]*?):(?=\s)[ \t]*/.exec(
      this.#lineFrom(this.#position),
    );
    if (key) this.#position += key[0].length;
    this.#value(indent);
  }

  /** Skips spaces and `- `; gives the column where the line's own key stands. */
  #skipIndicators(): number {
    const lead = /^[ \t]*(?:-[ \t]+)*/.exec(this.#lineFrom(this.#position))?.[0] ?? '';
    this.#position += lead.length;
    return lead.length;
  }

  #value(indent: number): void {
    const character = this.#text.charAt(this.#position);
    if (character === '|' || character === '>') return this.#skipBlock(indent);
    if (character === '{' || character === '[') return this.#flow();
    if (character === '"' || character === "'") this.#skipQuoted(character);
    this.#plainUntil((sign, before) => sign === '\n' || (sign === '#' && /\s/.test(before)));
    this.#skipLine();
  }

  #skipBlock(indent: number): void {
    this.#skipLine();
    while (this.#position < this.#text.length) {
      const line = this.#lineFrom(this.#position);
      const spaces = /^ */.exec(line)?.[0].length ?? 0;
      if (line.trim() !== '' && spaces <= indent && !(indent === 0 && spaces > 0)) return;
      this.#skipLine();
    }
  }

  /** A flow collection, over as many lines as it takes. */
  #flow(): void {
    let depth = 0;
    while (this.#position < this.#text.length) {
      const sign = this.#text.charAt(this.#position);
      const before = this.#text.charAt(this.#position - 1);
      if (sign === '{' || sign === '[') depth += 1;
      else if (sign === '}' || sign === ']') depth -= 1;
      else if (sign === '"' || sign === "'") {
        this.#skipQuoted(sign);
        continue;
      } else if (sign === '#' && /\s/.test(before)) {
        this.#skipLine();
        continue;
      } else if (!/[\s,:]/.test(sign)) {
        this.#plainUntil(
          (next, previous) =>
            /[,\]}{[\n]/.test(next) ||
            (next === ':' && /\s/.test(this.#text.charAt(this.#position + 1))) ||
            (next === '#' && /\s/.test(previous)),
        );
        continue;
      }
      this.#position += 1;
      if (depth <= 0) return;
    }
  }

  /** Reads a plain scalar up to the sign that ends it, noting the placeholders. */
  #plainUntil(ends: (sign: string, before: string) => boolean): void {
    while (this.#position < this.#text.length) {
      if (this.#text.startsWith(PLACEHOLDER_START, this.#position)) {
        const line = this.#lineFrom(this.#position);
        const end = placeholderEnd(line, 0);
        if (end !== -1) {
          this.#found.push([this.#position, this.#position + end]);
          this.#position += end;
          continue;
        }
      }
      if (ends(this.#text.charAt(this.#position), this.#text.charAt(this.#position - 1))) return;
      this.#position += 1;
    }
  }

  #skipQuoted(quote: string): void {
    let index = this.#position + 1;
    while (index < this.#text.length) {
      const character = this.#text.charAt(index);
      if (character === '\\' && quote === '"') index += 1;
      else if (character === quote) break;
      index += 1;
    }
    this.#position = index + 1;
  }

  /** The rest of the line, as far as a placeholder may reach: no text costs more than its length times this limit. */
  #lineFrom(position: number): string {
    const rest = this.#text.slice(position, position + REACH);
    const end = rest.indexOf('\n');
    return end === -1 ? rest : rest.slice(0, end);
  }

  #skipLine(): void {
    const end = this.#text.indexOf('\n', this.#position);
    this.#position = end === -1 ? this.#text.length : end + 1;
  }
}
