// `adapter:` that names a vendor: what a plan has of it.
import { beforeAll, describe, expect, it } from 'vitest';
import { VENDORS } from '../../../src/language/definition/vendors.ts';
import type { Vendor } from '../../../src/language/definition/vendors.ts';
import { loadCatalogue, type Catalogue } from '../../../src/language/plan/catalogue.ts';
import { compileWorkflows, type Compiled } from '../../../src/language/plan/compile.ts';
import { printPlan } from '../../../src/language/plan/print.ts';

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await loadCatalogue();
});

function compiled(provider: string, model: string, more = ''): Compiled {
  const project = `headgate: 1\nproviders:\n  mine: ${provider}\nroutes:\n  main:\n    - from: [mine/${model}]\n${more}`;
  const task =
    'task: shorten\ninput: { text: string }\nsteps:\n  answer:\n    route: main\n    prompt: ${{ input.text }}\n';
  return compileWorkflows(
    [
      { path: 'workflows/headgate.yaml', text: project },
      { path: 'workflows/shorten.yaml', text: task },
    ],
    { env: { KEY: 'k' }, catalogue, nowMs: Date.parse('2026-11-20T00:00:00Z') },
  );
}
const errors = ({ problems }: Compiled) =>
  problems.filter(({ severity }) => severity === 'error').map(({ code, message }) => `${code}: ${message}`);
const KEY = 'apiKey: "${{ secrets.KEY }}"';

const MODELS: { readonly [vendor in Exclude<Vendor, 'ollama' | 'bedrock' | 'vertex'>]: string } = {
  azure: 'gpt-4o',
  gemini: 'gemini-2.5-flash',
  openrouter: 'openai/gpt-4o',
  groq: 'openai/gpt-oss-120b',
  mistral: 'mistral-small-2603',
  deepseek: 'deepseek-chat',
  xai: 'grok-3-mini',
};

