// `sdk:` of a provider: what each SDK knows, told from what it would leave out in silence.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadDefinition } from '../../../src/language/definition/load.ts';
import { SDK_SWITCHES } from '../../../src/language/definition/fields/sdk-switches.ts';
import type { Problem } from '../../../src/language/definition/types.ts';
import { repositoryRoot } from '../../support/repository.ts';

const packages = { openai: 'openai', anthropic: '@anthropic-ai/sdk' } as const;

/** The names in the interface of the client's options, as the installed SDK declares it. */
function declaredOptions(name: string): string[] {
  const types = readFileSync(join(repositoryRoot, 'node_modules', name, 'client.d.ts'), 'utf8');
  const [, body = ''] = /export interface ClientOptions \{\n([\s\S]*?)\n\}/.exec(types) ?? [];
  return [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, option]) => option ?? '');
}

function problemsOf(provider: string): readonly Problem[] {
  const text = `headgate: 1\nproviders:\n  remote: ${provider}\n`;
  return loadDefinition([{ path: 'workflows/headgate.yaml', text }]).problems;
}

const codes = (provider: string): string[] => problemsOf(provider).map(({ code }) => code);

describe('the switches of an SDK', () => {
  test.each(Object.keys(packages) as (keyof typeof packages)[])('%s are those it declares', (adapter) => {
    expect(Object.keys(SDK_SWITCHES[adapter]).sort()).toEqual(declaredOptions(packages[adapter]).sort());
  });

  test('are reported with the nearest name when they are misspelt', () => {
    expect(problemsOf('{ adapter: openai, sdk: { organisation: org-1 } }')).toMatchObject([
      { code: 'unknown-key', severity: 'error', line: 3, column: 37, remedy: 'Did you mean `organization`?' },
    ]);
    expect(problemsOf('{ adapter: anthropic, sdk: { default_query: {} } }')).toMatchObject([
      { code: 'unknown-key', remedy: 'Did you mean `defaultQuery`?' },
    ]);
  });

  test('are those of the adapter, not of another vendor', () => {
    expect(codes('{ adapter: anthropic, sdk: { organization: org-1 } }')).toEqual(['unknown-key']);
    expect(codes('{ adapter: openai, sdk: { middleware: [] } }')).toEqual(['unknown-key']);
  });

  test('are refused where the SDK would refuse every call', () => {
    expect(problemsOf('{ adapter: openai, sdk: { dataResidency: eu } }')).toMatchObject([
      { code: 'conflicting-keys', remedy: expect.stringContaining('https://eu.api.openai.com/v1') as string },
    ]);
    expect(codes('{ adapter: anthropic, sdk: { profile: team } }')).toEqual(['conflicting-keys']);
  });

  test('INV-9: are refused, and not shown, where they hold a secret', () => {
    const problems = problemsOf('{ adapter: anthropic, sdk: { authToken: made-up-token } }');
    expect(problems.map(({ code }) => code)).toEqual(['literal-secret']);
    expect(JSON.stringify(problems)).not.toContain('made-up-token');
  });

  test('pass where they shape the request', () => {
    expect(
      codes('{ adapter: openai, sdk: { organization: o, project: p, defaultQuery: { a: b } } }'),
    ).toEqual([]);
    expect(codes('{ adapter: openai, sdk: { defaultQuery: "a=b" } }')).toEqual(['invalid-value']);
  });
});

describe('keys of a provider that its adapter does not read', () => {
  test.each([
    ['api: responses', 'anthropic'],
    ['organization: org-1', 'anthropic'],
    ['baseUrl: "http://127.0.0.1:8000/v1"', 'builtin'],
    ['sdk: { timeout: 5 }', 'builtin'],
  ])('%s does not go with %s', (key, adapter) => {
    expect(codes(`{ adapter: ${adapter}, ${key} }`)).toEqual(['conflicting-keys']);
  });

  test('are no problem where it does', () => {
    expect(codes('{ adapter: anthropic, lacks: [systemRole], headers: { X-Team: a } }')).toEqual([]);
    expect(codes('{ adapter: openai, api: responses, organization: org-1, project: p }')).toEqual([]);
    expect(codes('{ adapter: builtin, price: free, policy: local }')).toEqual(['unknown-policy']);
  });
});
