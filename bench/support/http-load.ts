// Load over HTTP/1.1 from bare sockets: a client that costs a fraction of what it measures.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { percentile } from './report.ts';

const END_OF_HEAD = Buffer.from('\r\n\r\n');
/** After it stand the trailers, which are short. */
const LAST_CHUNK = '\r\n0\r\n';
const LONGEST_TRAILERS = 1000;

/** One keep-alive connection with one request at a time. */
export class Connection {
  readonly #socket: Socket;
  #waiting: Buffer = Buffer.alloc(0);
  #done: ((body: Buffer) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.#failed?.(error));
    socket.on('close', () => this.#failed?.(new Error('the server closed the connection')));
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new Connection(socket)));
      socket.once('error', reject);
    });
  }

  /** The whole answer, head and body. */
  send(request: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#done = resolve;
      this.#failed = reject;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#waiting = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk]);
    const end = this.#waiting.indexOf(END_OF_HEAD);
    if (end < 0) return;
    const head = this.#waiting.toString('latin1', 0, end);
    const length = /content-length: *(\d+)/i.exec(head)?.[1];
    const whole =
      length === undefined
        ? this.#waiting.subarray(-4).equals(END_OF_HEAD) &&
          this.#waiting.subarray(-LONGEST_TRAILERS).includes(LAST_CHUNK)
        : this.#waiting.length >= end + 4 + Number(length);
    if (!whole) return;
    const answer = this.#waiting;
    this.#waiting = Buffer.alloc(0);
    this.#done?.(answer);
  }
}

export function post(path: string, body: string, headers = ''): string {
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: application/json\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

export interface Load {
  readonly port: number;
  readonly inFlight: number;
  readonly seconds: number;
  /** The n-th request; each is different, so that nothing is answered from a cache. */
  readonly request: (index: number) => string;
  /** Stands in every good answer. */
  readonly expect: string;
  /** Requests a second at the most; default: each follows the answer before it. */
  readonly perSecond?: number;
}

export interface LoadResult {
  readonly answers: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Throws when an answer is not a good one: what is fast and wrong is not measured. */
export async function load({
  port,
  inFlight,
  seconds,
  request,
  expect,
  perSecond = Number.POSITIVE_INFINITY,
}: Load): Promise<LoadResult> {
  const connections = await Promise.all(Array.from({ length: inFlight }, () => Connection.open(port)));
  const latencies: number[] = [];
  let index = Math.floor(performance.now() * 1000);
  let sent = 0;
  const startedMs = performance.now();
  const untilMs = startedMs + seconds * 1000;
  await Promise.all(
    connections.map(async (connection) => {
      for (let nowMs = performance.now(); nowMs < untilMs;) {
        const earlyMs = startedMs + (1000 * (sent += 1)) / perSecond - nowMs;
        if (earlyMs > 1) {
          await new Promise((resolve) => setTimeout(resolve, earlyMs));
          nowMs = performance.now();
        }
        const answer = await connection.send(request((index += 1)));
        const endMs = performance.now();
        latencies.push(endMs - nowMs);
        nowMs = endMs;
        if (!answer.includes(expect))
          throw new Error(`not a good answer: ${answer.toString('utf8').slice(0, 2000)}`);
      }
    }),
  );
  const tookMs = performance.now() - startedMs;
  for (const connection of connections) connection.close();
  return {
    answers: latencies.length,
    perSecond: latencies.length / (tookMs / 1000),
    p50Ms: percentile(latencies, 50),
    p99Ms: percentile(latencies, 99),
  };
}
