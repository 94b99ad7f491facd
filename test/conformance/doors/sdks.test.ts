// The doors as the vendors' own SDKs see them: nothing but the address and the key is Headgate's, and each call is a run like any other.
import { Anthropic } from '@anthropic-ai/sdk';
import { OpenAI } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TEXT } from '../../support/door-upstream.ts';
import { doorsFixture } from '../../support/doors-fixture.ts';
import type { DoorsFixture } from '../../support/doors-fixture.ts';

let doors: DoorsFixture;
let openai: OpenAI;
let anthropic: Anthropic;
beforeAll(async () => {
  doors = await doorsFixture();
  openai = new OpenAI({ baseURL: `${doors.url}/v1`, apiKey: 'none' });
  anthropic = new Anthropic({ baseURL: doors.url, apiKey: 'none' });
});
afterAll(() => doors.close());

const HELLO = [{ role: 'user' as const, content: 'Say hello.' }];
const WEATHER = { city: { type: 'string' } };
const schema = {
  type: 'object' as const,
  properties: WEATHER,
  required: ['city'],
  additionalProperties: false,
};

async function lastRun() {
  const run = (await doors.runs()).at(-1);
  const [attempt] = await doors.attempts(run?.id ?? '');
  return { run, attempt };
}

const lastSent = () => doors.upstream.calls.at(-1);

