// Runs are found on any node: joined by their key, cancelled, followed; and they go on when their node dies.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { seededRandom } from '../../../src/common/random.ts';
import { startCountingUpstream } from '../../support/counting-upstream.ts';
import type { CountingUpstream } from '../../support/counting-upstream.ts';
import { createHandClock } from '../../support/hand-clock.ts';
import { startPostgresProxy } from '../../support/postgres-proxy.ts';
import { emptyDatabase, hasPostgres, query } from '../../support/postgres.ts';
import {
  RUN_SINGLE,
  RUN_TRAIL,
  START_TRAIL,
  STREAM_SINGLE,
  ask,
  hostFor,
  rowsOf,
  serveFor,
  subscribe,
  temporary,
  workflowFolder,
} from './support.ts';
import type { Hosted, WorkflowOptions } from './support.ts';

/** A machine that is busy with other tests lets a process wait for longer than a node should be silent. */
const SILENCE_MS = 5_000;
const FOLLOW = `subscription ($id: ID!, $after: Int) { run(id: $id, after: $after) {
  __typename seq ... on RunText { path delta } ... on RunTextRestarted { path }
  ... on RunStepped { step { key } } ... on RunFinished { result { __typename ... on Run { id status outputJson } } } } }`;
const CANCEL = `mutation ($id: ID!) { cancelRun(id: $id) { __typename ... on Run { id } } }`;

interface Followed {
  readonly __typename: string;
  readonly seq?: number;
  readonly path?: string;
  readonly delta?: string;
}

interface Two {
  readonly address: string;
  readonly upstream: CountingUpstream;
  readonly first: Hosted;
  readonly second: Hosted;
}

async function two(workflow: WorkflowOptions = {}, durableRuns = 100): Promise<Two> {
  const upstream = await startCountingUpstream({ random: seededRandom(7) });
  const address = `${await emptyDatabase()}&silence=${SILENCE_MS}`;
  const workflows = workflowFolder(workflow);
  const host = (): Promise<Hosted> => hostFor(upstream, { database: address, workflows, durableRuns });
  const first = await host();
  return { address, upstream, first, second: await host() };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let looks = 0; !(await holds()); looks += 1) {
    if (looks === 600) throw new Error('it did not come about');
    await sleep(20);
  }
}

const statusOf = async (address: string, id: string): Promise<unknown> =>
  (await query(address, `select status from runs where id = '${id}'`))[0]?.['status'];

/** What a reader has of a text after these events. */
function textOf(events: readonly { readonly __typename: string; readonly delta?: string }[]): string {
  let text = '';
  for (const { __typename, delta = '' } of events)
    text = __typename === 'RunTextRestarted' ? '' : text + delta;
  return text;
}

