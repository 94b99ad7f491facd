// Reads a streamed answer to its end, and judges what is wrong with it: cut, malformed, or merely untidy (INV-10).
import type { Readable } from 'node:stream';
import { parseKeepingNumbers } from '../../../common/exact-json.ts';
import type { Clock } from '../../../common/clock.ts';
import type { Note } from '../port.ts';
import { errorInside, errorWords } from './error-body.ts';
import type { ErrorWords } from './error-body.ts';
import type { AnswerReader, JsonMembers } from './reading.ts';
import { members } from './reading.ts';
import { EventTooLarge, isSignOfLife, ServerEventReader } from './sse.ts';
import { readInTurns } from './turns.ts';

export interface StreamOutlet {
  /** Text for the caller: what came in one turn of the event loop. */
  readonly onText: ((delta: string) => void) | null;
  readonly onProgress: ((kind: 'token' | 'other') => void) | null;
  readonly restMs: (() => number) | undefined;
  /** Judges a body that turns out to be no event stream: a whole answer, an error as JSON, a web page. */
  readonly notEvents: (body: string) => AnswerEnd;
}

/** How an answer ended, streamed or not. */
export type AnswerEnd =
  /** `notes`: what was out of order and why the answer counts all the same. */
  | { readonly kind: 'complete'; readonly notes: readonly Note[] }
  /** It ended, or its connection broke, before the provider said that the answer was finished. */
  | { readonly kind: 'cut'; readonly message: string; readonly mayRetry: boolean }
  | { readonly kind: 'malformed'; readonly message: string; readonly mayRetry: boolean }
  /** The provider reported an error in the middle. */
  | { readonly kind: 'failed' };

/**
 * After the finish reason the usage may come in a further event. A server that sends neither usage, end marker nor the end of the
 * stream is waited for no longer than this; after a provisional one, as long as the caller's signal lets it.
 */
const USAGE_GRACE_MS = 2_000;
/** What follows the answer (an end marker, the last chunk) is read for the sake of the socket's reuse, no longer than this. */
const DRAIN_MS = 250;
/** More than these in one answer is not a slip. */
const MOST_DAMAGED = 3;

/** A damaged event with one of these in it may have carried a piece of the answer. */
const CARRIES_OUTPUT = /"(?:content|text|delta|partial_json|output_text|refusal|arguments)"/;

/** One of the caller's own functions threw: no fault of the provider's. `cause` is what it threw. */
export class WatchFailed extends Error {
  override readonly name = 'WatchFailed';
}

/** Resolves when the answer is complete or lost; the body is drained or closed then. @throws {WatchFailed} */
export function readStream(
  body: Readable,
  reader: AnswerReader,
  watch: StreamOutlet,
  clock: Clock,
): Promise<AnswerEnd> {
  return new Promise((resolve, reject) => {
    const stream = new AnswerStream(reader, watch, clock, (end) => {
      if (end.kind === 'complete') drain(body, clock);
      else body.destroy();
      resolve(end);
    });
    const guarded = (action: () => void): void => {
      try {
        action();
      } catch (error) {
        stream.abandon();
        body.destroy();
        reject(new WatchFailed('a listener of the stream threw', { cause: error }));
      }
    };
    readInTurns(body, {
      clock,
      // What is left after the answer is read away at once, for the socket's next call.
      restMs: () => (stream.isSettled ? 0 : (watch.restMs?.() ?? 0)),
      onChunk: (chunk) => guarded(() => stream.push(chunk)),
      onTurn: () => guarded(() => stream.turn()),
    });
    body.once('end', () => guarded(() => stream.end()));
    // This listener stays for the body's life: a socket that is closed after the answer must not raise an unhandled error.
    body.on('error', (error) => guarded(() => stream.lost(`the stream broke: ${error.message}`)));
    body.once('close', () => guarded(() => stream.lost('the stream was closed')));
  });
}

