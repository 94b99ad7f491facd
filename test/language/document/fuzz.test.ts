// No text makes the reader throw or hang: real workflow files, cut up and put together again.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadDefinition } from '../../../src/language/definition/load.ts';
import { parseDocument } from '../../../src/language/document/parse.ts';
import { printYaml } from './print-yaml.ts';
import { toJson } from '../../../src/language/definition/fields/json-schema.ts';
import { fixtureCodes, ownFiles } from '../definition/support/fixtures.ts';
import { mutatedText } from '../definition/support/mutations.ts';

const shipped = join(import.meta.dirname, '../../..', 'workflows');
const texts = [
  ...readdirSync(shipped)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readFileSync(join(shipped, name), 'utf8')),
  ...fixtureCodes().flatMap((code) => ownFiles(code).map(({ text }) => text)),
].filter((text) => text.length < 20_000);

describe('any text', () => {
  test('is read without throwing, and every problem has a place in it', () => {
    fc.assert(
      fc.property(mutatedText(texts), (text) => {
        const { problems } = parseDocument({ path: 'f.yaml', text });
        const lines = text.split('\n').length;
        for (const { line, column, endColumn } of problems) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(lines);
          expect(column).toBeGreaterThanOrEqual(1);
          expect(endColumn).toBeGreaterThan(column);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('is loaded without throwing, whatever it is loaded with', () => {
    fc.assert(
      fc.property(fc.array(mutatedText(texts), { minLength: 1, maxLength: 4 }), (files) => {
        const { definition, problems } = loadDefinition(
          files.map((text, index) => ({ path: `workflows/${index}.yaml`, text })),
        );
        expect(definition === null).toBe(problems.some(({ severity }) => severity === 'error'));
      }),
      { numRuns: 250 },
    );
  });

  test('of random characters is read without throwing', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom(...Array.from('ab01 \n\t:-?&*!|>\'"%@`{}[],#$.<~\u00e9\ud83d\ude00')),
          maxLength: 300,
        }),
        (text) => {
          parseDocument({ path: 'f.yaml', text });
        },
      ),
      { numRuns: 1500 },
    );
  });
});

describe('any JSON value', () => {
  test('printed as YAML reads back as the same value', () => {
    const key = fc
      .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 })
      .filter((name) => name !== '<<' && name !== '__proto__');
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'grapheme-ascii' }),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc
          .double({ noNaN: true, noDefaultInfinity: true })
          .map((number) => (Object.is(number, -0) ? 0 : number)),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(value, (json) => {
        const { document, problems } = parseDocument({
          path: 'f.yaml',
          text: printYaml({ value: json as string }),
        });
        expect(problems).toEqual([]);
        expect(document && toJson(document)).toEqual({ value: json });
      }),
      { numRuns: 400 },
    );
  });
});
