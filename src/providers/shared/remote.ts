// A provider behind HTTP: what the adapters share from the key to the outcome. The adapter knows the protocol, this knows the rules.
import type { Agent } from 'undici';
import type { Clock } from '../../common/clock.ts';
import type { Json } from '../../common/json.ts';
import { fail, succeed } from '../../common/outcome.ts';
import { AttemptTimeout } from '../../resilience/port.ts';
import type { CallContext, CallOutcome, ModelRequest, Provider, ProviderError } from '../port.ts';
import type { ReadSecret } from '../registry-port.ts';
import { classify } from './classify.ts';
import type { ReportedFailure } from './classify.ts';
import type { WireResponse } from './http-fetch.ts';
import { findJson } from './json-answer.ts';
import { providerError } from './provider-error.ts';
import { rateHeadroom } from './rate-headers.ts';
import type { AnswerReader, JsonMembers, Reading } from './reading.ts';
import { members, textOf } from './reading.ts';
import { readStream } from './read-stream.ts';
import type { StreamEnd } from './read-stream.ts';
import { createRedactor } from './redact.ts';
import type { Redactor } from './redact.ts';
import { retryAfterMs } from './retry-after.ts';
import { classifyTransport } from './transport-failure.ts';

/** One protocol of one vendor, over its SDK. */
export interface Protocol {
  /** Sends with the SDK and gives the raw answer as soon as its headers are there; rejects with the SDK's error for a 4xx or 5xx. */
  send(request: ModelRequest, key: string | null, signal: AbortSignal): Promise<WireResponse>;
  reader(request: ModelRequest): AnswerReader;
  /** Undoes what was done to the schema of a structured request. */
  restore(request: ModelRequest, json: Json): Json;
  /** The header with the provider's id of the request. */
  readonly requestIdHeader: string;
}

export interface RemoteSettings {
  readonly name: string;
  /** null: the provider needs no key. */
  readonly apiKeySecret: string | null;
  /** Resolved, as sent; their values may be secrets too. */
  readonly headers: { readonly [name: string]: string };
  /** Why it can never be called as it is configured; undefined: nothing is wrong. */
  readonly misconfigured: string | undefined;
}

export interface RemoteDependencies {
  readonly readSecret: ReadSecret;
  readonly clock: Clock;
  readonly agent: Agent;
}

