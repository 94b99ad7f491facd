// The git source: the workflow files of a ref, read from the object database; polled, because a ref has no bell.
import type { Clock } from '../common/clock.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import { isWorkflowPath, shownPath } from './directory.ts';
import { gitDirectoryOf, openGitRepository } from './git-objects.ts';
import type { Source, SourceFile } from './port.ts';

export interface GitSourceOptions {
  /** A clone, a linked work tree or a bare repository. */
  readonly repository: string;
  readonly ref: string;
  /** The folder of the workflows in the tree; `''`: its root. */
  readonly folder: string;
  readonly clock: Clock;
  /** How often the ref is looked at; default 2 s: one small file is read. */
  readonly pollMs?: number;
}

/** Throws a HeadgateError GIT_NOT_A_REPOSITORY at once, so that a mistyped path is told at the start. */
export async function createGitSource(options: GitSourceOptions): Promise<Source> {
  const { repository, ref, clock, pollMs = 2_000 } = options;
  const folder = options.folder.replace(/^\.?\/+|\/+$/g, '').replace(/^\.$/, '');
  const gitDirectory = await gitDirectoryOf(repository);
  if (gitDirectory === undefined)
    throw new HeadgateError('GIT_NOT_A_REPOSITORY', `${shownPath(repository)} is not a git repository`, 'Name a clone or a bare repository with --repo PATH.');
  const git = await openGitRepository(gitDirectory);
  return {
    description: `git ${ref} at ${shownPath(repository)}${folder === '' ? '' : ` (${folder})`}`,
    async read() {
      const hash = await git.resolve(ref);
      const commit = await git.commit(hash);
      const found = await git.files(hash, folder, isWorkflowPath);
      if (found === undefined || found.length === 0)
        throw new HeadgateError('WORKFLOWS_EMPTY', `there is no workflow file in "${folder}" of ${ref} (${hash.slice(0, 12)})`, 'Name the folder with --path, or commit headgate.yaml there.');
      const files: SourceFile[] = await Promise.all(
        found.map(async ({ path, blob }) => ({ path: folder === '' ? path : `${folder}/${path}`, text: await git.text(blob) })),
      );
      return { files: files.toSorted((left, right) => (left.path < right.path ? -1 : 1)), commit, dirty: false };
    },
    async watch(onChange) {
      let seen = await git.resolve(ref).catch(() => null);
      let stopped = false;
      let cancel = (): void => undefined;
      const look = async (): Promise<void> => {
        const now = await git.resolve(ref).catch(() => null);
        if (stopped) return;
        if (now !== seen) {
          seen = now;
          onChange();
        }
        cancel = clock.after(pollMs, () => void look());
      };
      cancel = clock.after(pollMs, () => void look());
      return () => {
        stopped = true;
        cancel();
        return Promise.resolve();
      };
    },
  };
}
