// A whole project as a team would write it, and the same with one part of one file written otherwise.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceFile } from '../../../../src/language/document/types.ts';

const folder = join(import.meta.dirname, 'fixtures', 'team');

export const teamFiles: readonly SourceFile[] = readdirSync(folder)
  .sort()
  .map((name) => ({ path: `workflows/${name}`, text: readFileSync(join(folder, name), 'utf8') }));

/** The files with `written` in place of `right`, and the line where that stands. */
export function withSlip(
  name: string,
  right: string,
  written: string,
): { readonly files: readonly SourceFile[]; readonly line: number } {
  const path = `workflows/${name}.yaml`;
  const offset = teamFiles.find((file) => file.path === path)?.text.indexOf(right) ?? -1;
  if (offset === -1) throw new Error(`${path} has no ${right}`);
  let line = 0;
  const files = teamFiles.map((file) => {
    if (file.path !== path) return file;
    line = file.text.slice(0, offset).split('\n').length;
    return { path, text: file.text.slice(0, offset) + written + file.text.slice(offset + right.length) };
  });
  return { files, line };
}
