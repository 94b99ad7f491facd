// Exchange: a client's own request while it is a run: what it asks for, who may answer it, and whether the answer has begun.
import type { JsonObject } from '../../../common/json.ts';
import { mediaAsHashes } from './media.ts';
import type { PlanExchangeStep, PlanModel } from '../../../language/plan/types.ts';
import type { ClientBody } from '../../providers/client-body.ts';
import { limitIn, OUTPUT_LIMITS } from '../../providers/client-limits.ts';
import type {
  ClientProtocol,
  ExchangeHead,
  ExchangeReceiver,
  ExchangeRequest,
} from '../../providers/exchange-port.ts';
import type { Skip } from '../../routing/port.ts';
import type { Bindings } from './bindings.ts';
import { publishedOutputLimit } from './published-limits.ts';

/** Where the answer goes. */
export interface AnswerTaker {
  /** The head of the answer, and the model (`provider/model`) whose it is. */
  begin(head: ExchangeHead, model: string): void;
  /** Bytes of a stream as they come, or the text of an answer that is none. */
  write(piece: Uint8Array | string): void;
}

export interface ExchangeAsked {
  readonly protocol: Exclude<ClientProtocol, 'count_tokens'>;
  readonly search: string;
  readonly headers: ExchangeRequest['headers'];
  readonly body: ClientBody;
  readonly taker: AnswerTaker;
  readonly bindings: Bindings;
}

/** The limit of output in the client's own words. */
export interface AskedLimit {
  readonly name: string;
  readonly tokens: number | null;
}

export class Exchange {
  readonly protocol: ExchangeAsked['protocol'];
  readonly body: ClientBody;
  readonly stream: boolean;
  readonly limit: AskedLimit;
  /** Answers to one request, each as long as the limit allows. */
  readonly choices: number;
  /** From now on it is one candidate's answer, and no other can take its place. */
  begun = false;
  /** What was last said of the request itself by somebody who would not serve it. */
  refused: { readonly head: ExchangeHead; readonly body: string } | undefined;
  readonly #asked: ExchangeAsked;

  constructor(asked: ExchangeAsked) {
    const { body, protocol } = asked;
    this.#asked = asked;
    this.protocol = protocol;
    this.body = body;
    this.stream = protocol !== 'embeddings' && body.value['stream'] === true;
    this.limit = limitOf(protocol, body);
    const { n } = body.value as { readonly n?: unknown };
    this.choices = protocol === 'chat' && typeof n === 'number' && n > 1 ? Math.ceil(n) : 1;
  }

  /** What is asked of the model for one answer; null: nothing is said, and the model's own limit holds. */
  answerTokens(step: PlanExchangeStep, model: PlanModel): number | null {
    if (this.protocol === 'embeddings') return 0;
    const { maxOutputTokens: most } = step;
    const { tokens } = this.limit;
    if (tokens !== null) return most === null ? tokens : Math.min(tokens, most);
    return most === null ? null : Math.min(most, ownLimit(model));
  }

  /** What is held for: of all answers together. */
  outputTokens(step: PlanExchangeStep, model: PlanModel): number {
    return (this.answerTokens(step, model) ?? ownLimit(model)) * this.choices;
  }

  /** Why the candidate is no one to ask; null: it may be. */
  passOver(step: PlanExchangeStep, model: PlanModel, speaks: readonly ClientProtocol[]): Skip | null {
    const { protocol } = this;
    if (!speaks.includes(protocol))
      return skip(
        'cannot_translate',
        `it does not speak the client's protocol (${PROTOCOL_NAMES[protocol]}), and nothing is translated`,
      );
    if (protocol === 'embeddings' && model.model !== firstModel(step))
      return skip('other_vectors', 'vectors of two models do not mix');
    const bound = this.#asked.bindings.modelOf(boundIds(this.body));
    return bound === undefined || bound === model.key
      ? null
      : skip('bound_elsewhere', `the conversation is one of ${bound}, which alone can go on with it`);
  }

  /** The request as a candidate is sent it. */
  request(step: PlanExchangeStep, model: PlanModel): ExchangeRequest {
    const { protocol, search, headers, body } = this.#asked;
    return {
      protocol,
      search,
      headers,
      body,
      model: model.model,
      maxOutputTokens: step.maxOutputTokens === null ? null : this.answerTokens(step, model),
      stream: this.stream,
    };
  }

  receiver(model: PlanModel): ExchangeReceiver {
    const { taker, bindings } = this.#asked;
    return {
      begin: (head) => {
        this.begun = true;
        taker.begin(head, model.key);
      },
      write: (piece) => taker.write(piece),
      learn: (ids) => bindings.learn(ids, model.key),
      refused: (head, body) => {
        this.refused = { head, body };
      },
    };
  }

  /** The body as what it is kept as. */
  get input(): JsonObject {
    return this.body.value as JsonObject;
  }

  /** The body as requests are compared: without what says how it is to be answered, and for whom. */
  get compared(): JsonObject {
    const compared: [string, unknown][] = [];
    for (const member of Object.entries(this.input)) if (!NOT_COMPARED.has(member[0])) compared.push(member);
    return mediaAsHashes(Object.fromEntries(compared)) as JsonObject;
  }
}

const NOT_COMPARED = new Set(['stream', 'stream_options', 'metadata', 'client_metadata', 'prompt_cache_key']);

const PROTOCOL_NAMES: { readonly [protocol in Exchange['protocol']]: string } = {
  chat: 'chat completions',
  responses: 'responses',
  messages: 'messages',
  embeddings: 'embeddings',
};

function limitOf(protocol: Exchange['protocol'], body: ClientBody): AskedLimit {
  const names = protocol === 'embeddings' ? [] : OUTPUT_LIMITS[protocol];
  const [first = ''] = names;
  const written = names.filter((name) => typeof body.value[name] === 'number');
  const tokens = written.map((name) => limitIn(body.value[name]) ?? Number.POSITIVE_INFINITY);
  // A server that knows only one of two names goes by that one: the larger is held.
  const most = Math.max(0, ...tokens);
  return { name: written[0] ?? first, tokens: most >= 1 && Number.isFinite(most) ? most : null };
}

function ownLimit({ model, maxOutputTokens, contextTokens }: PlanModel): number {
  return maxOutputTokens ?? Math.min(publishedOutputLimit(model) ?? contextTokens, contextTokens);
}

function firstModel({ route }: PlanExchangeStep): string | undefined {
  const key = route.rules[0]?.candidates[0]?.model;
  return key?.slice(key.indexOf('/') + 1);
}

function boundIds({ value }: ClientBody): readonly string[] {
  const { previous_response_id: previous, input } = value;
  const items: readonly unknown[] = Array.isArray(input) ? input : [];
  return [
    ...(typeof previous === 'string' ? [previous] : []),
    ...items.flatMap((item) => {
      const sealed = (item as { readonly encrypted_content?: unknown } | null)?.encrypted_content;
      return typeof sealed === 'string' && sealed !== '' ? [sealed] : [];
    }),
  ];
}

function skip(code: Skip['code'], detail: string): Skip {
  return { code, detail, retryAfterMs: null };
}
