// A loopback server of both vendors' wire protocols that misbehaves on request, and keeps a journal of what reached it.
//
//   const server = await startFaultServer();                    // or ({ clock }): delays then run on that clock
//   baseUrl of an `openai` provider:    server.openaiUrl        // Chat Completions and Responses
//   baseUrl of an `anthropic` provider: server.url              // Messages
//
//   server.script({ refuse: 'rate_limited', headers: { 'retry-after': '2' } }, {});    // first call: 429; second call: a good answer
//   server.otherwise({ cutAtToken: 40 });                       // every call after the script; default: a good answer
//   server.otherwise((call) => (call.model === 'm1' ? { status: 503 } : {}));          // decided per call
//
//   server.calls                 // the journal: one FaultCall per request, with times and what was billed
//   await server.received(2)     // the second call, as soon as its request is in
//   await server.calls[0].gone   // resolves when the client's socket is closed or the answer is finished
//   await server.close();
//
// A good answer is 60 tokens, `t1 t2 … t60`, 20 input tokens and a finish reason of `stop`; as JSON, or as a stream where the
// request asks for one. The journal's `billed` is what a vendor would put on the invoice: null for what it refused, the input and
// the tokens it produced for what it began to answer.
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../src/common/clock.ts';
import type { Clock } from '../../src/common/clock.ts';
import { perform } from './fault-performance.ts';
import type { RefusalName } from './fault-refusals.ts';
import type { WireAnswer, WireProtocol, WireUsage } from './fault-wire.ts';

/** What to do with one request. Everything left out is as in a good answer. Tokens are numbered from 1. */
export interface Behaviour {
  /** Pieces of the answer's text, each a token; or their number. Default 60. */
  readonly tokens?: number | readonly string[];
  /** The whole text instead; split into pieces of four characters. */
  readonly text?: string;
  /** The model that says it answered. Default: the one asked for. */
  readonly model?: string;
  /** null: no usage is reported. Output tokens default to the number of pieces. */
  readonly usage?: Partial<WireUsage> | null;
  /** null: no finish reason is sent. Default `stop`. `content_filter` is a refusal in Messages. */
  readonly finish?: WireAnswer['finish'];

  /** A vendor's refusal by its name; sets status and body in the protocol's own words. */
  readonly refuse?: RefusalName;
  /** A status without vendor's words; or, with `refuse`, in place of its status. */
  readonly status?: number;
  /** The body with `status`; default: a vendor-shaped error. */
  readonly body?: unknown;
  /** The words of the error. */
  readonly message?: string;
  /** Added to the answer's headers. */
  readonly headers?: { readonly [name: string]: string };

  readonly headersAfterMs?: number;
  readonly firstTokenAfterMs?: number;
  readonly tokenEveryMs?: number;

  /** The socket is destroyed after this many tokens. */
  readonly cutAtToken?: number;
  /** The stream ends properly, but early and without finish reason, after this many tokens. */
  readonly endAtToken?: number;
  /** Nothing more is sent after this many tokens; the socket stays open. 0: only the headers. */
  readonly stallAtToken?: number;
  /** An additional event that is not JSON comes after this many tokens. */
  readonly malformedAtToken?: number;
  /** This token's own event arrives damaged: its text is lost. */
  readonly damageToken?: number;
  /** After this many tokens an error event comes inside the 200. 0: before the first. */
  readonly errorAtToken?: number;
  /** Of the error event. Default `overloaded`. */
  readonly errorName?: RefusalName;
  /** No `[DONE]`, no `message_stop`. */
  readonly omitEndMarker?: boolean;
  /** After the last event the stream is left open. */
  readonly keepOpen?: boolean;
  /** reset: the socket is destroyed before any header. silent: accepted and never answered. */
  readonly connection?: 'reset' | 'silent';
  /** A request whose last message is the assistant's is refused with 400. */
  readonly rejectPrefill?: boolean;
  /** Bytes are written in slices of this size, so that events and characters are split anywhere. */
  readonly sliceBytes?: number;
  /** Answers with this content type, whatever the body. */
  readonly contentType?: string;
}

