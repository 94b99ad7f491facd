// The Provider port: one call to one model, answered or failed, with usage, classification and rate headroom.
import type { Json } from '../../common/json.ts';
import type { Outcome } from '../../common/outcome.ts';
import type { JsonSchema } from '../../language/plan/types.ts';
import type { Exchanger } from './exchange-port.ts';

export interface Provider {
  readonly name: string;
  /** What is missing before it can be called (`set OPENAI_API_KEY`), or undefined when nothing is. Reads the secret's presence each time; cheap. */
  unavailable(): string | undefined;
  /** Loads what a call needs, so that no time limit of a call counts it; undefined: it is there. A failure is met again, and told, by the call. */
  load?(): Promise<void> | undefined;
  /** One call on the wire, no retries. Never throws for what a provider or a network does; an aborted signal gives a `cancelled` error and closes the socket. */
  call(request: ModelRequest, context: CallContext): Promise<CallOutcome>;
  /** It calls `beforeSend` and waits for it, right before the first byte of a request is written; left out: it does not tell. */
  readonly announcesSending?: true;
  /** How it keeps the beginning of a prompt to that model where it is asked to; undefined: it is not asked. */
  promptCache?(model: string): PromptCacheTerms | undefined;
  /** Takes clients' own bodies too; left out: it does not. */
  readonly exchanger?: Exchanger;
  /** Closes pooled sockets. */
  close(): Promise<void>;
}

export interface ModelRequest {
  /** The name on the wire. */
  readonly model: string;
  readonly system: string | null;
  readonly prompt: string;
  readonly maxOutputTokens: number;
  readonly temperature: number | null;
  /** Asked for natively where the server can, else by instruction; the answer's `json` is parsed but not validated here. */
  readonly structured: { readonly name: string; readonly schema: JsonSchema } | null;
  readonly stream: boolean;
  /** What of it is the same in each call of its step; left out: nothing is known, or nothing is to be kept. */
  readonly constant?: ConstantPart;
}

/** The beginning of a request that a provider may keep. */
export interface ConstantPart {
  /** The same for the same beginning; says nothing of its text. */
  readonly key: string;
  /** Characters of the system text; all of it, where `promptChars` is not 0. */
  readonly systemChars: number;
  readonly promptChars: number;
  /** The provider is to keep it, at the price of a write, or to read what it has kept. */
  readonly asked: boolean;
  /** What the provider writes by itself is welcome too: the very same prompt comes again. Left out: it is not. */
  readonly whole?: true;
}

/** How a provider keeps the beginnings of prompts. */
export interface PromptCacheTerms {
  /** Shorter ones are not kept. */
  readonly leastTokens: number;
  /** How long what was read or written is kept at the least. */
  readonly liveMs: number;
  /** It writes each prompt to its end, at the price of a write, unless it is told not to. */
  readonly writesAll?: true;
}

export interface CallContext {
  /** Aborts on the caller's cancellation, the deadline and every timeout. */
  readonly signal: AbortSignal;
  /** A piece of text, as it comes; only with `stream`. */
  readonly onText: ((delta: string) => void) | null;
  /** Anything that came from the provider (headers, a token, a ping): resets stall watches; `kind` is `token` for model output. */
  readonly onProgress: ((kind: 'headers' | 'token' | 'other') => void) | null;
  /** A socket is about to be written: nothing is, before this resolves, or after it rejects. */
  readonly beforeSend?: () => Promise<unknown>;
  /** How long a stream may be left unread after what has just come of it, in milliseconds; 0: not at all. Left out: always 0. */
  readonly restMs?: () => number;
}

/** Why a provider ended its answer; `length`: at the limit of output tokens. `other`: it said something else, or nothing. */
export type FinishReason = 'stop' | 'length' | 'content_filter' | 'other';

export type CallOutcome = Outcome<ProviderAnswer, ProviderError>;