export function createRemoteProvider(
  settings: RemoteSettings,
  protocol: Protocol,
  { readSecret, clock, agent }: RemoteDependencies,
): Provider {
  const { name, apiKeySecret } = settings;
  let redactor = createRedactor([]);
  let redactorKey: string | null | undefined;

  const redactorFor = (key: string | null): Redactor => {
    if (key !== redactorKey) {
      redactorKey = key;
      redactor = createRedactor([...(key === null ? [] : [key]), ...secretHeaders(settings.headers)]);
    }
    return redactor;
  };
  const readKey = (): string | null | undefined =>
    apiKeySecret === null ? null : readSecret(apiKeySecret)?.trim() || undefined;

  const unavailable = (): string | undefined => {
    if (settings.misconfigured !== undefined) return settings.misconfigured;
    return readKey() === undefined ? `set ${apiKeySecret ?? ''}` : undefined;
  };

  const call = async (request: ModelRequest, context: CallContext): Promise<CallOutcome> => {
    const key = readKey();
    const { signal } = context;
    if (settings.misconfigured !== undefined)
      return fail(notSent('invalid_request', `${name}: ${settings.misconfigured}`));
    if (key === undefined) return fail(notSent('authentication', `${name}: set ${apiKeySecret ?? ''}`));
    if (signal.aborted) return fail(abandoned(signal, name, { billed: 'no' }));
    const redact = redactorFor(key);
    const reader = protocol.reader(request);
    let response: WireResponse | undefined;
    try {
      response = await protocol.send(request, key, signal);
      context.onProgress?.('headers');
      const end = await readAnswer(response, request, reader, context, redact);
      return signal.aborted && end.kind !== 'complete'
        ? fail(withSeen(abandoned(signal, name, {}), reader.reading, response))
        : conclude(end, request, reader.reading, response, redact);
    } catch (error) {
      if (signal.aborted) return fail(withSeen(abandoned(signal, name, {}), reader.reading, response));
      return fail(withSeen(fromThrown(error, redact), reader.reading, response));
    }
  };

  const readAnswer = async (
    response: WireResponse,
    request: ModelRequest,
    reader: AnswerReader,
    context: CallContext,
    redact: Redactor,
  ): Promise<StreamEnd> => {
    const type = response.headers.get('content-type') ?? '';
    // What the server sent decides, not what was asked: some compatible servers answer a stream with JSON, or the reverse.
    if (type.includes('text/event-stream') || (request.stream && !type.includes('json'))) {
      const held = request.stream && context.onText ? new HeldBack(context.onText, redact) : null;
      const onText = held && ((delta: string): void => held.push(delta));
      const end = await readStream(response.body, reader, { onText, onProgress: context.onProgress }, clock);
      if (end.kind === 'complete') held?.flush();
      return end;
    }
    const text = await response.text();
    const body = parseObject(text);
    if (body === undefined) {
      return {
        kind: 'malformed',
        message: `the answer is not a JSON object (${type === '' ? 'no content type' : type}); is baseUrl right? It begins: ${text.slice(0, 80)}`,
      };
    }
    const inside = members(body['error']);
    if (inside === undefined) reader.whole(body);
    else
      reader.reading.failure = {
        type: textOf(inside['type']),
        code: codeOf(inside),
        message: textOf(inside['message']) ?? JSON.stringify(inside),
      };
    const { reading } = reader;
    if (reading.failure !== null) return { kind: 'failed' };
    if (reading.finishReason === null && reading.blocked === null)
      return { kind: 'cut', message: 'the answer has no finish reason' };
    if (request.stream && reading.text !== '') {
      context.onProgress?.('token');
      context.onText?.(redact.exact(reading.text));
    }
    return { kind: 'complete', notes: [] };
  };

  const conclude = (
    end: StreamEnd,
    request: ModelRequest,
    reading: Reading,
    response: WireResponse,
    redact: Redactor,
  ): CallOutcome => {
    const now = clock.nowMs();
    if (end.kind === 'failed' && reading.failure !== null) {
      const { type, code, message } = reading.failure;
      const failure: ReportedFailure = {
        status: null,
        type,
        code,
        message,
        shouldRetry: null,
        retryAfterMs: retryAfterMs(response.headers, message, now),
      };
      return fail(withSeen(worded(failure, redact, 200), reading, response));
    }
    if (end.kind !== 'complete') {
      const isCut = end.kind === 'cut';
      const message = redact.message(
        `${name}: ${isCut || end.kind === 'malformed' ? end.message : 'the answer failed'}`,
      );
      return fail(
        withSeen(
          providerError({
            class: isCut ? 'cut_stream' : 'malformed_stream',
            advice: 'retry',
            billed: 'maybe',
            status: 200,
            message,
          }),
          reading,
          response,
        ),
      );
    }
    if (reading.blocked !== null) {
      const message = redact.message(`${name}: withheld by the provider: ${reading.blocked}`);
      return fail(
        withSeen(
          providerError({ class: 'content_filter', advice: 'give-up', billed: 'yes', status: 200, message }),
          reading,
          response,
        ),
      );
    }
    const text = redact.exact(reading.text);
    return succeed({
      text,
      json: request.structured === null ? undefined : restored(request, text),
      model: reading.model ?? request.model,
      finishReason: reading.finishReason ?? 'other',
      usage: reading.usage,
      requestId: requestIdOf(response),
      rateLimits: rateHeadroom(response.headers, now),
      ...(end.notes.length > 0 ? { notes: end.notes.map((note) => redact.message(note)) } : {}),
    });
  };

  const restored = (request: ModelRequest, text: string): Json | undefined => {
    const json = findJson(text);
    return json === undefined ? undefined : protocol.restore(request, json);
  };

  const requestIdOf = (response: WireResponse): string | null =>
    response.headers.get(protocol.requestIdHeader) ??
    response.headers.get('apim-request-id') ??
    response.headers.get('x-request-id');

  const fromThrown = (error: unknown, redact: Redactor): ProviderError => {
    const thrown = members(error);
    const status = thrown?.['status'];
    if (typeof status !== 'number') {
      const { message, ...verdict } = classifyTransport(error);
      return providerError({ ...verdict, message: redact.message(`${name}: ${message}`) });
    }
    const headers = thrown?.['headers'] as WireResponse['headers'] | undefined;
    const outer = members(thrown?.['error']);
    // OpenAI's SDK gives the inner `error`, Anthropic's the whole body.
    const inner = members(outer?.['error']) ?? outer;
    const message = textOf(inner?.['message']) ?? textOf(outer?.['error']) ?? (error as Error).message;
    const again = headers?.get('x-should-retry') ?? null;
    const failure: ReportedFailure = {
      status,
      type: textOf(inner?.['type']),
      code: codeOf(inner),
      message,
      shouldRetry: again === null ? null : again === 'true',
      retryAfterMs: retryAfterMs(
        headers ?? null,
        `${message} ${inner ? JSON.stringify(inner['details'] ?? '') : ''}`,
        clock.nowMs(),
      ),
    };
    return {
      ...worded(failure, redact, status),
      requestId: headers?.get(protocol.requestIdHeader) ?? headers?.get('x-request-id') ?? null,
      rateLimits: headers ? rateHeadroom(headers, clock.nowMs()) : [],
    };
  };

  const worded = (failure: ReportedFailure, redact: Redactor, status: number): ProviderError => {
    const verdict = classify(failure);
    const remedy =
      verdict.class === 'authentication' && apiKeySecret !== null ? `; check ${apiKeySecret}` : '';
    return providerError({
      ...verdict,
      status,
      retryAfterMs: verdict.advice === 'give-up' ? null : failure.retryAfterMs,
      message: redact.message(
        `${name}: ${failure.status ?? 'error inside the answer'}: ${failure.message}${remedy}`,
      ),
    });
  };

  const withSeen = (
    error: ProviderError,
    reading: Reading,
    response: WireResponse | undefined,
  ): ProviderError => {
    if (response === undefined) return error;
    const seen = reading.text.length;
    return {
      ...error,
      usage: reading.usage,
      seenCharacters: seen,
      billed: seen > 0 || reading.usage !== null ? 'yes' : error.billed,
      requestId: error.requestId ?? requestIdOf(response),
      rateLimits:
        error.rateLimits.length > 0 ? error.rateLimits : rateHeadroom(response.headers, clock.nowMs()),
    };
  };

  return { name, unavailable, call, close: () => agent.close() };
}

