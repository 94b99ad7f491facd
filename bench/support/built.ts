// The package as it is built: what people install is what is measured, and not the sources.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './processes.ts';

const STARTED_BY = join('dist', 'cli', 'main.js');

/** The file that `node` runs; of the working tree it is made again where a source is newer. A test has made one already. */
export function builtTree(): string {
  const made = process.env['HEADGATE_BENCH_MAIN'];
  if (made !== undefined) return made;
  const main = join(root, STARTED_BY);
  const newest = Math.max(...['src', 'scripts', 'migrations'].map((folder) => newestIn(join(root, folder))));
  if (!existsSync(main) || statSync(main).mtimeMs < newest) bundle(root);
  return main;
}

/** The same of a commit, beside the repository; kept for the next time. Throws where it has no bundle. */
export function builtCommit(ref: string): string {
  const sha = run('git', ['rev-parse', '--verify', `${ref}^{commit}`], root).trim();
  const folder = join(root, '.cache', 'bench', `commit-${sha.slice(0, 12)}`);
  const main = join(folder, STARTED_BY);
  if (existsSync(main)) return main;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const archive = join(folder, 'archive.tar');
  run('git', ['archive', '--output', archive, sha], root);
  run('tar', ['-xf', archive], folder);
  rmSync(archive);
  // Of the working tree: a commit that needs other packages is measured from a checkout of its own.
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  bundle(folder);
  return main;
}

function bundle(folder: string): void {
  const dist = join(folder, 'dist');
  if (existsSync(dist))
    for (const file of readdirSync(dist)) if (file.startsWith('bundle-')) rmSync(join(dist, file));
  run(process.execPath, [join('scripts', 'bundle.mjs')], folder);
}

function newestIn(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Math.max(...files.map(({ parentPath, name }) => statSync(join(parentPath, name)).mtimeMs));
}

function run(program: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`${program} ${args.join(' ')} ended with ${String(status)}:\n${stderr.slice(-4_000)}`);
  return stdout;
}
