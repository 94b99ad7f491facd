// Thinking that a model writes into its text: `<think>…</think>` and its like are no part of the answer.

/** Opening and closing marks by those who write them: DeepSeek and Qwen, Gemma, Magistral, Kimi. */
const MARKS: readonly (readonly [open: string, close: string])[] = [
  ['<think>', '</think>'],
  ['<thinking>', '</thinking>'],
  ['<thought>', '</thought>'],
  ['[THINK]', '[/THINK]'],
  ['◁think▷', '◁/think▷'],
];

/** An opening mark after one of these is spoken of, not written. */
const QUOTES = '`\'"“‘«';

/** A closing mark alone on its line, without an opening one: chat templates of reasoning models write the opening mark themselves. */
const CLOSED_ONLY =
  /^[\s\S]*?(?:^|\n)[ \t]*(?:<\/think>|<\/thinking>|\[\/THINK\]|◁\/think▷)[ \t]*(?:\r?\n|$)/;

/**
 * Leaves thinking out of a text that comes in pieces; the outcome is the same however it is cut. A text that begins as JSON, and what stands in code,
 * is left as it is.
 */
export class WithoutThinking {
  /** Something was left out. */
  left = false;
  #state: 'start' | 'text' | 'json' | 'thinking' = 'start';
  #close = '';
  /** Not decided yet: it may be the beginning of a mark. */
  #held = '';
  /** Nothing is held but white space from the beginning on: a model may write it without end. */
  #isBlank = false;
  #before = '';
  /** Backticks in a row; three begin or end a block of code. */
  #ticks = 0;
  #inCode = false;
  /** White space after a block at the beginning belongs to the block. */
  #trimming = false;
  #given = false;

  /** What is text of the answer, of this piece and of what was held before. */
  push(piece: string): string {
    if (this.#state === 'json') return piece;
    if (this.#state === 'text' && this.#held === '' && !/[<[◁`]/.test(piece)) {
      // Nearly every piece: nothing in it begins a mark or code.
      if (piece === '') return '';
      this.#ticks = 0;
      this.#before = piece.charAt(piece.length - 1);
      return piece;
    }
    if (this.#isBlank && !/\S/.test(piece)) {
      this.#held += piece;
      return '';
    }
    this.#isBlank = false;
    let text = this.#held + piece;
    this.#held = '';
    let out = '';
    while (text !== '') {
      if (this.#state === 'thinking') {
        const end = text.indexOf(this.#close);
        if (end === -1) {
          this.#held = text.slice(text.length - beginningAtEnd(text, this.#close));
          return out;
        }
        text = text.slice(end + this.#close.length);
        this.#state = this.#given ? 'text' : 'start';
        this.#trimming = !this.#given;
        continue;
      }
      const [shown, rest] = this.#text(text);
      out += shown;
      if (rest === text) {
        this.#held = rest;
        this.#isBlank = this.#state === 'start' && !/\S/.test(rest);
        return out;
      }
      text = rest;
    }
    return out;
  }

  /** The text is over: what was held is text. */
  end(): string {
    const rest = this.#state === 'thinking' ? '' : this.#held;
    this.#held = '';
    return rest;
  }

  #isQuoted(): boolean {
    return this.#before !== '' && QUOTES.includes(this.#before);
  }

  /** Gives text up to an opening mark, or all of it; the rest is what could not be decided, or comes after the mark. */
  #text(text: string): readonly [shown: string, rest: string] {
    let index = 0;
    let from = 0;
    if (this.#state === 'start') {
      while (index < text.length && /\s/.test(text.charAt(index))) index += 1;
      if (this.#trimming) from = index;
      // White space alone decides nothing.
      if (index === text.length) return this.#trimming ? ['', ''] : ['', text];
      const first = text.charAt(index);
      if (first === '{' || (first === '[' && !'[THINK]'.startsWith(text.slice(index, index + 7)))) {
        this.#state = 'json';
        return [text.slice(from), ''];
      }
    }
    for (; index < text.length; index += 1) {
      const character = text.charAt(index);
      if (character === '<' || character === '[' || character === '◁') {
        const mark = this.#inCode || this.#isQuoted() ? undefined : markAt(text, index);
        if (mark === 'maybe') return this.#give(text, from, index);
        if (mark !== undefined) {
          const [shown] = this.#give(text, from, index);
          this.#state = 'thinking';
          this.#close = mark[1];
          this.left = true;
          this.#before = '';
          return [shown.trim() === '' && !this.#given ? '' : shown, text.slice(index + mark[0].length)];
        }
      }
      this.#ticks = character === '`' ? this.#ticks + 1 : 0;
      if (this.#ticks === 3) this.#inCode = !this.#inCode;
      this.#before = character;
      if (!/\s/.test(character)) {
        this.#state = 'text';
        this.#given = true;
        this.#trimming = false;
      }
    }
    return [text.slice(from), ''];
  }

  #give(text: string, from: number, to: number): readonly [string, string] {
    // Nothing but white space so far: it is held with what follows, so that it can be left out with it.
    if (!this.#given) return ['', text.slice(this.#trimming ? to : from)];
    return [text.slice(from, to), text.slice(to)];
  }
}

/** The whole of a text without its thinking. */
export function withoutThinking(text: string): string {
  const closed = /<think|\[THINK\]|◁think▷/.test(text) ? null : CLOSED_ONLY.exec(text);
  if (closed !== null) return text.slice(closed[0].length).trimStart();
  const filter = new WithoutThinking();
  const shown = filter.push(text) + filter.end();
  return filter.left ? shown.trimEnd() : text;
}

function markAt(text: string, index: number): readonly [string, string] | 'maybe' | undefined {
  const rest = text.length - index;
  for (const mark of MARKS) {
    const [open] = mark;
    if (rest >= open.length ? text.startsWith(open, index) : open.startsWith(text.slice(index)))
      return rest >= open.length ? mark : 'maybe';
  }
  return undefined;
}

/** How many characters at the end of the text are the beginning of the mark. */
function beginningAtEnd(text: string, mark: string): number {
  for (let length = Math.min(mark.length - 1, text.length); length > 0; length -= 1)
    if (mark.startsWith(text.slice(text.length - length))) return length;
  return 0;
}
