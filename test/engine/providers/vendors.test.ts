// Vendors by name: each against the answers that its own adapters were recorded with, and what goes to it over the wire.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VENDORS } from '../../../src/language/definition/vendors.ts';
import type { Vendor } from '../../../src/language/definition/vendors.ts';
import { readRecordings, startCassetteServer } from '../../support/cassette-server.ts';
import type { CassetteServer } from '../../support/cassette-server.ts';
import { listen, request, testProvider, TEST_KEY } from '../../support/provider-plan.ts';
import { answerOf } from '../../support/provider-remotes.ts';
import { hasSharedData } from '../../support/shared-data.ts';

/** The preset as a plan has it, at an address of the test's. */
function preset(vendor: Vendor, url: string, api: 'chat' | 'responses' = 'chat') {
  const { lacks, cost } = VENDORS[vendor];
  return testProvider({
    adapter: 'openai',
    vendor,
    url,
    api,
    lacks,
    ...(cost === null ? {} : { cost }),
    ...(vendor === 'azure' ? { sdkOptions: { apiVersion: '2024-10-21' } } : {}),
  });
}

/** Whose recordings are named how. */
const RECORDED: readonly (readonly [Vendor, RegExp])[] = [
  ['azure', /^v-azure-azure-text|^v-openai-azure-model-router|^v-azure-azure-tool-call/],
  ['groq', /^v-groq-/],
  ['mistral', /^v-mistral-/],
  ['deepseek', /^v-deepseek-/],
  ['xai', /^v-xai-xai-(?:text|tool)|^v-openai-compatible-xai-/],
];

interface Counted {
  readonly prompt_tokens?: number;
  readonly input_tokens?: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details?: { readonly cached_tokens?: number } | null;
  readonly input_tokens_details?: { readonly cached_tokens?: number } | null;
}

/** The last usage of a body, read without any of our code. */
function lastUsage(body: string, stream: boolean): Counted {
  const values = stream
    ? body
        .split('\n')
        .filter((line) => line.startsWith('data: {'))
        .map((line) => JSON.parse(line.slice('data: '.length)) as Holder)
    : [JSON.parse(body) as Holder];
  const found = values
    .map((value) => value.usage ?? value.response?.usage ?? value.x_groq?.usage)
    .findLast((usage) => usage);
  if (!found) throw new Error('a recording without usage');
  return found;
}
interface Holder {
  readonly usage?: Counted | null;
  readonly response?: { readonly usage?: Counted | null };
  readonly x_groq?: { readonly usage?: Counted | null };
}

describe.skipIf(!hasSharedData('recordings'))('a vendor by its name', () => {
  let server: CassetteServer;
  beforeAll(async () => {
    server = await startCassetteServer();
  });
  afterAll(() => server.close());

  it.each(RECORDED)(
    '%s: every recorded answer is an answer, with all that its bill counts',
    async (vendor, ids) => {
      const recorded = [...readRecordings()].filter(([id]) => ids.test(id));
      expect(recorded.length).toBeGreaterThan(2);
      for (const [id, answer] of recorded) {
        const provider = preset(
          vendor,
          `${server.url}/v1`,
          answer.body.includes('"choices"') ? 'chat' : 'responses',
        );
        server.play(answer);
        const given = answerOf(await provider.call(request({ stream: answer.stream }), listen().context));
        await provider.close();
        const said = lastUsage(answer.body, answer.stream);
        const input = said.prompt_tokens ?? said.input_tokens ?? Number.NaN;
        const cached = (said.prompt_tokens_details ?? said.input_tokens_details)?.cached_tokens ?? 0;
        expect({ id, usage: given.usage, hasText: given.text !== '' }).toMatchObject({
          id,
          usage: {
            inputTokens: input,
            // Some count reasoning beside the output: what is neither input nor cached was made by the model.
            outputTokens: said.total_tokens - input,
            cachedInputTokens: cached,
          },
          hasText: id.includes('-text') || given.text !== '',
        });
        expect(given.text).not.toContain('<think>');
      }
    },
  );
});

interface Seen {
  readonly url: string;
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined };
  readonly body: { readonly [name: string]: unknown };
}

/** Answers every chat alike, and keeps what came. */
async function listening(): Promise<{ readonly url: string; readonly seen: Seen[]; close(): Promise<void> }> {
  const seen: Seen[] = [];
  const server = createServer((incoming, response) => {
    const pieces: Buffer[] = [];
    incoming.on('data', (piece: Buffer) => pieces.push(piece));
    incoming.on('end', () => {
      const body = JSON.parse(Buffer.concat(pieces).toString()) as Seen['body'];
      seen.push({ url: incoming.url ?? '', headers: incoming.headers, body });
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          id: 'c1',
          model: 'm',
          choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: '{"a":1}' } }],
          usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7, cost: 0.00012 },
        }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

describe('what goes to a vendor', () => {
  it('azure: the deployment stands in the address, the version in the query, the key in its own header', async () => {
    const server = await listening();
    const provider = preset('azure', server.url);
    for (const model of ['first', 'second'])
      answerOf(await provider.call(request({ model }), listen().context));
    await provider.close();
    await server.close();
    expect(server.seen.map(({ url }) => url)).toEqual([
      '/openai/deployments/first/chat/completions?api-version=2024-10-21',
      '/openai/deployments/second/chat/completions?api-version=2024-10-21',
    ]);
    expect(server.seen[0]?.headers).toMatchObject({ 'api-key': TEST_KEY });
    expect(server.seen[0]?.headers).not.toHaveProperty('authorization');
    expect(server.seen[0]?.body).toHaveProperty('max_completion_tokens', 100);
  });

  it('azure: an address that ends in /openai, or names a deployment, is kept as it is', async () => {
    const server = await listening();
    for (const path of ['/openai', '/openai/', '/openai/deployments/mine']) {
      const provider = preset('azure', `${server.url}${path}`);
      answerOf(await provider.call(request({ model: 'm' }), listen().context));
      await provider.close();
    }
    await server.close();
    expect(server.seen.map(({ url }) => url.split('?')[0])).toEqual([
      '/openai/deployments/m/chat/completions',
      '/openai/deployments/m/chat/completions',
      '/openai/deployments/mine/chat/completions',
    ]);
  });

  it('openrouter: what it says that it charged is told', async () => {
    const server = await listening();
    const provider = preset('openrouter', server.url);
    const answer = answerOf(await provider.call(request(), listen().context));
    await provider.close();
    await server.close();
    expect(answer.reportedCostUsd).toBe('0.00012');
  });

  const structured = {
    name: 'a',
    schema: { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] },
  } as const;

  it.each([
    ['mistral', ['max_tokens', 'response_format']],
    ['deepseek', ['max_tokens', 'stream_options']],
    ['ollama', ['max_tokens', 'response_format', 'stream_options']],
    ['gemini', ['max_tokens', 'response_format', 'stream_options']],
    ['groq', ['max_tokens', 'response_format', 'stream_options']],
    ['xai', ['max_tokens', 'response_format', 'stream_options']],
    ['openrouter', ['max_completion_tokens', 'response_format', 'stream_options']],
  ] as const)('%s is sent nothing that it does not take', async (vendor, names) => {
    const server = await listening();
    const provider = preset(vendor, server.url);
    answerOf(await provider.call(request({ stream: true, structured }), listen().context));
    await provider.close();
    await server.close();
    const optional = new Set(['max_completion_tokens', 'max_tokens', 'response_format', 'stream_options']);
    expect(
      Object.keys(server.seen[0]?.body ?? {})
        .filter((name) => optional.has(name))
        .sort(),
    ).toEqual(names);
  });
});
