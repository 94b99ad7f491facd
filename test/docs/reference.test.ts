// Holds the generated reference pages and the JSON Schemas for editors to the tables they are made from.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { allRecords } from '../../scripts/reference/language-pages.ts';
import { referenceFiles } from '../language/definition/support/reference-files.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('the language reference', () => {
  test.each(referenceFiles(read))('$path is what `npm run reference` writes', ({ path, text }) => {
    expect(read(path)).toBe(text);
  });

  test('has a table for every record of the language', () => {
    const page = read('docs/reference/language.md');
    const shown = [...page.matchAll(/<!-- fields: (\w+) -->/g)].map((match) => match[1]);
    const records = allRecords()
      .map(({ name }) => name)
      .filter((name) => name !== 'Rule');
    expect(new Set(shown)).toEqual(new Set(records));
  });

  test('says of every field what it means, in a sentence', () => {
    const silent = allRecords().flatMap(({ name, fields }) =>
      fields.filter(({ doc }) => !/[.`]$/.test(doc)).map(({ key }) => `${name}.${key}`),
    );
    expect(silent).toEqual([]);
  });
});
