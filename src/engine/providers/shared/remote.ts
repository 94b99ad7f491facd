// A provider behind HTTP: what the adapters share, from the key to the outcome. The adapter knows the protocol, this knows the rules.
import { Readable } from 'node:stream';
import type { Clock } from '../../../common/clock.ts';
import type { Json } from '../../../common/json.ts';
import { fail, succeed } from '../../../common/outcome.ts';
import type { Outcome } from '../../../common/outcome.ts';
import type {
  CallContext,
  CallOutcome,
  ModelRequest,
  Note,
  PromptCacheTerms,
  Provider,
  ProviderError,
} from '../port.ts';
import type { ReadSecret } from '../registry-port.ts';
import { CallReport } from './call-report.ts';
import type { Lesson, ReportedProvider } from './call-report.ts';
import type { ReportedFailure } from './classify.ts';
import { HeldBack } from './held-back.ts';
import { KeyPool } from './key-pool.ts';
import type { Pool, WireResponse } from './http-pool.ts';
import type { Exchanger } from '../exchange-port.ts';
import { exchange } from './exchanger.ts';
import type { ExchangeProtocol } from './exchanger.ts';
import { answeredJson } from './json-answer.ts';
import { providerError } from './provider-error.ts';
import type { AnswerReader } from './reading.ts';
import { readStream, WatchFailed } from './read-stream.ts';
import type { AnswerEnd } from './read-stream.ts';
import { createRedactor } from './redact.ts';
import type { Redactor } from './redact.ts';
import { readWhole } from './read-whole.ts';
import { createSdkRequests, credentialsText, NoCredentials } from './sdk-request.ts';
import type { SdkClients } from './sdk-request.ts';
import { WithoutThinking, withoutThinking } from './thinking.ts';

/** What authenticates a call, read for this call alone (INV-9). */
export interface Credentials {
  readonly key: string | null;
  /** The secret that holds the key; of a pool, the one that was taken. */
  readonly secret: string | null;
  /** Headers that hold secrets, whole. */
  readonly headers: { readonly [name: string]: string };
  /** Secrets that the protocol reads where they are set, by their names. */
  readonly also?: { readonly [secret: string]: string };
}

/** One protocol of one vendor, over its SDK. */
export interface Protocol extends SdkClients {
  /** A step's request in the protocol's terms, as far as is known how this server wants it. */
  prepare(request: ModelRequest): PreparedRequest;
  /** See `Provider.promptCache`; left out: nothing is kept. */
  promptCache?(model: string): PromptCacheTerms | undefined;
  /** The header with the provider's id of the request. */
  readonly requestIdHeader: string;
  /** Left out: clients' own bodies cannot be sent as they are. */
  readonly exchange?: ExchangeProtocol;
  /** Secrets that it can do without, and takes where they are set. */
  readonly optionalSecrets?: readonly string[];
  /** What has to be installed before it can be called; undefined: nothing. */
  missing?(): string | undefined;
}

/** One request, put together; its answer is read as it was asked for, whatever is learnt meanwhile. */
export interface PreparedRequest {
  /** Where the SDK is to send what. */
  readonly path: string;
  readonly body: object;
  readonly reader: AnswerReader;
  /** Undoes what was done to the schema of a structured request. */
  restore(json: Json): Json;
  /** A refusal may teach how the next request has to be put, or what a person has to change. */
  readonly learn: (failure: ReportedFailure) => Lesson;
  /** What was asked otherwise than the step says, and why. */
  readonly notes: readonly Note[];
}

export interface RemoteSettings {
  readonly name: string;
  /** null: the provider needs no key. */
  readonly apiKeySecret: string | null;
  /** Of a pool of keys, those after the first. */
  readonly moreApiKeySecrets: readonly string[];
  /** Resolved, as sent; their values may be secrets too. */
  readonly headers: { readonly [name: string]: string };
  /** Headers that hold secrets: texts, and names of secrets between them. */
  readonly secretHeaders: { readonly [name: string]: readonly HeaderPart[] };
  /** Why it can never be called as it is configured; undefined: nothing is wrong. */
  readonly misconfigured: string | undefined;
}

