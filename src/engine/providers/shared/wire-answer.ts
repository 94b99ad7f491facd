// An answer on the wire: collected as a whole, or given on as it comes, with nothing of undici's own streams between the socket and who reads.
import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { sideBySide } from '../../../common/side-by-side.ts';
import type { WireResponse } from './http-pool.ts';
import { WireHeaders } from './wire-headers.ts';

const afterHeaders = sideBySide();

type Controller = Dispatcher.DispatchController;

/** undici's handler of one request. Its bounds (the size of a body) are undici's. */
export class WireAnswer implements Dispatcher.DispatchHandler, WireResponse {
  /** Resolves when the headers are there; rejects where there will be none. */
  readonly started: Promise<WireResponse>;
  status = 0;
  headers = NO_HEADERS;
  readonly #signal: AbortSignal;
  readonly #start: (answer: WireResponse) => void;
  readonly #fail: (error: Error) => void;
  #controller: Controller | undefined;
  readonly #pieces: Buffer[] = [];
  #end: 'open' | 'complete' | Error = 'open';
  #onEnd: (() => void) | undefined;
  #body: Readable | undefined;

  constructor(signal: AbortSignal) {
    const { promise, resolve, reject } = Promise.withResolvers<WireResponse>();
    this.started = promise;
    this.#start = resolve;
    this.#fail = reject;
    this.#signal = signal;
    if (signal.aborted) this.#fail(signal.reason as Error);
    else signal.addEventListener('abort', this.#abort);
  }

  readonly #abort = (): void => {
    // Nobody waits for a connection that is still being made.
    if (this.#controller === undefined) this.#fail(this.#signal.reason as Error);
    else this.#controller.abort(this.#signal.reason as Error);
  };

  onRequestStart(controller: Controller): void {
    if (this.#signal.aborted) controller.abort(this.#signal.reason as Error);
    else this.#controller = controller;
  }

  onResponseStart(_controller: Controller, status: number, headers: IncomingHttpHeaders): void {
    // 103 and the like announce an answer, and are none.
    if (status < 200) return;
    this.status = status;
    this.headers = new WireHeaders(headers);
    afterHeaders(() => this.#start(this));
  }

  onResponseData(controller: Controller, piece: Buffer): void {
    if (this.#body === undefined) this.#pieces.push(piece);
    // Who reads slower than the server writes holds the server back.
    else if (!this.#body.destroyed && !this.#body.push(piece)) controller.pause();
  }

  onResponseEnd(): void {
    this.#ended('complete');
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#fail(error);
    this.#ended(error);
  }

  #ended(end: 'complete' | Error): void {
    this.#signal.removeEventListener('abort', this.#abort);
    this.#end = end;
    this.#onEnd?.();
  }

  text(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#whenEnded((error) => {
        if (error !== null) reject(error);
        else resolve(textOf(this.#pieces, this.headers.get('content-type') ?? ''));
      });
    });
  }

  body(): Readable {
    const body = new Readable({
      read: () => this.#controller?.resume(),
      destroy: (error, done) => {
        // Who has read enough lets go of the socket.
        if (this.#end === 'open')
          this.#controller?.abort(error ?? new Error('the answer was not read to its end'));
        done(error);
      },
    });
    for (const piece of this.#pieces) body.push(piece);
    this.#body = body;
    this.#whenEnded((error) => {
      if (error === null) {
        body.push(null);
        return;
      }
      // What came before the connection broke is read first, by who had left it for a moment too.
      if (body.isPaused()) body.resume();
      setImmediate(() => body.destroy(error));
    });
    return body;
  }

  #whenEnded(then: (error: Error | null) => void): void {
    const tell = (): void => then(this.#end instanceof Error ? this.#end : null);
    if (this.#end === 'open') this.#onEnd = tell;
    else tell();
  }
}

const NO_HEADERS = new WireHeaders({});

/** The text of a body, by what it is and what is said of it. */
export function textOf(pieces: readonly Buffer[], contentType: string): string {
  const [first] = pieces;
  const bytes = pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
  const charset = /;\s*charset\s*=\s*"?([\w.:-]{1,40})/i.exec(contentType)?.[1] ?? 'utf-8';
  // JSON is UTF-8, whatever is said of it; where it is not, the server may have meant what it says.
  if (/^utf-?8$/i.test(charset) || isUtf8(bytes)) return bytes.toString('utf8');
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return bytes.toString('utf8');
  }
}
