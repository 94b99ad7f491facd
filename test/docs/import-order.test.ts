// Holds every import of src/ to the order of ARCHITECTURE.md's table, and the checker itself to planted violations.
import { describe, expect, test } from 'vitest';
import { findViolations, importsOf, readOrder } from '../support/import-order.ts';
import { readRepositoryFile, repositoryFiles } from '../support/repository.ts';

const order = readOrder(readRepositoryFile('ARCHITECTURE.md'));

function planted(path: string, text: string): string[] {
  return findViolations(order, [{ path, text }]);
}

describe('the order of folders', () => {
  test('is read from the table, top to bottom, and from no other table', () => {
    const architecture = [
      '| folder | x |',
      '| --- | --- |',
      '| `a/` | 1 |',
      '| `b.ts` | 2 |',
      '',
      '| `c/` | 3 |',
    ];
    expect(readOrder(architecture.join('\n'))).toEqual(['a', 'b.ts']);
    expect(order.slice(0, 3)).toEqual(['common', 'errors', 'document']);
    expect(order).toContain('index.ts');
    expect(order.length).toBeGreaterThan(18);
  });

  test('has every folder of src/ import only from folders above it', () => {
    const files = repositoryFiles().filter((path) => /^src\/.*\.tsx?$/.test(path));
    expect(files.length).toBeGreaterThan(0);
    const sources = files.map((path) => ({ path, text: readRepositoryFile(path) }));
    expect(findViolations(order, sources)).toEqual([]);
  });
});

describe('the checker of the order', () => {
  test('sees every way to import', () => {
    const text = [
      `import a from './a.ts';`,
      `import type { B } from "./b.ts";`,
      `import {\n  c,\n  d,\n} from './c.ts';`,
      `export * from './e.ts';`,
      `export { f } from './f.ts';`,
      `import './g.ts';`,
      `const h = await import('./h.ts');`,
      `const i = new Worker(new URL('./i.ts', import.meta.url));`,
    ].join('\n');
    const names = ['a', 'b', 'c', 'e', 'f', 'g', 'h', 'i'].map((name) => `./${name}.ts`);
    expect(importsOf(text).toSorted()).toEqual(names);
  });

  test('lets a folder import from itself, from above and from packages', () => {
    expect(
      planted('src/plan/a.ts', `import './b.ts';\nimport '../common/money.ts';\nimport 'cockatiel';`),
    ).toEqual([]);
    expect(
      planted('src/providers/openai/a.ts', `import '../port.ts';\nimport '../../plan/types.ts';`),
    ).toEqual([]);
    expect(planted('src/app.ts', `import './server/http.ts';`)).toEqual([]);
    expect(planted('src/document/read.ts', `import { parseDocument } from 'yaml';`)).toEqual([]);
  });

  test.each([
    ['an import from below', 'src/common/a.ts', `import type { Plan } from '../plan/types.ts';`],
    ['a type import from below', 'src/providers/port.ts', `export type { R } from '../routing/port.ts';`],
    ['a dynamic import from below', 'src/budget/a.ts', `await import('../ledger/port.ts');`],
    ['a worker from below', 'src/budget/a.ts', `new URL('../ledger/worker.ts', import.meta.url);`],
    ['an import of the composition root', 'src/server/http.ts', `import { app } from '../app.ts';`],
    ['a folder that the table lacks', 'src/helpers/a.ts', ''],
    ['an import from a folder that the table lacks', 'src/cli/a.ts', `import '../helpers/a.ts';`],
    ['an import from the tests', 'src/cli/a.ts', `import '../../test/support/repository.ts';`],
    ['the engine in the dashboard', 'src/dashboard/a.ts', `import '../common/money.ts';`],
    ['the dashboard in the engine', 'src/server/a.ts', `import '../dashboard/main.ts';`],
    ['the YAML library outside document/', 'src/definition/a.ts', `import { parse } from 'yaml';`],
  ])('reports %s', (_title, path, text) => {
    const found = planted(path, text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(path);
  });
});
