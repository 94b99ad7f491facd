// The JSON Schemas for editors: an independent validator takes what the loader takes, and refuses what breaks the shape of a file.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../src/common/json.ts';
import { toJson } from '../../../src/language/definition/fields/json-schema.ts';
import { projectJsonSchema, taskJsonSchema } from '../../../src/language/definition/json-schemas.ts';
import { parseDocument } from '../../../src/language/document/parse.ts';
import { fixtureCodes, ownFiles } from './support/fixtures.ts';

const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true });
const validators = { project: ajv.compile(projectJsonSchema()), task: ajv.compile(taskJsonSchema()) };

function documentOf(text: string): Json | undefined {
  const { document } = parseDocument({ path: 'f.yaml', text });
  return document === null ? undefined : toJson(document);
}

function accepts(text: string): boolean {
  const value = documentOf(text);
  const kind = typeof value === 'object' && value !== null && 'headgate' in value ? 'project' : 'task';
  return validators[kind](value);
}

const root = join(import.meta.dirname, '../../..');
const filesIn = (folder: string): string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(folder, name));

/** Fixtures that are wrong by themselves, in their shape: what a schema can say. */
const SHAPE = [
  'conflicting-keys',
  'invalid-name',
  'invalid-secret',
  'invalid-value',
  'literal-secret',
  'missing-key',
  'step-without-body',
  'unknown-key',
  'unknown-type',
  'wrong-shape',
  'empty-route',
];

describe('the JSON Schemas', () => {
  test.each([...filesIn('workflows'), ...filesIn('test/golden/everything')])('take %s', (path) => {
    expect(accepts(readFileSync(join(root, path), 'utf8'))).toBe(true);
  });

  test.each(SHAPE)('refuse the fixture of %s', (code) => {
    expect(ownFiles(code).some(({ text }) => !accepts(text))).toBe(true);
  });

  test('refuse nothing that only all files together show to be wrong', () => {
    const other = fixtureCodes().filter(
      (code) => !SHAPE.includes(code) && !code.startsWith('yaml-') && code !== 'unknown-file',
    );
    const refused = other.filter((code) =>
      ownFiles(code).some(({ text }) => documentOf(text) !== undefined && !accepts(text)),
    );
    expect(refused).toEqual([]);
  });
});
