// The Vercel AI SDK and LangChain at the doors, where `npm run door-clients` has installed them: each answers, and stops at the first refusal.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TEXT } from '../../support/door-upstream.ts';
import { doorsFixture } from '../../support/doors-fixture.ts';
import type { DoorsFixture } from '../../support/doors-fixture.ts';
import { repositoryRoot } from '../../support/repository.ts';

const manifest = join(repositoryRoot, '.cache', 'door-clients', 'package.json');
const installed = existsSync(join(manifest, '..', 'node_modules', 'ai'));

// Clients that are no dependency of ours have no types here; what they give is compared as it is.
// oxlint-disable-next-line typescript/no-explicit-any
type Client = any;

async function client(name: string): Promise<Client> {
  const path = createRequire(manifest).resolve(name);
  return await import(pathToFileURL(path).href);
}

let doors: DoorsFixture;
let requests = 0;
const fetched = globalThis.fetch;
beforeAll(async () => {
  doors = await doorsFixture(
    'budgets:\n  claude: { task: claude-sonnet-5, limit: $0.01, per: day }\n  fast: { task: fast, limit: $0.01, per: day }\n',
  );
  globalThis.fetch = (...args) => {
    requests += 1;
    return fetched(...args);
  };
});
afterAll(async () => {
  globalThis.fetch = fetched;
  await doors.close();
});

/** Runs what is refused, and says after how many requests it stopped and with which words. */
async function refused(
  run: () => Promise<unknown>,
): Promise<{ readonly count: number; readonly words: string }> {
  const before = requests;
  const words = await run().then(
    () => 'it was answered',
    (error: unknown) => String(error),
  );
  return { count: requests - before, words };
}

describe.runIf(installed)('the Vercel AI SDK', () => {
  test('answers over chat, responses and messages, streams and calls a tool', async () => {
    const { generateText, streamText, embed, jsonSchema, stepCountIs, tool } = await client('ai');
    const { createOpenAI } = await client('@ai-sdk/openai');
    const openai = createOpenAI({ baseURL: `${doors.url}/v1`, apiKey: 'none' });
    const prompt = 'Say hello.';
    expect((await generateText({ model: openai.chat('gpt-5.6-luna'), prompt })).text).toBe(TEXT);
    expect((await generateText({ model: openai('gpt-5.6-luna'), prompt })).text).toBe(TEXT);
    expect(await streamText({ model: openai('gpt-5.6-luna'), prompt }).text).toBe(TEXT);
    const weather = tool({
      inputSchema: jsonSchema({ type: 'object', properties: { city: { type: 'string' } } }),
      execute: () => 'rain',
    });
    const called = await generateText({
      model: openai.chat('gpt-5.6-luna'),
      prompt,
      tools: { weather },
      stopWhen: stepCountIs(3),
    });
    expect([called.steps.length, called.text]).toEqual([2, TEXT]);
    expect((await embed({ model: openai.embedding('vectors'), value: 'a' })).embedding).toEqual([0.5, -0.25]);
  });

  test('stops after one request at a budget that is used up', async () => {
    const { generateText } = await client('ai');
    const { createOpenAI } = await client('@ai-sdk/openai');
    const { createAnthropic } = await client('@ai-sdk/anthropic');
    const openai = createOpenAI({ baseURL: `${doors.url}/v1`, apiKey: 'none' });
    const anthropic = createAnthropic({ baseURL: `${doors.url}/v1`, apiKey: 'none' });
    for (const model of [openai('fast'), openai.chat('fast'), anthropic('claude-sonnet-5')]) {
      const { count, words } = await refused(() => generateText({ model, prompt: 'a' }));
      expect([count, words]).toEqual([1, expect.stringMatching(/Budget '\w+' has \$0\.01 left/)]);
    }
  });
});

describe.runIf(installed)('LangChain', () => {
  test('answers and streams', async () => {
    const { ChatOpenAI } = await client('@langchain/openai');
    const chat = new ChatOpenAI({
      model: 'gpt-5.6-luna',
      apiKey: 'none',
      configuration: { baseURL: `${doors.url}/v1` },
    });
    expect((await chat.invoke('Say hello.')).content).toBe(TEXT);
    let text = '';
    for await (const chunk of await chat.stream('Say hello.')) text += String(chunk.content);
    expect(text).toBe(TEXT);
  });

  test('stops after one request at a budget that is used up', async () => {
    const { ChatOpenAI } = await client('@langchain/openai');
    const { ChatAnthropic } = await client('@langchain/anthropic');
    const chat = new ChatOpenAI({
      model: 'fast',
      apiKey: 'none',
      configuration: { baseURL: `${doors.url}/v1` },
    });
    const claude = new ChatAnthropic({
      model: 'claude-sonnet-5',
      apiKey: 'none',
      anthropicApiUrl: doors.url,
    });
    for (const model of [chat, claude]) {
      const { count, words } = await refused(() => model.invoke('a'));
      expect([count, words]).toEqual([1, expect.stringMatching(/Budget '\w+' has \$0\.01 left/)]);
    }
  });
});
