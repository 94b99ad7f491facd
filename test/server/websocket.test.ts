// graphql-transport-ws, frame by frame: what the protocol asks for, and what it leaves to us.
import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { ServerLimits } from '../../src/server/options.ts';
import { metric, openRealApp, serveReal as serve, post } from './real.ts';
import type { RealServed } from './real.ts';

interface Frame {
  readonly type: string;
  readonly id?: string;
  // Each test asks for a shape of its own, and reads it without a cast a line.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly payload?: any;
}

/** A socket that keeps what it was sent, and gives it out in order. */
class RawClient {
  readonly socket: WebSocket;
  readonly #frames: Frame[] = [];
  readonly #waiting: ((frame: Frame) => void)[] = [];
  isClosed = false;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;

  constructor(url: string, protocol = 'graphql-transport-ws', headers: Record<string, string> = {}) {
    this.socket = new WebSocket(url.replace('http', 'ws'), protocol, { headers });
    this.socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(String(data)) as Frame;
      const reader = this.#waiting.shift();
      if (reader === undefined) this.#frames.push(frame);
      else reader(frame);
    });
    this.socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => {
        this.isClosed = true;
        resolve({ code, reason: String(reason) });
      });
    });
  }

  async send(...messages: (object | string)[]): Promise<void> {
    if (this.socket.readyState === WebSocket.CONNECTING) await once(this.socket, 'open');
    for (const message of messages)
      this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  next(): Promise<Frame> {
    const frame = this.#frames.shift();
    return frame === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(frame);
  }

  async init(payload?: object): Promise<void> {
    await this.send({ type: 'connection_init', ...(payload === undefined ? {} : { payload }) });
    expect(await this.next()).toEqual({ type: 'connection_ack' });
  }
}

async function connect(
  limits: Partial<ServerLimits> = {},
): Promise<RealServed & { readonly client: RawClient }> {
  const served = await serve({ limits });
  return { ...served, client: new RawClient(served.url) };
}

const subscribe = (id: string, query: string, variables?: object) => ({
  id,
  type: 'subscribe',
  payload: { query, ...(variables === undefined ? {} : { variables }) },
});
const WATCH = 'subscription { costStats(everyMs: 50) { total { runs } } }';
const TASK = 'task: { summarize: { text: "a" } }';
const RUN = { query: `mutation { runTask(${TASK}) { __typename } }` };

