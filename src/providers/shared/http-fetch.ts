// The HTTP client under both SDKs: one keep-alive pool per provider, given to an SDK as its `fetch`.
import type { Agent, Dispatcher, request } from 'undici';
import { WireHeaders } from './wire-headers.ts';

export type WireBody = Dispatcher.ResponseData['body'];

/** What an SDK reads of a `Response`, without the web streams behind it, which cost more than the rest of a call. */
export class WireResponse {
  readonly status: number;
  readonly ok: boolean;
  readonly url: string;
  readonly headers: WireHeaders;
  readonly body: WireBody;

  constructor(url: string, data: Dispatcher.ResponseData) {
    this.url = url;
    this.status = data.statusCode;
    this.ok = data.statusCode >= 200 && data.statusCode < 300;
    this.headers = new WireHeaders(data.headers);
    this.body = data.body;
  }

  text(): Promise<string> {
    return this.body.text();
  }
}

/** What goes through an SDK to our `fetch` beside its own options: an SDK hands on what it finds in `fetchOptions`. */
interface OwnOptions {
  /**
   * The call's signal. Given to an SDK as its `signal`, each call would be wrapped in a signal composed of two, with a weak reference and a
   * finalizer for each, which costs more than our own side of the call.
   */
  readonly callSignal?: AbortSignal;
}

/** An SDK's `fetchOptions` for a call that ends when `signal` is aborted. */
export function fetchOptionsFor(callSignal: AbortSignal): object {
  const options: OwnOptions = { callSignal };
  return options;
}

const flattened = new WeakMap<Headers, string[]>();

/** Name, value, name, value …: what undici takes without another copy. An SDK that sends the same headers again has them at hand. */
function flatHeaders(headers: Headers): string[] {
  let flat = flattened.get(headers);
  if (flat === undefined) {
    flat = [...headers].flat();
    flattened.set(headers, flat);
  }
  return flat;
}

/** Loaded at the first call, with the SDK: it takes some 60 ms, which a start need not wait for. */
let undici: { readonly Agent: typeof Agent; readonly request: typeof request } | undefined;

/** Gives up on a connection that is not established by then; an attempt's own timeout is usually shorter. */
const CONNECT_TIMEOUT_MS = 10_000;

/** An answer may not be larger: a server that never stops must not fill the memory (INV-14). */
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

export interface Pool {
  /** The `fetch` of an SDK. Aborting `init.signal`, or what `fetchOptionsFor` was given, destroys the socket, before the headers as well as during the body. */
  readonly fetch: typeof fetch;
  /**
   * Closes the sockets; calls in flight finish first. A call after that opens new ones, which close by themselves when idle: a run that
   * began before a reload may still have calls to make.
   */
  close(): Promise<void>;
}

/**
 * The client's own timeouts are off: the attempt's policy bounds the whole call and each silence. HTTP/1.1 only, so that aborting a
 * call closes its socket and nothing else. Idle sockets are kept for the client's default of 4 s, or as long as the server's Keep-Alive
 * header says: many local model servers close after 5 s without saying so, and a request that meets the close is a failed attempt.
 */
export function createPool(): Pool {
  let agent: Agent | undefined;
  const send = async (
    url: string,
    init: { method: string; headers: Headers; body?: string; signal?: AbortSignal } & OwnOptions,
  ): Promise<WireResponse> => {
    undici ??= await import('undici');
    agent ??= new undici.Agent({
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: MAX_RESPONSE_BYTES,
      connect: { timeout: CONNECT_TIMEOUT_MS },
    });
    const data = await undici.request(url, {
      dispatcher: agent,
      method: init.method,
      headers: flatHeaders(init.headers),
      body: init.body ?? null,
      signal: init.callSignal ?? init.signal ?? null,
    });
    return new WireResponse(url, data);
  };
  return {
    // The SDKs call `fetch` with exactly the shapes above, and read of the response only what WireResponse has
    // (the conformance suite runs both of them through it); the full `Response` would mean web streams.
    fetch: send as unknown as typeof fetch,
    async close() {
      const closing = agent;
      agent = undefined;
      await closing?.close();
    },
  };
}
