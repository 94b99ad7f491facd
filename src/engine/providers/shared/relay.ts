// The relay: an answer goes through as it came, and what it says of itself (model, usage, end) is read on the way.
import type { Readable } from 'node:stream';
import type { Clock } from '../../../common/clock.ts';
import type { ExchangeContext, ExchangeHead } from '../exchange-port.ts';
import { errorInside, errorWords, htmlWords, looksLikeHtml } from './error-body.ts';
import type { ErrorWords } from './error-body.ts';
import type { WireResponse } from './http-pool.ts';
import { members } from './reading.ts';
import type { AnswerReader, JsonMembers } from './reading.ts';
import type { AnswerEnd } from './read-stream.ts';
import { isSignOfLife } from './sse.ts';
import { readInTurns } from './turns.ts';

/** After its end an answer may have events to come (usage, an end mark); a server that keeps the stream open is not waited for longer. */
const TAIL_MS = 2_000;
/** One event may not be larger: a server that never ends one must not fill the memory (INV-14). */
const MAX_EVENT_BYTES = 16 * 1024 * 1024;

export interface Relayed {
  readonly response: WireResponse;
  readonly reader: AnswerReader;
  readonly context: ExchangeContext;
  readonly stream: boolean;
  /** The client did not ask for the event that tells the usage: it is read, and not given on. */
  readonly hidesUsage: boolean;
  readonly clock: Clock;
}

const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

/** What stands in a stream without being an event is kept up to here: an error, a page, a whole answer. */
const MAX_STRAY_CHARACTERS = 65_536;

/** What of an answer's head is for clients: ids, rates, the vendor's own; not what belongs to the connection or to the key's account. */
const GIVEN_ON =
  /^(?:x-request-id|request-id|retry-after|(?:x-ms-)?retry-after-ms|x-ratelimit-.*|anthropic-.*|openai-.*|x-codex-.*|x-models-etag|x-reasoning-included|content-type)$/;
const OF_THE_ACCOUNT = /organization|project/;

export function headOf({ status, headers }: WireResponse): ExchangeHead {
  const given: [string, string][] = [];
  for (const header of headers)
    if (GIVEN_ON.test(header[0]) && !OF_THE_ACCOUNT.test(header[0])) given.push(header);
  return { status, headers: Object.fromEntries(given) };
}

export async function relay(relayed: Relayed): Promise<AnswerEnd> {
  const type = relayed.response.headers.get('content-type') ?? '';
  // What the server sent decides, not what was asked.
  return type.includes('text/event-stream') || (relayed.stream && !type.includes('json'))
    ? await new RelayedStream(relayed).ended()
    : relayWhole(relayed, await relayed.response.text());
}

function relayWhole({ response, reader, context, stream }: Relayed, text: string): AnswerEnd {
  const body = parse(text);
  if (body === undefined)
    return {
      kind: 'malformed',
      mayRetry: false,
      message: 'the answer is not a JSON object; is baseUrl right?',
    };
  const { reading } = reader;
  const isAnswer = reader.isAnswer(body);
  const failure = errorInside(body, isAnswer);
  // What was used until it failed is paid for.
  if (failure === undefined || isAnswer) reader.whole(body);
  reading.failure = failure ?? reading.failure;
  if (reading.failure !== null) return { kind: 'failed' };
  if (stream) context.onProgress?.('token');
  context.receiver.learn(idsIn(body));
  context.receiver.begin(headOf(response));
  context.receiver.write(text);
  return { kind: 'complete', notes: [] };
}

class RelayedStream {
  readonly #relayed: Relayed;
  /** Events that came before the first output: until then another candidate may still answer. */
  #held: Uint8Array[] = [];
  /** Since the last turn. */
  #toGive: Uint8Array[] = [];
  #begun = false;
  /** Of the event that has not ended. */
  #rest: Buffer[] = [];
  #restBytes = 0;
  #isOpen = false;
  /** How its last line begins: it may be blank. */
  #line = '';
  #settle: (end: AnswerEnd) => void = () => undefined;
  #settled = false;
  /** What is no event. */
  #stray = '';
  #cancelTail: (() => void) | undefined;

  constructor(relayed: Relayed) {
    this.#relayed = relayed;
  }

