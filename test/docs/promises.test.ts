// Each numbered promise of ARCHITECTURE.md is held by at least one test that names it in its title.
import { describe, expect, it } from 'vitest';
import { readRepositoryFile, repositoryFiles } from '../support/repository.ts';

const promised = [...readRepositoryFile('ARCHITECTURE.md').matchAll(/^\| (INV-\d+) \|/gm)].map(
  (match) => match[1] ?? '',
);
const titles = repositoryFiles()
  .filter((path) => /^test\/.*\.test\.ts$/.test(path) && path !== 'test/docs/promises.test.ts')
  .flatMap((path) =>
    [...readRepositoryFile(path).matchAll(/\b(?:it|test|describe)(?:\.\w+)*\(?[^'"`]*['"`]([^\n]*)/g)].map(
      (match) => match[1] ?? '',
    ),
  );

describe('the promises', () => {
  it('are numbered without a gap', () => {
    expect(promised).toEqual(Array.from({ length: promised.length }, (_, index) => `INV-${index + 1}`));
    expect(promised.length).toBeGreaterThan(0);
  });

  it.each(promised)('%s is named in the title of a test', (name) => {
    expect(titles.filter((title) => new RegExp(`\\b${name}\\b`).test(title)).length).toBeGreaterThan(0);
  });

  it('are the only ones that tests name', () => {
    const named = new Set(titles.flatMap((title) => title.match(/\bINV-\d+\b/g) ?? []));
    expect([...named].filter((name) => !promised.includes(name))).toEqual([]);
  });
});
