// Golden files: what the text of a workflow becomes, at each stage.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadDefinition } from '../../src/language/definition/load.ts';
import { printDefinition } from '../language/definition/support/print.ts';
import { allRecords } from '../../scripts/reference/language-pages.ts';
import type { SourceFile } from '../../src/language/document/types.ts';
import { loadCatalogue } from '../../src/language/plan/catalogue.ts';
import { compileWorkflows } from '../../src/language/plan/compile.ts';
import { printPlan } from '../../src/language/plan/print.ts';
import { printDefinitionJson, withoutPlaces } from '../language/definition/support/definitions.ts';

function filesIn(folder: string): SourceFile[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return names.map((name) => ({ path: `workflows/${name}`, text: readFileSync(join(folder, name), 'utf8') }));
}

const here = import.meta.dirname;
const everything = filesIn(join(here, 'everything'));
const shipped = filesIn(join(here, '..', '..', 'workflows'));

describe('workflows that use every key of the language', () => {
  test('load without a problem but the hints that nothing reads some of them', () => {
    const { problems } = loadDefinition(everything);
    expect(problems.map(({ code }) => code)).toEqual(['unused-route']);
  });

  test('mention every key that there is', () => {
    const text = everything.map((file) => file.text).join('\n');
    const missing = allRecords().flatMap(({ name, fields }) =>
      fields.filter(({ key }) => !new RegExp(`(^|[\\s{,])${key}:`, 'm').test(text)).map(({ key }) => `${name}.${key}`),
    );
    expect(missing).toEqual([]);
  });

  test('become this Definition', async () => {
    await expect(printDefinitionJson(loadDefinition(everything).definition)).toMatchFileSnapshot('everything/definition.json');
  });

  test('become this Plan', async () => {
    const compiled = compileWorkflows(everything, { env: {}, catalogue: await loadCatalogue(), nowMs: Date.parse('2026-11-22T00:00:00Z') });
    await expect(compiled.plan ? printPlan(compiled.plan) : JSON.stringify(compiled.problems, null, 2)).toMatchFileSnapshot('everything/plan.txt');
  });
});

describe.each([
  ['every key', everything],
  ['the shipped workflows', shipped],
] as const)('%s', (_name, files) => {
  test('print back to files that load as the same Definition', () => {
    const { definition } = loadDefinition(files);
    if (!definition) throw new Error('not loaded');
    const again = loadDefinition(printDefinition(definition));
    expect(withoutPlaces(again.definition)).toEqual(withoutPlaces(definition));
  });

  test('give the same Definition whatever the order of the files', () => {
    expect(loadDefinition([...files].reverse())).toEqual(loadDefinition(files));
  });
});
