// The git source: the workflow files of a ref, read from the object database; polled, because a ref has no bell.
import type { Clock } from '../common/clock.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import { changesInGit } from './blame.ts';
import { gitFoldersOf, type GitFolders } from './git-folders.ts';
import { openGitRepository } from './git-objects.ts';
import { readGitSnapshot } from './git-snapshot.ts';
import { shownPath } from './paths.ts';
import type { Source } from './port.ts';

export interface GitSourceOptions {
  /** A clone, a linked work tree or a bare repository. */
  readonly repository: string;
  /** A branch, a tag, a commit, or `HEAD`. */
  readonly ref: string;
  /** The folder of the workflows in the tree; `''` or `.`: its root. */
  readonly folder: string;
  readonly clock: Clock;
  /** How often the ref is looked at; default 2 s: one small file is read. */
  readonly pollMs?: number;
}

const POLL_MS = 2_000;

/** Throws a HeadgateError GIT_NOT_A_REPOSITORY at once, so that a mistyped path is told at the start. */
export async function createGitSource(options: GitSourceOptions): Promise<Source> {
  const { repository, ref, clock, pollMs = POLL_MS } = options;
  const folder = treeFolder(options.folder);
  const folders = await gitFoldersOf(repository);
  if (folders === undefined)
    throw new HeadgateError(
      'GIT_NOT_A_REPOSITORY',
      `${shownPath(repository)} is not a git repository`,
      'Name a clone or a bare repository with --repo PATH.',
    );
  /** What was read last, or null when it could not be: then each look reads again, since what is missing may come. */
  let readHash: string | null = null;
  return {
    description: `git ${ref} at ${shownPath(repository)}${folder === '' ? '' : ` (${folder})`}`,
    async read() {
      try {
        const { commitHash, ...snapshot } = await readGitSnapshot(folders, ref, folder);
        readHash = commitHash;
        return snapshot;
      } catch (error) {
        readHash = null;
        throw error;
      }
    },
    changesBetween: (before, after) => changesInGit(folders, folder, before, after),
    watch(onChange) {
      let stopped = false;
      let cancel = (): void => undefined;
      const look = async (): Promise<void> => {
        const hash = await resolveRef(folders, ref);
        if (stopped) return;
        if (hash === null || hash !== readHash) onChange();
        cancel = clock.after(pollMs, () => void look());
      };
      cancel = clock.after(pollMs, () => void look());
      return Promise.resolve(() => {
        stopped = true;
        cancel();
        return Promise.resolve();
      });
    },
  };
}

async function resolveRef(folders: GitFolders, ref: string): Promise<string | null> {
  try {
    return await (await openGitRepository(folders)).resolve(ref);
  } catch {
    return null;
  }
}

/** `./workflows/` → `workflows`; `.` → `''`. */
function treeFolder(path: string): string {
  return path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .join('/');
}