export type HeaderPart = string | { readonly secret: string };

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
  const { name, misconfigured } = settings;
  const { requestIdHeader, exchange: exchangeProtocol } = protocol;
  const missing = (): string | undefined => misconfigured ?? protocol.missing?.();
  const reported = ({ secret }: Credentials): ReportedProvider => ({
    name,
    apiKeySecret: secret,
    requestIdHeader,
  });
  const keys = new KeyPool(secretsOf(settings), clock);
  const read = (secret: string): string | undefined => readSecret(secret)?.trim() || undefined;
  const set = (): readonly string[] => secretsOf(settings).filter((secret) => read(secret) !== undefined);
  const credentialsOf = credentialsReader(settings, read, () => keys.choose(set()), protocol.optionalSecrets);
  const learnt = ({ secret }: Credentials, outcome: CallOutcome): CallOutcome =>
    secret === null || settings.moreApiKeySecrets.length === 0 ? outcome : keys.learn(secret, set(), outcome);
  const redactorFor = redactorSource(settings);
  const nowMs = (): number => clock.nowMs();
  const requests = createSdkRequests(pool, protocol);

  /** What authenticates the next call, or why it cannot be made. */
  const authenticate = (): Outcome<Credentials, ProviderError> => {
    const credentials = credentialsOf();
    const lacking = missing();
    if (lacking !== undefined) return fail(notSent('invalid_request', `${name}: ${lacking}`));
    if (typeof credentials === 'string')
      return fail(notSent('authentication', `${name}: set ${credentials}`));
    return succeed(credentials);
  };

  const call = async (asked: ModelRequest, context: CallContext): Promise<CallOutcome> => {
    const authenticated = authenticate();
    if (!authenticated.ok) return authenticated;
    const credentials = authenticated.value;
    const { signal } = context;
    const request = wellFormed(asked);
    const redactor = redactorFor(credentials, request.model);
    const prepared = protocol.prepare(request);
    const { path, body, reader } = prepared;
    const report = new CallReport(reported(credentials), redactor, reader.reading, nowMs);
    if (signal.aborted) return fail(report.abandoned(signal));
    const beforeSend = async (): Promise<void> => {
      await context.beforeSend?.();
      signal.throwIfAborted();
      report.sent = true;
    };
    let outcome: CallOutcome;
    try {
      const response = await requests.send(path, body, {
        stream: request.stream,
        credentials,
        signal,
        beforeSend,
      });
      report.response = response;
      context.onProgress?.('headers');
      const end = await readAnswer(response, request, reader, context, redactor, clock);
      outcome =
        signal.aborted && end.kind !== 'complete'
          ? fail(report.abandoned(signal))
          : answered(end, response, request, prepared, report, redactor);
    } catch (error) {
      if (error instanceof WatchFailed) throw error.cause;
      if (signal.aborted) outcome = fail(report.abandoned(signal));
      else if (error instanceof NoCredentials)
        outcome = fail(notSent('authentication', `${name}: ${redactor.message(error.message)}`));
      else outcome = fail(report.thrown(error, prepared.learn));
    }
    return learnt(credentials, outcome);
  };

  return {
    name,
    unavailable() {
      const credentials = credentialsOf(false);
      return missing() ?? (typeof credentials === 'string' ? `set ${credentials}` : undefined);
    },
    load: () => requests.load(),
    promptCache: (model) => protocol.promptCache?.(model),
    call,
    announcesSending: true,
    ...(exchangeProtocol === undefined ? {} : { exchanger: exchangerOf(exchangeProtocol) }),
    close: () => pool.close(),
  };

  function exchangerOf(of: ExchangeProtocol): Exchanger {
    return {
      speaks: of.speaks,
      async exchange(request, context) {
        const authenticated = authenticate();
        if (!authenticated.ok) return authenticated;
        const credentials = authenticated.value;
        const parts = {
          reported: reported(credentials),
          protocol: of,
          requests,
          pool,
          clock,
        };
        const redactor = redactorFor(credentials, request.model);
        return learnt(credentials, await exchange(parts, request, { credentials, redactor }, context));
      },
    };
  }
}

/** The names of all its keys; none: it needs no key. */
function secretsOf({ apiKeySecret, moreApiKeySecrets }: RemoteSettings): readonly string[] {
  return apiKeySecret === null ? [] : [apiKeySecret, ...moreApiKeySecrets];
}

/** Half of a surrogate pair, where a text was cut in the middle of a character, is no Unicode: servers refuse it as broken JSON. */
function wellFormed(request: ModelRequest): ModelRequest {
  const { system, prompt } = request;
  if (prompt.isWellFormed() && (system === null || system.isWellFormed())) return request;
  return { ...request, system: system?.toWellFormed() ?? null, prompt: prompt.toWellFormed() };
}

/** What an answer that was read to its end says. */
function answered(
  end: AnswerEnd,
  response: WireResponse,
  { model, structured }: ModelRequest,
  prepared: PreparedRequest,
  report: CallReport,
  redactor: Redactor,
): CallOutcome {
  const lost = report.lost(end, response, prepared.learn);
  if (lost !== undefined) return fail(lost);
  const notes = [...prepared.notes, ...(end.kind === 'complete' ? end.notes : [])];
  const raw = redactor.exact(prepared.reader.reading.text);
  const text = withoutThinking(raw);
  if (text !== raw) notes.push({ code: 'THINKING_LEFT_OUT', message: 'thinking was left out of the text' });
  const { values, problem } = structured === null ? { values: [], problem: undefined } : answeredJson(text);
  const json = values.map((value) => prepared.restore(value));
  const answer = report.answer(response, { requestedModel: model, text, json, notes });
  return succeed(problem === undefined ? answer : { ...answer, jsonProblem: problem });
}

