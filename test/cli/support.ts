// Runs the command line in this process, with its output caught.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { noColours } from '../../src/cli/format/colours.ts';
import { runProgram } from '../../src/cli/program.ts';

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** One command; nothing of this process's environment reaches it. */
export async function headgate(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const out: string[] = [];
  const err: string[] = [];
  const io = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    env,
    colours: noColours,
    errColours: noColours,
  };
  const code = await runProgram(args, io);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

/** Without what differs from run to run: identifiers, times, and how long things took. */
export function golden(text: string): string {
  return text
    .replaceAll(/\b(run|alr|att|key)_[0-9a-z]{20,}/g, '$1_…')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/(?:[\d.]+ ?(?:ms|s|min|h))+\b/g, 'T')
    .replaceAll(/("(?:latency\w*|\w+Ms)":\s?)[\d.]+/g, '$1T')
    .replaceAll(/("(?:hash|revision)":\s?")[0-9a-f]+/g, '$1HASH')
    .replaceAll(/\brevision [0-9a-f]{12}\b/g, 'revision HASH')
    .replaceAll(/ {2,}/g, '  ');
}

/** A folder that is removed after the tests of the file; with files, by name. */
export function temporaryFolder(files: { readonly [name: string]: string } = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-cli-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const PROJECT = `headgate: 1
providers:
  builtin: { adapter: builtin }
routes:
  main:
    - from: [builtin/extract]
`;

export const TASK = `task: shorten
input:
  text: string
  sentences: { type: integer, minimum: 1, default: 2 }
steps:
  answer:
    route: main
    prompt: |
      Summarize in at most \${{ input.sentences }} sentences.
      <text>
      \${{ input.text }}
      </text>
`;
