// The fixtures of the language: a folder for each diagnostic, named after its code.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceFile } from '../../../../src/language/document/types.ts';
import {
  badName,
  brokenLink,
  decodeFile,
  unreadableFile,
  type Unread,
} from '../../../../src/revisions/unread.ts';
import type { Problem } from '../../../../src/errors/problem.ts';

const folder = join(import.meta.dirname, '..', 'fixtures');

/** What a fixture without a project file of its own is read with. */
export const baseProject: SourceFile = {
  path: 'workflows/headgate.yaml',
  text: [
    'headgate: 1',
    'providers:',
    '  openai: { adapter: openai, apiKey: "${{ secrets.OPENAI_API_KEY }}" }',
    'routes:',
    '  default:',
    '    - from: [openai/gpt-5.6-luna]',
    '',
  ].join('\n'),
};

export function fixtureCodes(): string[] {
  return readdirSync(folder).sort();
}

/** What no checkout on every system could hold. */
const UNREAD: { readonly [code: string]: Unread } = {
  'file-link': brokenLink('lost.yaml', '../nowhere.yaml, which is not there'),
  'file-name': badName('caf\uFFFD.yaml'),
  'file-unreadable': unreadableFile('closed.yaml', 'EACCES'),
};

/** The files that stand in the fixture's folder. */
export function ownFiles(code: string): SourceFile[] {
  const unread = UNREAD[code];
  if (unread !== undefined) return [{ path: 'workflows/unread.yaml', text: '', unread }];
  const names = readdirSync(join(folder, code)).filter((name) => name.endsWith('.yaml'));
  return names.map((name) => {
    const file = decodeFile(`workflows/${name}`, readFileSync(join(folder, code, name)));
    return { ...file, text: unfold(file.text) };
  });
}

/** `<x, 300000 times>` → so many x. */
function unfold(text: string): string {
  return text.replaceAll(/<(.), (\d+) times>/g, (_whole, character: string, times: string) =>
    character.repeat(Number(times)),
  );
}

/** With a project file, unless the fixture is about its absence. */
export function fixtureFiles(code: string): SourceFile[] {
  const own = ownFiles(code);
  const needsProject = code !== 'no-project' && !existsSync(join(folder, code, 'headgate.yaml'));
  return needsProject ? [...own, baseProject] : own;
}

export function expectedPath(code: string): string {
  return join(folder, code, 'expected.txt');
}

/** As a person would see it, without colour. */
export function printProblems(problems: readonly Problem[]): string {
  return problems
    .map(({ code, severity, message, remedy, file, line, column, endColumn, excerpt }) => {
      const shown = excerpt.length > 160 ? `${excerpt.slice(0, 159)}…` : excerpt;
      const caret =
        column > 160
          ? ''
          : `${' '.repeat(column - 1)}${'^'.repeat(Math.max(1, Math.min(endColumn, 161) - column))}`;
      return `${file}:${line}:${column} ${severity} [${code}] ${message}\n  ${shown}\n  ${caret}\n  ${remedy}\n`;
    })
    .join('\n');
}