export interface ProviderAnswer {
  readonly text: string;
  /** With `structured`: the parsed answer; undefined when the text is not JSON. */
  readonly json: Json | undefined;
  /** With `structured`: further JSON values in the text, the likeliest first: a model may show a draft, or the schema, before it answers. */
  readonly otherJson?: readonly Json[];
  /** With `structured`, and without `json`: why the JSON in the text is not taken. */
  readonly jsonProblem?: string;
  /** The model that the provider says answered. */
  readonly model: string;
  readonly finishReason: FinishReason;
  /** null: the provider reported none. */
  readonly usage: Usage | null;
  readonly requestId: string | null;
  readonly rateLimits: readonly RateHeadroom[];
  /** What was out of order (a damaged event, no usage) and why the answer counts all the same; redacted. */
  readonly notes?: readonly Note[];
  readonly serviceTier?: string | null;
  /** What the provider says that it charged, in dollars as decimal text. */
  readonly reportedCostUsd?: string | null;
  /** Models that worked on it, where the provider counts their passes apart; their tokens are in `usage`. */
  readonly iterationModels?: readonly string[];
  readonly surcharges?: readonly Surcharge[];
  /** How often the model may have read its input: once more after each call of the provider's own tools. Left out: once. */
  readonly passes?: number;
}

/** What is billed beside tokens, or at other rates than the list's; with neither `usd` nor `percent`, at a price that nobody knows here. */
export interface Surcharge {
  /** For people: `5 × web search`. */
  readonly what: string;
  /** Dollars as decimal text. */
  readonly usd?: string;
  /** On top of the price of all its tokens. */
  readonly percent?: number;
}

/** Something that is worth knowing of a call that went well: a stable code, and a sentence for people. */
export interface Note {
  readonly code: string;
  readonly message: string;
}

/** Tokens. `inputTokens` counts cached reads and cache writes too; `outputTokens` counts reasoning too. */
export interface Usage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteTokens: number;
  /** Of the cache writes, those that are kept for an hour, which are dearer; left out: none. */
  readonly cacheWriteHourTokens?: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

/** What a provider's own headers say is left. */
export interface RateHeadroom {
  readonly kind: 'requests' | 'tokens' | 'inputTokens' | 'outputTokens';
  readonly limit: number | null;
  readonly remaining: number;
  /** Until it is full again; null: not said. */
  readonly resetsInMs: number | null;
}

export type ErrorClass =
  | 'rate_limited'
  | 'quota_exhausted'
  | 'overloaded'
  | 'server_error'
  | 'connection'
  | 'timeout'
  | 'first_token_timeout'
  | 'stalled'
  | 'cut_stream'
  | 'malformed_stream'
  | 'authentication'
  | 'permission'
  | 'model_not_found'
  | 'invalid_request'
  | 'context_length'
  | 'content_filter'
  | 'empty_answer'
  | 'invalid_output'
  | 'wrong_model'
  | 'not_accepted'
  | 'cancelled'
  | 'unknown';

export interface ProviderError {
  readonly class: ErrorClass;
  /** retry: here, after a pause; elsewhere: another candidate; give-up: no candidate would do better, tell the caller. */
  readonly advice: 'retry' | 'elsewhere' | 'give-up';
  /** For people; redacted (INV-9). */
  readonly message: string;
  /** A connection that was kept from before broke at once: the server had most likely closed it. It is asked again at once, as a call of its own. */
  readonly keptConnection?: true;
  readonly status: number | null;
  readonly retryAfterMs: number | null;
  /** no: the provider surely did not bill; maybe: it may have; yes: it did, by `usage` or by what was seen. */
  readonly billed: 'no' | 'maybe' | 'yes';
  /** As far as it was reported before the failure. */
  readonly usage: Usage | null;
  readonly serviceTier?: string | null;
  readonly reportedCostUsd?: string | null;
  readonly iterationModels?: readonly string[];
  readonly surcharges?: readonly Surcharge[];
  readonly passes?: number;
  /** As far as it was said. */
  readonly finishReason?: FinishReason;
  /** Characters of output text that had come before the failure. */
  readonly seenCharacters: number;
  readonly requestId: string | null;
  readonly rateLimits: readonly RateHeadroom[];
}
