// The workflow files of one commit, read from the object database.
import { HeadgateError } from '../errors/headgate-error.ts';
import type { GitFolders } from './git-folders.ts';
import { openGitRepository } from './git-objects.ts';
import type { WorkflowFile, SourceSnapshot } from './port.ts';
import { decodeFile } from './unread.ts';

/** The workflows as a ref has them. Throws GIT_REF_NOT_FOUND, GIT_OBJECT_UNREADABLE, GIT_UNSUPPORTED or WORKFLOWS_EMPTY. */
export async function readGitSnapshot(
  folders: GitFolders,
  ref: string,
  folder: string,
): Promise<SourceSnapshot & { readonly commitHash: string }> {
  const git = await openGitRepository(folders);
  const commitHash = await git.resolve(ref);
  const commit = await git.commit(commitHash);
  const found = await git.files(commitHash, folder);
  if (found === undefined || found.length === 0)
    throw new HeadgateError(
      'WORKFLOWS_EMPTY',
      `there is no workflow file in ${folder === '' ? 'the root' : `"${folder}"`} of ${ref} (${commit.hash.slice(0, 12)})`,
      'Name the folder with --path, or commit headgate.yaml there.',
    );
  const files: WorkflowFile[] = await Promise.all(
    found.map(async ({ path, blob, unread }) => {
      const shown = [folder, path].filter((part) => part !== '').join('/');
      return unread === undefined
        ? decodeFile(shown, await git.bytes(blob))
        : { path: shown, text: '', unread };
    }),
  );
  files.sort((left, right) => (left.path < right.path ? -1 : 1));
  return { files, commit, dirty: false, commitHash };
}
