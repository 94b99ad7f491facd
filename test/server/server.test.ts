// The server with real clients: HTTP, SSE and WebSocket on one path.
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { BOB } from './graphql/support/services.ts';
import { post, serve } from './support.ts';

const RUN = `mutation ($text: String!) {
  runTask(task: { summarize: { text: $text } }) {
    __typename
    ... on Run { id status cost output { ... on SummarizeOutput { text sentences } } attempts { provider { name } model cost held } }
    ... on Refusal { code message remedy }
  }
}`;

describe('runTask over HTTP', () => {
  it('runs a task and answers from the snapshot, without a read of the ledger', async () => {
    const { url, ledger, engine } = await serve();
    const { status, data, errors } = await post(url, { query: RUN, variables: { text: 'A long text.' } });
    expect(status).toBe(200);
    expect(errors).toEqual([]);
    expect(data.runTask).toMatchObject({
      __typename: 'Run',
      status: 'SUCCEEDED',
      cost: '0.0000015',
      output: { text: 'short', sentences: ['short'] },
      attempts: [{ provider: { name: 'builtin' }, model: 'extract', cost: '0.0000015', held: '0.000009' }],
    });
    expect(engine.requests[0]).toMatchObject({
      task: 'summarize',
      input: { text: 'A long text.', sentences: 3 },
    });
    expect(ledger.calls.filter((call) => call !== 'apiKeys')).toEqual([]);
  });
});

describe('a client that goes away', () => {
  const RUN_FOR_LONG = (options: string) =>
    `mutation { runTask(task: { summarize: { text: "a" } }${options}) { __typename } }`;

  it('cancels its run, unless it has an idempotency key', async () => {
    const { url, engine } = await serve();
    const { promise, resolve } = Promise.withResolvers<void>();
    engine.behaviour = async () => {
      await promise;
      return { output: { text: 'a' } };
    };
    const gone = new AbortController();
    const sent = [RUN_FOR_LONG(''), RUN_FOR_LONG(', options: { idempotencyKey: "k" }')].map(async (query) =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
        signal: gone.signal,
      }).catch(() => 'gone'),
    );
    await expect.poll(() => engine.requests.length).toBe(2);
    const signals = engine.requests.map(({ signal }) => signal);
    expect(signals.filter((signal) => signal === undefined)).toHaveLength(1);
    gone.abort();
    expect(await Promise.all(sent)).toEqual(['gone', 'gone']);
    await expect.poll(() => signals.find((signal) => signal !== undefined)?.aborted).toBe(true);
    resolve();
  });

  it('is no reason to cancel what has been answered', async () => {
    const { url, engine } = await serve();
    await post(url, { query: RUN_FOR_LONG('') });
    await post(url, { query: '{ viewer { name } }' });
    expect(engine.requests[0]?.signal?.aborted).toBe(false);
  });
});

describe('Subscription.costStats', () => {
  const WATCH = 'subscription { costStats(everyMs: 50) { total { runs cost } } }';

  it('over SSE gives the state now, then a state after a change, and ends when the client leaves', async () => {
    const { url, engine, ledger } = await serve();
    const before = ledger.listeners;
    const client = createSseClient({ url });
    const seen: unknown[] = [];
    for await (const event of client.iterate<{ costStats: { total: { runs: number } } }>({ query: WATCH })) {
      seen.push(event.data?.costStats.total.runs);
      if (seen.length === 1)
        await engine.run({
          task: 'summarize',
          input: {},
          caller: BOB,
        });
      if (event.data?.costStats.total.runs === 1) break;
    }
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(1);
    await expect.poll(() => ledger.listeners).toBe(before);
    client.dispose();
  });

  it('over WebSocket does the same', async () => {
    const { url, engine, ledger } = await serve();
    const before = ledger.listeners;
    const client = createWsClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket });
    const seen: unknown[] = [];
    for await (const event of client.iterate<{ costStats: { total: { runs: number } } }>({ query: WATCH })) {
      seen.push(event.data?.costStats.total.runs);
      if (seen.length === 1)
        await engine.run({
          task: 'summarize',
          input: {},
          caller: BOB,
        });
      if (event.data?.costStats.total.runs === 1) break;
    }
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(1);
    await expect.poll(() => ledger.listeners).toBe(before);
    await client.dispose();
  });
});
