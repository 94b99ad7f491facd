// The package as it is built, for tests that start processes: one of the sources reads and strips hundreds of files, and its threads do so again.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './repository.ts';

const BUILDS = join(repositoryRoot, '.cache', 'test-builds');
/** What the package finds beside its `dist/`; not the page, which `npm pack` removes and builds anew while servers start. */
const BESIDE = ['demo', 'migrations', 'node_modules', 'package.json', 'schema', 'workflows'];
const HOUR_MS = 3_600_000;

let built: string | undefined;

/** Its `dist/`, made where a source is newer than the last one; other runs may make or use theirs meanwhile. */
export function builtFolder(): string {
  built ??= join(build(), 'dist');
  return built;
}

/** The file that `node` runs. */
export function builtMain(): string {
  return join(builtFolder(), 'cli', 'main.js');
}

function build(): string {
  const newest = Math.max(...['src', 'scripts'].map((folder) => newestIn(join(repositoryRoot, folder))));
  const folder = join(BUILDS, String(Math.floor(newest)));
  if (isThere(folder)) return folder;
  mkdirSync(BUILDS, { recursive: true });
  for (const old of readdirSync(BUILDS))
    if (statSync(join(BUILDS, old)).mtimeMs < Date.now() - HOUR_MS)
      rmSync(join(BUILDS, old), { recursive: true, force: true });
  const making = `${folder}-${process.pid}`;
  mkdirSync(join(making, 'dist'), { recursive: true });
  for (const name of BESIDE) symlinkSync(join(repositoryRoot, name), join(making, name));
  execFileSync(process.execPath, [join('scripts', 'bundle.mjs'), join(making, 'dist')], {
    cwd: repositoryRoot,
    stdio: 'ignore',
  });
  try {
    renameSync(making, folder);
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    if (!isThere(folder)) throw error;
  }
  return folder;
}

function isThere(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false }) !== undefined;
}

function newestIn(folder: string): number {
  return Math.max(
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => statSync(join(parentPath, name)).mtimeMs),
  );
}
