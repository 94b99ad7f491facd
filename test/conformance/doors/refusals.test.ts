// Refusals at the doors: each client stops at the first, and a person reads why.
import { Anthropic } from '@anthropic-ai/sdk';
import { OpenAI } from 'openai';
import { afterEach, describe, expect, test } from 'vitest';
import { beginStream, sendJson } from '../../support/door-upstream.ts';
import { doorsFixture } from '../../support/doors-fixture.ts';
import type { DoorsFixture } from '../../support/doors-fixture.ts';

let doors: DoorsFixture;
afterEach(() => doors.close());

const HELLO = [{ role: 'user' as const, content: 'Say hello.' }];
const BUDGET = `budgets:
  tiny: { limit: $0.01, per: day }
`;

const clients = () => ({
  openai: new OpenAI({ baseURL: `${doors.url}/v1`, apiKey: 'none', maxRetries: 5 }),
  anthropic: new Anthropic({ baseURL: doors.url, apiKey: 'none', maxRetries: 5 }),
});

/** How often the doors were asked: retries of an SDK are seen here. */
function counting(): { count: number; fetch: typeof fetch } {
  const counter = {
    count: 0,
    fetch: (...args: Parameters<typeof fetch>) => {
      counter.count += 1;
      return fetch(...args);
    },
  };
  return counter;
}