async function readAnswer(
  response: WireResponse,
  request: ModelRequest,
  reader: AnswerReader,
  { onText, onProgress, restMs }: CallContext,
  redactor: Redactor,
  clock: Clock,
): Promise<AnswerEnd> {
  const type = response.headers.get('content-type') ?? '';
  const toCaller = request.stream && onText ? new ToCaller(onText, redactor) : null;
  const asEvents = (body: Readable): Promise<AnswerEnd> =>
    readStream(
      body,
      reader,
      {
        onText: toCaller && ((delta: string): void => toCaller.push(delta)),
        onProgress,
        restMs,
        notEvents: (text) => readWhole(text, type, reader, redactor),
      },
      clock,
    );
  let end: AnswerEnd;
  // What the server sent decides, not what was asked: some compatible servers answer a stream with JSON, or the reverse.
  if (type.includes('text/event-stream') || (request.stream && !type.includes('json'))) {
    end = await asEvents(response.body());
  } else {
    const text = await response.text();
    if (/^\s*(?:data|event|id|retry)?:/.test(text)) end = await asEvents(Readable.from([Buffer.from(text)]));
    else {
      end = readWhole(text, type, reader, redactor);
      if (end.kind === 'complete' && request.stream && reader.reading.text !== '') {
        onProgress?.('token');
        toCaller?.push(reader.reading.text);
      }
    }
  }
  if (end.kind === 'complete') toCaller?.flush();
  return end;
}

/** Streamed text on its way to the caller: without thinking, and without a secret. */
class ToCaller {
  readonly #thinking = new WithoutThinking();
  readonly #held: HeldBack;

  constructor(onText: (delta: string) => void, redactor: Redactor) {
    this.#held = new HeldBack(onText, redactor);
  }

  push(delta: string): void {
    const text = this.#thinking.push(delta);
    if (text !== '') this.#held.push(text);
  }

  flush(): void {
    const rest = this.#thinking.end();
    if (rest !== '') this.#held.push(rest);
    this.#held.flush();
  }
}

function notSent(kind: 'authentication' | 'invalid_request', message: string): ProviderError {
  return providerError({ class: kind, advice: 'elsewhere', billed: 'no', message });
}

/** Reads what authenticates a call; a text names the secret that is needed and not set. */
function credentialsReader(
  { apiKeySecret, moreApiKeySecrets, secretHeaders }: RemoteSettings,
  read: ReadSecret,
  choose: () => string | undefined,
  optional: readonly string[] = [],
): (toCall?: boolean) => Credentials | string {
  const named = Object.entries(secretHeaders);
  const found = (): Pick<Credentials, 'also'> => {
    if (optional.length === 0) return NOTHING_ELSE;
    return {
      also: Object.fromEntries(
        optional.flatMap((name) => {
          const value = read(name);
          return value === undefined ? [] : [[name, value]];
        }),
      ),
    };
  };
  return (toCall = true) => {
    const secret =
      moreApiKeySecrets.length === 0
        ? apiKeySecret
        : toCall
          ? (choose() ?? apiKeySecret)
          : ([apiKeySecret, ...moreApiKeySecrets].find((one) => one !== null && read(one) !== undefined) ??
            apiKeySecret);
    const key = secret === null ? null : read(secret);
    if (key === undefined) return secret ?? '';
    if (named.length === 0) return { key, secret, headers: NO_HEADERS, ...found() };
    const headers: { [name: string]: string } = {};
    for (const [header, parts] of named) {
      let value = '';
      for (const part of parts) {
        const text = typeof part === 'string' ? part : read(part.secret);
        if (text === undefined) return typeof part === 'string' ? part : part.secret;
        value += text;
      }
      headers[header] = value.trim();
    }
    return { key, secret, headers, ...found() };
  };
}

const NO_HEADERS = {};
const NOTHING_ELSE = {};

/** More models than one provider is asked for. */
const MAX_REDACTORS = 64;

/** A redactor for the key and for headers that authenticate, whose values are as secret; made anew only when one of them changes. */
function redactorSource({
  name: provider,
  headers,
}: Pick<RemoteSettings, 'name' | 'headers'>): (credentials: Credentials, model: string) => Redactor {
  const named = Object.entries(headers)
    .filter(([name]) => /auth|key|token|secret|cookie/i.test(name))
    .map(([, value]) => value);
  const known = new Map<string, Redactor>();
  return (credentials, model) => {
    const of = `${model}\n${credentialsText(credentials)}`;
    if (known.size > MAX_REDACTORS) known.clear();
    let redactor = known.get(of);
    if (redactor === undefined) {
      const { key, also = {} } = credentials;
      const values = [...named, ...Object.values(credentials.headers), ...Object.values(also)].flatMap(
        (value) => [value, value.replace(/^\S+\s+/, '')],
      );
      redactor = createRedactor(key === null ? values : [key, ...values], [provider, model]);
      known.set(of, redactor);
    }
    return redactor;
  };
}
