// A pin promises an exact version: names that move are warned of, exact ones are not.
import { beforeAll, describe, expect, test } from 'vitest';
import { loadCatalogue } from '../../../src/language/plan/catalogue.ts';
import type { Catalogue } from '../../../src/language/plan/catalogue.ts';
import { compileWorkflows } from '../../../src/language/plan/compile.ts';
import type { Problem } from '../../../src/language/definition/types.ts';

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await loadCatalogue();
});

function problemsOf(model: string, pin = true): readonly Problem[] {
  const project = [
    'headgate: 1',
    'providers:',
    '  openai:',
    '    adapter: openai',
    '    baseUrl: ${{ default(env.OPENAI_BASE_URL, "https://api.openai.com/v1") }}',
    '  anthropic: { adapter: anthropic }',
    '  own: { adapter: openai, baseUrl: "http://127.0.0.1:8000/v1", price: free }',
    'models:',
    `  ${model}: { price: free, context: 100k }`,
    'routes:',
    '  default:',
    `    pin: ${pin}`,
    `    from: [${model}]`,
  ].join('\n');
  const files = [
    { path: 'workflows/headgate.yaml', text: project },
    { path: 'workflows/task.yaml', text: 'task: greet\nsteps:\n  answer: { prompt: Hello }\n' },
  ];
  return compileWorkflows(files, { env: {}, catalogue, nowMs: Date.parse('2026-11-22T00:00:00Z') }).problems;
}

describe('a pinned route', () => {
  test.each(['openai/gpt-4o', 'openai/o3', 'openai/chatgpt-4o-latest', 'anthropic/claude-sonnet-4-5'])(
    'is warned of a name that moves, at the candidate: %s',
    (model) => {
      expect(problemsOf(model)).toMatchObject([
        { code: 'pin-moving-name', severity: 'warning', line: 13, column: 12 },
      ]);
    },
  );

  test('names a version that could be meant', () => {
    expect(problemsOf('openai/gpt-4o')[0]?.remedy).toContain('"openai/gpt-4o-2024-11-20"');
  });

  test.each([
    'openai/gpt-4o-2024-08-06',
    'openai/gpt-4-0613',
    'anthropic/claude-sonnet-4-5-20250929',
    'anthropic/claude-sonnet-5',
    'own/llama3.2:latest',
    'own/gpt-4o',
  ])('is right with an exact version, or one that nobody can judge: %s', (model) => {
    expect(problemsOf(model)).toEqual([]);
  });

  test('may move where it is not pinned', () => {
    expect(problemsOf('openai/gpt-4o', false)).toEqual([]);
  });
});
