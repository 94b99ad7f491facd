// Subscriptions as clients have them: shared, live through a swap of the schema, complete, and quick to end.
import { request } from 'node:http';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import type { Client as WsClient } from 'graphql-ws';
import { Client as UrqlClient, fetchExchange, subscriptionExchange } from '@urql/core';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { formatUsd, parseUsd } from '../../src/common/money.ts';
import type { NumberedEvent } from '../../src/server/graphql/live/journal.ts';
import {
  ANA,
  AUDITOR,
  BOB,
  keyOf,
  metric,
  openRealApp,
  PROJECT,
  serveReal as serve,
  summarize,
  summarizeAs,
  post,
} from './real.ts';

/** As text is told by a provider that a test writes for. */
function spoken(): {
  readonly deltas: AsyncIterable<string>;
  readonly writer: WritableStreamDefaultWriter<string>;
} {
  const { readable, writable } = new TransformStream<string, string>();
  return { deltas: readable, writer: writable.getWriter() };
}

const WATCH = 'subscription { costStats(everyMs: 50) { total { runs cost } } }';

interface Watched {
  readonly costStats: { readonly total: { readonly runs: number } };
}

function wsClient(url: string): WsClient {
  return createWsClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 });
}

/** The states that a client is shown, as they come; `stop` ends it. */
function watch(
  client: WsClient,
  query = WATCH,
): { readonly runs: number[]; readonly stop: () => void; readonly ended: Promise<unknown> } {
  const runs: number[] = [];
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const stop = client.subscribe<Watched>(
    { query },
    {
      next: ({ data }) => runs.push(data?.costStats.total.runs ?? -1),
      error: resolve,
      complete: () => resolve(undefined),
    },
  );
  return { runs, stop, ended: promise };
}

describe('equal subscriptions', () => {
  it('are computed once and shown to all, the last state to each', async () => {
    const { url, app, services } = await serve();
    const computed = vi.spyOn(app.stats, 'costStats');
    const clients = Array.from({ length: 4 }, () => wsClient(url));
    const watchers = Array.from({ length: 200 }, (_, index) =>
      watch(clients[index % clients.length] ?? wsClient(url)),
    );
    await expect.poll(() => watchers.every(({ runs }) => runs.length > 0)).toBe(true);
    const before = watchers[0]?.runs[0] ?? 0;
    await Promise.all(Array.from({ length: 25 }, () => summarize(app)));
    await expect.poll(() => watchers.every(({ runs }) => runs.at(-1) === before + 25)).toBe(true);
    // 200 watchers, 25 runs, 50 ms between states: fewer computations than watchers of a single state.
    expect(computed.mock.calls.length).toBeLessThan(200);
    for (const { runs } of watchers) expect(runs).toEqual(runs.toSorted((one, other) => one - other));
    for (const { stop } of watchers) stop();
    await expect.poll(() => services.live.stats.watching).toBe(0);
    for (const client of clients) await client.dispose();
  });

  it('are told nothing where only the time of the state is another', async () => {
    const { url, app } = await serve();
    const client = wsClient(url);
    const ofReviews = WATCH.replace('everyMs: 50', 'everyMs: 50, filter: { task: "code-review" }');
    const { runs, stop } = watch(client, ofReviews.replace('{ total', '{ at total'));
    await expect.poll(() => runs).toEqual([0]);
    const computed = vi.spyOn(app.stats, 'costStats');
    await summarize(app);
    await expect.poll(() => computed.mock.calls.length).toBeGreaterThan(0);
    await app.engine.run({ task: 'code-review', input: { diff: 'd' }, caller: ANA });
    await expect.poll(() => runs.at(-1)).toBe(1);
    expect(runs).toEqual([0, 1]);
    stop();
    await client.dispose();
  });

  it('are not shared between callers who may see different things (INV-12)', async () => {
    const { url, app, keys } = await serve({}, await openRealApp());
    const callers = [ANA, BOB, { ...AUDITOR, scopes: ['read:stats'] }];
    const secrets = await Promise.all(callers.map((caller) => keyOf(keys, caller)));
    for (const caller of [ANA, ANA, BOB]) await summarize(app, caller);
    const shown = await Promise.all(
      secrets.map(async (secret) => {
        const client = createSseClient({ url, headers: { authorization: `Bearer ${secret}` } });
        for await (const { data } of client.iterate<Watched>({ query: WATCH }))
          return data?.costStats.total.runs;
        return undefined;
      }),
    );
    expect(shown).toEqual([2, 1, 3]);
  });

  it('refuse an interval that is too short, over both transports', async () => {
    const { url } = await serve();
    const query = 'subscription { costStats(everyMs: 1) { at } }';
    const overSse = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query }),
    });
    expect(await overSse.text()).toContain('everyMs is 50 to 3600000');
    const client = wsClient(url);
    const seen: unknown[] = [];
    for await (const event of client.iterate({ query })) seen.push(event.errors?.[0]?.message);
    expect(seen).toEqual(['everyMs is 50 to 3600000; 1 was asked for.']);
    await client.dispose();
  });
});