class AnswerStream {
  readonly #reader: AnswerReader;
  readonly #watch: StreamOutlet;
  readonly #clock: Clock;
  readonly #onEnd: (end: AnswerEnd) => void;
  readonly #events = new ServerEventReader(
    (data, name) => this.#event(data, name),
    () => this.#watch.onProgress?.('other'),
  );
  #received = 0;
  /** An event that is no part of an answer and has words: an error, if no answer comes. */
  #odd: ErrorWords | undefined;
  #damaged = 0;
  #damagedOutput = false;
  #pieces = 0;
  /** Characters given to the caller. While a damaged event may have held a piece, nothing more is given. */
  #given = 0;
  /** The text behind them: to cut it off the whole each time would be to copy the whole each time. */
  #toGive = '';
  #settled = false;
  #cancelGrace: (() => void) | undefined;

  constructor(reader: AnswerReader, watch: StreamOutlet, clock: Clock, onEnd: (end: AnswerEnd) => void) {
    this.#reader = reader;
    this.#watch = watch;
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  push(chunk: Uint8Array): void {
    if (this.#settled) return;
    try {
      this.#events.push(chunk);
    } catch (error) {
      if (!(error instanceof EventTooLarge)) throw error;
      this.#settle(malformed(error.message));
    }
  }

  /** What came together is given together: each piece that is given costs its listener more than what is in it. */
  turn(): void {
    if (!this.#settled && !this.#damagedOutput) this.#give();
  }

  end(): void {
    if (this.#settled) return;
    this.#events.end();
    this.lost('the stream ended');
  }

  /** Nothing more comes. After a finish reason that is well; before it, the answer is cut. */
  lost(how: string): void {
    if (this.#settled) return;
    const { finishReason, blocked } = this.#reader.reading;
    if (finishReason !== null || blocked !== null) {
      this.#finish();
      return;
    }
    const stray = this.#events.stray.trim();
    if (this.#received === 0 && stray !== '') {
      const end = this.#watch.notEvents(stray);
      if (end.kind === 'complete') {
        this.#toGive = this.#reader.reading.text;
        this.#give();
      }
      this.#settle(end);
      return;
    }
    const inside = this.#odd ?? (stray === '' ? undefined : errorInside(parse(stray), false));
    if (inside !== undefined) this.#fail(inside);
    else if (this.#damaged > 0)
      this.#settle(malformed(`${how} after a damaged event, without a finish reason`));
    else this.#settle({ kind: 'cut', mayRetry: true, message: `${how} without a finish reason` });
  }

  get isSettled(): boolean {
    return this.#settled;
  }

  abandon(): void {
    this.#settled = true;
    this.#cancelGrace?.();
  }

  #event(data: string, name: string | null): void {
    if (this.#settled) return;
    if (data.trim() === '[DONE]') {
      this.lost('the stream ended');
      return;
    }
    if (isSignOfLife(data)) {
      this.#watch.onProgress?.('other');
      return;
    }
    this.#received += 1;
    const value = parse(data);
    const error = name === 'error' ? errorWords(value ?? data) : errorInside(value, true);
    if (error !== undefined) {
      this.#watch.onProgress?.('other');
      this.#fail(error);
      return;
    }
    const read = members(value);
    if (read === undefined) {
      this.#skip(data);
      return;
    }
    const event = name === null || read['type'] !== undefined ? read : { ...read, type: name };
    if (event['type'] === undefined && !this.#reader.isAnswer(event)) this.#odd ??= errorInside(value, false);
    this.#take(event);
  }

  #take(event: JsonMembers): void {
    const { reading } = this.#reader;
    const piece = this.#reader.event(event);
    this.#watch.onProgress?.(piece.isOutput ? 'token' : 'other');
    if (piece.text !== '') {
      this.#pieces += 1;
      reading.text += piece.text;
      this.#toGive += piece.text;
    }
    this.#cancelGrace?.();
    if (reading.failure !== null) this.#settle({ kind: 'failed' });
    else if (reading.complete) this.#finish();
    else if (reading.finishReason !== null && !reading.provisional)
      this.#cancelGrace = this.#clock.after(USAGE_GRACE_MS, () => this.lost('the stream paused'));
  }

  #fail(error: ErrorWords): void {
    this.#reader.reading.failure = error;
    this.#settle({ kind: 'failed' });
  }

  #skip(data: string): void {
    this.turn();
    this.#damaged += 1;
    this.#damagedOutput ||= CARRIES_OUTPUT.test(data);
    this.#watch.onProgress?.('other');
    if (this.#damaged > MOST_DAMAGED) this.#settle(malformed(`${this.#damaged} damaged events`));
  }

  /** Whether the answer is whole is decided by the provider's own copy or count of it, never by hope. */
  #finish(): void {
    this.turn();
    const { reading } = this.#reader;
    const notes: Note[] = [];
    const note = (message: string): number => notes.push({ code: 'DAMAGED_STREAM', message });
    const skipped =
      this.#damaged === 0
        ? ''
        : `skipped ${this.#damaged === 1 ? 'a damaged event' : `${this.#damaged} damaged events`}: `;
    const whole = reading.wholeText ?? '';
    if (whole !== '') {
      if (!whole.startsWith(reading.text.slice(0, this.#given))) {
        this.#settle(
          malformed('the text that came in pieces is not the text that the provider repeats at the end'),
        );
        return;
      }
      if (whole !== reading.text)
        note(`${skipped}pieces were missing; the provider repeated the whole text at the end`);
      else if (skipped !== '') note(`${skipped}the provider repeated the whole text at the end`);
      reading.text = whole;
      this.#toGive = whole.slice(this.#given);
    } else if (this.#damagedOutput) {
      const { usage } = reading;
      if (usage === null || this.#pieces < usage.outputTokens - usage.reasoningTokens) {
        this.#settle(malformed('a damaged event may have held a piece of the answer'));
        return;
      }
      note(`${skipped}as many pieces came as the provider counts output tokens`);
    } else if (skipped !== '') note(`${skipped}nothing in it looked like output`);
    this.#give();
    this.#settle({ kind: 'complete', notes });
  }

  #give(): void {
    const rest = this.#toGive;
    if (rest === '') return;
    this.#toGive = '';
    this.#given += rest.length;
    this.#watch.onText?.(rest);
  }

  #settle(end: AnswerEnd): void {
    if (this.#settled) return;
    this.turn();
    this.abandon();
    this.#onEnd(end);
  }
}

function malformed(message: string): AnswerEnd {
  return { kind: 'malformed', mayRetry: true, message };
}

function parse(data: string): unknown {
  try {
    return parseKeepingNumbers(data);
  } catch {
    return undefined;
  }
}

/** Reads away what is left, so that the socket can serve the next call; a server that keeps the stream open loses it. */
function drain(body: Readable, clock: Clock): void {
  if (body.readableEnded || body.destroyed) return;
  body.resume();
  const cancel = clock.after(DRAIN_MS, () => body.destroy());
  body.once('close', cancel);
}
