// INV-9: a secret that was pasted into a file is reported, and never repeated.
import { describe, expect, test } from 'vitest';
import { loadDefinition } from '../../../src/language/definition/load.ts';
import { baseProject } from './support/fixtures.ts';

// Made up, in the shapes of real ones; put together so that scanners of this repository stay quiet.
const KEYS = [
  ['sk', 'proj', 'a1B2c3D4e5F6g7H8i9J0k1L2'].join('-'),
  ['sk', 'ant', 'api03', 'a1B2c3D4e5F6g7H8i9J0'].join('-'),
  ['ghp', 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'].join('_'),
  ['AKIA', 'A1B2C3D4E5F6G7H8'].join(''),
  ['hg', 'a1B2c3D4e5F6g7H8i9J0k1L2'].join('_'),
];

const places: readonly (readonly [where: string, file: (key: string) => string])[] = [
  [
    'as an apiKey',
    (key) => `headgate: 1\nproviders:\n  one: { adapter: openai, apiKey: ${key}, nonsense: 1 }\n`,
  ],
  [
    'in a base URL',
    (key) =>
      `headgate: 1\nproviders:\n  one:\n    adapter: openai\n    baseUrl: https://user:${key}@example.com\n`,
  ],
  [
    'in a prompt of several lines',
    (key) => `task: t\nsteps:\n  a:\n    prompt: |\n      Use this:\n      ${key} \${{ input.missing }}\n`,
  ],
  [
    'where a duration belongs',
    (key) => `task: t\nallowance: { deadline: ${key} }\nsteps: { a: { prompt: x } }\n`,
  ],
  ['in a file that is no YAML', (key) => `task: t\nkey: "${key}\nsteps: [\n`],
  ['as the name of a route', (key) => `task: t\nsteps: { a: { prompt: x, route: ${key} } }\n`],
];

describe.each(places)('a secret %s', (_where, file) => {
  test.each(KEYS)('is an error that does not show it (%#)', (key) => {
    const { definition, problems } = loadDefinition(
      [baseProject, { path: 'workflows/other.yaml', text: file(key) }].filter(
        ({ text }) => !file(key).startsWith('headgate') || text !== baseProject.text,
      ),
    );
    expect(definition).toBeNull();
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toContain(key);
  });
});

test('a key of no known shape is an error that does not show it either', () => {
  const { problems } = loadDefinition([
    {
      path: 'workflows/headgate.yaml',
      text: 'headgate: 1\nproviders:\n  one: { adapter: openai, apiKey: plain-looking-words, nonsense: 1 }\n',
    },
  ]);
  expect(problems.map(({ code }) => code)).toContain('literal-secret');
  expect(JSON.stringify(problems)).not.toContain('plain-looking-words');
});

test('the name of a secret is shown as it is', () => {
  const { problems } = loadDefinition([
    {
      path: 'workflows/headgate.yaml',
      text: 'headgate: 1\nproviders:\n  one: { adapter: openai, apiKey: "${{ secrets.KEY }}", nonsense: 1 }\n',
    },
  ]);
  expect(problems.map(({ excerpt }) => excerpt)).toEqual([
    '  one: { adapter: openai, apiKey: "${{ secrets.KEY }}", nonsense: 1 }',
  ]);
});