describe('a swap of the schema', () => {
  it('reaches the next operation, and cuts none of 100 subscriptions nor a running mutation', async () => {
    const { url, app, files, calls, answer } = await serve({}, await openRealApp());
    const client = wsClient(url);
    const watchers = Array.from({ length: 100 }, () => watch(client));
    await expect.poll(() => watchers.every(({ runs }) => runs.length > 0)).toBe(true);
    const { promise, resolve } = Promise.withResolvers<void>();
    answer(() => ({ until: promise, text: 'old' }));
    const RUN =
      'mutation { runTask(task: { summarize: { text: "a" } }) { ... on Run { output { ... on SummarizeOutput { text } } } } }';
    const running = post(url, { query: RUN });
    await expect.poll(() => calls.length).toBe(1);

    files.clear();
    files.set('headgate.yaml', PROJECT);
    files.set('condense.yaml', summarizeAs('condense'));
    await app.revisions.reload();
    expect((await post(url, { query: '{ taskTypes { name } }' })).data).toEqual({
      taskTypes: [{ name: 'condense' }],
    });
    expect((await post(url, { query: RUN })).errors[0]?.message).toContain('summarize');
    expect(
      (
        await post(url, {
          query:
            'mutation { runTask(task: { condense: { text: "a" } }, options: { dryRun: true }) { ... on DryRun { task hold } } }',
        })
      ).data.runTask,
    ).toEqual({ task: 'condense', hold: expect.stringMatching(/^0\.000004/) as string });

    resolve();
    expect((await running).data.runTask.output).toEqual({ text: 'old' });
    await expect.poll(() => watchers.every(({ runs }) => runs.at(-1) === 1)).toBe(true);
    for (const { stop } of watchers) stop();
    await Promise.all(watchers.map(({ ended }) => ended));
    await client.dispose();
  });
});

const RUN_EVENTS = `fragment Event on RunEvent {
  __typename runId
  ... on RunText { step path delta }
  ... on RunTextRestarted { reason }
  ... on RunSettled { attempt { cost } }
  ... on RunFinished { result { __typename ... on Run { id cost outputJson } ... on Refusal { code } } }
}`;

