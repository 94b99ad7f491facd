// A reader of server-sent events: bytes in, events out (WHATWG HTML, section 9.2.6).

/** Only the data: both vendors repeat the event's name in it. */
export type OnServerEvent = (data: string) => void;

/** One event may not be larger: a server that never ends one must not fill the memory (INV-14). Characters. */
const MAX_EVENT_CHARACTERS = 16_000_000;

export class EventTooLarge extends Error {
  override readonly name = 'EventTooLarge';
}

export class ServerEventReader {
  readonly #onEvent: OnServerEvent;
  readonly #onComment: () => void;
  readonly #decoder = new TextDecoder();
  #rest = '';
  #data: string | undefined;

  constructor(onEvent: OnServerEvent, onComment: () => void) {
    this.#onEvent = onEvent;
    this.#onComment = onComment;
  }

  /** @throws {EventTooLarge} */
  push(chunk: Uint8Array): void {
    let text = this.#rest + this.#decoder.decode(chunk, { stream: true });
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
    if (this.#rest.length + (this.#data?.length ?? 0) > MAX_EVENT_CHARACTERS) {
      throw new EventTooLarge(`an event of more than ${MAX_EVENT_CHARACTERS} characters`);
    }
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
    }
  }

  #dispatch(): void {
    const data = this.#data;
    this.#data = undefined;
    if (data !== undefined) this.#onEvent(data);
  }
}
