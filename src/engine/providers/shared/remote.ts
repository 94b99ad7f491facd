// A provider behind HTTP: what the adapters share, from the key to the outcome. The adapter knows the protocol, this knows the rules.
import type { Clock } from '../../../common/clock.ts';
import type { Json } from '../../../common/json.ts';
import { fail, succeed } from '../../../common/outcome.ts';
import type { CallContext, CallOutcome, ModelRequest, Provider, ProviderError } from '../port.ts';
import type { ReadSecret } from '../registry-port.ts';
import { CallReport } from './call-report.ts';
import type { ReportedFailure } from './classify.ts';
import { HeldBack } from './held-back.ts';
import type { Pool, WireResponse } from './http-pool.ts';
import { findJson } from './json-answer.ts';
import { providerError } from './provider-error.ts';
import type { AnswerReader } from './reading.ts';
import { members } from './reading.ts';
import { readStream, WatchFailed } from './read-stream.ts';
import type { AnswerEnd } from './read-stream.ts';
import { createRedactor } from './redact.ts';
import type { Redactor } from './redact.ts';
import { createSdkRequests } from './sdk-request.ts';
import type { RequestBuilder } from './sdk-request.ts';
import { reportedInside } from './thrown.ts';

/** One protocol of one vendor, over its SDK. */
export interface Protocol {
  /** The vendor's SDK. */
  createClient(key: string | null): Promise<RequestBuilder>;
  /** Where the SDK is to send what. */
  put(request: ModelRequest): { readonly path: string; readonly body: object };
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
  const { name, apiKeySecret, misconfigured } = settings;
  const reported = { name, apiKeySecret, requestIdHeader: protocol.requestIdHeader };
  const redactorFor = redactorSource(settings.headers);
  const nowMs = (): number => clock.nowMs();
  const requests = createSdkRequests(pool, (key) => protocol.createClient(key));

  /** undefined: it is needed and not set. */
  const readKey = (): string | null | undefined =>
    apiKeySecret === null ? null : readSecret(apiKeySecret)?.trim() || undefined;

  const call = async (request: ModelRequest, context: CallContext): Promise<CallOutcome> => {
    const { signal } = context;
    const key = readKey();
    if (misconfigured !== undefined) return fail(notSent('invalid_request', `${name}: ${misconfigured}`));
    if (key === undefined) return fail(notSent('authentication', `${name}: set ${apiKeySecret ?? ''}`));
    const redactor = redactorFor(key);
    const reader = protocol.reader(request);
    const report = new CallReport(reported, redactor, reader.reading, nowMs);
    if (signal.aborted) return fail(report.abandoned(signal, 'no'));
    try {
      const { path, body } = protocol.put(request);
      const response = await requests.send(path, body, { stream: request.stream, key, signal });
      report.response = response;
      context.onProgress?.('headers');
      const end = await readAnswer(response, request, reader, context, redactor, clock);
      if (signal.aborted && end.kind !== 'complete') return fail(report.abandoned(signal, 'maybe'));
      const lost = report.lost(end, response);
      if (lost !== undefined) return fail(lost);
      const text = redactor.exact(reader.reading.text);
      const found = request.structured === null ? undefined : findJson(text);
      const json = found === undefined ? undefined : protocol.restore(request, found);
      const notes = end.kind === 'complete' ? end.notes : [];
      return succeed(report.answer(response, { requestedModel: request.model, text, json, notes }));
    } catch (error) {
      if (error instanceof WatchFailed) throw error.cause;
      if (signal.aborted) return fail(report.abandoned(signal, 'maybe'));
      return fail(report.thrown(error, (failure) => protocol.learn(request, failure)));
    }
  };

  return {
    name,
    unavailable: () => misconfigured ?? (readKey() === undefined ? `set ${apiKeySecret ?? ''}` : undefined),
    call,
    close: () => pool.close(),
  };
}

async function readAnswer(
  response: WireResponse,
  request: ModelRequest,
  reader: AnswerReader,
  { onText, onProgress }: CallContext,
  redactor: Redactor,
  clock: Clock,
): Promise<AnswerEnd> {
  const type = response.headers.get('content-type') ?? '';
  const toCaller = request.stream && onText ? new HeldBack(onText, redactor) : null;
  let end: AnswerEnd;
  // What the server sent decides, not what was asked: some compatible servers answer a stream with JSON, or the reverse.
  if (type.includes('text/event-stream') || (request.stream && !type.includes('json'))) {
    const watch = { onText: toCaller && ((delta: string): void => toCaller.push(delta)), onProgress };
    end = await readStream(response.body(), reader, watch, clock);
  } else {
    end = readWhole(await response.text(), type, reader, redactor);
    if (end.kind === 'complete' && request.stream && reader.reading.text !== '') {
      onProgress?.('token');
      toCaller?.push(reader.reading.text);
    }
  }
  if (end.kind === 'complete') toCaller?.flush();
  return end;
}

/** The body of an answer that is not a stream. */
function readWhole(text: string, contentType: string, reader: AnswerReader, redactor: Redactor): AnswerEnd {
  const body = parse(text);
  if (body === undefined) {
    const what = `the answer is not a JSON object (${contentType === '' ? 'no content type' : contentType})`;
    // Redacted before it is shortened: half a key is not recognized any more.
    const beginning = redactor.message(text.slice(0, 2000)).slice(0, 80);
    const message = `${what}; is baseUrl right? It begins: ${beginning}`;
    return { kind: 'malformed', mayRetry: false, message };
  }
  const { reading } = reader;
  const { error } = body;
  if (error !== undefined && error !== null && error !== '') reading.failure = reportedInside(error);
  else reader.whole(body);
  if (reading.failure !== null) return { kind: 'failed' };
  if (reading.finishReason === null && reading.blocked === null) {
    return { kind: 'cut', mayRetry: false, message: 'the answer has no finish reason' };
  }
  return { kind: 'complete', notes: [] };
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

/** A redactor for the key and for headers that authenticate, whose values are as secret; made anew only when the key changes. */
function redactorSource(headers: { readonly [name: string]: string }): (key: string | null) => Redactor {
  const fromHeaders = Object.entries(headers)
    .filter(([name]) => /auth|key|token|secret|cookie/i.test(name))
    .map(([, value]) => value.replace(/^(?:Bearer|Basic)\s+/i, ''));
  let last: { readonly key: string | null; readonly redactor: Redactor } | undefined;
  return (key) => {
    if (last?.key !== key || last === undefined) {
      last = { key, redactor: createRedactor(key === null ? fromHeaders : [key, ...fromHeaders]) };
    }
    return last.redactor;
  };
}
