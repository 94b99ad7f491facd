// The package as it is built, for tests that start processes: one of the sources reads and strips hundreds of files, and its threads do so again.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildPage } from '../../scripts/lib/page.mjs';
import { repositoryRoot } from './repository.ts';

const BUILDS = join(repositoryRoot, '.cache', 'test-builds');
/** What the package finds beside its `dist/`. */
const BESIDE = ['demo', 'migrations', 'node_modules', 'package.json', 'schema', 'workflows'];
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

let built: string | undefined;

/** Its folder, made where a source is newer than the last one; other runs may make or use theirs meanwhile. */
function builtPackage(): string {
  return (built ??= make(String(Math.floor(newestSource())), bundle));
}

/** Its `dist/`, without the page. */
export function builtFolder(): string {
  return join(builtPackage(), 'dist');
}

/** The file that `node` runs. */
export function builtMain(): string {
  return join(builtFolder(), 'cli', 'main.js');
}

/** The launcher that npm puts into the path. */
export function builtLauncher(): string {
  return join(builtPackage(), 'bin', 'headgate.mjs');
}

/** The `dist/` of a package with the page; not the checkout's, which `npm pack` removes and builds anew while tests run. */
export function builtWithPage(): string {
  const from = builtPackage();
  const folder = make(`${basename(from)}-page`, (making) => {
    cpSync(join(from, 'dist'), join(making, 'dist'), { recursive: true });
    if (!buildPage(repositoryRoot, process.execPath, join(making, 'dist', 'page')))
      throw new Error('the page could not be built');
  });
  return join(folder, 'dist');
}

function bundle(making: string): void {
  // Not a link: a program's own address is where it really is.
  cpSync(join(repositoryRoot, 'bin'), join(making, 'bin'), { recursive: true });
  execFileSync(process.execPath, [join('scripts', 'bundle.mjs'), join(making, 'dist')], {
    cwd: repositoryRoot,
    stdio: 'ignore',
  });
}

function make(name: string, fill: (making: string) => void): string {
  const folder = join(BUILDS, name);
  if (isThere(folder)) return folder;
  mkdirSync(BUILDS, { recursive: true });
  // One of the run's processes makes it, and the others wait; not for one that was killed.
  const lock = `${folder}-lock`;
  while (!taken(lock)) {
    Atomics.wait(PAUSE, 0, 0, 50);
    if (isThere(folder)) return folder;
  }
  try {
    return fillFolder(folder, fill);
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function taken(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (since < Date.now() - MINUTE_MS) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

function fillFolder(folder: string, fill: (making: string) => void): string {
  if (isThere(folder)) return folder;
  for (const old of readdirSync(BUILDS))
    if (statSync(join(BUILDS, old)).mtimeMs < Date.now() - HOUR_MS)
      rmSync(join(BUILDS, old), { recursive: true, force: true });
  const making = `${folder}-${process.pid}`;
  mkdirSync(join(making, 'dist'), { recursive: true });
  for (const beside of BESIDE) symlinkSync(join(repositoryRoot, beside), join(making, beside));
  fill(making);
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

function newestSource(): number {
  return Math.max(...['src', 'scripts', 'bin'].map((folder) => newestIn(join(repositoryRoot, folder))));
}

function newestIn(folder: string): number {
  return Math.max(
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => statSync(join(parentPath, name)).mtimeMs),
  );
}
