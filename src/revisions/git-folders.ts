// Where git keeps its files: beside a work tree, elsewhere for a linked one, or in a bare repository itself.
import { readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';

export interface GitFolders {
  /** Holds HEAD. */
  readonly own: string;
  /** Holds objects and refs; another one than `own` for a linked work tree. */
  readonly common: string;
}

/** Of a clone, a linked work tree or a bare repository; undefined: it is none. */
export async function gitFoldersOf(path: string): Promise<GitFolders | undefined> {
  const inside = join(path, '.git');
  const found = await stat(inside).catch(() => undefined);
  if (found?.isDirectory() === true) return withCommon(inside);
  if (found?.isFile() === true) {
    const pointer = /^gitdir:\s*(.+)$/m.exec(await readFile(inside, 'utf8'))?.[1]?.trim();
    if (pointer !== undefined) return withCommon(isAbsolute(pointer) ? pointer : resolve(path, pointer));
  }
  const parts = await Promise.all(
    ['HEAD', 'objects', 'refs'].map((name) => stat(join(path, name)).catch(() => undefined)),
  );
  return parts.every((part) => part !== undefined) ? withCommon(path) : undefined;
}

async function withCommon(own: string): Promise<GitFolders> {
  const pointer = await readFile(join(own, 'commondir'), 'utf8').catch(() => undefined);
  return { own, common: pointer === undefined ? own : resolve(own, pointer.trim()) };
}

export interface WorkTree {
  /** The folder that was checked out. */
  readonly root: string;
  readonly folders: GitFolders;
}

/** The work tree that a folder lies in; null: none. */
export async function workTreeOf(directory: string): Promise<WorkTree | null> {
  for (let path = resolve(directory); ; path = dirname(path)) {
    const folders = await gitFoldersOf(path);
    // A folder inside a bare repository is no work tree.
    if (folders !== undefined) return folders.own === path ? null : { root: path, folders };
    if (dirname(path) === path) return null;
  }
}