function notSent(kind: 'authentication' | 'invalid_request', message: string): ProviderError {
  return providerError({ class: kind, advice: 'elsewhere', billed: 'no', message });
}

/** The signal was aborted: by the caller, by the run's deadline, or by one of the attempt's own time limits. */
function abandoned(signal: AbortSignal, name: string, fields: Partial<ProviderError>): ProviderError {
  const reason: unknown = signal.reason;
  if (reason instanceof AttemptTimeout) {
    const kind =
      reason.kind === 'attempt' ? 'timeout' : reason.kind === 'stall' ? 'stalled' : 'first_token_timeout';
    return providerError({
      class: kind,
      advice: 'elsewhere',
      billed: 'maybe',
      message: `${name}: ${reason.message}`,
      ...fields,
    });
  }
  return providerError({
    class: 'cancelled',
    advice: 'give-up',
    billed: 'maybe',
    message: `${name}: cancelled`,
    ...fields,
  });
}

function codeOf(error: JsonMembers | undefined): string | null {
  const code = error?.['code'];
  return typeof code === 'number' ? String(code) : textOf(code);
}

function parseObject(text: string): JsonMembers | undefined {
  try {
    return members(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Values of headers that authenticate: as secret as a key. */
function secretHeaders(headers: { readonly [name: string]: string }): string[] {
  return Object.entries(headers)
    .filter(([name]) => /auth|key|token|secret|cookie/i.test(name))
    .map(([, value]) => value.replace(/^(?:Bearer|Basic)\s+/i, ''));
}

/** Text on its way to a caller, without the key even where a server echoes it in pieces: the start of one waits for its rest. */
class HeldBack {
  readonly #onText: (delta: string) => void;
  readonly #redact: Redactor;
  #held = '';

  constructor(onText: (delta: string) => void, redact: Redactor) {
    this.#onText = onText;
    this.#redact = redact;
  }

  push(delta: string): void {
    const text = this.#redact.exact(this.#held + delta);
    const free = text.length - startOfSecret(text, this.#redact.forms);
    this.#held = text.slice(free);
    if (free > 0) this.#onText(text.slice(0, free));
  }

  flush(): void {
    const rest = this.#held;
    this.#held = '';
    if (rest !== '') this.#onText(rest);
  }
}

/** How many characters at the end of the text are the beginning of a secret. */
function startOfSecret(text: string, forms: readonly string[]): number {
  let longest = 0;
  for (const form of forms) {
    const first = form.charAt(0);
    let at = text.indexOf(first, Math.max(0, text.length - form.length + 1));
    while (at !== -1 && text.length - at > longest) {
      if (form.startsWith(text.slice(at))) longest = text.length - at;
      at = text.indexOf(first, at + 1);
    }
  }
  return longest;
}
