// A provider behind HTTP: what the adapters share, from the key to the outcome. The adapter knows the protocol, this knows the rules.
import type { Clock } from '../../common/clock.ts';
import type { Json } from '../../common/json.ts';
import { fail, succeed } from '../../common/outcome.ts';
import { AttemptTimeout } from '../../resilience/port.ts';
import type {
  CallContext,
  CallOutcome,
  ModelRequest,
  Provider,
  ProviderError,
  RateHeadroom,
} from '../port.ts';
import type { ReadSecret } from '../registry-port.ts';
import { classify } from './classify.ts';
import type { ReportedFailure } from './classify.ts';
import { HeldBack } from './held-back.ts';
import type { Pool, WireResponse } from './http-fetch.ts';
import { findJson } from './json-answer.ts';
import { providerError } from './provider-error.ts';
import { rateHeadroom } from './rate-headers.ts';
import type { AnswerReader, Reading } from './reading.ts';
import { members } from './reading.ts';
import { readStream, WatchFailed } from './read-stream.ts';
import type { AnswerEnd } from './read-stream.ts';
import { createRedactor } from './redact.ts';
import type { Redactor } from './redact.ts';
import { retryAfterMs } from './retry-after.ts';
import type { HeaderLookup } from './retry-after.ts';
import { readThrown, reportedInside } from './thrown.ts';
import { classifyTransport } from './transport-failure.ts';

/** One protocol of one vendor, over its SDK. */
export interface Protocol {
  /** Sends with the SDK and gives the raw answer as soon as its headers are there; rejects with the SDK's error for a 4xx or 5xx. */
  send(request: ModelRequest, key: string | null, signal: AbortSignal): Promise<WireResponse>;
  reader(request: ModelRequest): AnswerReader;
  /** Undoes what was done to the schema of a structured request. */
  restore(request: ModelRequest, json: Json): Json;
  /** A refusal may teach how the next request has to be put; true: it has, and the same call may now succeed here. */
  learn(request: ModelRequest, failure: ReportedFailure): boolean;
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
  readonly pool: Pool;
}

