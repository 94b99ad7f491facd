// The main job, end to end: a served child process, driven by real GraphQL clients over HTTP, SSE and WebSocket.
import { calcPrice } from '@pydantic/genai-prices';
import { LLMock } from '@copilotkit/aimock';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { serve, type Served } from '../support/served.ts';

const TEXT = [
  'The harbour froze in January.',
  'Ships waited outside for nine days.',
  'Coal ran short in the town, and the council opened the school as a warm room.',
  'On the tenth day an icebreaker came from the south.',
  'It cut a channel by noon.',
  'The first ship in carried coal.',
  'The council has since bought an icebreaker of its own.',
].join(' ');

const RUN = /* GraphQL */ `
  mutation Summarize($text: String!) {
    runTask(task: { summarize: { text: $text, sentences: 2 } }) {
      __typename
      ... on Run {
        id
        status
        outputJson
        cost
        latencyMs
        attempts {
          status
          errorClass
          model
          provider {
            name
          }
          inputTokens
          outputTokens
          cost
        }
      }
      ... on InvalidInput {
        code
        problems {
          path
          message
        }
      }
      ... on NoProviderAvailable {
        code
        message
        remedy
      }
    }
  }
`;

interface AttemptAnswer {
  readonly status: string;
  readonly errorClass: string | null;
  readonly model: string;
  readonly provider: { readonly name: string };
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cost: string;
}
interface RunAnswer {
  readonly __typename: string;
  readonly id: string;
  readonly status: string;
  readonly outputJson: { readonly summary: string };
  readonly cost: string;
  readonly latencyMs: number;
  readonly attempts: readonly AttemptAnswer[];
  readonly problems?: readonly { readonly path: string; readonly message: string }[];
}

async function query<Data>(served: Served, text: string, variables: object = {}): Promise<Data> {
  const response = await fetch(`${served.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query: text, variables }),
  });
  const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
  expect(errors).toBeUndefined();
  return data;
}

const summarize = async (served: Served, text: string = TEXT): Promise<RunAnswer> =>
  (await query<{ runTask: RunAnswer }>(served, RUN, { text })).runTask;

describe('the main job without any key', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve();
  }, 60_000);
  afterAll(async () => {
    expect(await served.stop()).toBe(0);
  });

  it('summarizes on the builtin provider: provider, model, cost 0 and latency', async () => {
    const run = await summarize(served);
    expect(run.__typename).toBe('Run');
    expect(run.status).toBe('SUCCEEDED');
    expect(run.cost).toBe('0');
    expect(run.latencyMs).toBeGreaterThan(0);
    expect(run.attempts.map(({ provider, model, status }) => [provider.name, model, status])).toEqual([
      ['builtin', 'extract', 'SUCCEEDED'],
    ]);
    const sentences = run.outputJson.summary.split(/(?<=\.)\s+/);
    expect(sentences.length).toBeLessThanOrEqual(2);
    for (const sentence of sentences) expect(TEXT).toContain(sentence);
  });

  it('INV-13: answers an input against the schema with a path per problem, and runs nothing', async () => {
    const before = await query<{ runs: { edges: readonly unknown[] } }>(
      served,
      '{ runs(first: 100) { edges { cursor } } }',
    );
    const { runTask } = await query<{ runTask: RunAnswer }>(
      served,
      `mutation { runTask(task: { summarize: { text: "", sentences: 0 } }) { __typename ... on InvalidInput { problems { path message } } } }`,
    );
    expect(runTask.__typename).toBe('InvalidInput');
    expect(runTask.problems?.map(({ path }) => path)).toContain('/sentences');
    const after = await query<{ runs: { edges: readonly unknown[] } }>(
      served,
      '{ runs(first: 100) { edges { cursor } } }',
    );
    expect(after).toEqual(before);
  });

  it('says what is missing when no provider can serve a task', async () => {
    const { runTask } = await query<{ runTask: { __typename: string; message: string; remedy: string } }>(
      served,
      `mutation { runTask(task: { codeReview: { diff: "diff --git a/a.js b/a.js\\n--- a/a.js\\n+++ b/a.js\\n@@ -1 +1 @@\\n-a\\n+b\\n" } }) { __typename ... on NoProviderAvailable { message remedy } } }`,
    );
    expect(runTask.__typename).toBe('NoProviderAvailable');
    expect(`${runTask.message} ${runTask.remedy}`).toMatch(/API_KEY/);
  });

  it('lists its tasks, and finds a run again', async () => {
    const { id } = await summarize(served);
    const data = await query<{
      taskTypes: readonly { name: string }[];
      run: { id: string; status: string; attempts: readonly { model: string }[] };
    }>(served, `query ($id: ID!) { taskTypes { name } run(id: $id) { id status attempts { model } } }`, {
      id,
    });
    expect(data.taskTypes.map(({ name }) => name).toSorted()).toEqual([
      'code-review',
      'email-parse',
      'summarize',
    ]);
    expect(data.run).toEqual({ id, status: 'SUCCEEDED', attempts: [{ model: 'extract' }] });
  });

  it('INV-11: gives the state now over SSE, then what a run changed', async () => {
    const client = createSseClient({ url: `${served.url}/graphql` });
    const events = client.iterate<{ costStats: { total: { runs: number } } }>({
      query: 'subscription { costStats(window: DAY, everyMs: 100) { total { runs } } }',
    });
    const first = await events.next();
    const runs = first.value?.data?.costStats.total.runs ?? -1;
    expect(runs).toBeGreaterThanOrEqual(0);
    await summarize(served);
    const second = await events.next();
    expect(second.value?.data?.costStats.total.runs).toBe(runs + 1);
    await events.return?.();
    client.dispose();
  });

  it('INV-11: gives the same over WebSocket', async () => {
    const client = createWsClient({
      url: `${served.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
    });
    const events = client.iterate<{ costStats: { total: { runs: number } } }>({
      query: 'subscription { costStats(window: DAY, everyMs: 100) { total { runs } } }',
    });
    const first = await events.next();
    const runs = first.value?.data?.costStats.total.runs ?? -1;
    await summarize(served);
    const second = await events.next();
    expect(second.value?.data?.costStats.total.runs).toBe(runs + 1);
    await events.return?.();
    await client.dispose();
  });

  it('answers its health paths', async () => {
    for (const path of ['/health/live', '/health/ready'])
      expect((await fetch(`${served.url}${path}`)).status).toBe(200);
  });
});

