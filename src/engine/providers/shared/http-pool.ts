// The HTTP client under both SDKs: one keep-alive pool per provider, which sends what an SDK has put together.
import type { Readable } from 'node:stream';
import type { Agent, request } from 'undici';
import { WholeAnswer } from './whole-answer.ts';
import { WireHeaders } from './wire-headers.ts';

/** What is sent: where, and with which headers, is the same for all calls of a kind. */
export interface WireTarget {
  readonly origin: string;
  /** With the query. */
  readonly path: string;
  /** Name, value, name, value …: what undici takes without another copy. */
  readonly headers: string[];
}

/** An answer whose headers are there. */
export interface WireResponse {
  readonly status: number;
  readonly headers: WireHeaders;
  /** The whole body; rejects where the connection breaks before its end. */
  text(): Promise<string>;
  /** The body as it comes. One of the two is asked for, once. */
  body(): Readable;
}

/** Loaded at the first call, with the SDK: it takes some 60 ms, which a start need not wait for. */
let undici: { readonly Agent: typeof Agent; readonly request: typeof request } | undefined;

/** Gives up on a connection that is not established by then; an attempt's own timeout is usually shorter. */
const CONNECT_TIMEOUT_MS = 10_000;

/** An answer may not be larger: a server that never stops must not fill the memory (INV-14). */
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

export interface Pool {
  /** POSTs a body of JSON. Aborting the signal destroys the socket, before the headers as well as during the body. `stream`: a stream is expected. */
  post(target: WireTarget, body: string, stream: boolean, signal: AbortSignal): Promise<WireResponse>;
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
  return {
    async post({ origin, path, headers }, body, stream, signal) {
      undici ??= await import('undici');
      agent ??= new undici.Agent({
        allowH2: false,
        headersTimeout: 0,
        bodyTimeout: 0,
        maxResponseSize: MAX_RESPONSE_BYTES,
        connect: { timeout: CONNECT_TIMEOUT_MS },
      });
      if (stream) {
        const options = { dispatcher: agent, method: 'POST', headers, body, signal } as const;
        const answer = await undici.request(`${origin}${path}`, options);
        return {
          status: answer.statusCode,
          headers: new WireHeaders(answer.headers),
          text: () => answer.body.text(),
          body: () => answer.body,
        };
      }
      const answer = new WholeAnswer(signal);
      agent.dispatch({ origin, path, method: 'POST', headers, body }, answer);
      return await answer.started;
    },
    async close() {
      const closing = agent;
      agent = undefined;
      await closing?.close();
    },
  };
}
