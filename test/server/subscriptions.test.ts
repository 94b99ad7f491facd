// Subscriptions as clients have them: shared, live through a swap of the schema, complete, and quick to end.
import { request } from 'node:http';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import type { Client as WsClient } from 'graphql-ws';
import { Client as UrqlClient, fetchExchange, subscriptionExchange } from '@urql/core';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { NumberedEvent } from '../../src/server/graphql/live/journal.ts';
import { plan, SUMMARIZE, task } from './graphql/support/plan.ts';
import { ANA, BOB } from './graphql/support/services.ts';
import { post, serve } from './support.ts';

const OPEN = { name: 'local', team: null, tier: null, tags: {}, scopes: ['admin'], keyId: null };
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
    const { url, engine, stats, ledger } = await serve();
    const listening = ledger.listeners;
    const clients = Array.from({ length: 4 }, () => wsClient(url));
    const watchers = Array.from({ length: 200 }, (_, index) =>
      watch(clients[index % clients.length] ?? wsClient(url)),
    );
    await expect.poll(() => watchers.every(({ runs }) => runs.length > 0)).toBe(true);
    const before = stats.queries.length;
    for (let index = 0; index < 25; index += 1) {
      engine.open({ task: 'summarize', input: {}, caller: OPEN });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(() => watchers.every(({ runs }) => runs.at(-1) === 25)).toBe(true);
    // 200 watchers, 25 commits in much less than a second, 50 ms between states: a few computations, not thousands.
    expect(stats.queries.length - before).toBeLessThan(30);
    for (const { runs } of watchers) expect(runs).toEqual(runs.toSorted((one, other) => one - other));
    for (const { stop } of watchers) stop();
    await expect.poll(() => ledger.listeners).toBe(listening);
    for (const client of clients) await client.dispose();
  });

  it('are told nothing where only the time of the state is another', async () => {
    const { url, engine, stats, ledger } = await serve();
    const client = wsClient(url);
    const { runs, stop } = watch(client, WATCH.replace('{ total', '{ at total'));
    await expect.poll(() => runs).toEqual([0]);
    const before = stats.queries.length;
    ledger.commit([]);
    await expect.poll(() => stats.queries.length).toBeGreaterThan(before);
    engine.open({ task: 'summarize', input: {}, caller: OPEN });
    await expect.poll(() => runs.at(-1)).toBe(1);
    expect(runs).toEqual([0, 1]);
    stop();
    await client.dispose();
  });

  it('are not shared between callers who may see different things (INV-12)', async () => {
    const { url, engine, keys } = await serve();
    const secrets = [];
    for (const { name, scopes } of [ANA, BOB, { name: 'auditor', scopes: ['read:stats'] }]) {
      secrets.push(
        await keys.create({
          caller: name,
          team: null,
          tier: null,
          tags: {},
          scopes,
          expiresAtMs: null,
          requestsPerMinute: null,
        }),
      );
    }
    engine.open({ task: 'summarize', input: {}, caller: ANA });
    engine.open({ task: 'summarize', input: {}, caller: ANA });
    engine.open({ task: 'summarize', input: {}, caller: BOB });
    const shown = await Promise.all(
      secrets.map(async ({ secret }) => {
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
    const { url, engine, revisions } = await serve();
    const client = wsClient(url);
    const watchers = Array.from({ length: 100 }, () => watch(client));
    await expect.poll(() => watchers.every(({ runs }) => runs.length > 0)).toBe(true);
    const { promise, resolve } = Promise.withResolvers<void>();
    engine.behaviour = async () => {
      await promise;
      return { output: { text: 'old' } };
    };
    const RUN =
      'mutation { runTask(task: { summarize: { text: "a" } }) { ... on Run { output { ... on SummarizeOutput { text } } } } }';
    const running = post(url, { query: RUN });
    await expect.poll(() => engine.requests.length).toBe(1);

    const renamed = task('condense', { input: SUMMARIZE.inputSchema, output: SUMMARIZE.outputSchema });
    revisions.swap(plan([renamed], 'b'.repeat(64)));
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
    ).toEqual({ task: 'condense', hold: '0.000009' });

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
    const { url, engine } = await serve();
    engine.behaviour = (request, tell) => {
      expect(request.stream).toBe(true);
      tell({ type: 'text', runId: '', atMs: 1, step: 'main', path: 'main', delta: 'Hel' });
      tell({ type: 'restart', runId: '', atMs: 2, step: 'main', path: 'main', reason: 'the stream was cut' });
      tell({ type: 'text', runId: '', atMs: 3, step: 'main', path: 'main', delta: 'Hello' });
      return { output: { text: 'Hello' } };
    };
    const client = createSseClient({ url });
    const events = [];
    for await (const { data } of client.iterate<{ streamTask: Record<string, unknown> }>({ query: STREAM }))
      events.push(data?.streamTask);
    expect(events.map((event) => event?.['__typename'])).toEqual([
      'RunQueued',
      'RunText',
      'RunTextRestarted',
      'RunText',
      'RunSettled',
      'RunFinished',
    ]);
    expect(events[3]).toMatchObject({ step: 'main', path: 'main', delta: 'Hello' });
    expect(events[4]).toMatchObject({ attempt: { cost: '0.0000015' } });
    expect(events[5]).toMatchObject({
      result: { __typename: 'Run', cost: '0.0000015', outputJson: { text: 'Hello' } },
    });
    client.dispose();
  });

  it('ends with the refusal where no run was opened', async () => {
    const { url, engine } = await serve();
    engine.behaviour = () => ({
      kind: 'spending_paused',
      code: 'SPENDING_PAUSED',
      message: 'm',
      remedy: 'r',
      scope: 'all',
      reason: 'x',
      sinceMs: 0,
    });
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
    const { url, engine } = await serve();
    const { promise, resolve } = Promise.withResolvers<void>();
    engine.behaviour = async (_request, tell) => {
      tell({ type: 'text', runId: '', atMs: 1, step: 'main', path: 'main', delta: 'Hel' });
      await promise;
      return { output: { text: 'Hello' } };
    };
    const client = wsClient(url);
    for await (const { data } of client.iterate<{ streamTask: { __typename: string } }>({
      query: STREAM,
      variables: { key },
    })) {
      if (data?.streamTask.__typename === 'RunText') break;
    }
    if (cancels) await expect.poll(() => engine.requests[0]?.signal?.aborted).toBe(true);
    else expect(engine.requests[0]?.signal).toBeUndefined();
    resolve();
    await client.dispose();
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
    const { url, engine } = await serve();
    const started = await post(url, {
      query: 'mutation { startTask(task: { summarize: { text: "a" } }) { ... on Run { id status } } }',
    });
    const { id, status } = started.data.startTask;
    expect(status).toBe('QUEUED');
    const client = wsClient(url);
    const types: string[] = [];
    for await (const { data } of client.iterate<{ run: { __typename: string } }>({
      query: FOLLOW,
      variables: { id },
    })) {
      types.push(data?.run.__typename ?? 'none');
      if (types.length === 1) {
        engine.tell({ type: 'text', runId: id, atMs: 1, step: 'main', path: 'main', delta: 'a' });
        await engine.cancel(id, 'test');
      }
    }
    expect(types).toEqual(['RunQueued', 'RunText', 'RunFinished']);
    expect(engine.listenedTo).toBe(0);
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
    const { url, engine, keys } = await serve();
    const run = engine.open({ task: 'summarize', input: {}, caller: ANA });
    const { secret } = await keys.create({
      caller: 'bob',
      team: null,
      tier: null,
      tags: {},
      scopes: ['run:*'],
      expiresAtMs: null,
      requestsPerMinute: null,
    });
    const client = createSseClient({ url, headers: { authorization: `Bearer ${secret}` } });
    const events: unknown[] = [];
    for await (const event of client.iterate({ query: FOLLOW, variables: { id: run.id } }))
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
  const deltas = (frames: readonly string[]): string =>
    frames.map((frame) => /"delta":"([^"]*)"/.exec(frame)?.[1] ?? '').join('');

  it('goes on after the last event it had, and misses none of the text', async () => {
    const { url, engine } = await serve();
    const steps = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
    engine.behaviour = async (_request, tell) => {
      for (const [index, piece] of ['one ', 'two ', 'three'].entries()) {
        tell({ type: 'text', runId: '', atMs: 0, step: 'main', path: 'main', delta: piece });
        await steps[index]?.promise;
      }
      return { output: { text: 'one two three' } };
    };
    const first = await readFrames(await ask(url, STREAM), 'one ');
    const id = /^id: (run_\w+:\d+)$/m.exec(first.at(-1) ?? '')?.[1] ?? 'none';
    expect([deltas(first), id.split(':')[1]]).toEqual(['one ', '1']);
    // The connection is gone; the run goes on.
    for (const { resolve } of steps) resolve();
    await expect.poll(() => engine.running()).toBe(0);

    const rest = await readFrames(await ask(url, STREAM, { 'last-event-id': id }), 'RunFinished');
    expect(deltas(rest)).toBe('two three');
    expect(engine.requests).toHaveLength(1);
    const [runId = ''] = id.split(':');
    const follow = async (args: string) =>
      deltas(
        await readFrames(
          await ask(url, `subscription { run(${args}) { __typename seq ... on RunText { delta } } }`),
          'RunFinished',
        ),
      );
    expect(await follow(`id: "${runId}", after: 2`)).toBe('three');
    expect(await follow(`id: "${runId}"`)).toBe('one two three');
  });

  it("is not shown another caller's run by naming it (INV-12)", async () => {
    const { url, engine, keys } = await serve();
    const run = engine.open({ task: 'summarize', input: {}, caller: ANA });
    const { secret } = await keys.create({
      caller: 'bob',
      team: null,
      tier: null,
      tags: {},
      scopes: ['run:*'],
      expiresAtMs: null,
      requestsPerMinute: null,
    });
    const frames = await readFrames(
      await ask(url, STREAM, { authorization: `Bearer ${secret}`, 'last-event-id': `${run.id}:0` }),
      'errors',
    );
    expect(frames.join()).toContain('NOT_FOUND');
  });
});

describe('a reader of an event stream that has stopped reading', () => {
  it('is dropped, and counted, while others read on', async () => {
    const { url, base, engine } = await serve({ limits: { maxBufferedBytes: 50_000, slowReaderMs: 100 } });
    engine.open({ task: 'summarize', input: {}, caller: OPEN }, { id: 'run_big' });
    const query = 'subscription { run(id: "run_big") { ... on RunText { delta } } }';
    const slow = request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    });
    slow.on('error', () => {});
    slow.on('response', (response) => {
      response.on('error', () => {});
      response.pause();
    });
    slow.end(JSON.stringify({ query }));
    const sockets = wsClient(url);
    const quick = sockets.iterate<{ run: { delta?: string } }>({ query });
    await quick.next();
    const piece = 'x'.repeat(900_000);
    const write = async (): Promise<boolean> => {
      engine.tell({ type: 'text', runId: 'run_big', atMs: 0, step: 'main', path: 'main', delta: piece });
      expect((await quick.next()).value?.data?.run.delta).toBe(piece);
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
    const { url, ledger, providers } = await serve();
    const client = wsClient(url);
    const alerts = client.iterate<{ alerts: { message: string } }>({
      query: 'subscription { alerts { message } }',
    });
    const first = alerts.next();
    const changes = client.iterate<{ providers: { name: string; models: { circuit: string }[] } }>({
      query: 'subscription { providers { name models { circuit } } }',
    });
    expect((await changes.next()).value?.data).toEqual({
      providers: { name: 'builtin', models: [{ circuit: 'CLOSED' }] },
    });
    providers.statuses = providers.statuses.map((one) => ({
      ...one,
      models: one.models.map((model) => ({ ...model, circuit: 'open' as const })),
    }));
    providers.change('builtin');
    expect((await changes.next()).value?.data?.providers.models).toEqual([{ circuit: 'OPEN' }]);
    await expect.poll(() => ledger.listeners).toBeGreaterThan(3);
    ledger.commit([
      {
        kind: 'alert',
        alert: {
          id: 'alr_1',
          kind: 'circuit',
          severity: 'warning',
          message: 'opened',
          remedy: '',
          scope: 'provider:builtin',
          atMs: 0,
          runId: null,
          details: {},
        },
      },
    ]);
    expect((await first).value?.data).toEqual({ alerts: { message: 'opened' } });
    await client.dispose();
  });
});

describe('other clients', () => {
  it('urql runs tasks and follows statistics', async () => {
    const { url } = await serve();
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
    expect(seen).toBe(1);
    await sockets.dispose();
  });
});