describe('Subscription.streamTask', () => {
  const STREAM = `subscription ($key: String) { streamTask(task: { summarize: { text: "a" } }, options: { idempotencyKey: $key }) { ...Event } } ${RUN_EVENTS}`;

  it('streams text, restarts, costs and the end, over SSE', async () => {
    const { url, answer } = await serve();
    answer((_call, number) =>
      number === 1 ? { deltas: ['Hel'], fail: 'cut_stream' } : { deltas: ['Hel', 'lo'] },
    );
    const client = createSseClient({ url });
    const events = [];
    for await (const { data } of client.iterate<{ streamTask: Record<string, unknown> }>({ query: STREAM }))
      events.push(data?.streamTask);
    expect(events.map((event) => event?.['__typename'])).toEqual([
      'RunQueued',
      'RunAttempted',
      'RunText',
      'RunSettled',
      'RunAttempted',
      'RunTextRestarted',
      'RunText',
      'RunSettled',
      'RunStepped',
      'RunFinished',
    ]);
    expect(events[6]).toMatchObject({ step: 'main', path: 'main', delta: 'Hello' });
    // INV-1: the attempt that was cut has its cost, and the run the sum of both.
    const costs = [events[3], events[7]].map(
      (event) => (event as { attempt: { cost: string } }).attempt.cost,
    );
    expect(costs[1]).toBe('0.0000003');
    expect(events[9]).toMatchObject({
      result: {
        __typename: 'Run',
        cost: formatUsd(costs.reduce((sum, cost) => sum + (parseUsd(cost) ?? 0n), 0n)),
        outputJson: { text: 'Hello' },
      },
    });
    client.dispose();
  });

  it('ends with the refusal where no run was opened', async () => {
    const { url, app } = await serve();
    app.guards.pause('all', 'x', 'a test');
    onTestFinished(() => void app.guards.resume('all', 'a test'));
    const client = wsClient(url);
    const last = [];
    for await (const { data } of client.iterate<{ streamTask: unknown }>({ query: STREAM }))
      last.push(data?.streamTask);
    expect(last.at(-1)).toMatchObject({
      __typename: 'RunFinished',
      result: { __typename: 'SpendingPaused', code: 'SPENDING_PAUSED' },
    });
    await client.dispose();
  });

  it.each([
    [null, true],
    ['key-1', false],
  ])('with the idempotency key %s, leaving it cancels the run: %s', async (key, cancels) => {
    const { url, app, calls, answer } = await serve();
    const { promise, resolve } = Promise.withResolvers<void>();
    answer(() => ({ deltas: ['Hel', 'lo'], until: promise }));
    const client = wsClient(url);
    for await (const { data } of client.iterate<{ streamTask: { __typename: string } }>({
      query: STREAM,
      variables: { key },
    })) {
      if (data?.streamTask.__typename === 'RunText') break;
    }
    await client.dispose();
    if (cancels) await expect.poll(() => calls[0]?.signal.aborted).toBe(true);
    resolve();
    await expect.poll(() => app.engine.running()).toBe(0);
    expect(calls.map(({ signal }) => signal.aborted)).toEqual([cancels]);
  });

  it('joins the pieces that wait for a slow reader: the text is whole, the events are fewer', async () => {
    const { runEventChannel } = await import('../../src/server/graphql/live/run-events.ts');
    const channel = runEventChannel(() => {});
    const text = (step: string, delta: string): NumberedEvent => ({
      seq: null,
      type: 'text',
      runId: 'run_1',
      atMs: 0,
      step,
      path: step,
      delta,
    });
    for (let index = 0; index < 10_000; index += 1) channel.push(text('a', `${index} `));
    channel.push(text('b', 'other'));
    channel.end();
    const read = [];
    for await (const event of channel) read.push(event);
    expect(
      read.map((event) => (event.type === 'text' ? [event.step, event.delta.split(' ').length] : [])),
    ).toEqual([
      ['a', 10_001],
      ['b', 1],
    ]);
  });
});