async function post(path: string, body: object, headers: { readonly [name: string]: string } = {}) {
  const response = await fetch(`${doors.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

describe('a budget that is used up', () => {
  test('INV-2: stops each SDK after one request, before a provider is called, and says what is held and why', async () => {
    doors = await doorsFixture(BUDGET);
    const counter = counting();
    const openai = new OpenAI({
      baseURL: `${doors.url}/v1`,
      apiKey: 'none',
      maxRetries: 5,
      fetch: counter.fetch,
    });
    const anthropic = new Anthropic({
      baseURL: doors.url,
      apiKey: 'none',
      maxRetries: 5,
      fetch: counter.fetch,
    });
    const chat = openai.chat.completions.create({
      model: 'fast',
      messages: HELLO,
      max_completion_tokens: 4000,
    });
    await expect(chat).rejects.toMatchObject({ status: 402, code: 'budget_exceeded', type: 'billing_error' });
    await expect(chat).rejects.toThrow(
      /Budget 'tiny' has \$0\.01 left of \$0\.01.*because max_completion_tokens is 4000/,
    );
    const responses = openai.responses.create({ model: 'fast', input: 'a' });
    await expect(responses).rejects.toMatchObject({ status: 400, code: 'budget_exceeded' });
    const message = anthropic.messages.create({
      model: 'claude-sonnet-5',
      max_tokens: 8000,
      messages: HELLO,
    });
    await expect(message).rejects.toMatchObject({ status: 402, error: { error: { type: 'billing_error' } } });
    await expect(message).rejects.toThrow(/because max_tokens is 8000/);
    expect(counter.count).toBe(3);
    expect(doors.upstream.calls).toEqual([]);
  });

  test('is told without a quotation mark, without retry-after, and with a word against trying again', async () => {
    doors = await doorsFixture(BUDGET);
    const { status, headers, text } = await post('/v1/messages', {
      model: 'claude-sonnet-5',
      max_tokens: 64_000,
      messages: HELLO,
      stream: true,
    });
    expect(status).toBe(402);
    expect(headers.get('x-should-retry')).toBe('false');
    expect(headers.get('retry-after')).toBeNull();
    const { error } = JSON.parse(text) as { error: { message: string; code: string } };
    expect(error.code).toBe('budget_exceeded');
    expect(error.message).toMatch(/holds \$0\.96\d* because max_tokens is 64000/);
    expect(error.message).not.toContain('"');
  });
});

test('spending that is paused is refused like a budget, with the reason', async () => {
  doors = await doorsFixture();
  doors.app.guards.pause('all', 'the bill is in doubt', 'ana');
  const { openai, anthropic } = clients();
  await expect(openai.chat.completions.create({ model: 'fast', messages: HELLO })).rejects.toMatchObject({
    status: 402,
    code: 'spending_paused',
  });
  await expect(openai.responses.create({ model: 'fast', input: 'a' })).rejects.toThrow(
    /the bill is in doubt/,
  );
  await expect(
    anthropic.messages.create({ model: 'claude-sonnet-5', max_tokens: 9, messages: HELLO }),
  ).rejects.toMatchObject({ status: 402 });
});

test('an unknown name, a protocol that would have to be translated, and a body that is none are told apart', async () => {
  doors = await doorsFixture();
  expect(await post('/v1/chat/completions', { model: 'fats', messages: [] })).toMatchObject({ status: 404 });
  expect((await post('/v1/chat/completions', { model: 'fats', messages: [] })).text).toContain(
    "Did you mean 'fast'?",
  );
  const across = await post('/v1/responses', { model: 'plain', input: 'a' });
  expect([across.status, across.text]).toEqual([400, expect.stringContaining('cannot_translate')]);
  expect((await post('/v1/messages', { messages: [] })).text).toContain('names no model');
  const broken = await fetch(`${doors.url}/v1/messages`, { method: 'POST', body: '{"model":' });
  expect(await broken.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
  expect((await post('/v1/nothing', {})).status).toBe(404);
  expect((await fetch(`${doors.url}/v1/responses`)).status).toBe(405);
  expect((await post('/v1/responses', { model: 'fast', input: 'a', background: true })).status).toBe(400);
});

test('INV-12: a key runs what its scopes name, in either header, and a wrong one is refused once', async () => {
  doors = await doorsFixture();
  const key = await doors.key({ caller: 'ana', scopes: ['run:fast'] });
  const openai = new OpenAI({ baseURL: `${doors.url}/v1`, apiKey: key });
  const anthropic = new Anthropic({ baseURL: doors.url, apiKey: key });
  expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(['fast']);
  expect((await anthropic.models.list()).data.map(({ id }) => id)).toEqual(['fast']);
  await openai.chat.completions.create({ model: 'fast', messages: HELLO });
  expect((await doors.runs()).at(-1)?.caller.name).toBe('ana');
  await expect(
    anthropic.messages.create({ model: 'claude-sonnet-5', max_tokens: 9, messages: HELLO }),
  ).rejects.toMatchObject({ status: 403 });
  const wrong = await post(
    '/v1/chat/completions',
    { model: 'fast', messages: [] },
    { authorization: 'Bearer sk-old' },
  );
  expect([wrong.status, wrong.headers.get('x-should-retry')]).toEqual([401, 'false']);
});

describe('providers that fail', () => {
  test('are passed over before the first byte, and all of them together are a 503 that is not tried again', async () => {
    doors = await doorsFixture();
    const { openai } = clients();
    doors.upstream.next.push((_call, response) => sendJson(response, { error: { message: 'down' } }, 500));
    const answered = await openai.chat.completions.create({ model: 'two', messages: HELLO });
    expect(answered.model).toBe('gpt-5.6-terra');
    doors.upstream.next.push(
      (_call, response) => sendJson(response, { error: { message: 'down' } }, 500),
      (_call, response) => sendJson(response, { error: { message: 'down too' } }, 500),
    );
    const before = doors.upstream.calls.length;
    await expect(openai.chat.completions.create({ model: 'two', messages: HELLO })).rejects.toMatchObject({
      status: 503,
      code: 'no_provider_available',
    });
    expect(doors.upstream.calls.length).toBe(before + 2);
  });

  test('say themselves what is wrong with a request', async () => {
    doors = await doorsFixture();
    const { anthropic } = clients();
    const said = {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'prompt is too long: 300000 tokens' },
    };
    doors.upstream.next.push((_call, response) => sendJson(response, said, 400));
    await expect(
      anthropic.messages.create({ model: 'claude-sonnet-5', max_tokens: 9, messages: HELLO }),
    ).rejects.toMatchObject({ status: 400, error: said, requestID: 'req_up' });
    expect((await doors.runs()).at(-1)).toMatchObject({ status: 'failed', costNanoUsd: 0n });
  });

  test('INV-10: a stream that is cut ends in the error of its protocol, never as if it were whole', async () => {
    doors = await doorsFixture();
    const cutAfter = (events: readonly object[]) => {
      doors.upstream.next.push((_call, response) => {
        const send = beginStream(response);
        for (const event of events) send(event);
        response.end();
      });
    };
    const chunk = {
      id: 'c',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm',
      choices: [{ index: 0, delta: { content: 'The ' }, finish_reason: null }],
    };
    cutAfter([chunk]);
    const chat = await post('/v1/chat/completions', { model: 'fast', messages: HELLO, stream: true });
    expect(chat.text).toContain('The ');
    expect(chat.text).toMatch(/data: \{"error":\{"message":"The answer broke off/);
    expect(chat.text).not.toContain('[DONE]');
    cutAfter([
      { type: 'response.created', response: { id: 'r', model: 'm' } },
      { type: 'response.output_text.delta', delta: 'The ' },
    ]);
    const responses = await post('/v1/responses', { model: 'fast', input: 'a', stream: true });
    expect(responses.text).toMatch(/event: response.failed\ndata: .*"code":"invalid_prompt".*broke off/);
    cutAfter([
      { type: 'message_start', message: { model: 'm', usage: { input_tokens: 21, output_tokens: 1 } } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'The ' } },
    ]);
    const message = await post('/v1/messages', {
      model: 'claude-sonnet-5',
      max_tokens: 9,
      messages: HELLO,
      stream: true,
    });
    expect(message.text).toMatch(/event: error\ndata: \{"type":"error"/);
    const runs = await doors.runs();
    expect(runs.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed']);
    expect(runs.every(({ costNanoUsd }) => costNanoUsd > 0n)).toBe(true);
  });

  test('INV-10: a stream that is cut before its first output is another candidate’s to answer', async () => {
    doors = await doorsFixture();
    doors.upstream.next.push((_call, response) => {
      const send = beginStream(response);
      send({
        id: 'c',
        object: 'chat.completion.chunk',
        created: 1,
        model: 'm',
        choices: [{ index: 0, delta: { role: 'assistant' }, finish_reason: null }],
      });
      response.end();
    });
    const { openai } = clients();
    const stream = await openai.chat.completions.create({ model: 'two', messages: HELLO, stream: true });
    const models = new Set<string>();
    for await (const { model } of stream) models.add(model);
    expect([...models]).toEqual(['gpt-5.6-terra']);
  });
});

describe('what a provider says in the middle of a stream', () => {
  const events = (...texts: readonly string[]): void => {
    doors.upstream.next.push((_call, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(texts.join(''));
    });
  };
  const chunk = (delta: object, finish: string | null = null): string =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const role = chunk({ role: 'assistant' });
  const failure = async () => {
    const run = (await doors.runs()).at(-1);
    return (await doors.attempts(run?.id ?? ''))[0];
  };

  test.each<readonly [string, string, string, RegExp]>([
    [
      'an error',
      `${role}data: {"error":{"message":"Slow down","code":429}}\n\n`,
      'rate_limited',
      /Slow down/,
    ],
    ['an error by its name', `${role}event: error\ndata: CUDA out of memory\n\n`, 'server_error', /CUDA/],
    [
      'an error that is no event',
      `${role}{"error":{"message":"It broke","code":500}}\n`,
      'server_error',
      /It broke/,
    ],
    [
      'an error in place of events',
      '{"error":{"message":"Slow down","code":429}}',
      'rate_limited',
      /Slow down/,
    ],
    ['a page', '<!DOCTYPE html>\n\n<html><title>Login</title></html>', 'malformed_stream', /Login.*baseUrl/],
  ])(
    '%s before the first output is told in its words, and not given on',
    async (_title, text, kind, words) => {
      doors = await doorsFixture();
      events(text);
      const answer = await post('/v1/chat/completions', { model: 'kept', messages: HELLO, stream: true });
      expect(answer.text).not.toMatch(/event: error|"code":\d|html/);
      expect(await failure()).toMatchObject({ errorClass: kind, errorMessage: expect.stringMatching(words) });
    },
  );

  test('an error after output is given on, and the stream is not taken for whole', async () => {
    doors = await doorsFixture();
    events(role, chunk({ content: 'The ' }), 'data: {"error":{"message":"Provider gone","code":502}}\n\n');
    const { text } = await post('/v1/chat/completions', { model: 'fast', messages: HELLO, stream: true });
    expect(text).toMatch(/Provider gone[^]*The answer broke off/);
    expect(text).not.toContain('[DONE]');
    expect((await doors.runs()).at(-1)?.costNanoUsd).toBeGreaterThan(0n);
  });

  test('events that hold nothing are not given on, and blanks after the end mark are none', async () => {
    doors = await doorsFixture();
    events(
      role,
      'data:\n\n',
      chunk({ content: 'Yes.' }),
      'data: \n\n',
      chunk({}, 'stop'),
      'data: [DONE] \n\n',
    );
    const { text } = await post('/v1/chat/completions', { model: 'fast', messages: HELLO, stream: true });
    expect(text).toContain('Yes.');
    expect(text).not.toMatch(/data: ?\n/);
    expect((await doors.runs()).at(-1)).toMatchObject({ status: 'succeeded' });
  });
});

test('a client that goes away cuts the upstream, and its run is cancelled, paid for, and holds nothing', async () => {
  doors = await doorsFixture('budgets:\n  all: { limit: $5, per: day }\n');
  const cut = Promise.withResolvers<void>();
  doors.upstream.next.push((_call, response) => {
    const send = beginStream(response);
    send({ type: 'message_start', message: { model: 'm', usage: { input_tokens: 21, output_tokens: 1 } } });
    send({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'The harbour ' } });
    response.on('close', () => cut.resolve());
  });
  const { anthropic } = clients();
  const stream = await anthropic.messages.create({
    model: 'claude-sonnet-5',
    max_tokens: 900,
    messages: HELLO,
    stream: true,
  });
  for await (const event of stream) if (event.type === 'content_block_delta') break;
  await cut.promise;
  await doors.app.engine.drain(1_000);
  const run = (await doors.runs()).at(-1);
  expect(run?.status).toBe('cancelled');
  expect(run?.costNanoUsd).toBeGreaterThan(0n);
  expect(doors.app.budgets.views().map(({ held }) => held)).toEqual([0n]);
});

test('a request to change to a WebSocket is answered 426', async () => {
  doors = await doorsFixture();
  const { request } = await import('node:http');
  const { port } = new URL(doors.url);
  const status = await new Promise((resolve, reject) => {
    const asked = request({
      port,
      path: '/v1/responses',
      headers: { connection: 'Upgrade', upgrade: 'websocket' },
    });
    asked.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', reject);
    asked.end();
  });
  expect(status).toBe(426);
});
