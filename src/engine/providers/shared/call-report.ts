// The report of one call: how what happened on the wire is told to the rest of the engine, redacted, with all that was seen.
import type { Json } from '../../../common/json.ts';
import { AttemptTimeout } from '../../resilience/port.ts';
import type { Note, ProviderAnswer, ProviderError, RateHeadroom } from '../port.ts';
import { classify } from './classify.ts';
import type { ReportedFailure } from './classify.ts';
import type { WireResponse } from './http-pool.ts';
import { providerError } from './provider-error.ts';
import { rateHeadroom } from './rate-headers.ts';
import type { Reading } from './reading.ts';
import type { AnswerEnd } from './read-stream.ts';
import type { Redactor } from './redact.ts';
import { retryAfterMs } from './retry-after.ts';
import type { HeaderLookup } from './retry-after.ts';
import { readThrown } from './thrown.ts';
import { classifyTransport } from './transport-failure.ts';

type Failure = Parameters<typeof providerError>[0];

/** A name is shorter. */
const MOST_TIER = 64;

/** What is the same for every call of a provider. */
export interface ReportedProvider {
  readonly name: string;
  readonly apiKeySecret: string | null;
  /** The header with the vendor's id of the request. */
  readonly requestIdHeader: string;
}

export interface Answered {
  /** What is reported where the provider names no model. */
  readonly requestedModel: string;
  readonly text: string;
  readonly json: Json | undefined;
  readonly notes: readonly Note[];
}

export class CallReport {
  readonly #provider: ReportedProvider;
  readonly #redactor: Redactor;
  readonly #reading: Reading;
  readonly #nowMs: () => number;
  /** Set as soon as the headers are there. */
  response: WireResponse | undefined;

  constructor(provider: ReportedProvider, redactor: Redactor, reading: Reading, nowMs: () => number) {
    this.#provider = provider;
    this.#redactor = redactor;
    this.#reading = reading;
    this.#nowMs = nowMs;
  }

  answer(response: WireResponse, { requestedModel, text, json, notes }: Answered): ProviderAnswer {
    const { model, finishReason, usage, reported } = this.#reading;
    return {
      text,
      json,
      model: this.#redactor.exact(model ?? requestedModel),
      finishReason: finishReason ?? 'other',
      usage,
      requestId: this.#requestId(response.headers),
      rateLimits: rateHeadroom(response.headers, this.#nowMs()),
      ...this.#told(reported),
      ...(notes.length > 0
        ? { notes: notes.map(({ code, message }) => ({ code, message: this.#redactor.message(message) })) }
        : {}),
    };
  }

  /** The signal was aborted: by the caller, by the run's deadline, or by one of the attempt's own time limits. */
  abandoned(signal: AbortSignal, billed: ProviderError['billed']): ProviderError {
    const reason: unknown = signal.reason;
    if (!(reason instanceof AttemptTimeout)) {
      return this.#seen({ class: 'cancelled', advice: 'give-up', billed, message: 'cancelled' });
    }
    const kind =
      reason.kind === 'attempt' ? 'timeout' : reason.kind === 'stall' ? 'stalled' : 'first_token_timeout';
    return this.#seen({ class: kind, advice: 'elsewhere', billed, message: reason.message });
  }

  /** The SDK threw: a refusal by its status, or a connection that failed. `learn`: the refusal teaches, and a retry here may succeed. */
  thrown(error: unknown, learn: (failure: ReportedFailure) => boolean): ProviderError {
    const thrown = readThrown(error, this.#nowMs());
    if (thrown === undefined) return this.#seen(classifyTransport(error));
    const { headers, failure, status } = thrown;
    const rateLimits = headers === null ? [] : rateHeadroom(headers, this.#nowMs());
    const refusal = this.#seen(this.#refusal(failure, status));
    const requestId = headers === null ? null : this.#requestId(headers);
    if (learn(failure)) return { ...refusal, advice: 'retry', retryAfterMs: 0, requestId, rateLimits };
    const waitMs =
      refusal.retryAfterMs ?? (refusal.class === 'rate_limited' ? exhaustedForMs(rateLimits) : null);
    return { ...refusal, retryAfterMs: waitMs, requestId, rateLimits };
  }

  /** The answer is not one, or the provider said within it that it failed, or why it was withheld; undefined: it is an answer. */
  lost(end: AnswerEnd, response: WireResponse): ProviderError | undefined {
    const { status } = response;
    if (end.kind === 'failed') {
      const reported = this.#reading.failure ?? { type: null, code: null, message: 'no reason given' };
      const waitMs = retryAfterMs(response.headers, reported.message, this.#nowMs());
      return this.#seen(
        this.#refusal({ ...reported, status: null, shouldRetry: null, retryAfterMs: waitMs }, status),
      );
    }
    if (end.kind !== 'complete') {
      const kind = end.kind === 'cut' ? 'cut_stream' : 'malformed_stream';
      const advice = end.mayRetry ? 'retry' : 'elsewhere';
      return this.#seen({ class: kind, advice, billed: 'maybe', status, message: end.message });
    }
    const { blocked } = this.#reading;
    if (blocked === null) return undefined;
    const message = `withheld by the provider: ${blocked}`;
    return this.#seen({ class: 'content_filter', advice: 'give-up', billed: 'yes', status, message });
  }

  #refusal(failure: ReportedFailure, status: number): Failure {
    const verdict = classify(failure);
    const { apiKeySecret } = this.#provider;
    const remedy =
      verdict.class === 'authentication' && apiKeySecret !== null ? `; check ${apiKeySecret}` : '';
    const where = failure.status === null ? 'an error inside the answer' : String(status);
    return {
      ...verdict,
      status,
      retryAfterMs: verdict.advice === 'give-up' ? null : failure.retryAfterMs,
      message: `${where}: ${failure.message}${remedy}`,
    };
  }

  /** Adds what had come before the failure. What was produced was billed. */
  #seen(failure: Failure): ProviderError {
    const { name } = this.#provider;
    const { text, usage, reported } = this.#reading;
    const error = providerError({
      ...failure,
      message: this.#redactor.message(`${name}: ${failure.message}`),
    });
    if (this.response === undefined) return error;
    return {
      ...error,
      usage,
      ...this.#told(reported),
      seenCharacters: text.length,
      billed: text !== '' || usage !== null ? 'yes' : error.billed,
      requestId: this.#requestId(this.response.headers),
      rateLimits: rateHeadroom(this.response.headers, this.#nowMs()),
    };
  }

  /** A tier and a price are told beside the counts; they may be anything. */
  #told({
    serviceTier,
    costUsd,
  }: Reading['reported']): Pick<ProviderAnswer, 'serviceTier' | 'reportedCostUsd'> {
    return {
      ...(serviceTier === null ? {} : { serviceTier: this.#redactor.exact(serviceTier.slice(0, MOST_TIER)) }),
      ...(costUsd === null ? {} : { reportedCostUsd: costUsd }),
    };
  }

  #requestId(headers: HeaderLookup): string | null {
    const id =
      headers.get(this.#provider.requestIdHeader) ??
      headers.get('x-request-id') ??
      headers.get('apim-request-id');
    return id === null ? null : this.#redactor.exact(id);
  }
}

/** A 429 without Retry-After: the headers may say when what is used up is full again. */
function exhaustedForMs(rateLimits: readonly RateHeadroom[]): number | null {
  const waits = rateLimits.flatMap(({ remaining, resetsInMs }) =>
    remaining === 0 && resetsInMs !== null ? [resetsInMs] : [],
  );
  return waits.length === 0 ? null : Math.max(...waits);
}