describe('Subscription.run', () => {
  const FOLLOW = `subscription ($id: ID!) { run(id: $id) { ...Event } } ${RUN_EVENTS}`;

  it('tells what has happened, then what happens, and ends with the run', async () => {
    const { url, app, answer } = await serve();
    const { promise, resolve } = Promise.withResolvers<void>();
    answer(() => ({ until: promise }));
    let listening = 0;
    const subscribe = app.engine.subscribe.bind(app.engine);
    vi.spyOn(app.engine, 'subscribe').mockImplementation((runId, listener) => {
      const stop = subscribe(runId, listener);
      listening += 1;
      return () => {
        listening -= 1;
        stop?.();
      };
    });
    const started = await post(url, {
      query: 'mutation { startTask(task: { summarize: { text: "a" } }) { ... on Run { id status } } }',
    });
    const { id, status } = started.data.startTask;
    expect(status).toBe('RUNNING');
    const client = wsClient(url);
    const types: string[] = [];
    for await (const { data } of client.iterate<{ run: { __typename: string } }>({
      query: FOLLOW,
      variables: { id },
    })) {
      if (types.length === 0) {
        expect(listening).toBe(1);
        resolve();
      }
      types.push(data?.run.__typename ?? 'none');
    }
    expect(types).toEqual(['RunQueued', 'RunAttempted', 'RunSettled', 'RunStepped', 'RunFinished']);
    await expect.poll(() => listening).toBe(0);
    await client.dispose();
  });

  it('of a finished run tells its past and ends', async () => {
    const { url } = await serve();
    const ran = await post(url, {
      query: 'mutation { runTask(task: { summarize: { text: "a" } }) { ... on Run { id } } }',
    });
    const client = createSseClient({ url });
    const types = [];
    for await (const { data } of client.iterate<{ run: { __typename: string } }>({
      query: FOLLOW,
      variables: { id: ran.data.runTask.id },
    }))
      types.push(data?.run.__typename);
    expect(types).toEqual(['RunQueued', 'RunStepped', 'RunSettled', 'RunFinished']);
    client.dispose();
  });

  it('of a run that is not there, or not yours, is an error that says so (INV-12)', async () => {
    const { url, app, keys } = await serve({}, await openRealApp());
    const id = await summarize(app, ANA);
    const secret = await keyOf(keys, BOB);
    const client = createSseClient({ url, headers: { authorization: `Bearer ${secret}` } });
    const events: unknown[] = [];
    for await (const event of client.iterate({ query: FOLLOW, variables: { id } }))
      events.push(event.errors?.[0]?.extensions?.['code']);
    expect(events).toEqual(['NOT_FOUND']);
    client.dispose();
  });
});

/** The frames of an event stream until one holds the text, or it ends. */
async function readFrames(response: Response, until: string): Promise<readonly string[]> {
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (text.includes(until) && text.endsWith('\n\n')) break;
  }
  return text.split('\n\n').filter((frame) => frame.includes('data: '));
}

describe('a reader of a streamed run that comes back', () => {
  const STREAM =
    'subscription { streamTask(task: { summarize: { text: "a" } }, options: { idempotencyKey: "k" }) { __typename runId seq ... on RunText { delta } } }';
  const ask = async (url: string, query: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
      body: JSON.stringify({ query }),
    });
  const said = (frames: readonly string[]): string =>
    frames.map((frame) => /"delta":"([^"]*)"/.exec(frame)?.[1] ?? '').join('');

  it('goes on after the last event it had, and misses none of the text', async () => {
    const { url, app, calls, answer } = await serve();
    const { deltas, writer } = spoken();
    answer(() => ({ deltas }));
    void writer.write('one ');
    const first = await readFrames(await ask(url, STREAM), 'one ');
    const id = /^id: (run_\w+:\d+)$/m.exec(first.at(-1) ?? '')?.[1] ?? 'none';
    expect(said(first)).toBe('one ');
    // The connection is gone; the run goes on.
    for (const piece of ['two ', 'three']) await writer.write(piece);
    await writer.close();
    await expect.poll(() => app.engine.running()).toBe(0);

    const rest = await readFrames(await ask(url, STREAM, { 'last-event-id': id }), 'RunFinished');
    expect(said(rest)).toBe('two three');
    expect(calls).toHaveLength(1);
    const [runId = ''] = id.split(':');
    const follow = async (args: string) =>
      said(
        await readFrames(
          await ask(url, `subscription { run(${args}) { __typename seq ... on RunText { delta } } }`),
          'RunFinished',
        ),
      );
    const after = Number(id.split(':')[1]) + 1;
    expect(await follow(`id: "${runId}", after: ${after}`)).toBe('three');
    expect(await follow(`id: "${runId}"`)).toBe('one two three');
  });

  it("is not shown another caller's run by naming it (INV-12)", async () => {
    const { url, app, keys } = await serve({}, await openRealApp());
    const id = await summarize(app, ANA);
    const secret = await keyOf(keys, BOB);
    const frames = await readFrames(
      await ask(url, STREAM, { authorization: `Bearer ${secret}`, 'last-event-id': `${id}:0` }),
      'errors',
    );
    expect(frames.join()).toContain('NOT_FOUND');
  });
});

