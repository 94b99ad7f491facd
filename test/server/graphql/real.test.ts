// The API over the real engine, ledger and statistics, with the shipped workflows: what the ports promise is what is shown.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApp } from '../../../src/app.ts';
import { serveApp } from '../../../src/serve.ts';
import type { App } from '../../../src/app.ts';
import { post } from '../real.ts';

const TEXT =
  'The harbour froze in January. Ships waited outside for nine days. Coal ran short in the town. On the tenth day an icebreaker cut a channel.';
const RUN = `mutation ($text: String!, $options: RunOptions) { runTask(task: { summarize: { text: $text } }, options: $options) {
  __typename
  ... on Run { id status cost output { __typename } outputJson tags { key value } attempts { provider { name } model cost } steps { key status } }
  ... on InvalidInput { code problems { path code message } }
  ... on DryRun { hold steps { step decision { candidates { model chosen } } } }
} }`;

let directory: string;
let app: App;
let server: Awaited<ReturnType<typeof serveApp>>;
let url: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'headgate-api-'));
  app = await openApp({ workflows: 'workflows', dataDirectory: directory, env: {} });
  server = await serveApp(app, { port: 0, mode: 'development', watch: false });
  url = `${server.url}/graphql`;
});

afterAll(async () => {
  await server.close();
  await app.close();
  await rm(directory, { recursive: true });
});

const run = (text: string, options?: object) => post(url, { query: RUN, variables: { text, options } });

interface Edge {
  readonly cursor: string;
  readonly node: { readonly id: string };
}