export function createRemoteProvider(
  settings: RemoteSettings,
  protocol: Protocol,
  { readSecret, clock, pool }: RemoteDependencies,
): Provider {
  const { name, apiKeySecret } = settings;
  const headerSecrets = secretHeaders(settings.headers);
  let redactor = createRedactor(headerSecrets);
  let redactorKey: string | null = null;

  /** undefined: it is needed and not set. */
  const readKey = (): string | null | undefined =>
    apiKeySecret === null ? null : readSecret(apiKeySecret)?.trim() || undefined;

  const redactorFor = (key: string | null): Redactor => {
    if (key !== redactorKey) {
      redactorKey = key;
      redactor = createRedactor(key === null ? headerSecrets : [key, ...headerSecrets]);
    }
    return redactor;
  };

  const unavailable = (): string | undefined =>
    settings.misconfigured ?? (readKey() === undefined ? `set ${apiKeySecret ?? ''}` : undefined);

  const call = async (request: ModelRequest, context: CallContext): Promise<CallOutcome> => {
    const { signal } = context;
    const key = readKey();
    if (settings.misconfigured !== undefined)
      return fail(notSent('invalid_request', `${name}: ${settings.misconfigured}`));
    if (key === undefined) return fail(notSent('authentication', `${name}: set ${apiKeySecret ?? ''}`));
    if (signal.aborted) return fail(abandoned(signal, name, 'no'));
    const redact = redactorFor(key);
    const reader = protocol.reader(request);
    let response: WireResponse | undefined;
    try {
      response = await protocol.send(request, key, signal);
      context.onProgress?.('headers');
      const end = await readAnswer(response, request, reader, context, redact);
      if (signal.aborted && end.kind !== 'complete')
        return fail(withSeen(abandoned(signal, name, 'maybe'), reader.reading, response));
      return conclude(end, request, reader.reading, response, redact);
    } catch (error) {
      if (error instanceof WatchFailed) throw error.cause;
      const failure = signal.aborted ? abandoned(signal, name, 'maybe') : fromThrown(error, request, redact);
      return fail(withSeen(failure, reader.reading, response));
    }
  };

  const readAnswer = async (
    response: WireResponse,
    request: ModelRequest,
    reader: AnswerReader,
    { onText, onProgress }: CallContext,
    redact: Redactor,
  ): Promise<AnswerEnd> => {
    const type = response.headers.get('content-type') ?? '';
    const toCaller = request.stream && onText ? new HeldBack(onText, redact) : null;
    let end: AnswerEnd;
    // What the server sent decides, not what was asked: some compatible servers answer a stream with JSON, or the reverse.
    if (type.includes('text/event-stream') || (request.stream && !type.includes('json'))) {
      end = await readStream(
        response.body,
        reader,
        { onText: toCaller && ((delta) => toCaller.push(delta)), onProgress },
        clock,
      );
    } else {
      end = readWhole(await response.text(), type, reader, redact);
      if (end.kind === 'complete' && request.stream && reader.reading.text !== '') {
        onProgress?.('token');
        toCaller?.push(reader.reading.text);
      }
    }
    if (end.kind === 'complete') toCaller?.flush();
    return end;
  };

  const conclude = (
    end: AnswerEnd,
    request: ModelRequest,
    reading: Reading,
    response: WireResponse,
    redact: Redactor,
  ): CallOutcome => {
    if (end.kind === 'failed') {
      const reported = reading.failure ?? { type: null, code: null, message: 'no reason given' };
      const retryMs = retryAfterMs(response.headers, reported.message, clock.nowMs());
      const failure: ReportedFailure = {
        ...reported,
        status: null,
        shouldRetry: null,
        retryAfterMs: retryMs,
      };
      return fail(withSeen(worded(failure, redact, response.status), reading, response));
    }
    if (end.kind === 'cut' || end.kind === 'malformed') {
      const error = providerError({
        class: end.kind === 'cut' ? 'cut_stream' : 'malformed_stream',
        advice: end.mayRetry ? 'retry' : 'elsewhere',
        billed: 'maybe',
        status: response.status,
        message: redact.message(`${name}: ${end.message}`),
      });
      return fail(withSeen(error, reading, response));
    }
    if (reading.blocked !== null) {
      const message = redact.message(`${name}: withheld by the provider: ${reading.blocked}`);
      const error = providerError({
        class: 'content_filter',
        advice: 'give-up',
        billed: 'yes',
        status: response.status,
        message,
      });
      return fail(withSeen(error, reading, response));
    }
    const text = redact.exact(reading.text);
    const json = request.structured === null ? undefined : findJson(text);
    return succeed({
      text,
      json: json === undefined ? undefined : protocol.restore(request, json),
      model: redact.exact(reading.model ?? request.model),
      finishReason: reading.finishReason ?? 'other',
      usage: reading.usage,
      requestId: requestIdIn(response.headers, redact),
      rateLimits: rateHeadroom(response.headers, clock.nowMs()),
      ...(end.notes.length > 0 ? { notes: end.notes.map((note) => redact.message(note)) } : {}),
    });
  };

  const requestIdIn = (headers: HeaderLookup, redact: Redactor): string | null => {
    const id =
      headers.get(protocol.requestIdHeader) ?? headers.get('x-request-id') ?? headers.get('apim-request-id');
    return id === null ? null : redact.exact(id);
  };

  const fromThrown = (error: unknown, request: ModelRequest, redact: Redactor): ProviderError => {
    const thrown = readThrown(error, clock.nowMs());
    if (thrown === undefined) {
      const { message, ...verdict } = classifyTransport(error);
      return providerError({ ...verdict, message: redact.message(`${name}: ${message}`) });
    }
    const { headers, failure, status } = thrown;
    const rateLimits = headers === null ? [] : rateHeadroom(headers, clock.nowMs());
    const described = worded(failure, redact, status);
    return {
      ...described,
      ...(protocol.learn(request, failure) ? { advice: 'retry', retryAfterMs: 0 } : {}),
      ...(described.class === 'rate_limited' && described.retryAfterMs === null
        ? { retryAfterMs: exhaustedForMs(rateLimits) }
        : {}),
      requestId: headers === null ? null : requestIdIn(headers, redact),
      rateLimits,
    };
  };

  const worded = (failure: ReportedFailure, redact: Redactor, status: number): ProviderError => {
    const verdict = classify(failure);
    const remedy =
      verdict.class === 'authentication' && apiKeySecret !== null ? `; check ${apiKeySecret}` : '';
    const where = failure.status === null ? 'an error inside the answer' : String(status);
    return providerError({
      ...verdict,
      status,
      retryAfterMs: verdict.advice === 'give-up' ? null : failure.retryAfterMs,
      message: redact.message(`${name}: ${where}: ${failure.message}${remedy}`),
    });
  };

  /** Adds what had come before the failure. What was produced was billed. */
  const withSeen = (
    error: ProviderError,
    reading: Reading,
    response: WireResponse | undefined,
  ): ProviderError => {
    if (response === undefined) return error;
    return {
      ...error,
      usage: reading.usage,
      seenCharacters: reading.text.length,
      billed: reading.text !== '' || reading.usage !== null ? 'yes' : error.billed,
      requestId: requestIdIn(response.headers, redactor),
      rateLimits: rateHeadroom(response.headers, clock.nowMs()),
    };
  };

  return { name, unavailable, call, close: () => pool.close() };
}

