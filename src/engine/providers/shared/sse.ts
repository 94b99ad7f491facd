// A reader of server-sent events: bytes in, events out (WHATWG HTML, section 9.2.6).

/** The event's data, and its name where it has one: most repeat it in the data, and some say only there that the event is an error. */
export type OnServerEvent = (data: string, name: string | null) => void;

/** One event may not be larger: a server that never ends one must not fill the memory (INV-14). Characters. */
const MAX_EVENT_CHARACTERS = 16_000_000;

/** What stands in a stream without being an event is kept up to here: it may be an error, or a web page. */
const MAX_STRAY_CHARACTERS = 65_536;

/** Data by which servers and proxies only show that they are there: nothing, `null`, a comment that was put behind `data:`, a word for it. */
export function isSignOfLife(data: string): boolean {
  return data.length < 200 && /^\s*(?:null|:.*|\[?(?:ping|pong|keep-?alive|heartbeat)\]?)?\s*$/i.test(data);
}

export class EventTooLarge extends Error {
  override readonly name = 'EventTooLarge';
}

export class ServerEventReader {
  readonly #onEvent: OnServerEvent;
  readonly #onComment: () => void;
  readonly #decoder = new TextDecoder();
  #rest = '';
  #endsInCr = false;
  #data: string | undefined;
  #name: string | null = null;
  /** Lines that belong to no event: a body that is no event stream, or something that was put into one. */
  stray = '';

  constructor(onEvent: OnServerEvent, onComment: () => void) {
    this.#onEvent = onEvent;
    this.#onComment = onComment;
  }

  /** @throws {EventTooLarge} */
  push(chunk: Uint8Array): void {
    const decoded = this.#decoder.decode(chunk, { stream: true });
    // Of a line that comes in many pieces the pieces are looked at, and not the line each time.
    if (!this.#endsInCr && !/[\r\n]/.test(decoded)) {
      this.#rest += decoded;
      this.#bound();
      return;
    }
    let text = this.#rest + decoded;
    if (text.includes('\r')) {
      // A carriage return at the very end may be the first half of a CRLF: it waits for what follows.
      const held = text.endsWith('\r') ? '\r' : '';
      text = text.slice(0, text.length - held.length).replace(/\r\n?/g, '\n') + held;
    }
    let start = 0;
    for (;;) {
      const end = text.indexOf('\n', start);
      if (end === -1) break;
      this.#line(text, start, end);
      start = end + 1;
    }
    this.#rest = start === 0 ? text : text.slice(start);
    this.#endsInCr = this.#rest.endsWith('\r');
    this.#bound();
  }

  #bound(): void {
    if (this.#rest.length + (this.#data?.length ?? 0) > MAX_EVENT_CHARACTERS)
      throw new EventTooLarge(`an event of more than ${MAX_EVENT_CHARACTERS} characters`);
  }

  /** The stream ended: an event whose blank line never came is given as far as it got; the caller judges it. */
  end(): void {
    if (this.#rest !== '') {
      const last = this.#rest.replace(/\r$/, '');
      this.#line(last, 0, last.length);
      this.#rest = '';
    }
    this.#dispatch();
  }

  #line(text: string, start: number, end: number): void {
    if (start === end) {
      this.#dispatch();
      return;
    }
    if (text.startsWith('data:', start)) {
      const from = text.charCodeAt(start + 5) === 0x20 ? start + 6 : start + 5;
      const value = text.slice(from, end);
      this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    } else if (text.charCodeAt(start) === 0x3a) {
      this.#onComment();
    } else this.#otherLine(text.slice(start, end));
  }

  #otherLine(line: string): void {
    if (line.startsWith('event:')) this.#name = line.slice('event:'.length).trim();
    else if (line.startsWith('error:')) {
      // llama.cpp: a field of its own in place of an event's name.
      this.#name = 'error';
      this.#data = line.slice('error:'.length).trim();
    } else if (!OTHER_FIELD.test(line) && this.stray.length + line.length < MAX_STRAY_CHARACTERS)
      this.stray += `${line}\n`;
  }

  #dispatch(): void {
    const data = this.#data;
    const name = this.#name;
    this.#data = undefined;
    this.#name = null;
    if (data !== undefined) this.#onEvent(data, name);
  }
}

/** Fields of the format that say nothing here. */
const OTHER_FIELD = /^(?:id|retry)(?::|$)|^(?:event|data)$/;
