// The registry: the same settings are the same provider, with its sockets, across reloads (INV-7).
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startFaultServer } from '../../support/fault-server.ts';
import type { FaultServer } from '../../support/fault-server.ts';
import { listen, planOf, planProvider, request, testRegistry } from '../../support/provider-plan.ts';

describe('the provider registry', () => {
  let server: FaultServer;
  beforeAll(async () => {
    server = await startFaultServer();
  });
  afterAll(() => server.close());
  afterEach(() => server.reset());

  it('INV-7: gives the same instance to the next plan while the settings stay the same', () => {
    const registry = testRegistry();
    const before = planOf(planProvider('a', { url: server.openaiUrl }));
    const after = planOf(planProvider('b', {}), planProvider('a', { url: server.openaiUrl }));
    expect(registry.get(after, 'a')).toBe(registry.get(before, 'a'));
  });

  it('gives another instance when anything that is sent changes, and not for a rate limit', () => {
    const registry = testRegistry();
    const original = registry.get(planOf(planProvider('a', { url: server.openaiUrl })), 'a');
    const changed = [
      planProvider('a', { url: server.url }),
      planProvider('a', { url: server.openaiUrl, api: 'responses' }),
      planProvider('a', { url: server.openaiUrl, adapter: 'anthropic' }),
      planProvider('a', { url: server.openaiUrl, apiKeySecret: 'OTHER' }),
      planProvider('a', { url: server.openaiUrl, lacks: ['streamUsage'] }),
      planProvider('a', { url: server.openaiUrl, headers: { 'x-team': { kind: 'literal', value: 'one' } } }),
      planProvider('a', { url: server.openaiUrl, sdkOptions: { organization: 'org-1' } }),
    ];
    for (const provider of changed) expect(registry.get(planOf(provider), 'a')).not.toBe(original);
    const limited = planProvider('a', {
      url: server.openaiUrl,
      limits: { requests: { amount: 1, perMs: 1 }, tokens: null },
    });
    expect(registry.get(planOf(limited), 'a')).toBe(original);
  });

  it('evaluates base URL and headers with the environment of the plan', async () => {
    const registry = testRegistry();
    const provider = planProvider('a', {
      baseUrl: { kind: 'expression', source: 'env.BASE' },
      headers: { 'x-team': { kind: 'expression', source: 'env.TEAM' } },
    });
    const plan = { ...planOf(provider), environment: { BASE: `${server.openaiUrl}/`, TEAM: 'core' } };
    expect(await registry.get(plan, 'a').call(request(), listen().context)).toMatchObject({ ok: true });
    expect(server.calls[0]?.headers['x-team']).toBe('core');
    await registry.close();
  });

  it('passes further options to the SDK by its own names', async () => {
    const registry = testRegistry();
    const plan = planOf(
      planProvider('a', { url: server.openaiUrl, sdkOptions: { organization: 'org-1', project: 'proj-1' } }),
    );
    await registry.get(plan, 'a').call(request(), listen().context);
    expect(server.calls[0]?.headers).toMatchObject({
      'openai-organization': 'org-1',
      'openai-project': 'proj-1',
    });
    await registry.close();
  });

  it('sends a call elsewhere when the SDK refuses an option of the configuration', async () => {
    const registry = testRegistry();
    const plan = planOf(planProvider('a', { url: server.openaiUrl, sdkOptions: { dataResidency: 'eu' } }));
    const outcome = await registry.get(plan, 'a').call(request(), listen().context);
    expect(outcome).toMatchObject({ ok: false, error: { class: 'unknown', advice: 'elsewhere' } });
  });

  it('says that a base URL is none, and calls nothing', async () => {
    const registry = testRegistry();
    const provider = registry.get(planOf(planProvider('a', { url: '127.0.0.1:11434' })), 'a');
    expect(provider.unavailable()).toBe('set baseUrl to an http or https URL');
    expect(await provider.call(request(), listen().context)).toMatchObject({
      ok: false,
      error: { class: 'invalid_request', advice: 'elsewhere', billed: 'no' },
    });
  });

  it('lets go of providers that no live plan has, and of no others', async () => {
    const registry = testRegistry();
    const kept = planOf(planProvider('a', { url: server.openaiUrl }));
    const dropped = planOf(planProvider('a', { url: server.url, adapter: 'anthropic' }));
    const [staying, leaving] = [registry.get(kept, 'a'), registry.get(dropped, 'a')];
    await registry.retain([kept]);
    expect(registry.get(kept, 'a')).toBe(staying);
    expect(await staying.call(request(), listen().context)).toMatchObject({ ok: true });
    // A run that began under the old plan may still have calls to make, through the instance it has or a new one.
    expect(await leaving.call(request(), listen().context)).toMatchObject({ ok: true });
    expect(await registry.get(dropped, 'a').call(request(), listen().context)).toMatchObject({ ok: true });
    expect(registry.get(dropped, 'a')).not.toBe(leaving);
    await registry.close();
  });

  it('lets a call in flight finish when its provider is let go of', async () => {
    const registry = testRegistry();
    const plan = planOf(planProvider('a', { url: server.openaiUrl }));
    server.script({ tokens: 3, tokenEveryMs: 5 });
    const outcome = registry.get(plan, 'a').call(request({ stream: true }), listen().context);
    await server.received(1);
    await registry.retain([]);
    expect(await outcome).toMatchObject({ ok: true, value: { text: 't1 t2 t3' } });
  });

  it('reads the key at each call, so that a changed one is used at once', async () => {
    let key = 'sk-first-0123456789';
    const { createProviderRegistry } = await import('../../../src/engine/providers/registry.ts');
    const { systemClock } = await import('../../../src/common/clock.ts');
    const registry = createProviderRegistry({
      readSecret: () => key,
      clock: systemClock,
      resolveTemplate: (template) => (template.kind === 'literal' ? template.value : null),
    });
    const provider = registry.get(planOf(planProvider('a', { url: server.openaiUrl })), 'a');
    await provider.call(request(), listen().context);
    key = 'sk-second-0123456789';
    await provider.call(request(), listen().context);
    expect(server.calls.map((call) => call.headers.authorization)).toEqual([
      'Bearer sk-first-0123456789',
      'Bearer sk-second-0123456789',
    ]);
    await registry.close();
  });

  it('throws for a name that the plan does not have', () => {
    expect(() => testRegistry().get(planOf(), 'nobody')).toThrow('nobody');
  });
});
