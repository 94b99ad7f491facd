// Holds what the repository says to what anyone who clones it can follow: no path of one machine, no broken link, no decision without its test.
import { dirname, join, normalize } from 'node:path/posix';
import { describe, expect, test } from 'vitest';
import { readRepositoryFile, repositoryFiles } from '../support/repository.ts';

const binary = /\.(png|ico|woff2?|gif|jpe?g|db)$/;
const all = repositoryFiles();
const files = all.filter((path) => !binary.test(path) && path !== 'package-lock.json');

// Put together from pieces, so that this file does not mention what it forbids.
const machinePaths = ['work', 'root', 'tmp/brief'].map(
  (path) => new RegExp(`(?<![\\w.~/-])/${path}/(?=[a-z])`),
);

describe('every file of the repository', () => {
  test('names no path of the machine it was written on', () => {
    const found = files.flatMap((path) =>
      readRepositoryFile(path)
        .split('\n')
        .flatMap((line, index) =>
          machinePaths.some((form) => form.test(line)) ? [`${path}:${index + 1}: ${line.trim()}`] : [],
        ),
    );
    expect(found).toEqual([]);
  });

  test('leaves nothing in the sources marked as unfinished', () => {
    const sources = files.filter((path) => /^(src|bin|scripts)\//.test(path));
    expect(sources.filter((path) => /\b(TO[D]O|FIX[M]E)\b/.test(readRepositoryFile(path)))).toEqual([]);
  });
});

describe('every Markdown file', () => {
  const pages = files.filter((path) => path.endsWith('.md'));

  test.each(pages)('%s links only to files that are there', (page) => {
    const prose = readRepositoryFile(page).replace(/^```[\s\S]*?^```/gm, '');
    const links = [...prose.matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)[^)]*\)/g)].map(
      (match) => match[1] ?? '',
    );
    const known = new Set(all.flatMap((path) => [path, ...parents(path)]));
    const missing = links.filter(
      (link) => !known.has(normalize(join(dirname(page), link)).replace(/\/$/, '')),
    );
    expect(missing).toEqual([]);
  });
});

describe('every record of a decision', () => {
  const records = files.filter((path) => /^docs\/decisions\/.*\.md$/.test(path));

  test.each(records)('%s ends with the test that fails when it stops being true', (record) => {
    const last = readRepositoryFile(record).trimEnd().split('\n').at(-1) ?? '';
    // **Held by** `test/room/file.test.ts`: “the title of the test”, `test/…`: “…”.
    expect(last).toMatch(/^\*\*Held by\*\* (`test\/[\w./-]+\.test\.ts`: “[^”]+”(, |\.$))+$/);
    const named = [...last.matchAll(/`(test\/[^`]+)`: “([^”]+)”/g)];
    const missing = named.filter(
      ([, path = '', title = '']) =>
        !all.includes(path) || !readRepositoryFile(path).replaceAll("\\'", "'").includes(title),
    );
    expect(missing.map(([whole]) => whole)).toEqual([]);
  });
});

function parents(path: string): string[] {
  const folder = dirname(path);
  return folder === '.' ? [] : [folder, ...parents(folder)];
}
