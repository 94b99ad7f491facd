// The shipped workflows: right, and worth reading.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadDefinition } from '../../../src/language/definition/load.ts';
import { taskOutputSchema } from '../../../src/language/definition/schemas.ts';

const folder = join(import.meta.dirname, '../../..', 'workflows');
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => ({ path: `workflows/${name}`, text: readFileSync(join(folder, name), 'utf8') }));
const { definition, problems } = loadDefinition(files);

describe('the shipped workflows', () => {
  test('are without a problem, down to the hints', () => {
    expect(problems).toEqual([]);
  });

  test.each(files)('$path names its schema for editors in its first line', ({ path, text }) => {
    const schema = path.endsWith('headgate.yaml') ? 'project' : 'task';
    expect(text.split('\n')[0]).toBe(`# yaml-language-server: $schema=../schema/${schema}.json`);
  });

  test.each(files)('$path reads in an editor that knows only YAML', ({ text }) => {
    expect(text).not.toMatch(/[{[][^\n}\]"]*\$\{\{/);
  });

  test('say what each task is for, and what each field of its input is', () => {
    for (const task of Object.values(definition?.tasks ?? {})) {
      expect(task.description).not.toBe('');
      const fields = Object.values(
        (task.input.schema['properties'] ?? {}) as {
          readonly [name: string]: { readonly description?: string };
        },
      );
      expect(fields.every(({ description }) => description !== undefined)).toBe(true);
    }
  });

  test('have outputs whose types are known', () => {
    const outputs = Object.values(definition?.tasks ?? {}).map(
      (task) => definition && taskOutputSchema(definition, task),
    );
    expect(
      outputs.every(
        (schema) => JSON.stringify(schema).includes('"properties"') && !JSON.stringify(schema).includes('{}'),
      ),
    ).toBe(true);
  });

  test('let `summarize` fall back to the built-in model, and nothing else', () => {
    const withBuiltin = Object.values(definition?.project.routes ?? {}).filter(({ rules }) =>
      rules.some(({ from }) => from.some(({ model }) => model === 'builtin/extract')),
    );
    expect(withBuiltin.map(({ name }) => name)).toEqual(['summaries']);
    const takers = Object.values(definition?.tasks ?? {}).filter(({ steps }) =>
      steps.some(
        (step) => step.kind === 'model' && step.route?.kind === 'named' && step.route.name === 'summaries',
      ),
    );
    expect(takers.map(({ name }) => name)).toEqual(['summarize']);
  });
});