describe('the API over the real parts', () => {
  it('runs a shipped task without any key and shows it again as it was', async () => {
    const { data } = await run(TEXT, { tags: [{ key: 'app', value: 'test' }] });
    expect(data.runTask).toMatchObject({
      __typename: 'Run',
      status: 'SUCCEEDED',
      cost: '0',
      output: { __typename: 'SummarizeOutput' },
      tags: [{ key: 'app', value: 'test' }],
      attempts: [{ provider: { name: 'builtin' }, cost: '0' }],
    });
    const again = await post(url, {
      query:
        'query ($id: ID!) { run(id: $id) { id status cost output { __typename } outputJson tags { key value } attempts { provider { name } model cost } } }',
      variables: { id: data.runTask.id },
    });
    const { __typename: _typename, steps: _steps, ...same } = data.runTask;
    expect(again.data.run).toEqual(same);
  });

  const RUN_JSON = `mutation ($name: String!, $input: JSON!) { runTaskJson(name: $name, input: $input) {
    __typename ... on Run { status outputJson } ... on InvalidInput { code problems { path } } } }`;

  it('runs a task by its name and JSON alone, for clients without types of their own', async () => {
    const byJson = await post(url, {
      query: RUN_JSON,
      variables: { name: 'summarize', input: { text: TEXT, sentences: 1 } },
    });
    expect(byJson.data.runTaskJson).toMatchObject({
      __typename: 'Run',
      status: 'SUCCEEDED',
      outputJson: { summary: expect.stringContaining('.') as string },
    });
  });

  it.each([
    ['a task that there is not', 'summarise', { text: TEXT }],
    ['an input that is no object', 'summarize', 'text'],
    ['null', 'summarize', [null]],
    ['a field that there is not', 'summarize', { text: TEXT, sentence: 1 }],
  ])('INV-13: answers %s in JSON with InvalidInput', async (_title, name, input) => {
    const { data } = await post(url, { query: RUN_JSON, variables: { name, input } });
    expect(data.runTaskJson.__typename).toBe('InvalidInput');
  });

  it('says what a task is resolved to, and the most that a run of it can cost', async () => {
    const { data } = await post(url, { query: '{ taskType(name: "email-parse") { plan worstCase } }' });
    expect(data.taskType.plan).toContain('email-parse');
    expect(Number(data.taskType.worstCase)).toBeGreaterThan(0);
  });

  it('says what changes between two revisions: nothing where they are one', async () => {
    const { data } = await post(url, { query: '{ revisions { edges { node { hash } } } }' });
    const hash = data.revisions.edges[0].node.hash as string;
    const query =
      'query ($before: String!, $after: String!) { planDifference(before: $before, after: $after) { changes { message } worstCosts { task before after } } }';
    const same = await post(url, { query, variables: { before: hash, after: hash } });
    expect(same.data.planDifference.changes).toEqual([]);
    for (const { before, after } of same.data.planDifference.worstCosts) expect(before).toBe(after);
    const unknown = await post(url, { query, variables: { before: hash, after: 'nothing' } });
    expect(unknown.errors[0]?.extensions?.['code']).toBe('UNKNOWN_REVISION');
  });

  it('refuses an input that only the JSON Schema can refuse, with a path, and records nothing (INV-13)', async () => {
    const count = async () =>
      (await post(url, { query: '{ costStats(window: ALL) { total { runs } } }' })).data.costStats.total.runs;
    const before = await count();
    const { data } = await run('');
    expect(data.runTask).toMatchObject({
      __typename: 'InvalidInput',
      code: 'INVALID_INPUT',
      problems: [{ path: '/text' }],
    });
    expect(await count()).toBe(before);
  });

  it('dry-runs: the decision and the hold, and nobody is called', async () => {
    const before = await post(url, { query: '{ costStats(window: ALL) { total { attempts } } }' });
    const { data } = await run(TEXT, { dryRun: true });
    expect(data.runTask).toMatchObject({ __typename: 'DryRun', hold: expect.any(String) as string });
    expect(await post(url, { query: '{ costStats(window: ALL) { total { attempts } } }' })).toMatchObject({
      data: before.data,
    });
  });

  it('gives the same run for the same idempotency key', async () => {
    const options = { idempotencyKey: 'once' };
    const [first, second] = [await run(TEXT, options), await run(TEXT, options)];
    expect(first.data.runTask.id).toBe(second.data.runTask.id);
  });

  it('pages through runs in both directions, filtered, without a gap or a repeat', async () => {
    const made: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      const { data } = await run(`${TEXT} Number ${index} was late.`, {
        tags: [{ key: 'page', value: 'yes' }],
        noCache: true,
      });
      made.push(data.runTask.id);
    }
    const PAGE = `query ($first: Int, $after: String, $last: Int, $before: String) {
      runs(first: $first, after: $after, last: $last, before: $before, filter: { tag: { key: "page", value: "yes" }, status: SUCCEEDED, provider: "builtin" }) {
        edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      } }`;
    const forward: string[] = [];
    let after: string | null = null;
    do {
      const { data, errors } = await post(url, { query: PAGE, variables: { first: 3, after } });
      expect(errors).toEqual([]);
      forward.push(...data.runs.edges.map((edge: Edge) => edge.node.id));
      after = data.runs.pageInfo.hasNextPage === true ? data.runs.pageInfo.endCursor : null;
    } while (after !== null);
    expect(forward).toEqual(made.toReversed());
    const backward: string[] = [];
    let before: string | null = null;
    do {
      const { data } = await post(url, { query: PAGE, variables: { last: 3, before } });
      backward.unshift(...data.runs.edges.map((edge: Edge) => edge.node.id));
      before = data.runs.pageInfo.hasPreviousPage === true ? data.runs.pageInfo.startCursor : null;
    } while (before !== null);
    expect(backward).toEqual(forward);
  });

  it('sums by every dimension', async () => {
    const { data, errors } = await post(url, {
      query:
        '{ costStats(window: DAY, by: [PROVIDER, MODEL, TASK, CALLER, REVISION, STATUS]) { total { runs attempts cost errorRate latencyP50Ms inputTokens perMinute { at runs cost } } groups { keys { dimension value } bucket { runs } } budgets { name } } }',
    });
    expect(errors).toEqual([]);
    expect(data.costStats.total.runs).toBeGreaterThan(7);
    const [{ keys }] = data.costStats.groups;
    expect(keys.map(({ dimension }: { dimension: string }) => dimension)).toEqual([
      'PROVIDER',
      'MODEL',
      'TASK',
      'CALLER',
      'REVISION',
      'STATUS',
    ]);
  });

  it('starts a durable run and follows it to its end', async () => {
    const { data } = await post(url, {
      query: `mutation { startTask(task: { summarize: { text: "${TEXT} And it thawed." } }) { ... on Run { id status } } }`,
    });
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({
        query:
          'subscription ($id: ID!) { run(id: $id) { __typename ... on RunFinished { result { ... on Run { status outputJson } } } } }',
        variables: { id: data.startTask.id },
      }),
    });
    const text = await response.text();
    expect(text).toContain('"RunFinished"');
    expect(text).toContain('"SUCCEEDED"');
  });

  it('pauses spending until it is resumed, and says so to whoever asks', async () => {
    const paused = await post(url, {
      query:
        'mutation { pauseSpending(scope: { task: "summarize" }, reason: "checking a bill") { scope reason paused by } }',
    });
    expect(paused.data.pauseSpending).toEqual({
      scope: 'task:summarize',
      reason: 'checking a bill',
      paused: true,
      by: 'local',
    });
    const refused = await post(url, {
      query: `mutation { runTask(task: { summarize: { text: "${TEXT} Twice." } }) { __typename ... on SpendingPaused { scope reason since code } } }`,
    });
    expect(refused.data.runTask).toMatchObject({
      __typename: 'SpendingPaused',
      scope: 'task:summarize',
      reason: 'checking a bill',
      code: 'SPENDING_PAUSED',
    });
    const resumed = await post(url, {
      query: 'mutation { resumeSpending(scope: { task: "summarize" }) { scope paused } }',
    });
    expect(resumed.data.resumeSpending).toEqual({ scope: 'task:summarize', paused: false });
    expect((await run(`${TEXT} Thrice.`)).data.runTask.__typename).toBe('Run');
  });

  it('cancels what runs, and says what no longer does', async () => {
    const { data } = await run(TEXT);
    const cancelled = await post(url, {
      query:
        'mutation ($id: ID!) { cancelRun(id: $id) { __typename ... on NotRunning { code run { status } } } }',
      variables: { id: data.runTask.id },
    });
    expect(cancelled.data.cancelRun).toEqual({
      __typename: 'NotRunning',
      code: 'RUN_NOT_RUNNING',
      run: { status: 'SUCCEEDED' },
    });
    const none = await post(url, {
      query: 'mutation { cancelRun(id: "run_none") { __typename ... on NotFound { code } } }',
    });
    expect(none.data.cancelRun).toEqual({ __typename: 'NotFound', code: 'NOT_FOUND' });
  });

  it('reloads, and says that nothing has changed', async () => {
    const { data } = await post(url, {
      query: 'mutation { reloadWorkflows { __typename ... on Reloaded { changed revision { active } } } }',
    });
    expect(data.reloadWorkflows).toEqual({
      __typename: 'Reloaded',
      changed: false,
      revision: { active: true },
    });
  });

  it('shows the state of providers and budgets', async () => {
    const { data, errors } = await post(url, {
      query:
        '{ providers { name available unavailable models { key circuit inFlight } } budgets { name limit spent held per unit } viewer { name } revisions { edges { node { hash active commit } } } alerts { edges { node { kind } } } spendSwitches { scope } unreconciled { id } apiKeys { id } }',
    });
    expect(errors).toEqual([]);
    expect(data.providers.find(({ name }: { name: string }) => name === 'builtin')).toMatchObject({
      available: true,
    });
    expect(
      data.revisions.edges.filter(({ node }: { node: { active: boolean } }) => node.active),
    ).toHaveLength(1);
  });
});
