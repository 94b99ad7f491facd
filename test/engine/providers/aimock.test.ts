// Each adapter through its real SDK against an independent server of both wire protocols.
import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanProvider } from '../../../src/language/plan/types.ts';
import type { Provider } from '../../../src/engine/providers/port.ts';
import { listen, request, testProvider } from '../../support/provider-plan.ts';

const SCHEMA = {
  type: 'object',
  properties: { intent: { type: 'string' }, owner: { type: 'string' } },
  required: ['intent'],
} as const;

const ADAPTERS: readonly (readonly [string, Partial<PlanProvider>, string])[] = [
  ['openai chat', { adapter: 'openai', api: 'chat' }, '/v1'],
  ['openai responses', { adapter: 'openai', api: 'responses' }, '/v1'],
  ['anthropic', { adapter: 'anthropic' }, ''],
];

const mock = new LLMock({ port: 0 });

beforeAll(async () => {
  const tokens = { prompt_tokens: 11, completion_tokens: 7, input_tokens: 11, output_tokens: 7 };
  mock.onMessage('as json', { content: '{"intent":"question","owner":null}', usage: tokens });
  mock.onMessage('hello', { content: 'Hello there, this is a whole answer.', usage: tokens });
  mock.onMessage('fail', { error: { message: 'it broke', type: 'server_error' }, status: 500 });
  await mock.start();
});
afterAll(() => mock.stop());

describe.each(ADAPTERS)('%s against aimock', (_name, fields, path) => {
  let provider: Provider;
  beforeAll(() => {
    provider = testProvider({ ...fields, url: `${mock.url}${path}` });
  });
  afterAll(() => provider.close());

  it('answers text with usage', async () => {
    const outcome = await provider.call(request({ prompt: 'hello', model: 'some-model' }), listen().context);
    expect(outcome).toMatchObject({
      ok: true,
      value: {
        text: 'Hello there, this is a whole answer.',
        finishReason: 'stop',
        usage: { inputTokens: 11, outputTokens: 7 },
      },
    });
  });

  it('streams the same text in pieces, with usage', async () => {
    const heard = listen();
    const outcome = await provider.call(request({ prompt: 'hello', stream: true }), heard.context);
    expect(outcome).toMatchObject({
      ok: true,
      value: {
        text: 'Hello there, this is a whole answer.',
        finishReason: 'stop',
        usage: { inputTokens: 11, outputTokens: 7 },
      },
    });
    expect(heard.deltas.join('')).toBe('Hello there, this is a whole answer.');
    expect(heard.progress).toContain('headers');
    expect(heard.progress.filter((kind) => kind === 'token').length).toBeGreaterThan(1);
  });

  it.each([false, true])('parses a structured answer (stream: %s)', async (stream) => {
    const outcome = await provider.call(
      request({ prompt: 'as json', structured: { name: 'request', schema: SCHEMA }, stream }),
      listen().context,
    );
    expect(outcome).toMatchObject({ ok: true, value: { json: { intent: 'question' } } });
  });

  it('classifies a 500', async () => {
    const outcome = await provider.call(request({ prompt: 'fail' }), listen().context);
    expect(outcome).toMatchObject({
      ok: false,
      error: { class: 'server_error', advice: 'retry', status: 500, billed: 'no' },
    });
  });
});