export interface FaultCall {
  /** From 1. */
  readonly number: number;
  readonly path: string;
  readonly protocol: WireProtocol;
  readonly model: string;
  readonly stream: boolean;
  readonly headers: IncomingHttpHeaders;
  /** The request's body. */
  readonly body: { readonly [key: string]: unknown };
  /** Monotonic milliseconds of the server's clock. */
  readonly receivedAtMs: number;
  readonly endedAtMs: number | null;
  readonly status: number | null;
  readonly tokensSent: number;
  readonly ended: 'open' | 'complete' | 'refused' | 'cut' | 'client-closed';
  /** null: nothing would be billed. */
  readonly billed: { readonly inputTokens: number; readonly outputTokens: number } | null;
  /** Resolves when the answer is finished or its socket closed, by whichever side. */
  readonly gone: Promise<void>;
}

export type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };
type Choice = Behaviour | ((call: FaultCall) => Behaviour);

export interface FaultServer {
  /** `http://127.0.0.1:PORT`: the base URL for Messages. */
  readonly url: string;
  /** `http://127.0.0.1:PORT/v1`: the base URL for Chat Completions and Responses. */
  readonly openaiUrl: string;
  readonly calls: readonly FaultCall[];
  /** One behaviour for each of the next requests, in their order. */
  script(...behaviours: readonly Choice[]): void;
  /** For requests beyond the script. */
  otherwise(behaviour: Choice): void;
  /** Resolves when that many calls have been received. */
  received(count: number): Promise<FaultCall>;
  /** Connections accepted since the start: shows whether sockets are reused. */
  connections(): number;
  /** Forgets script and journal; default behaviour again. */
  reset(): void;
  close(): Promise<void>;
}

const PATHS: { readonly [path: string]: WireProtocol } = {
  '/v1/chat/completions': 'chat',
  '/v1/responses': 'responses',
  '/v1/messages': 'messages',
};

export async function startFaultServer(options: { readonly clock?: Clock } = {}): Promise<FaultServer> {
  const clock = options.clock ?? systemClock;
  const calls: FaultCall[] = [];
  let scripted: Choice[] = [];
  let standing: Choice = {};
  let accepted = 0;
  let arrivals: { readonly count: number; readonly resolve: (call: FaultCall) => void }[] = [];

  const server = createServer((request, response) => {
    void handle(request, response);
  });
  server.on('connection', () => {
    accepted += 1;
  });

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const protocol = PATHS[path];
    const body = await readBody(request);
    if (protocol === undefined) {
      response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"error":{"message":"no such path","type":"invalid_request_error"}}');
      return;
    }
    let settleGone = (): void => undefined;
    const gone = new Promise<void>((resolve) => {
      settleGone = resolve;
    });
    const call: Mutable<FaultCall> = {
      number: calls.length + 1,
      path,
      protocol,
      model: String(body['model']),
      stream: body['stream'] === true,
      headers: request.headers,
      body,
      receivedAtMs: clock.monotonicMs(),
      endedAtMs: null,
      status: null,
      tokensSent: 0,
      ended: 'open',
      billed: null,
      gone,
    };
    calls.push(call);
    response.on('close', () => {
      call.endedAtMs ??= clock.monotonicMs();
      if (call.ended === 'open') call.ended = 'client-closed';
      settleGone();
    });
    for (const arrival of arrivals) if (arrival.count === calls.length) arrival.resolve(call);
    arrivals = arrivals.filter((arrival) => arrival.count > calls.length);
    const choice = scripted.shift() ?? standing;
    await perform(typeof choice === 'function' ? choice(call) : choice, call, response, clock);
  };

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    openaiUrl: `${url}/v1`,
    calls,
    script: (...behaviours) => void scripted.push(...behaviours),
    otherwise(behaviour) {
      standing = behaviour;
    },
    received(count) {
      const call = calls[count - 1];
      return call ? Promise.resolve(call) : new Promise((resolve) => arrivals.push({ count, resolve }));
    },
    connections: () => accepted,
    reset() {
      scripted = [];
      standing = {};
      calls.length = 0;
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function readBody(request: IncomingMessage): Promise<{ readonly [key: string]: unknown }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as { readonly [key: string]: unknown };
  } catch {
    return {};
  }
}