describe('an adapter that is a vendor', () => {
  it.each(Object.entries(MODELS))(
    '%s needs its key alone: address, prices and lacks are known',
    (vendor, model) => {
      const address = vendor === 'azure' ? 'baseUrl: "https://x.openai.azure.com", ' : '';
      const result = compiled(`{ adapter: ${vendor}, ${address}${KEY} }`, model);
      expect(errors(result)).toEqual([]);
      const { plan } = result;
      expect(plan?.providers['mine']).toMatchObject({ adapter: 'openai', vendor });
      expect(plan?.providers['mine']?.lacks).toEqual([...VENDORS[vendor as Vendor].lacks].sort());
      expect(plan?.models[`mine/${model}`]?.price.kind).toBe('rates');
      expect(plan && printPlan(plan)).toContain(`mine: ${vendor}`);
    },
  );

  it('keeps the prices of the vendor at another address, such as a proxy', () => {
    const at = 'baseUrl: "http://127.0.0.1:9/v1"';
    expect(errors(compiled(`{ adapter: mistral, ${at}, ${KEY} }`, 'mistral-small-2603'))).toEqual([]);
    expect(errors(compiled(`{ adapter: openai, ${at}, ${KEY} }`, 'mistral-small-2603'))[0]).toMatch(/price/);
  });

  it('ollama is free, and needs no key', () => {
    const more = 'models: { mine/llama: { context: 8k } }\n';
    const { plan } = compiled('{ adapter: ollama }', 'llama', more);
    expect(plan?.models['mine/llama']?.price).toEqual({ kind: 'free' });
  });

  it('openrouter is settled at what it reports, unless the file says otherwise', () => {
    const of = (more: string) =>
      compiled(`{ adapter: openrouter, ${KEY}${more} }`, 'openai/gpt-4o').plan?.providers['mine'];
    expect(of('')).toMatchObject({ cost: 'reported' });
    expect(of(', cost: priced')).not.toHaveProperty('cost');
  });

  it('what is written takes the place of what is known', () => {
    const of = (lacks: string) =>
      compiled(`{ adapter: deepseek, ${KEY}, lacks: ${lacks} }`, 'deepseek-chat').plan?.providers['mine']
        ?.lacks;
    expect(of('[]')).toEqual([]);
    expect(of('[systemRole]')).toEqual(['systemRole']);
  });

  it('azure: a model is priced by its name, and called by its deployment', () => {
    const azure = `{ adapter: azure, baseUrl: "https://x.openai.azure.com", ${KEY}, apiVersion: "2026-01-01", deployments: { gpt-4o: ours } }`;
    const { plan } = compiled(azure, 'gpt-4o');
    expect(plan?.models['mine/gpt-4o']).toMatchObject({ model: 'ours', price: { kind: 'rates' } });
    expect(plan?.providers['mine']?.sdkOptions).toEqual({ apiVersion: '2026-01-01' });
  });

  it.each([
    [
      'bedrock',
      '{ adapter: bedrock, region: eu-west-1, deployments: { sonnet: "eu.anthropic.claude-sonnet-4-5-20250929-v1:0" } }',
      'sonnet',
      3_300_000_000n,
    ],
    [
      'bedrock',
      '{ adapter: bedrock, region: us-east-1 }',
      'global.anthropic.claude-sonnet-4-5-20250929-v1:0',
      3_000_000_000n,
    ],
    ['vertex', '{ adapter: vertex, region: global, project: ours }', 'claude-opus-4-8', 5_000_000_000n],
  ] as const)(
    '%s: claude is priced by its id there, which may have a shorter name (%s)',
    (vendor, provider, name, input) => {
      const result = compiled(provider, name);
      expect(errors(result)).toEqual([]);
      expect(result.plan?.providers['mine']).toMatchObject({
        adapter: 'anthropic',
        vendor,
        apiKeySecret: null,
      });
      expect(result.plan?.models[`mine/${name}`]?.price).toMatchObject({ tiers: [{ input }] });
    },
  );

  it.each([
    ['{ adapter: bedrock }', /missing-key: A provider with `adapter: bedrock` needs `region`/],
    ['{ adapter: vertex, region: global }', /missing-key: A provider with `adapter: vertex` needs `project`/],
    ['{ adapter: bedrock, region: us-east-1, api: chat }', /conflicting-keys: `api`/],
    ['{ adapter: openai, region: us-east-1 }', /conflicting-keys: `region`/],
    ['{ adapter: azure }', /missing-key: A provider with `adapter: azure` needs `baseUrl`/],
    [
      '{ adapter: mistral, api: responses }',
      /conflicting-keys: `api: responses` does not go with `adapter: mistral`/,
    ],
    ['{ adapter: groq, apiVersion: "1" }', /conflicting-keys: `apiVersion` does not go with `adapter: groq`/],
    ['{ adapter: openai, deployments: { a: b } }', /conflicting-keys: `deployments`/],
    ['{ adapter: xai, organization: o }', /conflicting-keys: `organization`/],
    ['{ adapter: builtin, apiVersion: "1" }', /conflicting-keys: `apiVersion`/],
  ])('INV-13: %s is refused with its reason', (provider, message) => {
    expect(errors(compiled(provider, 'm')).join('\n')).toMatch(message);
  });

  it('INV-13: a misspelt vendor gets the nearest one', () => {
    expect(compiled('{ adapter: open-router }', 'm').problems[0]?.remedy).toMatch(
      /Did you mean `openrouter`/,
    );
  });

  it('a pool of keys is in the plan by the names of its secrets', () => {
    const pool = '{ adapter: xai, apiKey: [ "${{ secrets.KEY }}", "${{ secrets.SECOND }}" ] }';
    const result = compiled(pool, 'grok-3-mini');
    expect(errors(result)).toEqual([]);
    expect(result.plan?.providers['mine']).toMatchObject({
      apiKeySecret: 'KEY',
      moreApiKeySecrets: ['SECOND'],
    });
    expect(result.plan && printPlan(result.plan)).toContain('keys in KEY SECOND');
    expect(result.problems.map(({ code }) => code)).not.toContain('route-without-key');
  });

  it.each([
    ['[]', /A pool of keys is empty/],
    ['[ "${{ secrets.A }}", "${{ secrets.A }}" ]', /A is in the pool twice/],
    ['[ "${{ secrets.A }}", sk-live-0123456789abcdefghij ]', /A secret is written into the file/],
  ])('INV-13: the pool %s is refused with its reason', (pool, message) => {
    const text = errors(compiled(`{ adapter: xai, apiKey: ${pool} }`, 'grok-3-mini')).join('\n');
    expect(text).toMatch(message);
    expect(text).not.toContain('sk-live');
  });
});
