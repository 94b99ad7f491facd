// What is sent to OpenAI's two endpoints, and what is left out for servers that lack it.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PlanProvider } from '../../../../src/language/plan/types.ts';
import type { ModelRequest } from '../../../../src/engine/providers/port.ts';
import { startFaultServer } from '../../../support/fault-server.ts';
import type { FaultServer } from '../../../support/fault-server.ts';
import { listen, request, testProvider } from '../../../support/provider-plan.ts';

const structured = {
  name: 'email-parse.request',
  schema: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
} as const;
const strict = {
  type: 'object',
  properties: { a: { type: 'string' } },
  required: ['a'],
  additionalProperties: false,
};

describe('a request to OpenAI', () => {
  let server: FaultServer;
  beforeAll(async () => {
    server = await startFaultServer();
  });
  afterAll(() => server.close());
  afterEach(() => server.reset());

  const sent = async (settings: Partial<PlanProvider>, fields: Partial<ModelRequest>): Promise<unknown> => {
    const provider = testProvider({ url: server.openaiUrl, ...settings });
    await provider.call(request(fields), listen().context);
    await provider.close();
    return server.calls[0]?.body;
  };

  it('to Chat Completions holds two messages, the limit, the strict schema, and asks for usage of a stream', async () => {
    expect(await sent({}, { system: 'S', prompt: 'P', temperature: 0, structured, stream: true })).toEqual({
      model: 'model-1',
      messages: [
        { role: 'system', content: 'S' },
        { role: 'user', content: 'P' },
      ],
      max_tokens: 100,
      temperature: 0,
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'email-parse_request', schema: strict, strict: true },
      },
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it('has the same address and headers at the first call and at each later one, and its own body', async () => {
    const provider = testProvider({ url: server.openaiUrl });
    for (const prompt of ['one', 'two', 'three'])
      await provider.call(request({ prompt, stream: prompt === 'two' }), listen().context);
    await provider.close();
    const [first, second, third] = server.calls;
    const { 'content-length': _first, ...firstHeaders } = first?.headers ?? {};
    const { 'content-length': _third, ...thirdHeaders } = third?.headers ?? {};
    expect(thirdHeaders).toEqual(firstHeaders);
    expect(firstHeaders).toMatchObject({ 'content-type': 'application/json', 'accept-encoding': 'identity' });
    expect(Object.keys(second?.headers ?? {})).toEqual(Object.keys(first?.headers ?? {}));
    expect(server.calls.map(({ body }) => body)).toMatchObject([
      { messages: [{ content: 'one' }] },
      { messages: [{ content: 'two' }], stream: true },
      { messages: [{ content: 'three' }] },
    ]);
  });

  it('to Responses holds instructions and input, and asks not to be stored', async () => {
    expect(await sent({ api: 'responses' }, { system: 'S', prompt: 'P', structured, stream: true })).toEqual({
      model: 'model-1',
      instructions: 'S',
      input: 'P',
      max_output_tokens: 100,
      store: false,
      text: { format: { type: 'json_schema', name: 'email-parse_request', schema: strict, strict: true } },
      stream: true,
    });
  });

  it('leaves out what the server lacks', async () => {
    const body = await sent(
      { lacks: ['streamUsage', 'systemRole', 'structuredOutput'] },
      { system: 'S', prompt: 'P', structured, stream: true },
    );
    expect(body).toEqual({
      model: 'model-1',
      messages: [
        {
          role: 'user',
          content: expect.stringMatching(/^S\n\nAnswer with one JSON value[\s\S]*\n\nP$/) as unknown,
        },
      ],
      max_tokens: 100,
      stream: true,
    });
  });

  it('asks in words for what a strict schema cannot say', async () => {
    const free = {
      name: 'x',
      schema: { type: 'object', additionalProperties: { type: 'integer' } },
    } as const;
    const body = JSON.stringify(await sent({}, { structured: free }));
    expect(body).not.toContain('response_format');
    expect(body).toContain('additionalProperties');
  });
});