// A server for each provider that fails: its second failure finds what the first has left behind.
describe.each([
  ['openai', 'anthropic'],
  ['anthropic', 'openai'],
] as const)('the main job while %s fails and %s answers', (broken, other) => {
  const usage = { prompt_tokens: 120, completion_tokens: 30, input_tokens: 120, output_tokens: 30 };
  let openai: LLMock;
  let anthropic: LLMock;
  let served: Served;

  beforeAll(async () => {
    openai = new LLMock({ port: 0 });
    anthropic = new LLMock({ port: 0 });
    await Promise.all([openai.start(), anthropic.start()]);
    served = await serve({
      env: {
        OPENAI_API_KEY: 'sk-test-0000000000',
        OPENAI_BASE_URL: `${openai.url}/v1`,
        ANTHROPIC_API_KEY: 'sk-ant-test-0000',
        ANTHROPIC_BASE_URL: anthropic.url,
      },
    });
  }, 60_000);
  beforeEach(() => {
    openai.reset();
    anthropic.reset();
  });
  afterAll(async () => {
    expect(await served.stop()).toBe(0);
    await Promise.all([openai.stop(), anthropic.stop()]);
  });

  function answers(mock: LLMock): void {
    mock.onMessage(/harbour/, { content: 'A frozen harbour was opened by an icebreaker.', usage });
  }
  function fails(mock: LLMock, status: number): void {
    mock.onMessage(/harbour/, { error: { message: 'not now', type: 'server_error' }, status });
  }

  /** The catalogue's own arithmetic, in floats, as an independent opinion. */
  function expectedCost({ provider, model, inputTokens, outputTokens }: AttemptAnswer): number {
    const price = calcPrice({ input_tokens: inputTokens, output_tokens: outputTokens }, model, {
      providerId: provider.name,
    });
    return price?.total_price ?? Number.NaN;
  }

  it.each([500, 429])(
    'INV-1: falls back when it answers %i, and bills the one that answered',
    async (status) => {
      fails(broken === 'openai' ? openai : anthropic, status);
      answers(broken === 'openai' ? anthropic : openai);
      const run = await summarize(served, `${TEXT} It was seen by ${broken} at ${status} feet.`);
      expect(run.__typename).toBe('Run');
      expect(run.outputJson.summary).toBe('A frozen harbour was opened by an icebreaker.');
      const last = run.attempts.at(-1);
      expect(last).toMatchObject({
        status: 'SUCCEEDED',
        inputTokens: 120,
        outputTokens: 30,
        provider: { name: other },
      });
      expect(Number(last?.cost)).toBeCloseTo(last === undefined ? 0 : expectedCost(last), 9);
      expect(Number(run.cost)).toBeCloseTo(
        run.attempts.reduce((sum, { cost }) => sum + Number(cost), 0),
        9,
      );
      for (const attempt of run.attempts.slice(0, -1))
        expect(attempt).toMatchObject({ status: 'FAILED', cost: '0' });
      // Each attempt in the ledger is one call that the servers saw.
      expect(openai.getRequests().length + anthropic.getRequests().length).toBe(run.attempts.length);
    },
  );
});
