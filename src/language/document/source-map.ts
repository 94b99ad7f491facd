// From offsets in a file to places in it.
import type { Place } from '../../errors/place.ts';

/** A long line is cut, but never before the place. */
const EXCERPT_LIMIT = 400;
const EXCERPT_AFTER = 80;

export class SourceMap {
  readonly #file: string;
  readonly #text: string;
  readonly #lineStarts: number[] = [0];
  /** Cut out once, shared by all places of the line. */
  readonly #lines: string[] = [];

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
    for (let index = text.indexOf('\n'); index !== -1; index = text.indexOf('\n', index + 1))
      this.#lineStarts.push(index + 1);
  }

  /** From 1. */
  line(offset: number): number {
    return this.#lineOf(offset) + 1;
  }

  /** The place from `start` to `end`, cut at the end of the line where it starts; at least one column wide. */
  place(start: number, end: number): Place {
    const from = Math.max(0, Math.min(start, this.#text.length));
    const line = this.#lineOf(from);
    const lineStart = this.#lineStarts[line] ?? 0;
    const excerpt = this.#lineText(line);
    const column = from - lineStart + 1;
    const endColumn = Math.max(column + 1, Math.min(end - lineStart + 1, excerpt.length + 1));
    return {
      file: this.#file,
      line: line + 1,
      column,
      endColumn,
      excerpt:
        excerpt.length <= EXCERPT_LIMIT
          ? excerpt
          : excerpt.slice(0, Math.max(EXCERPT_LIMIT, endColumn + EXCERPT_AFTER)),
    };
  }

  #lineText(line: number): string {
    return (this.#lines[line] ??= this.#cutLine(line));
  }

  #cutLine(line: number): string {
    const start = this.#lineStarts[line] ?? 0;
    const next = this.#lineStarts[line + 1];
    const text = this.#text.slice(start, next === undefined ? undefined : next - 1);
    return text.endsWith('\r') ? text.slice(0, -1) : text;
  }

  #lineOf(offset: number): number {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/**
 * The offset in `source` of each offset of `value` that is asked for: YAML folds lines, drops indentation and resolves escapes,
 * so the two are walked side by side. Exact for plain and block scalars; within a character or two around escapes.
 */
export function alignOffset(
  value: string,
  valueOffset: number,
  source: string,
  from: number,
  to: number,
): number {
  let position = from;
  for (let index = 0; index < valueOffset && position < to; index += 1) {
    position = afterCharacter(value.charAt(index), source, position, to);
  }
  const next = value.charAt(valueOffset);
  if (next !== '' && !/\s/.test(next)) {
    const found = source.indexOf(next, position);
    if (found !== -1 && found < to) return found;
  }
  return Math.min(position, to);
}

function afterCharacter(character: string, source: string, position: number, to: number): number {
  if (/\s/.test(character)) {
    if (character === '\n' && source.startsWith('\\n', position)) return position + 2;
    if (character === '\n') {
      const newline = source.indexOf('\n', position);
      return newline === -1 || newline >= to ? position : afterIndent(source, newline + 1, to);
    }
    const there = source.charAt(position);
    if (!/\s/.test(there)) return position;
    return /[\r\n]/.test(there) ? afterIndent(source, position + 1, to) : position + 1;
  }
  const found = source.indexOf(character, position);
  return found === -1 || found >= to ? position : found + 1;
}

function afterIndent(source: string, position: number, to: number): number {
  let index = position;
  while (index < to && source.charAt(index) === ' ') index += 1;
  return index;
}
