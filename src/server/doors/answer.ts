// The answer at a door: bytes as they come, with a sign of life where none come, and an end that a client understands.
import type { ServerResponse } from 'node:http';
import type { Clock } from '../../common/clock.ts';
import type { AnswerTaker } from '../../engine/execution/exchange/exchange.ts';
import type { ExchangeHead } from '../../engine/providers/exchange-port.ts';
import { setHeaders } from '../headers.ts';
import type { HeaderList } from '../headers.ts';
import { sendDoorRefusal } from './protocol.ts';
import type { Dialect, DoorRefusal } from './protocol.ts';

/** Proxies and clients give up on a connection that is silent for longer. */
const SILENCE_MS = 15_000;
const SIGN_OF_LIFE = ': keep-alive\n\n';
/** A client that reads slower than a model writes keeps what was written in memory; beyond this it is cut. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

export interface DoorAnswerParts {
  readonly response: ServerResponse;
  /** What every answer carries. */
  readonly headers: HeaderList;
  readonly dialect: Dialect;
  /** A stream is asked for. */
  readonly stream: boolean;
  readonly clock: Clock;
  /** The refusal as an event of the protocol. */
  readonly failureEvent: (refusal: DoorRefusal) => string;
}

export class DoorAnswer implements AnswerTaker {
  readonly #parts: DoorAnswerParts;
  runId: string | undefined;
  #model: string | undefined;
  /** Of an answer that is no stream: sent when its cost is known. */
  #whole: { readonly head: ExchangeHead; readonly pieces: (Uint8Array | string)[] } | undefined;
  #cancelSilence: (() => void) | undefined;
  /** Monotonic. */
  #wroteAtMs = 0;

  constructor(parts: DoorAnswerParts) {
    this.#parts = parts;
    if (parts.stream) this.#listen(SILENCE_MS);
    parts.response.once('close', () => this.#cancelSilence?.());
  }

  begin(head: ExchangeHead, model: string): void {
    this.#model = model;
    if (!(head.headers['content-type'] ?? '').includes('text/event-stream')) {
      this.#whole = { head, pieces: [] };
      return;
    }
    this.#beginStream(head.status, head.headers);
  }

  write(piece: Uint8Array | string): void {
    if (this.#whole !== undefined) this.#whole.pieces.push(piece);
    else this.#write(piece);
  }

  /** For an answer that is made here: a stream's first text begins it. */
  writeText(text: string): void {
    this.#beginStream(200, {});
    this.#write(text);
  }

  /** The whole of it has come. `cost`: in dollars. */
  end(cost: string): void {
    const { response } = this.#parts;
    this.#cancelSilence?.();
    if (response.destroyed) return;
    if (this.#whole === undefined) {
      if (response.headersSent && this.#takesTrailers) response.addTrailers({ 'x-headgate-cost': cost });
      response.end();
      return;
    }
    const { head, pieces } = this.#whole;
    const body = joined(pieces);
    // A sign of life was given already: what is whole goes into the stream that it began.
    if (!response.headersSent)
      this.#writeHead(head.status, {
        ...head.headers,
        ...this.#own(),
        'x-headgate-cost': cost,
        'content-length': String(Buffer.byteLength(body)),
      });
    response.end(body);
  }

  /** As a status where nothing has been sent, else as the protocol's event; what follows is no clean end of an answer. */
  refuse(refusal: DoorRefusal): void {
    const { response, dialect, failureEvent } = this.#parts;
    this.#cancelSilence?.();
    this.#whole = undefined;
    if (response.destroyed) return;
    if (response.headersSent) {
      response.end(failureEvent(refusal));
      return;
    }
    setHeaders(response, this.#parts.headers);
    for (const [name, value] of Object.entries(this.#own())) response.setHeader(name, value);
    sendDoorRefusal(response, dialect, refusal);
  }

  /** A refusal in a provider's own words. */
  passOn(head: ExchangeHead, body: string): void {
    const { response } = this.#parts;
    this.#cancelSilence?.();
    this.#writeHead(head.status, {
      ...head.headers,
      ...this.#own(),
      'x-should-retry': 'false',
      'content-length': String(Buffer.byteLength(body)),
    });
    response.end(body);
  }

  get hasBegun(): boolean {
    return this.#parts.response.headersSent;
  }

  #beginStream(status: number, headers: ExchangeHead['headers']): void {
    const { response } = this.#parts;
    if (response.headersSent || response.destroyed) return;
    this.#writeHead(status, {
      ...headers,
      ...STREAM_HEADERS,
      ...this.#own(),
      ...(this.#takesTrailers ? { Trailer: 'x-headgate-cost' } : {}),
    });
    response.flushHeaders();
  }

  /** HTTP/1.0, which proxies speak to what is behind them, has none. */
  get #takesTrailers(): boolean {
    return this.#parts.response.req.httpVersion !== '1.0';
  }

  /** As one list: headers that are set one by one are each looked at again when they are written. */
  #writeHead(status: number, headers: { readonly [name: string]: string }): void {
    const { response, headers: always } = this.#parts;
    const list = [...always];
    for (const name in headers) list.push(name, headers[name] ?? '');
    response.writeHead(status, list);
  }

  #own(): { readonly [name: string]: string } {
    return {
      ...(this.runId === undefined ? {} : { 'x-headgate-run': this.runId }),
      ...(this.#model === undefined ? {} : { 'x-headgate-model': this.#model }),
    };
  }

  #write(bytes: Uint8Array | string): void {
    const { response } = this.#parts;
    if (response.destroyed) return;
    response.write(bytes);
    if (response.writableLength > MAX_BUFFERED_BYTES) response.destroy();
    else this.#wroteAtMs = this.#parts.clock.monotonicMs();
  }

  /** The timer is not moved with each piece: where something was written since it was set, it is set again for what is left. */
  #listen(delayMs: number): void {
    this.#cancelSilence = this.#parts.clock.after(delayMs, () => {
      const leftMs = this.#wroteAtMs + SILENCE_MS - this.#parts.clock.monotonicMs();
      if (this.#wroteAtMs > 0 && leftMs > 0) return this.#listen(leftMs);
      this.#beginStream(200, {});
      this.#write(SIGN_OF_LIFE);
      this.#listen(SILENCE_MS);
    });
  }
}

/** A text stays one: Node writes it together with the head. */
function joined(pieces: readonly (Uint8Array | string)[]): Uint8Array | string {
  const [first = ''] = pieces;
  return pieces.length <= 1 ? first : Buffer.concat(pieces.map((piece) => Buffer.from(piece as string)));
}