describe.skipIf(!hasPostgres)('a run, on any node', { timeout: 60_000 }, () => {
  it('INV-5: one key is one run, asked for at two nodes at once or while the other one runs it', async () => {
    const { upstream, first, second } = await two();
    upstream.otherwise(() => ({ tokens: 10, firstTokenAfterMs: 150 }));
    const asked = { mark: 'm1', options: { idempotencyKey: 'k1' } };
    const both = await Promise.all([first, second].map(({ url }) => ask(url, RUN_SINGLE, asked)));
    const [one, other] = both.map(({ data }) => data.runTask);
    expect(one).toMatchObject({ __typename: 'Run', status: 'SUCCEEDED' });
    expect(other).toEqual(one);
    expect(upstream.calls.length).toBe(1);

    const started = await ask(first.url, START_TRAIL, { mark: 'm2', options: { idempotencyKey: 'k2' } });
    const joined = await ask(second.url, RUN_TRAIL, { mark: 'm2', options: { idempotencyKey: 'k2' } });
    expect(joined.data.runTask).toMatchObject({ id: started.data.startTask.id, status: 'SUCCEEDED' });
    expect(upstream.calls.length).toBe(5);
  });

  it('is cancelled from a node that does not run it, also where it still waits', async () => {
    const { address, upstream, first, second } = await two({}, 1);
    upstream.otherwise(() => ({ tokens: 10, firstTokenAfterMs: 20_000 }));
    const start = async ({ url }: Hosted, mark: string): Promise<string> =>
      (await ask(url, START_TRAIL, { mark })).data.startTask.id as string;
    const running = [await start(first, 'a'), await start(second, 'b')];
    const waiting = await start(first, 'c');
    expect(await statusOf(address, waiting)).toBe('queued');
    for (const id of [waiting, ...running]) {
      const { data } = await ask(second.url, CANCEL, { id });
      expect(data.cancelRun).toMatchObject({ __typename: 'Run' });
      await until(async () => (await statusOf(address, id)) === 'cancelled');
    }
    expect((await ask(second.url, CANCEL, { id: waiting })).data.cancelRun.__typename).toBe('NotRunning');
  });

  it('what waits is taken by whichever node has room, each once', async () => {
    const { address, upstream, first, second } = await two({}, 2);
    const starts = await Promise.all(
      Array.from({ length: 12 }, (_, index) => ask(first.url, START_TRAIL, { mark: `w${index}` })),
    );
    expect(starts.every(({ data }) => data.startTask.__typename === 'Run')).toBe(true);
    await until(async () => {
      const [row] = await query(address, 'select count(*)::int as n from runs where finished_at_ms is null');
      return row?.['n'] === 0;
    });
    const { runs, attempts } = await rowsOf(second.app.ledger);
    expect(runs.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 'succeeded'));
    expect([...attempts.values()].flat().length).toBe(48);
    expect(upstream.calls.length).toBe(48);
    const nodes = await query(address, 'select distinct node::int as node from runs order by 1');
    expect(nodes.map(({ node }) => node)).toEqual([1, 2]);
  });

  it('is followed from another node, from its first text or from where a reader was', async () => {
    const { upstream, first, second } = await two();
    const tokens = Array.from({ length: 30 }, (_, index) => `word${index} `);
    upstream.otherwise(() => ({ tokens, firstTokenAfterMs: 100, tokenEveryMs: 20 }));
    const ids = Promise.withResolvers<string>();
    const streaming = (async () => {
      const events = [];
      for await (const { data } of subscribe(first.url, STREAM_SINGLE, {
        mark: 's1',
        options: { idempotencyKey: 's1' },
      })) {
        ids.resolve(data.streamTask.runId as string);
        events.push(data.streamTask);
      }
      return events;
    })();
    const id = await ids.promise;
    const follow = async (after?: number) => {
      const events = [];
      for await (const { data } of subscribe(second.url, FOLLOW, { id, after })) events.push(data.run);
      return events;
    };
    const followed = await follow();
    const streamed = await streaming;
    expect(textOf(followed)).toBe(textOf(streamed));
    expect(textOf(followed)).toBe(tokens.join(''));
    expect(followed.at(-1)).toMatchObject({ __typename: 'RunFinished', result: { id, status: 'SUCCEEDED' } });
    // Who comes back to another node has the rest of the text, also when it is over.
    const texts = followed.filter(({ __typename }) => __typename === 'RunText');
    const { seq } = texts[Math.floor(texts.length / 2)];
    const before = followed.slice(0, followed.findIndex((event) => event.seq === seq) + 1);
    const rest = await follow(seq as number);
    expect(textOf([...before, ...rest])).toBe(tokens.join(''));
    expect(rest.at(-1)?.__typename).toBe('RunFinished');
  });

  it('INV-5, INV-10: goes on elsewhere when its node is killed, within what it has left, and its followers with it', async () => {
    const upstream = await startCountingUpstream({ random: seededRandom(7) });
    const address = `${await emptyDatabase()}&silence=${SILENCE_MS}`;
    const workflows = workflowFolder({
      // Four calls, and the two that were cut off and count as made.
      budgets: [
        'company: { limit: $1, per: day, then: reject }',
        'own: { limit: 6 calls, per: run, then: reject }',
      ],
    });
    const tokens = Array.from({ length: 60 }, (_, index) => `word${index} `);
    // Slow enough to be cut off in the middle.
    let tokenEveryMs = 50;
    upstream.otherwise(({ body }) =>
      JSON.stringify(body).includes(':one]')
        ? { tokens: 10, firstTokenAfterMs: 10 }
        : { tokens, firstTokenAfterMs: 100, tokenEveryMs },
    );
    const second = await hostFor(upstream, { database: address, workflows });
    const dying = await serveFor(upstream, {
      dataDirectory: temporary('headgate-dying-'),
      env: { HEADGATE_DATABASE: address },
      flags: ['--workflows', workflows, '--no-watch'],
    });
    const stream = `subscription { streamTask(task: { trail: { mark: "d1" } }, options: { idempotencyKey: "d1" }, texts: ALL) {
      __typename runId seq ... on RunText { path delta } ... on RunTextRestarted { path }
      ... on RunFinished { result { __typename ... on Run { id status } } } } }`;
    const ids = Promise.withResolvers<string>();
    const streamed: Followed[] = [];
    const leaving = new AbortController();
    const reader = (async () => {
      for await (const { data } of subscribe(dying.url, stream, {}, leaving.signal)) {
        ids.resolve(data.streamTask.runId as string);
        streamed.push(data.streamTask);
      }
    })().catch(() => undefined);
    const id = await ids.promise;
    const events: Followed[] = [];
    const following = (async () => {
      for await (const { data } of subscribe(second.url, FOLLOW, { id })) events.push(data.run);
    })();
    // In the midst of the second step's text, its reader loses the connection and comes back to another node, as browsers do.
    await until(async () => streamed.filter(({ path }) => path === 'two').length > 2);
    leaving.abort();
    await reader;
    const atNode = streamed.length;
    const goingOn = (async () => {
      const last = `${id}:${streamed.at(-1)?.seq}`;
      for await (const { data } of subscribe(second.url, stream, {}, undefined, last))
        streamed.push(data.streamTask);
    })();
    await until(
      async () => streamed.length > atNode + 3 && events.filter(({ path }) => path === 'two').length > 5,
    );
    tokenEveryMs = 5;
    await dying.kill();
    await Promise.all([following, goingOn]);
    for (const path of ['two', 'three', 'beside'])
      expect(textOf(streamed.filter((event) => event.path === path))).toMatch(/^word0 .*word59 $/);
    expect(streamed.at(-1)).toMatchObject({ __typename: 'RunFinished', result: { id, status: 'SUCCEEDED' } });
    expect(streamed.some(({ __typename }) => __typename === 'RunTextRestarted')).toBe(true);
    expect(events.at(-1)).toMatchObject({ __typename: 'RunFinished', result: { __typename: 'Run' } });
    for (const path of ['two', 'three', 'beside'])
      expect(textOf(events.filter((event) => event.path === path))).toMatch(/^word0 .*word59 $/);
    const called = (step: string): number =>
      upstream.calls.filter(({ body }) => JSON.stringify(body).includes(`:${step}]`)).length;
    expect(called('one')).toBe(1);
    // What was under way when it died is asked for again, and nothing else.
    expect([called('two'), called('three')]).toEqual([2, 1]);
    expect(events.filter(({ __typename }) => __typename === 'RunQueued').length).toBe(1);
  });
});