describe('graphql-transport-ws', () => {
  it('answers a query and a mutation with one result and its completion', async () => {
    const { client } = await connect();
    await client.init();
    await client.send(subscribe('1', '{ viewer { name } }'));
    expect(await client.next()).toEqual({
      id: '1',
      type: 'next',
      payload: { data: { viewer: { name: 'local' } } },
    });
    expect(await client.next()).toEqual({ id: '1', type: 'complete' });
    await client.send(
      subscribe(
        '2',
        'mutation ($text: String!) { runTask(task: { summarize: { text: $text } }) { __typename } }',
        { text: 'a' },
      ),
    );
    expect((await client.next()).payload).toEqual({ data: { runTask: { __typename: 'Run' } } });
  });

  it('streams a subscription until it is completed by the client', async () => {
    const { client, url, services } = await connect();
    await client.init();
    await client.send(subscribe('s', WATCH));
    const first = await client.next();
    const { runs } = first.payload.data.costStats.total;
    expect(first).toEqual({ id: 's', type: 'next', payload: { data: { costStats: { total: { runs } } } } });
    await post(url, RUN);
    expect((await client.next()).payload.data.costStats.total.runs).toBe(runs + 1);
    expect(services.live.stats.watching).toBe(1);
    await client.send({ id: 's', type: 'complete' });
    await expect.poll(() => services.live.stats.watching).toBe(0);
    await client.send(subscribe('s', '{ viewer { name } }'));
    expect((await client.next()).payload.data.viewer.name).toBe('local');
  });

  it('closes with 4408 when the client does not say who it is in time', async () => {
    const { client } = await connect({ connectionInitMs: 30 });
    expect(await client.closed).toEqual({ code: 4408, reason: 'Connection initialisation timeout' });
  });

  it('closes with 4429 on a second init', async () => {
    const { client } = await connect();
    await client.init();
    await client.send({ type: 'connection_init' });
    expect((await client.closed).code).toBe(4429);
  });

  it('closes with 4401 on a subscription before the acknowledgement', async () => {
    const { client } = await connect();
    await client.send(subscribe('1', '{ viewer { name } }'));
    expect(await client.closed).toEqual({ code: 4401, reason: 'Unauthorized' });
  });

  it('closes with 4409 on an id that is in use', async () => {
    const { client } = await connect();
    await client.init();
    await client.send(subscribe('a', WATCH), subscribe('a', WATCH));
    expect(await client.closed).toEqual({ code: 4409, reason: 'Subscriber for a already exists' });
  });

  it.each([
    ['no JSON', 'hello'],
    ['an unknown type', { type: 'start', id: '1' }],
    ['a subscription without an id', { type: 'subscribe', payload: { query: '{ viewer { name } }' } }],
    ['a subscription without a payload', { type: 'subscribe', id: '1' }],
    ['a message of the server', { type: 'next', id: '1', payload: {} }],
  ])('closes with 4400 on %s', async (_what, message) => {
    const { client } = await connect();
    await client.init();
    await client.send(message);
    expect((await client.closed).code).toBe(4400);
  });

  it('answers a ping with its payload', async () => {
    const { client } = await connect();
    await client.init();
    await client.send({ type: 'ping', payload: { a: 1 } });
    expect(await client.next()).toEqual({ type: 'pong', payload: { a: 1 } });
  });

  it('accepts no other subprotocol', async () => {
    const served = await serve();
    const old = new RawClient(served.url, 'graphql-ws');
    expect((await old.closed).code).toBe(1006);
  });

  it('sends errors of a document as an error, without what is for HTTP', async () => {
    const { client } = await connect();
    await client.init();
    await client.send(subscribe('1', '{ nothing }'));
    const frame = await client.next();
    expect(frame).toMatchObject({
      id: '1',
      type: 'error',
      payload: [
        {
          message: expect.stringContaining('nothing') as string,
          extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
        },
      ],
    });
    expect(frame.payload[0].extensions.http).toBeUndefined();
    await client.send(subscribe('2', '{ viewer {'));
    expect((await client.next()).type).toBe('error');
    await client.send(
      subscribe('3', `{ ${Array.from({ length: 100 }, (_, n) => `a${n}: viewer { name }`).join(' ')} }`),
    );
    expect((await client.next()).payload[0].extensions).toMatchObject({
      code: 'DOCUMENT_TOO_LARGE',
      limit: 'maxAliases',
    });
    await client.send(subscribe('4', '{ viewer { name } }'));
    expect((await client.next()).payload.data.viewer.name).toBe('local');
  });

  it('masks what nobody meant to tell, and gives an id to look for', async () => {
    const { client, app } = await connect();
    await client.init();
    for (const read of ['run', 'runsById'] as const)
      vi.spyOn(app.ledger, read).mockRejectedValue(new Error('disk /secret/path is gone'));
    await client.send(subscribe('1', '{ run(id: "run_x") { id } }'));
    const { payload } = await client.next();
    expect(payload.errors[0]).toMatchObject({
      message: 'Unexpected error.',
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    });
    expect(payload.errors[0].extensions.errorId).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.stringify(payload)).not.toContain('secret');
    await client.next();
    await client.send(subscribe('2', 'subscription { run(id: "run_x") { __typename } }'));
    const failed = await client.next();
    expect(JSON.stringify(failed)).not.toContain('secret');
    expect(JSON.stringify(failed)).toContain('INTERNAL_SERVER_ERROR');
  });

  it('holds a connection to its number of operations', async () => {
    const { client } = await connect({ maxSubscriptionsPerConnection: 2 });
    await client.init();
    await client.send(subscribe('a', WATCH), subscribe('b', WATCH), subscribe('c', WATCH));
    const frames = [await client.next(), await client.next(), await client.next()];
    expect(frames.map(({ type, id }) => `${id}:${type}`).toSorted()).toEqual(['a:next', 'b:next', 'c:error']);
    await client.send({ id: 'a', type: 'complete' }, subscribe('d', WATCH));
    expect(await client.next()).toMatchObject({ id: 'd', type: 'next' });
  });

  it('lets in who has a key, in the header of the upgrade or in the parameters of the connection', async () => {
    const served = await serve({}, await openRealApp());
    const { secret } = await served.keys.create({
      caller: 'ana',
      team: null,
      tier: null,
      tags: {},
      scopes: ['run:*'],
      expiresAtMs: null,
      requestsPerMinute: null,
    });
    for (const make of [
      () => ({
        client: new RawClient(served.url, 'graphql-transport-ws', { authorization: `Bearer ${secret}` }),
        payload: undefined,
      }),
      () => ({ client: new RawClient(served.url), payload: { authorization: `Bearer ${secret}` } }),
      () => ({ client: new RawClient(served.url), payload: { Authorization: secret } }),
    ]) {
      const { client, payload } = make();
      await client.init(payload);
      await client.send(subscribe('1', '{ viewer { name } }'));
      expect((await client.next()).payload).toEqual({ data: { viewer: { name: 'ana' } } });
    }
    const stranger = new RawClient(served.url);
    await stranger.send({ type: 'connection_init', payload: { authorization: 'Bearer hg_nope' } });
    expect(await stranger.closed).toEqual({ code: 4403, reason: 'Forbidden' });
  });

  it('cancels a run whose client goes away, unless it has an idempotency key', async () => {
    const { client, url, calls, answer } = await connect();
    const { promise, resolve } = Promise.withResolvers<void>();
    answer(() => ({ until: promise }));
    await client.init();
    const run = (text: string, options: string) =>
      `mutation { runTask(task: { summarize: { text: "${text}" } }${options}) { ... on Run { status } } }`;
    const kept = run('kept', ', options: { idempotencyKey: "k" }');
    await client.send(subscribe('1', run('left', '')), subscribe('2', kept));
    const isCut = (text: string) => calls.find(({ request }) => request.prompt === text)?.signal.aborted;
    await expect.poll(() => [isCut('left'), isCut('kept')]).toEqual([false, false]);
    client.socket.terminate();
    await expect.poll(() => isCut('left')).toBe(true);
    expect(isCut('kept')).toBe(false);
    resolve();
    expect((await post(url, { query: kept })).data.runTask.status).toBe('SUCCEEDED');
    expect(calls).toHaveLength(2);
  });

  it('tells its clients when the server goes away', async () => {
    const { client, server } = await connect();
    await client.init();
    await client.send(subscribe('a', WATCH));
    await client.next();
    await server.close(500);
    expect((await client.closed).code).toBe(1001);
  });

  it('drops a client that does not answer its pings', async () => {
    const { client } = await connect({ keepAliveMs: 40 });
    await client.init();
    // ws answers pings by itself: a client that has stopped does not.
    (
      client.socket as unknown as { _receiver: { removeAllListeners(event: string): void } }
    )._receiver.removeAllListeners('ping');
    expect((await client.closed).code).toBe(1006);
  });

  it('drops a reader that has stopped reading, with the reason, and no other', async () => {
    const served = await serve({ limits: { maxBufferedBytes: 50_000, slowReaderMs: 100 } });
    const slow = new RawClient(served.url);
    const quick = new RawClient(served.url);
    await slow.init();
    await quick.init();
    slow.socket.pause();
    const { readable, writable } = new TransformStream<string, string>();
    served.answer(() => ({ deltas: readable }));
    await quick.send(
      subscribe('q', `subscription { streamTask(${TASK}) { runId ... on RunText { delta } } }`),
    );
    const { runId } = (await quick.next()).payload.data.streamTask;
    await slow.send(subscribe('s', `subscription { run(id: "${runId}") { ... on RunText { delta } } }`));
    await expect.poll(() => metric(served.base, 'headgate_subscriptions')).toBe(2);
    const piece = 'x'.repeat(900_000);
    const writer = writable.getWriter();
    for (let index = 0; index < 200 && !slow.isClosed; index += 1) {
      void writer.write(piece);
      let delta: string | undefined;
      while (delta === undefined) ({ delta } = (await quick.next()).payload.data.streamTask);
      expect(delta).toBe(piece);
    }
    slow.socket.resume();
    const { code } = await slow.closed;
    // 4413 where the close frame still got through, 1006 where the socket was cut behind what was never read.
    expect([4413, 1006]).toContain(code);
    const metrics = await (await fetch(`${served.base}/metrics`)).text();
    expect(metrics).toMatch(/headgate_subscribers_dropped_total\{reason="(buffer|time)"\} 1/);
    expect(quick.socket.readyState).toBe(WebSocket.OPEN);
    quick.socket.terminate();
  });
});
