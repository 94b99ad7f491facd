// The files that are generated from the language's own tables: for the script that writes them, and the test that they are current.
import { printJsonSchema } from '../../../../src/language/definition/json-schemas.ts';
import { diagnosticsPage, fillPage } from '../../../../scripts/reference/language-pages.ts';
import type { DiagnosticExample } from '../../../../scripts/reference/language-pages.ts';
import { ownFiles, expectedPath } from './fixtures.ts';
import { readFileSync } from 'node:fs';

export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

export function referenceFiles(read: (path: string) => string): GeneratedFile[] {
  const pages = ['docs/reference/language.md', 'docs/reference/expressions.md'];
  return [
    ...pages.map((path) => ({ path, text: fillPage(read(path)) })),
    { path: 'docs/reference/diagnostics.md', text: diagnosticsPage(exampleOf) },
    { path: 'schema/project.json', text: printJsonSchema('project') },
    { path: 'schema/task.json', text: printJsonSchema('task') },
  ];
}

/** The fixture's file that the diagnostic is about, and the first problem with its code as it is shown. */
function exampleOf(code: string): DiagnosticExample | undefined {
  const expected = readFileSync(expectedPath(code), 'utf8');
  const shown = expected.split(/\n\n(?=\S)/).find((problem) => problem.includes(`[${code}]`));
  const path = shown?.slice(0, shown.indexOf(':'));
  const file = ownFiles(code).find((candidate) => candidate.path === path);
  if (shown === undefined || !file || file.text.length > 1200 || /[\u202a-\u202e]/.test(file.text))
    return undefined;
  return { file: file.path, text: file.text, shown };
}