describe('the openai SDK', () => {
  test('completes a chat, as a run with its tokens, its cost and its caller', async () => {
    const { data, response } = await openai.chat.completions
      .create({ model: 'gpt-5.6-luna', messages: HELLO }, { headers: { 'x-headgate-tags': 'app=test' } })
      .withResponse();
    expect(data.choices[0]?.message.content).toBe(TEXT);
    const { run, attempt } = await lastRun();
    expect(run).toMatchObject({ task: 'gpt-5.6-luna', status: 'succeeded', tags: { app: 'test' } });
    expect(run?.caller.name).toBe('local');
    // 21 tokens at $1 a million, 7 at $10.
    expect([run?.costNanoUsd, attempt?.inputTokens, attempt?.outputTokens]).toEqual([91_000n, 21, 7]);
    expect(response.headers.get('x-headgate-run')).toBe(run?.id);
    expect(response.headers.get('x-headgate-model')).toBe('openai/gpt-5.6-luna');
    expect(response.headers.get('x-headgate-cost')).toBe('0.000091');
    expect(response.headers.get('x-request-id')).toBe('req_up');
  });

  test('tells the session that the client says, in the run and over GraphQL', async () => {
    const session = { headers: { 'x-session-id': 'talk 1/2' } };
    await openai.chat.completions.create({ model: 'fast', messages: HELLO }, session);
    expect((await lastRun()).run?.caller).toEqual({
      name: 'local',
      team: null,
      tier: null,
      session: 'talk_1_2',
    });
    await openai.responses.create({ model: 'fast', input: 'a', prompt_cache_key: 'thread-7' });
    const response = await fetch(`${doors.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query: '{ runs(first: 1) { edges { node { caller { name session } task { name kind field } } } } }',
      }),
    });
    expect(await response.json()).toMatchObject({
      data: {
        runs: {
          edges: [
            {
              node: { caller: { session: 'thread-7' }, task: { name: 'fast', kind: 'EXPOSED', field: null } },
            },
          ],
        },
      },
    });
  });

  test('streams a chat without the event for the usage that it did not ask for', async () => {
    const stream = await openai.chat.completions.create({
      model: 'gpt-5.6-luna',
      messages: HELLO,
      stream: true,
    });
    let text = '';
    for await (const { choices } of stream) {
      expect(choices).toHaveLength(1);
      text += choices[0]?.delta.content ?? '';
    }
    expect(text).toBe(TEXT);
    expect(JSON.parse(lastSent()?.body ?? '')).toMatchObject({ stream_options: { include_usage: true } });
    expect((await lastRun()).run).toMatchObject({ status: 'succeeded', costNanoUsd: 91_000n });
  });

  test('streams a chat with the usage where it asked for it', async () => {
    const stream = await openai.chat.completions.create({
      model: 'gpt-5.6-luna',
      messages: HELLO,
      stream: true,
      stream_options: { include_usage: true },
    });
    const usages = [];
    for await (const { usage } of stream) if (usage) usages.push(usage.completion_tokens);
    expect(usages).toEqual([7]);
  });

  test('calls a tool, and goes on with what it gave', async () => {
    const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: schema } }];
    const first = await openai.chat.completions.create({ model: 'fast', messages: HELLO, tools });
    const call = first.choices[0]?.message.tool_calls?.[0];
    expect(call).toMatchObject({ function: { name: 'weather', arguments: '{"city":"Oslo"}' } });
    const messages = [
      ...HELLO,
      first.choices[0]?.message ?? { role: 'assistant' as const, content: '' },
      { role: 'tool' as const, tool_call_id: call?.id ?? '', content: 'rain' },
    ];
    const second = await openai.chat.completions.create({ model: 'fast', messages, tools });
    expect(second.choices[0]?.message.content).toBe(TEXT);
  });

  test('asks for JSON by a schema and shows an image: both arrive as they were sent', async () => {
    const messages = [
      {
        role: 'user' as const,
        content: [
          { type: 'text' as const, text: 'What is this?' },
          { type: 'image_url' as const, image_url: { url: `data:image/png;base64,${PNG}` } },
        ],
      },
    ];
    const response_format = {
      type: 'json_schema' as const,
      json_schema: { name: 'city', schema, strict: true },
    };
    await openai.chat.completions.create({ model: 'two', messages, response_format });
    expect(JSON.parse(lastSent()?.body ?? '')).toMatchObject({ messages, response_format });
  });

  test('creates a response, whole and streamed, and calls a tool', async () => {
    const whole = await openai.responses.create({ model: 'gpt-5.6-luna', input: 'Say hello.' });
    expect(whole.output_text).toBe(TEXT);
    expect((await lastRun()).run).toMatchObject({ status: 'succeeded', costNanoUsd: 91_000n });
    const stream = openai.responses.stream({
      model: 'gpt-5.6-luna',
      input: 'Say hello.',
      tools: [{ type: 'function', name: 'weather', parameters: schema, strict: true }],
    });
    const { output } = await stream.finalResponse();
    expect(output[0]).toMatchObject({ type: 'function_call', name: 'weather' });
    expect(lastSent()?.path).toBe('/v1/responses');
  });

  test('embeds, held and priced by the input alone', async () => {
    const { data } = await openai.embeddings.create({
      model: 'vectors',
      input: ['A text.', 'Another, which is longer than the context of the model is for one text alone.'],
      encoding_format: 'float',
    });
    expect(data[0]?.embedding).toEqual([0.5, -0.25]);
    const { run, attempt } = await lastRun();
    expect([run?.costNanoUsd, attempt?.outputTokens]).toEqual([21_000n, 0]);
    expect(attempt?.decision.candidates[1]?.skipped?.code).toBe('other_vectors');
  });

  test('lists the exposed names, and tells of one', async () => {
    const { data } = await openai.models.list();
    expect(data.map(({ id }) => id)).toEqual(Object.keys(doors.app.revisions.active().plan.exposed ?? {}));
    expect(await openai.models.retrieve('fast')).toMatchObject({ id: 'fast', object: 'model' });
    await expect(openai.models.retrieve('slow')).rejects.toMatchObject({ status: 404 });
  });

  test('is given a workflow behind the name of a model', async () => {
    const chat = await openai.chat.completions.create({ model: 'triage', messages: HELLO });
    expect(chat.choices[0]?.message.content).toBe(TEXT);
    const stream = openai.responses.stream({ model: 'triage', input: 'Say hello.' });
    expect((await stream.finalResponse()).output_text).toBe(TEXT);
    expect((await lastRun()).run).toMatchObject({ task: 'triage', input: { message: 'Say hello.' } });
    const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: schema } }];
    await expect(
      openai.chat.completions.create({ model: 'triage', messages: HELLO, tools }),
    ).rejects.toMatchObject({ status: 400, code: 'tools_not_supported' });
  });
});

describe('the anthropic SDK', () => {
  test('creates a message, with the beta headers that it sends', async () => {
    const { data, response } = await anthropic.beta.messages
      .create({
        model: 'claude-sonnet-5',
        max_tokens: 200,
        messages: HELLO,
        betas: ['context-management-2025-06-27'],
      })
      .withResponse();
    expect(data.content[0]).toMatchObject({ type: 'text', text: TEXT });
    expect(response.headers.get('request-id')).toBe('req_up');
    const sent = lastSent();
    expect(sent?.path).toBe('/v1/messages');
    expect(sent?.headers).toMatchObject({
      authorization: 'Bearer sk-upstream-anthropic',
      'anthropic-beta': 'context-management-2025-06-27',
      'anthropic-version': '2026-10-21',
    });
    const { run } = await lastRun();
    // 21 tokens at $3 a million, 7 at $15.
    expect(run).toMatchObject({ task: 'claude-sonnet-5', status: 'succeeded', costNanoUsd: 168_000n });
  });

  test('streams a message, and one that calls a tool', async () => {
    const stream = anthropic.messages.stream({
      model: 'claude-sonnet-5',
      max_tokens: 64_000,
      messages: HELLO,
    });
    expect(await stream.finalText()).toBe(TEXT);
    expect((await lastRun()).attempt?.heldNanoUsd).toBeGreaterThan(960_000_000n);
    const tools = [{ name: 'weather', input_schema: schema }];
    const called = await anthropic.messages
      .stream({ model: 'claude-sonnet-5', max_tokens: 200, messages: HELLO, tools })
      .finalMessage();
    expect(called.content[0]).toMatchObject({ type: 'tool_use', input: { city: 'Oslo' } });
  });

  test("counts tokens by the provider's own count where it has one, and by ours where not; neither is a run", async () => {
    const before = (await doors.runs()).length;
    const theirs = await anthropic.messages.countTokens({ model: 'claude-sonnet-5', messages: HELLO });
    const ours = await anthropic.messages.countTokens({ model: 'fast', messages: HELLO });
    expect(theirs.input_tokens).toBe(4242);
    expect(ours.input_tokens).toBeLessThan(60);
    expect((await doors.runs()).length).toBe(before);
  });

  test('lists the exposed names a page at a time', async () => {
    const names = [];
    for await (const { id } of anthropic.models.list({ limit: 3 })) names.push(id);
    expect(names).toEqual(Object.keys(doors.app.revisions.active().plan.exposed ?? {}));
    expect(await anthropic.models.retrieve('fast')).toMatchObject({ id: 'fast', type: 'model' });
  });

  test('is given a workflow behind the name of a model', async () => {
    const stream = anthropic.messages.stream({ model: 'triage', max_tokens: 100, messages: HELLO });
    expect(await stream.finalText()).toBe(TEXT);
  });
});

const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
