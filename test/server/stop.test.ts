// Stopping the server: what runs ends, what watches is completed, nothing new is taken.
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { serveApp } from '../../src/serve.ts';
import { serveReal as serve, codeOf, post, sharedApp } from './real.ts';

const RUN = { query: 'mutation { runTask(task: { summarize: { text: "a" } }) { ... on Run { status } } }' };
const WATCH = { query: 'subscription { costStats { at } }' };

describe('a server that is stopped', () => {
  it('lets a run end and answers it, over HTTP and over WebSocket, and completes who watches', async () => {
    const { url, server, calls, answer } = await serve();
    const { promise, resolve } = Promise.withResolvers<void>();
    answer(() => ({ until: promise }));
    const events = createSseClient({ url });
    const sockets = createWsClient({
      url: url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    const watching = [events.iterate(WATCH), sockets.iterate(WATCH)];
    for (const watched of watching) await watched.next();
    const overHttp = post(url, RUN);
    const overSocket = sockets.iterate<{ runTask: { status: string } }>(RUN).next();
    await expect.poll(() => calls.length).toBe(2);

    let stopped = false;
    const stop = server.close(10_000).then(() => (stopped = true));
    for (const watched of watching) expect((await watched.next()).done).toBe(true);
    expect([stopped, calls.map(({ signal }) => signal.aborted)]).toEqual([false, [false, false]]);
    resolve();
    expect((await overHttp).data.runTask.status).toBe('SUCCEEDED');
    expect((await overSocket).value?.data?.runTask.status).toBe('SUCCEEDED');
    await stop;
    events.dispose();
    await sockets.dispose();
  });

  it.each([
    'subscription { revisions { hash } }',
    'subscription { alerts { id } }',
    'subscription { providers { name } }',
    'subscription { ...f } fragment f on Subscription { costStats { at } }',
    'subscription { ... on Subscription { revisions { hash } } }',
  ])('is not held by who only looks: %s', async (query) => {
    const { url, base, server } = await serve();
    const events = createSseClient({ url, retryAttempts: 0 });
    const sockets = createWsClient({
      url: url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    const watching = [events.iterate({ query }), sockets.iterate({ query })];
    const ended = watching.map(async (watched) => {
      for await (const _event of watched);
    });
    const metrics = async (): Promise<string> => (await fetch(`${base}/metrics`)).text();
    await expect.poll(metrics).toMatch(/^headgate_subscriptions\S* 2$/m);
    await server.close(60_000);
    await Promise.allSettled(ended);
    events.dispose();
    await sockets.dispose();
  });

  it('takes nothing new on connections that are still open', async () => {
    const { url, server, calls, answer } = await serve();
    const { promise, resolve } = Promise.withResolvers<void>();
    answer(() => ({ until: promise }));
    const sockets = createWsClient({
      url: url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      lazyCloseTimeout: 5000,
    });
    expect((await sockets.iterate({ query: '{ viewer { name } }' }).next()).value?.data).toEqual({
      viewer: { name: 'local' },
    });
    const running = sockets.iterate(RUN).next();
    await expect.poll(() => calls.length).toBe(1);
    const stop = server.close(10_000);
    const refused = await sockets.iterate(RUN).next();
    expect(refused.value?.errors?.[0]?.extensions).toMatchObject({ code: 'SHUTTING_DOWN' });
    resolve();
    await running;
    await stop;
    await sockets.dispose();
    await expect(post(url, RUN)).rejects.toThrow('fetch failed');
  });

  it('answers who comes new with 503 until it has drained, by health too', async () => {
    const { url, base, server, calls, answer } = await serve();
    const { promise, resolve } = Promise.withResolvers<void>();
    answer(() => ({ until: promise }));
    const running = post(url, RUN);
    await expect.poll(() => calls.length).toBe(1);
    const stop = server.close(10_000);
    const refused = await post(url, RUN);
    expect([refused.status, codeOf(refused), refused.headers.get('retry-after')]).toEqual([
      503,
      'SHUTTING_DOWN',
      '5',
    ]);
    const health = await fetch(`${base}/health/ready`);
    expect([health.status, await health.json()]).toEqual([
      503,
      expect.objectContaining({ status: 'draining' }),
    ]);
    expect((await fetch(`${base}/health/live`)).status).toBe(200);
    resolve();
    expect((await running).data.runTask.status).toBe('SUCCEEDED');
    await stop;
    await expect(post(url, RUN)).rejects.toThrow('fetch failed');
  });

  it('cuts what does not end in time, and its run is cancelled', async () => {
    const { url, server, calls, answer } = await serve();
    const { promise, resolve } = Promise.withResolvers<void>();
    answer(() => ({ until: promise }));
    const answered = post(url, RUN).then(codeOf, () => 'cut');
    await expect.poll(() => calls.length).toBe(1);
    await server.close(50);
    expect(await answered).toBe('cut');
    await expect.poll(() => calls[0]?.signal.aborted).toBe(true);
    resolve();
  });
});

describe('a server whose start fails', () => {
  it('ends with the error of its start, also where it had begun to listen', async () => {
    const { app } = await sharedApp();
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const live = async (): Promise<number> => (await fetch(`http://127.0.0.1:${port}/health/live`)).status;
    let before: number | undefined;
    const resume = vi.spyOn(app.engine, 'resume').mockImplementation(async () => {
      before = await live();
      throw new Error('the ledger does not answer');
    });
    onTestFinished(() => resume.mockRestore());
    const options = { host: '127.0.0.1', port, mode: 'development', watch: false } as const;
    await expect(serveApp(app, options)).rejects.toThrow('the ledger does not answer');
    expect(before).toBe(200);
    await expect(live()).rejects.toThrow('fetch failed');
  });
});
