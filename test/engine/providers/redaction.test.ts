// INV-9: whatever a server sends back, no key leaves the providers' folder.
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  createRedactor,
  MIN_SECRET_CHARACTERS,
  REDACTED,
} from '../../../src/engine/providers/shared/redact.ts';
import { HeldBack } from '../../../src/engine/providers/shared/held-back.ts';
import { startFaultServer } from '../../support/fault-server.ts';
import type { Behaviour, FaultServer } from '../../support/fault-server.ts';
import {
  listen,
  planOf,
  planProvider,
  request,
  resolveLiteral,
  testProvider,
} from '../../support/provider-plan.ts';
import { REMOTES } from '../../support/provider-remotes.ts';
import { createProviderRegistry } from '../../../src/engine/providers/registry.ts';
import { systemClock } from '../../../src/common/clock.ts';

/** Keys as vendors make them, and stranger ones; printable, as a header must be. */
const keys = fc.oneof(
  fc.stringMatching(/^sk-(?:proj-|ant-api03-)?[A-Za-z0-9_-]{20,60}$/),
  fc.stringMatching(/^[!-~]{8,60}$/),
);
const words = fc.string({ unit: 'grapheme', maxLength: 40 });

describe('the redactor', () => {
  it('INV-9: leaves no form of a secret in any text around it', () => {
    fc.assert(
      fc.property(keys, words, words, (key, before, after) => {
        const { exact, message } = createRedactor([key]);
        for (const form of [
          key,
          encodeURIComponent(key),
          Buffer.from(key).toString('base64'),
          Buffer.from(key).toString('base64url'),
        ]) {
          const text = `${before}${form}${after}`;
          expect(exact(text)).not.toContain(form);
          expect(message(text)).not.toContain(form);
        }
        expect(message(JSON.stringify({ echoed: `${before}${key}${after}` }))).not.toContain(
          JSON.stringify(key).slice(1, -1),
        );
      }),
    );
  });

  it('INV-9: hides what is shaped like a key although nobody knows it', () => {
    const { message } = createRedactor([]);
    for (const text of [
      'Incorrect API key provided: sk-proj-abcdefgh12345678.',
      'Authorization: Bearer abcdef0123456789',
      'x-api-key: 0123456789abcdef',
      '{"api_key":"0123456789abcdef"}',
      'connect http://user:password123@host/',
    ]) {
      expect(message(text)).toContain(REDACTED);
      expect(message(text)).not.toMatch(/abcdefgh12345678|0123456789abcdef|password123|abcdef0123456789/);
    }
  });

  it('leaves text without a secret as it is', () => {
    const { exact } = createRedactor(['sk-0123456789abcdef', 'short', '']);
    fc.assert(fc.property(fc.string(), (text) => exact(text) === text));
    expect('short'.length).toBeLessThan(MIN_SECRET_CHARACTERS);
  });

  it('INV-9: a secret that a stream brings in pieces is held back, and nothing else is lost', () => {
    fc.assert(
      fc.property(
        keys,
        words,
        words,
        fc.array(fc.nat({ max: 30 }), { maxLength: 40 }),
        (key, before, after, cuts) => {
          const redactor = createRedactor([key]);
          const text = `${before}${key}${after}`;
          const given: string[] = [];
          const held = new HeldBack((delta) => given.push(delta), redactor);
          let start = 0;
          for (const size of cuts) {
            held.push(text.slice(start, start + size));
            start += size;
          }
          held.push(text.slice(start));
          held.flush();
          expect(given.join('')).not.toContain(key);
          expect(given.join('')).toBe(redactor.exact(text));
        },
      ),
    );
  });
});

describe.each(REMOTES)('a provider whose server echoes the key: $label', (remote) => {
  let server: FaultServer;
  beforeAll(async () => {
    server = await startFaultServer();
  });
  afterAll(() => server.close());
  afterEach(() => server.reset());

  /** Everywhere a server could put it. */
  const echoes = (key: string): readonly Behaviour[] => [
    { refuse: 'unauthorized', message: `Incorrect API key provided: ${key}. You can find your key …` },
    { refuse: 'server_error', message: `${'x'.repeat(490)}${key}` },
    { status: 500, body: `<html>${key}</html>`, contentType: 'text/html' },
    { status: 400, body: { error: { message: { nested: key }, type: key, code: key } } },
    { status: 400, body: { detail: key } },
    { status: 200, body: `${'x'.repeat(60)}${key}`, contentType: 'text/plain' },
    { status: 200, body: { error: { message: key, type: 'overloaded_error' } } },
    { errorAtToken: 3, model: key },
    { text: `Your key is ${key}, keep it well.`, model: key },
    { text: key, cutAtToken: 5 },
    { finish: 'content_filter', text: key },
    { headers: { 'x-request-id': key, 'request-id': key } },
  ];

  it.each([false, true])(
    'INV-9: the key is in no answer, error, delta or note (stream: %s)',
    async (stream) => {
      const key = 'sk-proj-Zq8JmPz4t0aB9cD1eF2gH3iJ4kL5mN6oP7q';
      const provider = testProvider({ ...remote.fields, url: remote.url(server) }, { key });
      for (const behaviour of echoes(key)) {
        server.script(behaviour);
        const heard = listen();
        const outcome = await provider.call(request({ stream }), heard.context);
        expect(JSON.stringify([outcome, heard.deltas])).not.toContain(key);
        expect(heard.deltas.join('')).not.toContain(key);
      }
      await provider.close();
    },
  );

  it('INV-9: a secret in a header of the configuration is hidden as well', async () => {
    const secret = 'gateway-secret-0123456789';
    const plan = planOf(
      planProvider('test', {
        ...remote.fields,
        url: remote.url(server),
        headers: { 'X-Gateway-Token': { kind: 'literal', value: secret } },
      }),
    );
    const registry = createProviderRegistry({
      readSecret: () => 'sk-other-0123456789',
      clock: systemClock,
      resolveTemplate: resolveLiteral,
    });
    server.script({ refuse: 'forbidden', message: `token ${secret} is not allowed` });
    const outcome = await registry.get(plan, 'test').call(request(), listen().context);
    expect(server.calls[0]?.headers['x-gateway-token']).toBe(secret);
    expect(JSON.stringify(outcome)).not.toContain(secret);
    await registry.close();
  });

  it('INV-9: an SDK that is told to log everything prints nothing', async () => {
    const written: unknown[] = [];
    const methods = ['log', 'debug', 'info', 'warn', 'error'] as const;
    const before = methods.map((method) => console[method]);
    process.env['OPENAI_LOG'] = process.env['ANTHROPIC_LOG'] = 'debug';
    for (const method of methods) console[method] = (...args: unknown[]) => written.push(...args);
    try {
      const provider = testProvider({ ...remote.fields, url: remote.url(server) });
      await provider.call(request(), listen().context);
      server.script({ refuse: 'unauthorized' });
      await provider.call(request(), listen().context);
      await provider.close();
    } finally {
      methods.forEach((method, index) => {
        const original = before[index];
        if (original) console[method] = original;
      });
      delete process.env['OPENAI_LOG'];
      delete process.env['ANTHROPIC_LOG'];
    }
    expect(written).toEqual([]);
  });
});
