// The limit of output tokens reaches every server under the name that it knows: without a limit, no hold would cover the answer.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OutputLimitNames } from '../../../../src/engine/providers/openai/output-limit.ts';
import { startFaultServer } from '../../../support/fault-server.ts';
import type { FaultServer } from '../../../support/fault-server.ts';
import { listen, request, testProvider } from '../../../support/provider-plan.ts';

describe('the name of the output limit', () => {
  it.each([
    ['https://api.openai.com/v1', 'max_completion_tokens'],
    ['https://eu.api.openai.com/v1', 'max_completion_tokens'],
    ['https://team.openai.azure.com/openai/v1', 'max_completion_tokens'],
    ['https://openrouter.ai/api/v1', 'max_completion_tokens'],
    ['http://127.0.0.1:11434/v1', 'max_tokens'],
    ['https://api.mistral.ai/v1', 'max_tokens'],
    ['https://notopenai.com/v1', 'max_tokens'],
  ])('INV-2: is one that %s is known to heed', (baseUrl, name) => {
    expect(new OutputLimitNames(baseUrl, []).of('m')).toBe(name);
    expect(new OutputLimitNames(baseUrl, ['maxCompletionTokens']).of('m')).toBe('max_tokens');
  });

  it('is learnt from a refusal, once, for that model', () => {
    const names = new OutputLimitNames('http://gateway/v1', []);
    const refusal =
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    expect(names.learn('o3', 400, refusal)).toBe(true);
    expect(names.of('o3')).toBe('max_completion_tokens');
    expect(names.of('other')).toBe('max_tokens');
    expect(names.learn('o3', 400, "Unsupported parameter: 'max_completion_tokens' is not supported.")).toBe(
      false,
    );
  });

  it('is not learnt from an error about its value, or where the configuration has said it', () => {
    const names = new OutputLimitNames('http://gateway/v1', []);
    expect(
      names.learn(
        'm',
        400,
        'max_tokens is too large: 9000. This model supports at most 4096 completion tokens.',
      ),
    ).toBe(false);
    expect(names.learn('m', 500, 'max_tokens is not supported')).toBe(false);
    const fixed = new OutputLimitNames('http://gateway/v1', ['maxCompletionTokens']);
    expect(fixed.learn('m', 400, "'max_tokens' is not supported")).toBe(false);
  });
});

describe('a server that refuses the name', () => {
  let server: FaultServer;
  beforeAll(async () => {
    server = await startFaultServer();
  });
  afterAll(() => server.close());
  afterEach(() => server.reset());

  it('is asked again with the other name', async () => {
    const provider = testProvider({ url: server.openaiUrl });
    server.script({
      refuse: 'unsupported',
      message:
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    });
    expect(await provider.call(request(), listen().context)).toMatchObject({
      ok: false,
      error: { class: 'invalid_request', advice: 'retry', retryAfterMs: 0, billed: 'no' },
    });
    expect(await provider.call(request(), listen().context)).toMatchObject({ ok: true });
    expect(server.calls.map(({ body }) => [body['max_tokens'], body['max_completion_tokens']])).toEqual([
      [100, undefined],
      [undefined, 100],
    ]);
    await provider.close();
  });
});
