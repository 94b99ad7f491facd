// What is sent to the Messages API, and how older models are asked for structured output.
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { anthropicBaseUrl } from '../../../../src/engine/providers/anthropic/anthropic.ts';
import type { PlanProvider } from '../../../../src/language/plan/types.ts';
import type { CallOutcome, ModelRequest } from '../../../../src/engine/providers/port.ts';
import { startFaultServer } from '../../../support/fault-server.ts';
import type { FaultServer } from '../../../support/fault-server.ts';
import { listen, request, testProvider } from '../../../support/provider-plan.ts';

const schema = {
  type: 'object',
  properties: { a: { type: 'string', maxLength: 5 }, b: { type: 'integer' } },
  required: ['a'],
} as const;
const structured = { name: 'request', schema };

describe('a request to Anthropic', () => {
  let server: FaultServer;
  beforeAll(async () => {
    server = await startFaultServer();
  });
  afterAll(() => server.close());
  afterEach(() => server.reset());

  const call = async (
    fields: Partial<ModelRequest>,
    settings: Partial<PlanProvider> = {},
  ): Promise<CallOutcome> => {
    const provider = testProvider({ adapter: 'anthropic', url: server.url, ...settings });
    const outcome = await provider.call(request(fields), listen().context);
    await provider.close();
    return outcome;
  };

  it('holds the system text apart, and the schema as output format', async () => {
    await call({ system: 'S', prompt: 'P', temperature: 0.5, structured });
    expect(server.calls[0]?.body).toEqual({
      model: 'model-1',
      max_tokens: 100,
      messages: [{ role: 'user', content: 'P' }],
      system: 'S',
      temperature: 0.5,
      output_config: {
        format: {
          type: 'json_schema',
          schema: {
            type: 'object',
            properties: { a: { type: 'string', description: '(maxLength: 5)' }, b: { type: 'integer' } },
            required: ['a'],
            additionalProperties: false,
          },
        },
      },
    });
  });

  it.each([
    ['claude-3-5-sonnet-20240620', 'tool'],
    ['claude-sonnet-4-20250514', 'tool'],
    ['claude-opus-4-0', 'tool'],
    ['claude-sonnet-4-5', 'native'],
    ['claude-opus-4-1-20250805', 'native'],
    ['claude-haiku-4-5-20251001', 'native'],
    ['claude-sonnet-5', 'native'],
  ])('asks %s for structured output by %s', async (model, mode) => {
    for (const stream of [false, true]) {
      server.reset();
      server.script({ text: '{"a":"x"}' });
      expect(await call({ model, structured, stream })).toMatchObject({
        ok: true,
        value: { json: { a: 'x' }, finishReason: 'stop' },
      });
      const body = server.calls[0]?.body ?? {};
      expect('output_config' in body ? 'native' : 'tool_choice' in body ? 'tool' : 'words').toBe(mode);
    }
  });

  it('asks by a tool for what the output format cannot say', async () => {
    const free = {
      name: 'x',
      schema: { type: 'object', additionalProperties: { type: 'integer' } },
    } as const;
    server.script({ text: '{"k":1}' });
    expect(await call({ structured: free })).toMatchObject({ ok: true, value: { json: { k: 1 } } });
    expect(server.calls[0]?.body).toMatchObject({ tool_choice: { type: 'tool', name: 'x' } });
  });

  it('prints nothing for a model that will be retired', async () => {
    const warn = vi.spyOn(console, 'warn');
    await call({ model: 'claude-sonnet-4-5' });
    expect(warn).not.toHaveBeenCalled();
  });

  it('puts the system text before the prompt for a server without system text', async () => {
    await call({ system: 'S', prompt: 'P' }, { lacks: ['systemRole'] });
    expect(server.calls[0]?.body).toMatchObject({ messages: [{ role: 'user', content: 'S\n\nP' }] });
    expect(server.calls[0]?.body).not.toHaveProperty('system');
  });

  it.each([
    ['https://api.anthropic.com', 'https://api.anthropic.com'],
    ['https://api.anthropic.com/v1', 'https://api.anthropic.com'],
    ['http://127.0.0.1:1234/v1/', 'http://127.0.0.1:1234'],
    ['https://gateway.example/anthropic/', 'https://gateway.example/anthropic'],
  ])('goes to %s as %s', (given, used) => {
    expect(anthropicBaseUrl(given)).toBe(used);
  });
});
