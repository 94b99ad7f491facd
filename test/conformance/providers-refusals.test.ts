// How every provider behind HTTP classifies a refusal, and how it treats its key.
import { describe, expect, it } from 'vitest';
import type { ProviderError } from '../../src/engine/providers/port.ts';
import type { RefusalName } from '../support/fault-refusals.ts';
import { listen, request, TEST_KEY, testProvider } from '../support/provider-plan.ts';
import { failureOf, REMOTES, useRemote } from '../support/provider-remotes.ts';

describe.each(REMOTES)('every provider behind HTTP: $label', (remote) => {
  const under = useRemote(remote);

  describe('refusals', () => {
    const expected: readonly (readonly [RefusalName, Partial<ProviderError>])[] = [
      ['rate_limited', { class: 'rate_limited', advice: 'retry' }],
      ['quota', { class: 'quota_exhausted', advice: 'elsewhere' }],
      ['overloaded', { class: 'overloaded', advice: 'retry' }],
      ['server_error', { class: 'server_error', advice: 'retry' }],
      ['unauthorized', { class: 'authentication', advice: 'elsewhere' }],
      ['forbidden', { class: 'permission', advice: 'elsewhere' }],
      ['no_model', { class: 'model_not_found', advice: 'elsewhere' }],
      ['context_length', { class: 'context_length', advice: 'elsewhere' }],
      ['content_filter', { class: 'content_filter', advice: 'give-up' }],
      ['unsupported', { class: 'invalid_request', advice: 'elsewhere' }],
      ['prefill', { class: 'invalid_request', advice: 'elsewhere' }],
    ];
    it.each(expected)('classifies %s once, and knows that it was not billed', async (refuse, fields) => {
      for (const stream of [false, true]) {
        expect(failureOf(await under.call({ refuse }, { stream }))).toMatchObject({
          ...fields,
          billed: 'no',
          usage: null,
          seenCharacters: 0,
        });
      }
      expect(under.server.calls.length).toBe(2);
    });

    it('names the provider, the status and what to check', async () => {
      const error = failureOf(await under.call({ refuse: 'unauthorized' }));
      expect(error.message).toMatch(/^test: 401: .*; check TEST_API_KEY$/);
    });

    it.each([
      [{ 'retry-after': '2' }, undefined, 2000],
      [{ 'retry-after': '0.5' }, undefined, 500],
      [{ 'retry-after-ms': '1300', 'retry-after': '2' }, undefined, 1300],
      [{ 'retry-after-ms': '0', 'retry-after': '1' }, undefined, 1000],
      [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }, undefined, 0],
      [{}, 'Rate limit reached. Please try again in 1.3s. Visit the docs.', 1300],
      [{}, 'Please try again in 1m30s.', 90_000],
      [{}, 'Please retry after 2 seconds.', 2000],
      [{}, 'Slow down.', null],
    ])('reads how long to wait from %j and %j', async (headers, message, retryAfterMs) => {
      const error = failureOf(
        await under.call({ refuse: 'rate_limited', headers, ...(message === undefined ? {} : { message }) }),
      );
      expect(error).toMatchObject({ class: 'rate_limited', retryAfterMs });
    });

    it('takes the time of reset for a Retry-After where the headers say that nothing is left', async () => {
      const headers = { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1.5s' };
      const error = failureOf(await under.call({ refuse: 'rate_limited', headers }));
      expect(error).toMatchObject({ class: 'rate_limited', retryAfterMs: 1500 });
    });

    it('says elsewhere where the vendor says not to retry', async () => {
      expect(
        failureOf(await under.call({ status: 500, headers: { 'x-should-retry': 'false' } })),
      ).toMatchObject({
        class: 'server_error',
        advice: 'elsewhere',
      });
    });

    it.each([
      [
        'a page of HTML',
        { status: 502, body: '<html><body>Bad gateway</body></html>', contentType: 'text/html' },
        'server_error',
      ],
      ['an empty body', { status: 500, body: '' }, 'server_error'],
      [
        'a bare text',
        { status: 404, body: { error: 'model "x" not found, try pulling it first' } },
        'model_not_found',
      ],
      ['a detail', { status: 422, body: { detail: 'max_tokens must be positive' } }, 'invalid_request'],
    ] as const)('understands an error that is %s', async (_what, behaviour, kind) => {
      expect(failureOf(await under.call(behaviour))).toMatchObject({ class: kind, status: behaviour.status });
    });

    it.each([false, true])(
      'gives up on an answer that was withheld, with the reason and the usage (stream: %s)',
      async (stream) => {
        const error = failureOf(await under.call({ finish: 'content_filter', tokens: 5 }, { stream }));
        expect(error).toMatchObject({
          class: 'content_filter',
          advice: 'give-up',
          billed: 'yes',
          usage: { outputTokens: 5 },
        });
        expect(error.message).toMatch(/content filter|refused/);
      },
    );
  });

  describe('keys', () => {
    it('says which variable to set, and sends nothing, without a key', async () => {
      const keyless = testProvider({ ...remote.fields, url: remote.url(under.server) }, { key: undefined });
      expect(keyless.unavailable()).toBe('set TEST_API_KEY');
      expect(failureOf(await keyless.call(request(), listen().context))).toMatchObject({
        class: 'authentication',
        advice: 'elsewhere',
        billed: 'no',
      });
      expect(under.server.calls.length).toBe(0);
    });

    it('sends the key to the provider', async () => {
      await under.call({});
      expect(under.server.calls[0]?.headers.authorization).toBe(`Bearer ${TEST_KEY}`);
    });

    it('sends no credentials to a provider that needs none', async () => {
      const open = testProvider({ ...remote.fields, url: remote.url(under.server), apiKeySecret: null });
      expect(open.unavailable()).toBeUndefined();
      expect(await open.call(request(), listen().context)).toMatchObject({ ok: true });
      expect(under.server.calls[0]?.headers.authorization).toBeUndefined();
      expect(under.server.calls[0]?.headers['x-api-key']).toBeUndefined();
      await open.close();
    });

    it('INV-6: takes no address, organization or key from the environment', async () => {
      for (const name of [
        'OPENAI_API_KEY',
        'OPENAI_BASE_URL',
        'OPENAI_ORG_ID',
        'ANTHROPIC_API_KEY',
        'ANTHROPIC_BASE_URL',
        'ANTHROPIC_AUTH_TOKEN',
      ]) {
        process.env[name] = 'http://from-the-environment.invalid';
      }
      try {
        const fresh = testProvider({ ...remote.fields, url: remote.url(under.server) });
        await fresh.call(request(), listen().context);
        expect(JSON.stringify(under.server.calls[0]?.headers)).not.toContain('from-the-environment');
        await fresh.close();
      } finally {
        for (const name of [
          'OPENAI_API_KEY',
          'OPENAI_BASE_URL',
          'OPENAI_ORG_ID',
          'ANTHROPIC_API_KEY',
          'ANTHROPIC_BASE_URL',
          'ANTHROPIC_AUTH_TOKEN',
        ])
          delete process.env[name];
      }
    });
  });
});
