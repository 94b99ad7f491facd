// What git knows of a folder of workflows: the commit that is checked out, and whether the files are as it has them.
import { realpathSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { workTreeOf } from './git-folders.ts';
import { blobHash, openGitRepository, type CommitInfo } from './git-objects.ts';
import type { WorkflowFile } from './port.ts';

export interface WorkTreeState {
  readonly commit: CommitInfo;
  readonly dirty: boolean;
}

/**
 * null: outside a repository, in a folder that its commit does not have, before its first commit, or where git's files cannot be read;
 * then the content hash alone names the revision.
 */
export async function workTreeState(
  directory: string,
  files: readonly WorkflowFile[],
  shownDirectory: string,
): Promise<WorkTreeState | null> {
  try {
    const folder = realpathSync(directory);
    const tree = await workTreeOf(folder);
    if (tree === null) return null;
    const git = await openGitRepository(tree.folders);
    const hash = await git.resolve('HEAD');
    const committed = await git.files(hash, relative(tree.root, folder).split(sep).join('/'));
    if (committed === undefined || committed.length === 0) return null;
    const blobs = new Map(committed.map(({ path, blob }) => [`${shownDirectory}/${path}`, blob]));
    const dirty =
      blobs.size !== files.length || files.some(({ path, text }) => blobs.get(path) !== blobHash(text));
    return { commit: await git.commit(hash), dirty };
  } catch {
    return null;
  }
}
