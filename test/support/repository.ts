// Where the repository is, and what files it consists of: what git tracks, and what it would track.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the checkout, with a slash at its end. */
export const repositoryRoot = fileURLToPath(new URL('../../', import.meta.url));

/** The paths of the repository's files, relative to its folder, with forward slashes. */
export function repositoryFiles(): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const listed = execFileSync('git', args, { cwd: repositoryRoot, encoding: 'utf8' });
  // A file that is deleted and not yet written is still listed.
  return listed.split('\0').filter((path) => path !== '' && existsSync(join(repositoryRoot, path)));
}

/** The text of one of the repository's files. */
export function readRepositoryFile(path: string): string {
  return readFileSync(join(repositoryRoot, path), 'utf8');
}