/** The body of an answer that is not a stream. */
function readWhole(text: string, contentType: string, reader: AnswerReader, redact: Redactor): AnswerEnd {
  const body = parse(text);
  if (body === undefined) {
    const what = `the answer is not a JSON object (${contentType === '' ? 'no content type' : contentType})`;
    // Redacted before it is shortened: half a key is not recognized any more.
    const beginning = redact.message(text.slice(0, 2000)).slice(0, 80);
    return {
      kind: 'malformed',
      mayRetry: false,
      message: `${what}; is baseUrl right? It begins: ${beginning}`,
    };
  }
  const { reading } = reader;
  const { error } = body;
  if (error !== undefined && error !== null && error !== '') reading.failure = reportedInside(error);
  else reader.whole(body);
  if (reading.failure !== null) return { kind: 'failed' };
  if (reading.finishReason === null && reading.blocked === null) {
    return { kind: 'cut', mayRetry: false, message: 'the answer has no finish reason' };
  }
  return { kind: 'complete', notes: reading.usage === null ? ['the provider reported no usage'] : [] };
}

function parse(text: string): { readonly [key: string]: unknown } | undefined {
  try {
    return members(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function notSent(kind: 'authentication' | 'invalid_request', message: string): ProviderError {
  return providerError({ class: kind, advice: 'elsewhere', billed: 'no', message });
}

/** The signal was aborted: by the caller, by the run's deadline, or by one of the attempt's own time limits. */
function abandoned(signal: AbortSignal, name: string, billed: ProviderError['billed']): ProviderError {
  const reason: unknown = signal.reason;
  if (reason instanceof AttemptTimeout) {
    const kind =
      reason.kind === 'attempt' ? 'timeout' : reason.kind === 'stall' ? 'stalled' : 'first_token_timeout';
    return providerError({ class: kind, advice: 'elsewhere', billed, message: `${name}: ${reason.message}` });
  }
  return providerError({ class: 'cancelled', advice: 'give-up', billed, message: `${name}: cancelled` });
}

/** A 429 without Retry-After: the headers may say when what is used up is full again. */
function exhaustedForMs(rateLimits: readonly RateHeadroom[]): number | null {
  const waits = rateLimits.flatMap(({ remaining, resetsInMs }) =>
    remaining === 0 && resetsInMs !== null ? [resetsInMs] : [],
  );
  return waits.length === 0 ? null : Math.max(...waits);
}

/** Values of headers that authenticate: as secret as a key. */
function secretHeaders(headers: { readonly [name: string]: string }): string[] {
  return Object.entries(headers)
    .filter(([name]) => /auth|key|token|secret|cookie/i.test(name))
    .map(([, value]) => value.replace(/^(?:Bearer|Basic)\s+/i, ''));
}
