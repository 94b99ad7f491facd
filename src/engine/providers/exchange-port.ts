// The exchange: a client's own body to a provider that speaks the client's protocol, and its answer back, both as they are.
import type { CallContext, CallOutcome } from './port.ts';
import type { ClientBody } from './client-body.ts';

/** What clients speak. Counting is a question about messages, and no call of a model. */
export type ClientProtocol = 'chat' | 'responses' | 'messages' | 'embeddings' | 'count_tokens';

export interface ExchangeRequest {
  readonly protocol: ClientProtocol;
  /** `?beta=true`, or ''. */
  readonly search: string;
  /** Those of the client that go on; names in lower case. */
  readonly headers: { readonly [name: string]: string };
  readonly body: ClientBody;
  /** The name on the wire. */
  readonly model: string;
  /** The most output that may be asked for; null: what the client asks for. */
  readonly maxOutputTokens: number | null;
  readonly stream: boolean;
}

/** What a provider's answer begins with, as far as it is for clients. */
export interface ExchangeHead {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: { readonly [name: string]: string };
}

/** Who takes the answer. Nothing that a failed attempt gave before its beginning is given. */
export interface ExchangeReceiver {
  /** The answer begins: from now on it is this candidate's. */
  begin(head: ExchangeHead): void;
  /** A text: the whole of it. */
  write(piece: Uint8Array | string): void;
  /** What was found in the answer on the way: ids that later calls will name. */
  learn(found: readonly string[]): void;
  /** A refusal of the request itself, in the protocol's own words: for the client, where nobody answers. */
  refused(head: ExchangeHead, body: string): void;
}

export interface ExchangeContext extends Pick<
  CallContext,
  'signal' | 'onProgress' | 'beforeSend' | 'restMs'
> {
  readonly receiver: ExchangeReceiver;
}

/** A provider that takes clients' own bodies. */
export interface Exchanger {
  readonly speaks: readonly ClientProtocol[];
  /** Like `Provider.call`: one call on the wire, no retries, and never a throw for what a provider or a network does. */
  exchange(request: ExchangeRequest, context: ExchangeContext): Promise<CallOutcome>;
}
