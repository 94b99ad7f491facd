// Every diagnostic has a fixture that triggers it, a place, a remedy and a line on the reference page; nothing else is ever reported.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { diagnostics } from '../../../src/language/definition/diagnostics.ts';
import { ruleList } from '../../../src/language/definition/rules/registry.ts';
import { loadCatalogue } from '../../../src/language/plan/catalogue.ts';
import type { Catalogue } from '../../../src/language/plan/catalogue.ts';
import { compileWorkflows } from '../../../src/language/plan/compile.ts';
import { repositoryFiles } from '../../support/repository.ts';
import { expectedPath, fixtureCodes, fixtureFiles, printProblems } from './support/fixtures.ts';

const root = join(import.meta.dirname, '../../..');
/** The keys of the fixtures' providers; only one fixture is about their absence. */
const KEYS = { OPENAI_API_KEY: 'set', ANTHROPIC_API_KEY: 'set' };

let catalogue: Catalogue;
beforeAll(async () => {
  catalogue = await loadCatalogue();
});

const problemsOf = (code: string): ReturnType<typeof compileWorkflows>['problems'] =>
  compileWorkflows(fixtureFiles(code), {
    env: code === 'route-without-key' ? {} : KEYS,
    catalogue,
    nowMs: Date.parse('2026-11-22T00:00:00Z'),
  }).problems;

describe('the catalogue of diagnostics', () => {
  test('has each code once', () => {
    const codes = diagnostics.map(({ code }) => code);
    expect(codes).toEqual([...new Set(codes)]);
  });

  test('and the fixtures have the same codes', () => {
    expect(fixtureCodes()).toEqual(diagnostics.map(({ code }) => code).sort());
  });

  test('and the reference page have the same codes', () => {
    const page = readFileSync(join(root, 'docs/reference/diagnostics.md'), 'utf8');
    const documented = [...page.matchAll(/^### `([a-z-]+)`/gm)].map((match) => match[1]);
    expect(new Set(documented)).toEqual(new Set(diagnostics.map(({ code }) => code)));
  });

  test('says of each why it matters and what to do, in whole sentences', () => {
    const wrong = diagnostics.filter(
      ({ title, why, remedy }) => title.endsWith('.') || !why.endsWith('.') || !remedy.endsWith('.'),
    );
    expect(wrong).toEqual([]);
  });

  test('has a rule in a file of its own for each rule of the registry', () => {
    const files = repositoryFiles().filter((path) =>
      /^src\/language\/definition\/rules\/[a-z-]+\.ts$/.test(path),
    );
    const notRules = ['check-expressions', 'registry', 'rule', 'walk'];
    expect(files.length - notRules.length).toBe(ruleList.length);
  });
});

describe.each(fixtureCodes())('the fixture of %s', (code) => {
  test('triggers it', () => {
    expect(problemsOf(code).map((problem) => problem.code)).toContain(code);
  });

  test('INV-13: gives each problem a place that shows what is meant, and a remedy', () => {
    for (const problem of problemsOf(code)) {
      expect(problem.line).toBeGreaterThan(0);
      expect(problem.column).toBeGreaterThan(0);
      expect(problem.endColumn).toBeGreaterThan(problem.column);
      expect(problem.column).toBeLessThanOrEqual(problem.excerpt.length + 1);
      expect(problem.message).toMatch(/\.$/);
      expect(problem.remedy).not.toBe('');
    }
  });

  test('reads as it should to a person', async () => {
    await expect(printProblems(problemsOf(code))).toMatchFileSnapshot(expectedPath(code));
  });
});
