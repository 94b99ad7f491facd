// Each changed line of the workflows is laid to the commit that changed it, in real repositories, whatever else was committed and however it was merged.
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { changesInFolder } from '../../src/revisions/blame.ts';
import { createGitSource } from '../../src/revisions/git.ts';
import { createRepository } from '../support/git.ts';
import type { TestRepository } from '../support/git.ts';

const made: TestRepository[] = [];
afterAll(() => made.forEach((one) => one.remove()));

function repository(): TestRepository & { by(author: string, subject: string, files: Files): string } {
  const one = createRepository();
  made.push(one);
  const by = (author: string, subject: string, files: Files): string => {
    for (const [path, text] of Object.entries(files)) one.write(path, text);
    one.git('add', '--all');
    one.git('commit', '--quiet', '--author', `${author} <${author}@example.com>`, '--message', subject);
    return one.git('rev-parse', 'HEAD');
  };
  return { ...one, by };
}
type Files = { readonly [path: string]: string };

const lines = (...texts: readonly string[]): string => `${texts.join('\n')}\n`;

async function told(one: TestRepository, before: string, after: string) {
  const changes = await changesInFolder(join(one.path, 'workflows'), before, after);
  return changes?.map(({ file, line, before: from, after: to, commit }) => [
    `${file}:${line}`,
    from?.trim() ?? null,
    to?.trim() ?? null,
    commit?.subject ?? null,
  ]);
}

it('lays each line to its own commit, where several were taken at once and the newest is about something else', async () => {
  const one = repository();
  const project = (price: string, from: string) => lines('a: 1', `price: ${price}`, 'b: 2', `from: ${from}`);
  const before = one.by('ana', 'first', { 'workflows/headgate.yaml': project('$2', 'large') });
  one.by('ben', 'dearer', {
    'workflows/headgate.yaml': lines('# why', ...project('$3', 'large').trim().split('\n')),
  });
  one.by('cleo', 'small first', {
    'workflows/headgate.yaml': lines('# why', ...project('$3', 'small').trim().split('\n')),
  });
  const after = one.by('dan', 'readme', { 'README.md': 'hello' });
  const file = 'workflows/headgate.yaml';
  const expected = [
    [`${file}:1`, null, '# why', 'dearer'],
    [`${file}:3`, 'price: $2', 'price: $3', 'dearer'],
    [`${file}:5`, 'from: large', 'from: small', 'small first'],
  ];
  expect(await told(one, before, after)).toEqual(expected);
  const source = await createGitSource({
    repository: one.path,
    ref: 'main',
    folder: 'workflows',
    clock: systemClock,
  });
  const changes = await source.changesBetween?.(before, after);
  expect(changes?.map(({ commit }) => commit?.author)).toEqual([
    'ben <ben@example.com>',
    'ben <ben@example.com>',
    'cleo <cleo@example.com>',
  ]);
});

it('goes through a merge to whoever wrote the line, and to whoever took it out', async () => {
  const one = repository();
  const file = 'workflows/headgate.yaml';
  const before = one.by('ana', 'first', { [file]: lines('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h') });
  one.git('checkout', '--quiet', '-b', 'side');
  one.by('ben', 'on a branch', { [file]: lines('A', 'b', 'c', 'd', 'e', 'f', 'g') });
  one.git('checkout', '--quiet', 'main');
  one.by('cleo', 'on main', { [file]: lines('a', 'b', 'c', 'D', 'e', 'f', 'g', 'h') });
  one.git('merge', '--quiet', '--no-ff', '--message', 'merge', 'side');
  expect(await told(one, before, one.git('rev-parse', 'HEAD'))).toEqual([
    [`${file}:1`, 'a', 'A', 'on a branch'],
    [`${file}:4`, 'd', 'D', 'on main'],
    [`${file}:7`, 'h', null, 'on a branch'],
  ]);
});

it('tells of a file that is new, and of one that is gone', async () => {
  const one = repository();
  const before = one.by('ana', 'first', {
    'workflows/old.yaml': lines('a: 1'),
    'workflows/headgate.yaml': lines('x'),
  });
  one.git('rm', '--quiet', 'workflows/old.yaml');
  one.by('ben', 'without it', { 'x.txt': '' });
  const after = one.by('cleo', 'a new one', { 'workflows/new.yaml': lines('b: 1') });
  expect(await told(one, before, after)).toEqual([
    ['workflows/new.yaml:1', null, 'b: 1', 'a new one'],
    ['workflows/old.yaml:1', 'a: 1', null, 'without it'],
  ]);
});

it('says nothing of commits that are not there, nor of a folder outside any repository', async () => {
  const one = repository();
  const before = one.by('ana', 'first', { 'workflows/headgate.yaml': 'a' });
  expect(await told(one, before, 'f'.repeat(40))).toBeUndefined();
  expect(await changesInFolder('/', before, before)).toBeUndefined();
});