describe('a reader of an event stream that has stopped reading', () => {
  it('is dropped, and counted, while others read on', async () => {
    const { url, base, answer } = await serve({ limits: { maxBufferedBytes: 50_000, slowReaderMs: 100 } });
    const { deltas, writer } = spoken();
    answer(() => ({ deltas }));
    const sockets = wsClient(url);
    const quick = sockets.iterate<{ streamTask: { runId: string; delta?: string } }>({
      query:
        'subscription { streamTask(task: { summarize: { text: "a" } }) { runId ... on RunText { delta } } }',
    });
    const told = async () => (await quick.next()).value?.data?.streamTask;
    const runId = (await told())?.runId;
    const slow = request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    });
    slow.on('error', () => {});
    slow.on('response', (response) => {
      response.on('error', () => {});
      response.pause();
    });
    slow.end(JSON.stringify({ query: `subscription { run(id: "${runId}") { ... on RunText { delta } } }` }));
    await expect.poll(() => metric(base, 'headgate_subscriptions')).toBe(2);
    const piece = 'x'.repeat(900_000);
    const write = async (): Promise<boolean> => {
      void writer.write(piece);
      let delta: string | undefined;
      while (delta === undefined) delta = (await told())?.delta;
      expect(delta).toBe(piece);
      const metrics = await (await fetch(`${base}/metrics`)).text();
      return /headgate_subscribers_dropped_total\{reason="(buffer|time)"\} 1/.test(metrics);
    };
    await expect.poll(write, { timeout: 15_000 }).toBe(true);
    slow.destroy();
    await sockets.dispose();
  });
});

describe('Subscription.alerts and Subscription.providers', () => {
  it('tell alerts as they are written, and each change of a provider', async () => {
    const { url, app, files, answer } = await serve({}, await openRealApp());
    files.set(
      'headgate.yaml',
      PROJECT.replace('timeout: 60s', 'timeout: 60s, circuitBreaker: { failures: 1 }'),
    );
    await app.revisions.reload();
    const listens = vi.spyOn(app.ledger, 'onWritten');
    const client = wsClient(url);
    const alerts = client.iterate<{ alerts: { message: string } }>({
      query: 'subscription { alerts { message } }',
    });
    const first = alerts.next();
    await expect.poll(() => listens.mock.calls.length).toBeGreaterThan(0);
    const changes = client.iterate<{ providers: { name: string; models: { circuit: string }[] } }>({
      query: 'subscription { providers { name models { circuit } } }',
    });
    expect((await changes.next()).value?.data).toEqual({
      providers: { name: 'up', models: [{ circuit: 'CLOSED' }] },
    });
    answer(() => ({ fail: 'server_error' }));
    await app.engine.run({ task: 'summarize', input: { text: 'a' }, caller: ANA });
    expect((await changes.next()).value?.data?.providers.models).toEqual([{ circuit: 'OPEN' }]);
    expect((await first).value?.data?.alerts.message).toContain('up/small');
    await client.dispose();
  });
});

describe('other clients', () => {
  it('urql runs tasks and follows statistics', async () => {
    const { url, app } = await serve();
    const before = await app.stats.costStats({ window: 'DAY' });
    const sockets = wsClient(url);
    const client = new UrqlClient({
      url,
      preferGetMethod: false,
      exchanges: [
        fetchExchange,
        subscriptionExchange({
          forwardSubscription: ({ query = '', variables }) => ({
            subscribe: (sink) => ({
              unsubscribe: sockets.subscribe(
                { query, variables: { ...(variables as object) } },
                sink as never,
              ),
            }),
          }),
        }),
      ],
    });
    const ran = await client
      .mutation('mutation { runTask(task: { summarize: { text: "a" } }) { __typename } }', {})
      .toPromise();
    expect(ran.data).toMatchObject({ runTask: { __typename: 'Run' } });
    const seen = await new Promise((resolve) => {
      const subscription = client.subscription<Watched>(WATCH, {}).subscribe(({ data }) => {
        resolve(data?.costStats.total.runs);
        queueMicrotask(() => subscription.unsubscribe());
      });
    });
    expect(seen).toBe(before.total.runs + 1);
    await sockets.dispose();
  });
});
