// The server with real clients: HTTP, SSE and WebSocket on one path.
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ADMIN, metric, openRealApp, serveReal as serve, post } from './real.ts';

const RUN = `mutation ($text: String!) {
  runTask(task: { summarize: { text: $text } }) {
    __typename
    ... on Run { id status cost output { ... on SummarizeOutput { text } } attempts { provider { name } model cost held } }
    ... on Refusal { code message remedy }
  }
}`;

describe('runTask over HTTP', () => {
  it('runs a task and answers from the snapshot, without a read of the ledger', async () => {
    const { url, reads, calls } = await serve();
    const { status, data, errors } = await post(url, { query: RUN, variables: { text: 'A long text.' } });
    expect(status).toBe(200);
    expect(errors).toEqual([]);
    expect(data.runTask).toMatchObject({
      __typename: 'Run',
      status: 'SUCCEEDED',
      cost: '0.0000015',
      output: { text: 'short' },
      attempts: [{ provider: { name: 'up' }, model: 'small', cost: '0.0000015' }],
    });
    expect(calls.map(({ request }) => request.prompt)).toEqual(['A long text.']);
    expect(reads).toEqual([]);
  });
});

describe('a client that goes away', () => {
  const RUN_FOR_LONG = (options: string) =>
    `mutation { runTask(task: { summarize: { text: "a" } }${options}) { __typename } }`;

  it('cancels its run, unless it has an idempotency key', async () => {
    const { url, calls, answer } = await serve();
    answer(() => ({ afterMs: 60_000 }));
    const gone = new AbortController();
    const sent = [RUN_FOR_LONG(''), RUN_FOR_LONG(', options: { idempotencyKey: "k" }')].map(async (query) =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
        signal: gone.signal,
      }).catch(() => 'gone'),
    );
    await expect.poll(() => calls.length).toBe(2);
    gone.abort();
    expect(await Promise.all(sent)).toEqual(['gone', 'gone']);
    const aborted = (): readonly boolean[] => calls.map(({ signal }) => signal.aborted);
    await expect.poll(() => aborted().includes(true)).toBe(true);
    const statuses = '{ runs(first: 2) { edges { node { status } } } }';
    await expect
      .poll(async () => {
        const { data } = await post(url, { query: statuses });
        return data.runs.edges.map(({ node }: { node: { status: string } }) => node.status).toSorted();
      })
      .toEqual(['CANCELLED', 'RUNNING']);
    expect(aborted().filter(Boolean)).toHaveLength(1);
  });

  it('is no reason to cancel what has been answered', async () => {
    const { url, calls } = await serve();
    await post(url, { query: RUN_FOR_LONG('') });
    const { data } = await post(url, { query: '{ runs(first: 1) { edges { node { status } } } }' });
    expect(data.runs.edges).toEqual([{ node: { status: 'SUCCEEDED' } }]);
    expect(calls[0]?.signal.aborted).toBe(false);
  });
});

describe('Subscription.costStats', () => {
  const WATCH = 'subscription { costStats(everyMs: 50) { total { runs cost } } }';

  it('over SSE gives the state now, then a state after a change, and ends when the client leaves', async () => {
    const { url, base, app } = await serve({}, await openRealApp());
    const client = createSseClient({ url });
    const seen: unknown[] = [];
    for await (const event of client.iterate<{ costStats: { total: { runs: number } } }>({ query: WATCH })) {
      seen.push(event.data?.costStats.total.runs);
      if (seen.length === 1) await app.engine.run({ task: 'summarize', input: { text: 'a' }, caller: ADMIN });
      if (event.data?.costStats.total.runs === 1) break;
    }
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(1);
    await expect.poll(() => metric(base, 'headgate_subscriptions')).toBe(0);
    client.dispose();
  });

  it('over WebSocket does the same', async () => {
    const { url, base, app } = await serve({}, await openRealApp());
    const client = createWsClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket });
    const seen: unknown[] = [];
    for await (const event of client.iterate<{ costStats: { total: { runs: number } } }>({ query: WATCH })) {
      seen.push(event.data?.costStats.total.runs);
      if (seen.length === 1) await app.engine.run({ task: 'summarize', input: { text: 'a' }, caller: ADMIN });
      if (event.data?.costStats.total.runs === 1) break;
    }
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(1);
    await expect.poll(() => metric(base, 'headgate_subscriptions')).toBe(0);
    await client.dispose();
  });
});
