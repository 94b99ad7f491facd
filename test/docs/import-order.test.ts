// Holds every import of src/ to the order and the doors of ARCHITECTURE.md's tables, and the checker itself to planted violations.
import { describe, expect, test } from 'vitest';
import { findViolations, importsOf, readStructure, unusedDoors } from '../support/import-order.ts';
import { readRepositoryFile, repositoryFiles } from '../support/repository.ts';

const structure = readStructure(readRepositoryFile('ARCHITECTURE.md'));
const sources = repositoryFiles()
  .filter((path) => /^src\/.*\.tsx?$/.test(path))
  .map((path) => ({ path, text: readRepositoryFile(path) }));

function planted(path: string, text: string): string[] {
  return findViolations(structure, [{ path, text }]);
}

describe('the order of folders', () => {
  test('is read from the table of folders, and the doors from the table of rooms', () => {
    const architecture = [
      '| folder | x |',
      '| --- | --- |',
      '| `a/` | `1` |',
      '| `a/b.ts` | 2 |',
      '',
      '| room | doors |',
      '| --- | --- |',
      '| `a/` | `c.ts`, `d/e.ts` |',
      '',
      '| other | x |',
      '| --- | --- |',
      '| `f/` | 3 |',
    ];
    expect(readStructure(architecture.join('\n'))).toEqual({
      order: ['a', 'a/b.ts'],
      doors: new Map([['a', ['c.ts', 'd/e.ts']]]),
    });
    expect(structure.order.slice(0, 3)).toEqual(['common', 'errors', 'language/document']);
    expect(structure.order).toContain('index.ts');
    expect(structure.order.length).toBeGreaterThan(16);
    expect(structure.doors.get('language')).toContain('plan/types.ts');
  });

  test('has every folder of src/ import only from folders above it, and from other rooms only their doors', () => {
    expect(sources.length).toBeGreaterThan(0);
    expect(findViolations(structure, sources)).toEqual([]);
  });

  test('lists no door that nobody goes through', () => {
    expect(unusedDoors(structure, sources)).toEqual([]);
  });
});

describe('time and chance', () => {
  test('come in through Clock and Random alone, but for a database elsewhere, sockets, commands and the page', () => {
    const machine =
      /\b(Date\.now|performance\.now|process\.hrtime|setTimeout|setInterval|Math\.random)\b|new Date\(\)/;
    const own = /^src\/(common\/(clock|random)\.ts|(ledger\/postgres|server|cli|page)\/)/;
    const found = sources
      .filter(({ path }) => !own.test(path))
      .flatMap(({ path, text }) =>
        text
          .split('\n')
          .filter((line) => !/^\s*(\/\/|\*|\/\*)/.test(line) && machine.test(line))
          .map((line) => `${path}: ${line.trim()}`),
      );
    expect(found).toEqual([]);
  });
});

describe('names', () => {
  test('no exported type name is declared twice', () => {
    const declaredIn = new Map<string, string[]>();
    // What is generated has the names of the schema that it is generated from.
    for (const { path, text } of sources.filter(({ path: of }) => !of.includes('/generated/')))
      for (const [, name = ''] of text.matchAll(
        /^export (?:declare )?(?:abstract )?(?:type|interface|class|enum) (\w+)/gm,
      ))
        declaredIn.set(name, [...(declaredIn.get(name) ?? []), path]);
    expect(declaredIn.size).toBeGreaterThan(500);
    expect([...declaredIn].filter(([, paths]) => paths.length > 1)).toEqual([]);
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
      planted(
        'src/language/plan/a.ts',
        `import './b.ts';\nimport '../../common/money.ts';\nimport 'cockatiel';`,
      ),
    ).toEqual([]);
    expect(
      planted(
        'src/engine/providers/openai/a.ts',
        `import '../port.ts';\nimport '../../../language/plan/types.ts';`,
      ),
    ).toEqual([]);
    expect(planted('src/app.ts', `import './server/http.ts';`)).toEqual([]);
    expect(planted('src/language/document/read.ts', `import { parseDocument } from 'yaml';`)).toEqual([]);
  });

  test.each([
    ['an import from below', 'src/common/a.ts', `import type { Plan } from '../language/plan/types.ts';`],
    [
      'a type import from below',
      'src/engine/providers/port.ts',
      `export type { R } from '../routing/port.ts';`,
    ],
    ['a dynamic import from below', 'src/engine/budget/a.ts', `await import('../../ledger/port.ts');`],
    ['a worker from below', 'src/engine/budget/a.ts', `new URL('../../ledger/worker.ts', import.meta.url);`],
    ['an import of the composition root', 'src/server/http.ts', `import { app } from '../app.ts';`],
    ['a folder that the table lacks', 'src/helpers/a.ts', ''],
    ['an import from a folder that the table lacks', 'src/cli/a.ts', `import '../helpers/a.ts';`],
    ['an import from the tests', 'src/cli/a.ts', `import '../../test/support/repository.ts';`],
    ['the engine in the page', 'src/page/a.ts', `import '../common/money.ts';`],
    ['the page in the engine', 'src/server/a.ts', `import '../page/main.ts';`],
    ['a file of another room that is no door', 'src/cli/a.ts', `import '../ledger/sqlite/tables.ts';`],
    ['the YAML library outside document/', 'src/language/definition/a.ts', `import { parse } from 'yaml';`],
  ])('reports %s', (_title, path, text) => {
    const found = planted(path, text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(path);
  });
});

describe('the pages of the rooms', () => {
  const architecture = readRepositoryFile('ARCHITECTURE.md');
  const pages = [...architecture.matchAll(/^### `(\w+)\/`\n(.*?)(?=^##)/gms)].map(
    ([, room = '', text = '']) => ({ room, text }),
  );

  test('are there for each room', () => {
    const rooms = new Set(
      sources.map(({ path }) => path.split('/')[1] ?? '').filter((name) => !name.includes('.')),
    );
    // What lies under all of them has no story of its own.
    const told = [...pages.map(({ room }) => room), 'common', 'errors'];
    expect(told.sort()).toEqual([...rooms].sort());
  });

  test.each(pages)('$room/ names files that are there', ({ room, text }) => {
    const named = [...text.matchAll(/`([\w./-]+(?:\.tsx?|\/))`/g)].map(
      ([, name = '']) => `src/${room}/${name}`,
    );
    expect(named.length).toBeGreaterThan(3);
    expect(
      named.filter((name) => !sources.some(({ path }) => path === name || path.startsWith(name))),
    ).toEqual([]);
  });
});
