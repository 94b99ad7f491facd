// A pool of keys: which of them a call takes, and what a refusal of one means for the others.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallOutcome, Provider } from '../../../src/engine/providers/port.ts';
import { createProviderRegistry } from '../../../src/engine/providers/registry.ts';
import { listen, planOf, planProvider, request, resolveLiteral } from '../../support/provider-plan.ts';
import { createSimulatedClock } from '../../support/simulated-clock.ts';

interface Reply {
  readonly status: number;
  readonly headers?: { readonly [name: string]: string };
}

let replies: { [key: string]: Reply };
let taken: string[];
let secrets: { [name: string]: string | undefined };
let clock: ReturnType<typeof createSimulatedClock>;
let provider: Provider;
let close: () => Promise<void>;

beforeEach(async () => {
  replies = {};
  taken = [];
  secrets = { A: 'key-of-a', B: 'key-of-b', C: 'key-of-c' };
  clock = createSimulatedClock();
  const server = createServer((incoming, response) => {
    incoming.resume();
    incoming.on('end', () => {
      const key = (incoming.headers.authorization ?? '').replace('Bearer ', '');
      taken.push(key);
      const { status, headers = {} } = replies[key] ?? { status: 200 };
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(
        JSON.stringify(
          status === 200
            ? {
                id: 'c',
                model: 'm',
                choices: [{ index: 0, finish_reason: 'stop', message: { content: 'yes' } }],
                usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
              }
            : { error: { message: status === 401 ? 'Incorrect API key provided' : 'Rate limit reached' } },
        ),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const registry = createProviderRegistry({
    readSecret: (name) => secrets[name],
    clock,
    resolveTemplate: resolveLiteral,
  });
  const plan = planOf(planProvider('pool', { url, apiKeySecret: 'A', moreApiKeySecrets: ['B', 'C'] }));
  provider = registry.get(plan, 'pool');
  close = async () => {
    await registry.close();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
});
afterEach(() => close());

const call = (): Promise<CallOutcome> => provider.call(request(), listen().context);
async function calls(count: number): Promise<readonly string[]> {
  taken = [];
  for (let index = 0; index < count; index += 1) await call();
  return taken;
}
const left = (remaining: number): Reply => ({
  status: 200,
  headers: {
    'x-ratelimit-limit-requests': '100',
    'x-ratelimit-remaining-requests': String(remaining),
    'x-ratelimit-reset-requests': '60s',
  },
});

describe('a pool of keys', () => {
  it('takes turns while nothing is known of their limits', async () => {
    expect(await calls(6)).toEqual(['key-of-a', 'key-of-b', 'key-of-c', 'key-of-a', 'key-of-b', 'key-of-c']);
  });

  it('takes the key with the most headroom, until the limits are full again', async () => {
    replies = { 'key-of-a': left(10), 'key-of-b': left(80), 'key-of-c': left(50) };
    await calls(3);
    expect(await calls(3)).toEqual(['key-of-b', 'key-of-b', 'key-of-b']);
    await clock.advance(61_000);
    expect(new Set(await calls(3)).size).toBe(3);
  });

  it('a 401 on one leaves the others, names the key that is refused, and asks it again later', async () => {
    replies = { 'key-of-a': { status: 401 } };
    const refused = await call();
    expect(refused).toMatchObject({
      ok: false,
      error: { class: 'authentication', advice: 'retry', retryAfterMs: 0, billed: 'no' },
    });
    expect(refused.ok ? '' : refused.error.message).toMatch(/check A$/);
    expect(new Set(await calls(6))).toEqual(new Set(['key-of-b', 'key-of-c']));
    replies = {};
    await clock.advance(5 * 60_000 + 1);
    expect(await calls(3)).toContain('key-of-a');
  });

  it('a 429 on one leaves the others, and the refused one rests as long as was asked', async () => {
    replies = { 'key-of-a': { status: 429, headers: { 'retry-after': '30' } } };
    expect(await call()).toMatchObject({
      error: { class: 'rate_limited', advice: 'retry', retryAfterMs: 0, rateLimits: [] },
    });
    expect(new Set(await calls(4))).toEqual(new Set(['key-of-b', 'key-of-c']));
    replies = {};
    await clock.advance(30_001);
    expect(await calls(3)).toContain('key-of-a');
  });

  it('when all are refused for rates, the wait is that of the first that is back', async () => {
    replies = {
      'key-of-a': { status: 429, headers: { 'retry-after': '30' } },
      'key-of-b': { status: 429, headers: { 'retry-after': '10' } },
      'key-of-c': { status: 429, headers: { 'retry-after': '20' } },
    };
    await calls(2);
    expect(await call()).toMatchObject({ error: { class: 'rate_limited', retryAfterMs: 10_000 } });
  });

  it('when all are refused as wrong, the refusal is final here', async () => {
    for (const key of ['key-of-a', 'key-of-b', 'key-of-c']) replies[key] = { status: 401 };
    await calls(2);
    expect(await call()).toMatchObject({ error: { class: 'authentication', advice: 'elsewhere' } });
  });

  it('a key that is not set is left out; without any, the provider is unavailable', async () => {
    secrets['A'] = undefined;
    expect(provider.unavailable()).toBeUndefined();
    expect(new Set(await calls(4))).toEqual(new Set(['key-of-b', 'key-of-c']));
    secrets = {};
    expect(provider.unavailable()).toBe('set A');
    expect(await call()).toMatchObject({ error: { class: 'authentication', billed: 'no' } });
  });
});
