// What every provider behind HTTP makes of a good answer: text, usage, structured output.
import { describe, expect, it } from 'vitest';
import { startFaultServer } from '../support/fault-server.ts';
import { listen, request, testProvider } from '../support/provider-plan.ts';
import { MESSAGES, REMOTES, useRemote } from '../support/provider-remotes.ts';

describe.each(REMOTES)('every provider behind HTTP: $label', (remote) => {
  const under = useRemote(remote);

  describe('answers', () => {
    it.each([false, true])('maps cached and reasoning tokens (stream: %s)', async (stream) => {
      const outcome = await under.call(
        { usage: { inputTokens: 1000, cachedInputTokens: 800, outputTokens: 90, reasoningTokens: 30 } },
        { stream },
      );
      expect(outcome).toMatchObject({
        ok: true,
        value: {
          usage: {
            inputTokens: 1000,
            cachedInputTokens: 800,
            cacheWriteTokens: 0,
            outputTokens: 90,
            reasoningTokens: 30,
          },
        },
      });
    });

    it.each([false, true])(
      'reports the model that answered, the request id and the headroom (stream: %s)',
      async (stream) => {
        const headers = {
          'x-ratelimit-limit-requests': '500',
          'x-ratelimit-remaining-requests': '499',
          'x-ratelimit-reset-requests': '120ms',
          'anthropic-ratelimit-output-tokens-limit': '8000',
          'anthropic-ratelimit-output-tokens-remaining': '7000',
        };
        const outcome = await under.call({ model: 'model-1-2026-01-01', headers }, { stream });
        expect(outcome).toMatchObject({
          ok: true,
          value: {
            model: 'model-1-2026-01-01',
            requestId: 'req_fault_1',
            rateLimits: [
              { kind: 'requests', limit: 500, remaining: 499, resetsInMs: 120 },
              { kind: 'outputTokens', limit: 8000, remaining: 7000, resetsInMs: null },
            ],
          },
        });
      },
    );

    it.each([false, true])('reports an answer that ran into its limit (stream: %s)', async (stream) => {
      expect(await under.call({ finish: 'length', tokens: 3 }, { stream })).toMatchObject({
        ok: true,
        value: { finishReason: 'length', text: 't1 t2 t3' },
      });
    });

    it.each([false, true])('counts an answer without usage, and says so (stream: %s)', async (stream) => {
      const outcome = await under.call({ usage: null }, { stream });
      expect(outcome).toMatchObject({
        ok: true,
        value: { usage: null },
      });
    });

    it('sends system text, prompt, limit and temperature', async () => {
      await under.call({}, { system: 'Be brief.', prompt: 'Why?', maxOutputTokens: 77, temperature: 0.5 });
      const body = JSON.stringify(under.server.calls[0]?.body);
      for (const part of ['Be brief.', 'Why?', '77', '0.5', 'model-1']) expect(body).toContain(part);
    });

    it('reads text that is split at any byte', async () => {
      const text = 'Grüße, 世界 👩‍👩‍👧 — “quoted”\n\ndata: not an event\r\nend';
      expect(await under.call({ text, sliceBytes: 1 }, { stream: true })).toMatchObject({
        ok: true,
        value: { text },
      });
    });

    it('keeps sockets open between calls, streamed or not', async () => {
      const own = await startFaultServer();
      const reuser = testProvider({ ...remote.fields, url: remote.url(own) });
      for (let round = 0; round < 10; round += 1) {
        await reuser.call(request({ stream: round % 3 !== 0 }), listen().context);
      }
      // A stream is answered before its end marker is read, so the next call may find the first socket still busy; a third is never needed.
      expect(own.connections()).toBeLessThanOrEqual(2);
      await reuser.close();
      await own.close();
    });
  });

  describe('structured output', () => {
    const schema = {
      type: 'object',
      properties: {
        intent: { enum: ['question', 'other'] },
        owner: { type: 'string' },
        note: { type: ['string', 'null'] },
      },
      required: ['intent', 'note'],
    } as const;
    const structured = { name: 'request', schema };

    it.each([false, true])(
      'asks for it natively and gives what optional nulls stand for (stream: %s)',
      async (stream) => {
        const optional = remote === MESSAGES ? {} : { owner: null };
        const outcome = await under.call(
          { text: JSON.stringify({ intent: 'other', note: null, ...optional }) },
          { structured, stream },
        );
        expect(outcome).toMatchObject({ ok: true, value: { json: { intent: 'other', note: null } } });
        expect(outcome.ok && outcome.value.json).not.toHaveProperty('owner');
        expect(JSON.stringify(under.server.calls[0]?.body)).toContain('"json_schema"');
      },
    );

    it.each([false, true])(
      'asks in words where the server cannot do it, and finds the JSON in the answer (stream: %s)',
      async (stream) => {
        const plain = testProvider({
          ...remote.fields,
          url: remote.url(under.server),
          lacks: ['structuredOutput'],
        });
        under.server.script({ text: 'Sure! Here it is:\n```json\n{"intent":"question","note":"x"}\n```' });
        const outcome = await plain.call(request({ structured, stream }), listen().context);
        expect(outcome).toMatchObject({ ok: true, value: { json: { intent: 'question', note: 'x' } } });
        expect(JSON.stringify(under.server.calls[0]?.body)).not.toContain('"json_schema"');
        expect(JSON.stringify(under.server.calls[0]?.body)).toContain('JSON Schema');
        await plain.close();
      },
    );

    it('gives the text without json when the answer holds none', async () => {
      expect(await under.call({ text: 'I would rather not.' }, { structured })).toMatchObject({
        ok: true,
        value: { json: undefined, text: 'I would rather not.' },
      });
    });
  });
});
