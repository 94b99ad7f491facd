// The report of one call: how what happened on the wire is told to the rest of the engine, redacted, with all that was seen.
import type { Json } from '../../../common/json.ts';
import { AttemptTimeout } from '../../resilience/port.ts';
import type { Note, ProviderAnswer, ProviderError, RateHeadroom } from '../port.ts';
import { classify } from './classify.ts';
import type { ReportedFailure } from './classify.ts';
import type { WireResponse } from './http-pool.ts';
import { errorWords } from './error-body.ts';
import { providerError, shorten } from './provider-error.ts';
import { exhaustedForMs, rateHeadroom } from './rate-headers.ts';
import type { Reading } from './reading.ts';
import type { AnswerEnd } from './read-stream.ts';
import type { Redactor } from './redact.ts';
import { retryAfterMs } from './retry-after.ts';
import type { HeaderLookup } from './retry-after.ts';
import { readThrown } from './thrown.ts';
import { classifyTransport } from './transport-failure.ts';

type Failure = Parameters<typeof providerError>[0] & {
  /** Our own words around the provider's, which may be cut short. */
  readonly before?: string;
  readonly after?: string;
};

/** What a refusal taught. */
export interface Lesson {
  /** The next request will be put otherwise, so that the same call may succeed here. */
  readonly learnt: boolean;
  /** What a person can do about it, for a message; null: nothing special. */
  readonly remedy: string | null;
}

/** How a server words that it has nothing at an address: of the model it says nothing. */
const NOTHING_THERE =
  /^40[45] (?:a web page: )?(?:404:? )?(?:(?:page|resource|url|path|route|endpoint) )?not found\.?$|^405 |^404 no reason given$/i;

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
  /** The likeliest first. */
  readonly json: readonly Json[];
  readonly notes: readonly Note[];
}

export class CallReport {
  readonly #provider: ReportedProvider;
  readonly #redactor: Redactor;
  readonly #reading: Reading;
  readonly #nowMs: () => number;
  /** Set as soon as the headers are there. */
  response: WireResponse | undefined;
  /** The first byte of the request is on its way, or was. */
  sent = false;

  constructor(provider: ReportedProvider, redactor: Redactor, reading: Reading, nowMs: () => number) {
    this.#provider = provider;
    this.#redactor = redactor;
    this.#reading = reading;
    this.#nowMs = nowMs;
  }