describe.skipIf(!hasPostgres)(
  'a database that is away for longer than it is waited for',
  { timeout: 60_000 },
  () => {
    it('INV-5: what is promised to survive stands still, and goes on by itself; what comes meanwhile is refused at once', async () => {
      const clock = createHandClock();
      const upstream = await startCountingUpstream({ random: seededRandom(7) });
      upstream.otherwise(() => ({ tokens: 10, firstTokenAfterMs: 100 }));
      const address = `${await emptyDatabase()}&silence=${SILENCE_MS}`;
      const proxy = await startPostgresProxy(address);
      onTestFinished(() => proxy.close());
      const { url, app } = await hostFor(upstream, {
        database: proxy.url,
        workflows: workflowFolder(),
        clock,
      });
      const started = (await ask(url, START_TRAIL, { mark: 'started' })).data.startTask.id as string;
      const keyed = ask(url, RUN_TRAIL, { mark: 'keyed', options: { idempotencyKey: 'keyed' } });
      const interactive = ask(url, RUN_TRAIL, { mark: 'interactive' });
      await upstream.received(3);
      proxy.away(true);
      await sleep(200);
      // As long as it is waited for, and longer.
      clock.jump(5_000);
      expect((await interactive).data.runTask).toMatchObject({ error: { code: 'LEDGER_UNAVAILABLE' } });
      // Whoever waited now would wait without end.
      clock.stop();
      for (const what of [RUN_SINGLE, START_TRAIL, RUN_TRAIL])
        for (const options of [{}, { idempotencyKey: 'new' }]) {
          const { data, errors } = await ask(url, what, { mark: 'new', options });
          const code = data?.runTask?.error?.code ?? errors[0]?.extensions?.['code'];
          expect(code).toBe('LEDGER_UNAVAILABLE');
        }
      proxy.away(false);
      clock.go();
      expect((await keyed).data.runTask).toMatchObject({ __typename: 'Run', status: 'SUCCEEDED' });
      await until(async () => (await statusOf(address, started)) === 'succeeded');
      const calls = upstream.calls.filter(({ body }) => !JSON.stringify(body).includes('[interactive:'));
      expect(calls).toHaveLength(8);
      expect((await app.ledger.verify()).discrepancies).toEqual([]);
      await upstream.close();
    });
  },
);
