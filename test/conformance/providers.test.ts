// One suite that every provider passes, whether it is behind HTTP or in this process.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ModelRequest, Provider } from '../../src/engine/providers/port.ts';
import { startFaultServer } from '../support/fault-server.ts';
import type { FaultServer } from '../support/fault-server.ts';
import { listen, request, testProvider } from '../support/provider-plan.ts';
import { answerOf, failureOf, REMOTES } from '../support/provider-remotes.ts';

const LONG_TEXT =
  'The treaty was signed in spring. The treaty ended the war between both nations. Trade between both nations grew after the war.';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());
afterEach(() => server.reset());

describe.each([
  ...REMOTES.map((remote) => ({
    label: remote.label,
    make: () => testProvider({ ...remote.fields, url: remote.url(server) }),
    model: 'model-1',
  })),
  {
    label: 'builtin',
    make: () => testProvider({ adapter: 'builtin', apiKeySecret: null }),
    model: 'extract',
  },
])('every provider: $label', ({ make, model }) => {
  let provider: Provider;
  beforeAll(() => {
    provider = make();
  });
  afterAll(() => provider.close());
  const ask = (fields: Partial<ModelRequest> = {}): ModelRequest =>
    request({ model, prompt: LONG_TEXT, ...fields });

  it('answers text with its model, a finish reason and usage', async () => {
    const outcome = await provider.call(ask(), listen().context);
    expect(outcome).toMatchObject({ ok: true, value: { model, finishReason: 'stop', json: undefined } });
    const { text, usage } = answerOf(outcome);
    expect(text.length).toBeGreaterThan(0);
    expect(usage?.inputTokens).toBeGreaterThan(0);
    expect(usage?.outputTokens).toBeGreaterThan(0);
  });

  it('gives the same text streamed, and all of it to the caller', async () => {
    const whole = await provider.call(ask(), listen().context);
    const heard = listen();
    const streamed = await provider.call(ask({ stream: true }), heard.context);
    expect(whole.ok && streamed.ok && streamed.value.text === whole.value.text).toBe(true);
    expect(heard.deltas.join('')).toBe(streamed.ok && streamed.value.text);
    expect(heard.progress).toContain('token');
  });

  it('gives no pieces of text when no stream is asked for', async () => {
    const heard = listen();
    await provider.call(ask(), heard.context);
    expect(heard.deltas).toEqual([]);
  });

  it('fails as cancelled, unbilled, when the signal is aborted before the call', async () => {
    const outcome = await provider.call(ask(), listen(AbortSignal.abort()).context);
    expect(failureOf(outcome)).toMatchObject({ class: 'cancelled', advice: 'give-up', billed: 'no' });
  });

  it('is available, and says its name', () => {
    expect(provider.unavailable()).toBeUndefined();
    expect(provider.name).toBe('test');
  });
});