  answer(response: WireResponse, { requestedModel, text, json, notes }: Answered): ProviderAnswer {
    const { model, finishReason, usage, reported } = this.#reading;
    // LiteLLM, as a server.
    reported.addCost(response.headers.get('x-litellm-response-cost'));
    return {
      text,
      json: json[0],
      ...(json.length > 1 ? { otherJson: json.slice(1) } : {}),
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
  abandoned(signal: AbortSignal): ProviderError {
    const billed = this.sent ? 'maybe' : 'no';
    const reason: unknown = signal.reason;
    if (!(reason instanceof AttemptTimeout)) {
      return this.#seen({ class: 'cancelled', advice: 'give-up', billed, message: 'cancelled' });
    }
    const kind =
      reason.kind === 'attempt' ? 'timeout' : reason.kind === 'stall' ? 'stalled' : 'first_token_timeout';
    return this.#seen({ class: kind, advice: 'elsewhere', billed, message: reason.message });
  }

  /** What was sent was refused, or the connection failed. `learn`: what the refusal teaches; where it does, a retry here may succeed. */
  thrown(error: unknown, learn: (failure: ReportedFailure) => Lesson): ProviderError {
    const thrown = readThrown(error, this.#nowMs());
    if (thrown === undefined) {
      const failure = classifyTransport(error);
      return this.#seen(this.sent ? failure : { ...failure, billed: 'no' });
    }
    const { headers, failure, status } = thrown;
    const rateLimits = headers === null ? [] : rateHeadroom(headers, this.#nowMs());
    const lesson = learn(failure);
    const refusal = this.#seen(this.#refusal(failure, status, lesson.remedy));
    const requestId = headers === null ? null : this.#requestId(headers);
    if (lesson.learnt) return { ...refusal, advice: 'retry', retryAfterMs: 0, requestId, rateLimits };
    const waitMs = refusal.retryAfterMs ?? this.#exhaustedForMs(refusal, rateLimits, headers);
    return { ...refusal, retryAfterMs: waitMs, requestId, rateLimits };
  }

  #exhaustedForMs(
    { class: kind }: Failure,
    rateLimits: readonly RateHeadroom[],
    headers: HeaderLookup | null,
  ): number | null {
    return kind === 'rate_limited' && headers !== null
      ? exhaustedForMs(rateLimits, headers, this.#nowMs())
      : null;
  }

  /** The answer is not one, or the provider said within it that it failed, or why it was withheld; undefined: it is an answer. */
  lost(
    end: AnswerEnd,
    response: WireResponse,
    learn: (failure: ReportedFailure) => Lesson,
  ): ProviderError | undefined {
    const { status, headers } = response;
    if (end.kind === 'failed') {
      const words = this.#reading.failure ?? errorWords('no reason given');
      const waitMs = retryAfterMs(headers, words.message, this.#nowMs(), words.body);
      const failure: ReportedFailure = {
        ...words,
        shouldRetry: null,
        retryAfterMs: waitMs,
        fromVendor: true,
      };
      const lesson = learn(failure);
      const refusal = this.#refusal(failure, null, lesson.remedy);
      const rateLimits = rateHeadroom(headers, this.#nowMs());
      const again = refusal.retryAfterMs ?? this.#exhaustedForMs(refusal, rateLimits, headers);
      return this.#seen(
        lesson.learnt
          ? { ...refusal, status, advice: 'retry', retryAfterMs: 0 }
          : { ...refusal, status, retryAfterMs: again },
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
    return this.#seen({
      class: 'content_filter',
      advice: 'give-up',
      billed: 'yes',
      status,
      message,
      finishReason: 'content_filter',
    });
  }

  /** `status`: of the answer; null: the error stands inside a 200. */
  #refusal(failure: ReportedFailure, status: number | null, remedy: string | null): Failure {
    const verdict = classify(failure);
    const { apiKeySecret } = this.#provider;
    const then =
      verdict.class === 'authentication' && apiKeySecret !== null
        ? `; check ${apiKeySecret}`
        : remedy !== null
          ? `; ${remedy}`
          : NOTHING_THERE.test(`${status} ${failure.message}`)
            ? '; is baseUrl right?'
            : '';
    const named = failure.status === null ? '' : ` (${failure.status})`;
    const where = status === null ? `an error inside the answer${named}` : String(status);
    return {
      ...verdict,
      status,
      retryAfterMs: verdict.advice === 'give-up' ? null : failure.retryAfterMs,
      message: failure.message,
      before: `${where}: `,
      after: then,
    };
  }

  /** Adds what had come before the failure. What was produced was billed. */
  #seen({ before = '', after = '', ...failure }: Failure): ProviderError {
    const { name } = this.#provider;
    const { text, usage, reported, finishReason } = this.#reading;
    const error = providerError({
      ...failure,
      // Redacted before it is shortened: half a key is not recognized any more.
      message: `${name}: ${before}${shorten(this.#redactor.message(failure.message))}${after}`,
    });
    if (this.response === undefined) return error;
    const counted = usage !== null && usage.inputTokens + usage.outputTokens > 0;
    return {
      ...error,
      usage,
      ...this.#told(reported),
      ...(finishReason === null || error.finishReason !== undefined ? {} : { finishReason }),
      seenCharacters: text.length,
      billed: text !== '' || counted ? 'yes' : error.billed,
      requestId: this.#requestId(this.response.headers),
      rateLimits: rateHeadroom(this.response.headers, this.#nowMs()),
    };
  }

  /** A tier and a price are told beside the counts; they may be anything. */
  #told({
    serviceTier,
    costUsd,
    iterationModels,
    surcharges,
    passes,
  }: Reading['reported']): Pick<
    ProviderAnswer,
    'serviceTier' | 'reportedCostUsd' | 'iterationModels' | 'surcharges' | 'passes'
  > {
    const beside = surcharges.list();
    const named = iterationModels.map((model) => this.#redactor.exact(model.slice(0, MOST_TIER)));
    return {
      ...(named.length === 0 ? {} : { iterationModels: named }),
      ...(serviceTier === null ? {} : { serviceTier: this.#redactor.exact(serviceTier.slice(0, MOST_TIER)) }),
      ...(costUsd === null ? {} : { reportedCostUsd: costUsd }),
      ...(beside.length === 0 ? {} : { surcharges: beside }),
      ...(passes === 1 ? {} : { passes }),
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
