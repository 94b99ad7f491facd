// What git knows of a folder of workflows: the commit that is checked out, and whether the files are as it has them.
import { dirname, relative, resolve, sep } from 'node:path';
import { isWorkflowPath } from './directory.ts';
import { blobHash, gitDirectoryOf, openGitRepository, type CommitInfo } from './git-objects.ts';
import type { SourceFile } from './port.ts';

export interface WorkTreeState {
  readonly commit: CommitInfo;
  readonly dirty: boolean;
}

/** null: outside a repository, before its first commit, or where git's files cannot be read: then the content hash alone names the revision. */
export async function workTreeState(directory: string, files: readonly SourceFile[], shownDirectory: string): Promise<WorkTreeState | null> {
  const root = await rootOf(resolve(directory));
  if (root === null) return null;
  try {
    const git = await openGitRepository(root.gitDirectory);
    const hash = await git.resolve('HEAD');
    const folder = relative(root.path, resolve(directory)).split(sep).join('/');
    const committed = (await git.files(hash, folder, isWorkflowPath)) ?? [];
    const blobs = new Map(committed.map(({ path, blob }) => [`${shownDirectory}/${path}`, blob]));
    const dirty = blobs.size !== files.length || files.some(({ path, text }) => blobs.get(path) !== blobHash(text));
    return { commit: await git.commit(hash), dirty };
  } catch {
    return null;
  }
}

async function rootOf(directory: string): Promise<{ readonly path: string; readonly gitDirectory: string } | null> {
  for (let path = directory; ; path = dirname(path)) {
    const gitDirectory = await gitDirectoryOf(path);
    // A folder inside a bare repository is not a work tree.
    if (gitDirectory !== undefined && gitDirectory !== path) return { path, gitDirectory };
    if (dirname(path) === path) return null;
  }
}
