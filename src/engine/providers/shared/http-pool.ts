// The HTTP client under both SDKs: one keep-alive pool per provider, which sends what an SDK has put together.
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type * as Module from 'undici';
import type { buildConnector, Dispatcher } from 'undici';
import type { Clock } from '../../../common/clock.ts';
import { loadedOnce } from '../../../common/loaded.ts';
import { decoded } from './decoded.ts';
import { WireAnswer } from './wire-answer.ts';
import type { WireHeaders } from './wire-headers.ts';

type Undici = typeof Module;

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

/** Loaded before the first call, with the SDK: it takes some 60 ms, which a start need not wait for. */
const undici = loadedOnce<Undici>(
  () => import('undici'),
  () => createRequire(import.meta.url)('undici') as Undici,
);

/** Gives up on a connection that is not established by then; an attempt's own timeout is usually shorter. */
const CONNECT_TIMEOUT_MS = 10_000;

/** An answer may not be larger: a server that never stops must not fill the memory (INV-14). */
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;
/** Cookies and a content policy of a proxy in between come to more than Node's 16 KB; an answer that is not read for them is paid for all the same. */
const MAX_HEAD_BYTES = 128 * 1024;

/** A kept connection that fails so soon was most likely closed before the request came. */
const CLOSED_WITHIN_MS = 50;
/** Kept connections in a row that turn out to be closed before anything is written to them. */
const MOST_CLOSED = 3;

/**
 * A kept connection broke right after a request was written to it. The server had most likely closed it, and has read nothing; one that reads, bills
 * and closes looks the same, so that sending again is a call of its own.
 */
export class KeptConnectionBroke extends Error {
  override readonly name = 'KeptConnectionBroke';
}

export interface PostOptions {
  readonly signal: AbortSignal;
  /** Called when a socket is connected and nothing is written to it yet; nothing is, before it resolves. */
  readonly beforeSend: () => Promise<void>;
}

export interface Pool {
  /** Loads the HTTP client; undefined: it is there. */
  load(): Promise<void> | undefined;
  /** POSTs a body of JSON. Aborting the signal destroys the socket, before the headers as well as during the body. */
  post(target: WireTarget, body: string, options: PostOptions): Promise<WireResponse>;
  /**
   * Closes the sockets; calls in flight finish first. A call after that opens new ones, which close by themselves when idle: a run that
   * began before a reload may still have calls to make.
   */
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly clock: Clock;
  /** The address of the proxy on the way; null: there is none. */
  readonly proxy: string | null;
}

/**
 * The client's own timeouts are off: the attempt's policy bounds the whole call and each silence. HTTP/1.1 only, so that aborting a
 * call closes its socket and nothing else. Idle sockets are kept for the client's default of 4 s, or as long as the server's Keep-Alive
 * header says: many local model servers close after 5 s without saying so. A request that finds its connection closed before a byte is written
 * takes another. @throws {KeptConnectionBroke}
 */
export function createPool({ clock, proxy }: PoolOptions): Pool {
  let agent: Dispatcher | undefined;
  const connections = new Connections();

  const makeAgent = ({ Agent, ProxyAgent, buildConnector }: Undici): Dispatcher => {
    const limits = {
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: MAX_HEAD_BYTES,
      maxResponseSize: MAX_RESPONSE_BYTES,
      allowH2: false,
    };
    // Plain HTTP goes to the proxy as it is, HTTPS through a tunnel (CONNECT).
    if (proxy !== null) return new ProxyAgent({ ...limits, uri: proxy, connectTimeout: CONNECT_TIMEOUT_MS });
    const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, allowH2: false });
    return new Agent({ ...limits, connect: connections.watched(connect) });
  };

  return {
    load: () => undici.load(),
    async post({ origin, path, headers: always }, text, { signal, beforeSend }) {
      const headers = [...always, 'content-length', String(Buffer.byteLength(text))];
      let written = false;
      const beforeWriting = async (): Promise<void> => {
        await beforeSend();
        written = true;
      };
      for (let closed = 1; ; closed += 1) {
        const mark = connections.mark();
        const sentAtMs = clock.monotonicMs();
        try {
          const client = undici.value() ?? (await undici.get());
          agent ??= makeAgent(client);
          // With a body that is asked for piece by piece, the head of a request is written together with its first piece.
          // undici takes any iterable for a body; its types name only streams.
          const body = announced(text, beforeWriting) as AsyncIterable<string> as Readable;
          const answer = new WireAnswer(signal);
          agent.dispatch({ origin, path, method: 'POST', headers, body }, answer);
          return decoded(await answer.started, MAX_RESPONSE_BYTES);
        } catch (error) {
          if (signal.aborted || !connections.wasKept(error, mark)) throw error;
          if (written) {
            const atOnce = clock.monotonicMs() - sentAtMs < CLOSED_WITHIN_MS;
            throw atOnce ? new KeptConnectionBroke('closed by the server', { cause: error }) : error;
          }
          if (closed === MOST_CLOSED) throw error;
        }
      }
    },
    async close() {
      const closing = agent;
      agent = undefined;
      await closing?.close();
    },
  };
}

/** Which connections were there before a request: only those can have been closed without anyone having read it. */
class Connections {
  #count = 0;
  /** By what broke them, which is what the request fails with. */
  readonly #brokenBy = new WeakMap<object, number>();
  /** By their own port, for those that ended without an error. */
  readonly #byPort = new Map<number, number>();

  /** Connections made until now. */
  mark(): number {
    return this.#count;
  }

  wasKept(error: unknown, mark: number): boolean {
    if (!(error instanceof Error)) return false;
    const port = (error as { socket?: { localPort?: number } }).socket?.localPort;
    const number = this.#brokenBy.get(error) ?? (port === undefined ? undefined : this.#byPort.get(port));
    return number !== undefined && number <= mark;
  }

  watched(connect: buildConnector.connector): buildConnector.connector {
    return (options, callback) =>
      connect(options, (...[error, socket]: Parameters<buildConnector.Callback>) => {
        // Its types say null, and undici gives nothing.
        if (socket) this.#watch(socket);
        (callback as (error: Error | null, socket: Socket | null) => void)(error, socket);
      });
  }

  #watch(socket: Socket): void {
    this.#count += 1;
    const number = this.#count;
    const port = socket.localPort;
    if (port !== undefined) this.#byPort.set(port, number);
    socket.on('error', (error) => this.#brokenBy.set(error, number));
    socket.once('close', () =>
      // The client's own listeners come after this one, and make the error that is looked up.
      setImmediate(() => {
        if (port !== undefined && this.#byPort.get(port) === number) this.#byPort.delete(port);
      }),
    );
  }
}

async function* announced(text: string, beforeSend: () => Promise<void>): AsyncGenerator<string> {
  await beforeSend();
  yield text;
}