  ended(): Promise<AnswerEnd> {
    const body: Readable = this.#relayed.response.body();
    return new Promise((resolve) => {
      this.#settle = (end) => {
        if (this.#settled) return;
        this.#turn();
        this.#settled = true;
        this.#cancelTail?.();
        if (!body.readableEnded) body.destroy();
        resolve(end);
      };
      readInTurns(body, {
        clock: this.#relayed.clock,
        restMs: this.#relayed.context.restMs,
        onChunk: (chunk) => this.#guarded(() => this.#push(chunk)),
        onTurn: () => this.#guarded(() => this.#turn()),
      });
      body.once('end', () => this.#guarded(() => this.#over('the stream ended')));
      // This listener stays for the body's life: a socket that is closed after the answer must not raise an unhandled error.
      body.on('error', (error) => this.#guarded(() => this.#over(`the stream broke: ${error.message}`)));
      body.once('close', () => this.#guarded(() => this.#over('the stream was closed')));
    });
  }

  /** Whatever a server sends, it is its own call that fails. */
  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#toGive = [];
      const message = `the stream cannot be read: ${(error as Error).message}`;
      this.#settle({ kind: 'malformed', mayRetry: false, message });
    }
  }

  /** Each byte is looked at once, in however many pieces an event comes. */
  #push(chunk: Buffer): void {
    if (this.#settled) return;
    // A byte order mark is no part of the first line.
    let start = !this.#isOpen && chunk.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0;
    let line = start;
    this.#isOpen = true;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) {
      const isBlank = this.#isBlank(chunk, line, at);
      line = at + 1;
      this.#line = '';
      if (!isBlank) continue;
      this.#rest.push(chunk.subarray(start, line));
      start = line;
      this.#event(this.#takeRest());
      if (this.#settled) return;
    }
    this.#rest.push(chunk.subarray(start));
    this.#restBytes += chunk.length - start;
    if (this.#line.length < 2) this.#line += chunk.toString('latin1', line, line + 2);
    if (this.#restBytes > MAX_EVENT_BYTES)
      this.#settle({ kind: 'malformed', mayRetry: true, message: 'an event without an end' });
  }

  #isBlank(chunk: Buffer, from: number, to: number): boolean {
    if (this.#line.length + to - from > 1) return false;
    const line = this.#line + chunk.toString('latin1', from, to);
    return line === '' || line === '\r';
  }

  #takeRest(): Buffer {
    const [first] = this.#rest;
    const rest = this.#rest.length === 1 && first !== undefined ? first : Buffer.concat(this.#rest);
    this.#rest = [];
    this.#restBytes = 0;
    return rest;
  }

  /** An event with the blank line that ends it. */
  #event(bytes: Buffer): void {
    const { reader, context, hidesUsage, clock } = this.#relayed;
    const text = bytes.toString('utf8');
    const data = dataOf(text);
    if (data === undefined || data.trim() === '[DONE]') {
      context.onProgress?.('other');
      if (data === undefined && !OTHER_LINE.test(text) && this.#stray.length < MAX_STRAY_CHARACTERS)
        this.#stray += text;
      else this.#give(bytes);
      return;
    }
    // Some servers keep a connection alive with events that hold nothing, which clients take for broken JSON.
    if (isSignOfLife(data)) {
      context.onProgress?.('other');
      return;
    }
    const event = parse(data);
    const error = errorIn(text, data, event);
    if (error !== undefined) {
      // Who has a part of the answer reads the error in the provider's own words.
      if (this.#begun) this.#give(bytes);
      this.#fail(error);
      return;
    }
    if (event === undefined) {
      this.#settle({ kind: 'malformed', mayRetry: true, message: 'a damaged event' });
      return;
    }
    const { reading } = reader;
    const piece = reader.event(event);
    // Further answers to one request (`n`) are no part of what the reader reads, and are paid for.
    const mayBeSilent = piece.isOutput || Array.isArray(event['choices']);
    const silent = piece.text === '' && mayBeSilent ? deltaText(event) : '';
    const isOutput = piece.isOutput || silent !== '';
    reading.text += piece.text === '' ? silent : piece.text;
    context.onProgress?.(isOutput ? 'token' : 'other');
    if (reading.failure !== null) {
      this.#settle({ kind: 'failed' });
      return;
    }
    context.receiver.learn(idsIn(event));
    const isOver = (reading.finishReason !== null && !reading.provisional) || reading.blocked !== null;
    if (!this.#begun && (isOutput || isOver)) this.#begin();
    if (!(hidesUsage && isUsageAlone(event))) this.#give(bytes);
    if (!isOver) return;
    if (isOutput) this.#cancelTail?.();
    if (isOutput || this.#cancelTail === undefined)
      this.#cancelTail = clock.after(TAIL_MS, () => this.#settle({ kind: 'complete', notes: [] }));
  }

  #fail(error: ErrorWords): void {
    this.#relayed.reader.reading.failure = error;
    this.#settle({ kind: 'failed' });
  }

  #begin(): void {
    const { context, response } = this.#relayed;
    this.#begun = true;
    context.receiver.begin(headOf(response));
    this.#toGive = this.#held;
    this.#held = [];
  }

  #give(bytes: Uint8Array): void {
    (this.#begun ? this.#toGive : this.#held).push(bytes);
  }

  /** What came together is written together: a write costs more than what is in it. */
  #turn(): void {
    const [first] = this.#toGive;
    if (first === undefined) return;
    this.#relayed.context.receiver.write(this.#toGive.length === 1 ? first : Buffer.concat(this.#toGive));
    this.#toGive = [];
  }

  /** Nothing more comes: after a finish reason that is well, before it the answer is cut. */
  #over(how: string): void {
    if (this.#settled) return;
    // The last event of some servers lacks the blank line.
    if (this.#restBytes > 0) {
      const last = Buffer.concat([this.#takeRest(), Buffer.from('\n\n')]);
      const data = dataOf(last.toString('utf8'));
      if (data === undefined || parse(data) !== undefined) this.#event(last);
      if (this.#settled) return;
    }
    const { finishReason, blocked } = this.#relayed.reader.reading;
    const error = errorInside(parse(this.#stray.replace(/^\s*error:/, '')), false);
    if (finishReason !== null || blocked !== null) this.#settle({ kind: 'complete', notes: [] });
    else if (error !== undefined) this.#fail(error);
    else if (!this.#begun && looksLikeHtml(this.#stray)) {
      const message = `the answer is ${htmlWords(this.#stray)} (HTML); is baseUrl right?`;
      this.#settle({ kind: 'malformed', mayRetry: false, message });
    } else this.#settle({ kind: 'cut', mayRetry: true, message: `${how} without a finish reason` });
  }
}

/** Comments and fields without data. */
const OTHER_LINE = /^(?:\s*$|:|(?:event|id|retry)(?::|\s*$))/;

function errorIn(text: string, data: string, event: JsonMembers | undefined): ErrorWords | undefined {
  return /^event: ?error\s*$/m.test(text) ? errorWords(event ?? data) : errorInside(event, true);
}

/** undefined: a comment, or a name without data. */
function dataOf(event: string): string | undefined {
  if (!event.includes('data:')) return undefined;
  const lines = event
    .split(/\r?\n/)
    .flatMap((line) => (line.startsWith('data:') ? [line.slice(line[5] === ' ' ? 6 : 5)] : []));
  return lines.length === 0 ? undefined : lines.join('\n');
}

function isUsageAlone(event: JsonMembers): boolean {
  const { choices, usage } = event;
  return Array.isArray(choices) && choices.length === 0 && members(usage) !== undefined;
}

/** Output that is no text, for the sake of its length: parts of tool calls, thinking. */
function deltaText(event: JsonMembers): string {
  const choices = event['choices'];
  const choice = Array.isArray(choices) ? members(choices[0]) : undefined;
  return textsIn(choice?.['delta'] ?? event['delta']).join('');
}

/** No output lies deeper. */
const DEEPEST = 32;

function textsIn(value: unknown, depth = 0): readonly string[] {
  if (typeof value === 'string') return [value];
  if (depth > DEEPEST) return [];
  if (Array.isArray(value)) return value.flatMap((item) => textsIn(item, depth + 1));
  return Object.entries(members(value) ?? {}).flatMap(([name, member]) =>
    name === 'type' || name === 'role' || name === 'id' || name === 'index' ? [] : textsIn(member, depth + 1),
  );
}

/** What a later call may name, and only the same candidate can know: a response by its id, and reasoning that only its maker can read. */
function idsIn(event: JsonMembers): readonly string[] {
  const response = event['object'] === 'response' ? event : members(event['response']);
  const item = members(event['item']);
  const output = response?.['output'];
  const items = [...(item === undefined ? [] : [item]), ...(Array.isArray(output) ? output : [])];
  const id = response?.['id'];
  return [
    ...(typeof id === 'string' ? [id] : []),
    ...items.flatMap((one) => {
      const sealed = members(one)?.['encrypted_content'];
      return typeof sealed === 'string' && sealed !== '' ? [sealed] : [];
    }),
  ];
}

function parse(text: string): JsonMembers | undefined {
  try {
    return members(JSON.parse(text));
  } catch {
    return undefined;
  }
}
