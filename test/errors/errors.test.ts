// Holds the catalogues, the code that uses them and the page that shows them to each other, both ways.
import { describe, expect, test } from 'vitest';
import { catalogue, errorText } from '../../src/errors/catalogue.ts';
import type { CatalogueEntry, ErrorCode } from '../../src/errors/catalogue.ts';
import { errorsPage } from '../../scripts/reference/errors-page.ts';
import { operational } from '../../scripts/reference/operational.ts';
import { readRepositoryFile, repositoryFiles } from '../support/repository.ts';

const sources = repositoryFiles().filter((path) => path.startsWith('src/') && path.endsWith('.ts'));
const codes = Object.keys(catalogue) as ErrorCode[];

function used(form: RegExp): ReadonlySet<string> {
  const found = new Set<string>();
  for (const path of sources) {
    if (path.startsWith('src/errors/catalogue')) continue;
    for (const match of readRepositoryFile(path).matchAll(form)) found.add(match[1] ?? '');
  }
  return found;
}

describe('the error catalogue', () => {
  test('has every code that a HeadgateError is made with, and no other', () => {
    const thrown = used(/(?:new HeadgateError|super)\(\s*'([A-Z][A-Z_]+)'/g);
    const known = new Set([...codes, ...Object.keys(operational)]);
    expect([...thrown].filter((code) => !known.has(code))).toEqual([]);
    // Some are put together before the error is: the ledger's failures, and why a server cannot listen.
    const made = used(/'([A-Z][A-Z_]{3,})'/g);
    expect(Object.keys(operational).filter((code) => !made.has(code))).toEqual([]);
  });

  test('names what the ledger refuses and why a server cannot listen', () => {
    const ledger = used(/code: '((?:LEDGER|IDEMPOTENCY)_[A-Z_]+)'/g);
    const known = new Set([...codes, ...Object.keys(operational)]);
    expect(ledger.size).toBeGreaterThan(2);
    expect([...ledger, 'PORT_IN_USE', 'CANNOT_LISTEN'].filter((code) => !known.has(code))).toEqual([]);
  });

  test('has no run error that nothing makes', () => {
    const made = used(/'([A-Z][A-Z_]{3,})'/g);
    expect(codes.filter((code) => !made.has(code))).toEqual([]);
  });

  test.each(codes)('%s says what happened and what to do, in sentences', (code) => {
    const { message, remedy }: CatalogueEntry = catalogue[code];
    expect(message).toMatch(/^[A-Z{].*[.}]$/s);
    expect(remedy).toMatch(/^[A-Z{].*[.}]$/s);
  });

  test('fills in what it is given, and shows what it is not', () => {
    expect(errorText('UNKNOWN_TASK', { task: 'wrte', known: 'write' })).toEqual({
      code: 'UNKNOWN_TASK',
      message: 'There is no task "wrte".',
      remedy: 'Use one of: write.',
    });
    expect(errorText('UNKNOWN_TASK', { task: 'x' }).remedy).toContain('{known}');
  });

  test('is shown in docs/reference/errors.md as `npm run reference` writes it', () => {
    expect(readRepositoryFile('docs/reference/errors.md')).toBe(errorsPage());
  });
});
