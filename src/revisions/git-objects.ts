// Reading a git repository's object database: a ref, its commit, the workflow files of its tree. No checkout, no git binary.
import { createHash } from 'node:crypto';
import { parseCommit } from './git-commit.ts';
import type { GitFolders } from './git-folders.ts';
import { resolveCommit } from './git-names.ts';
import { openGitStore } from './git-store.ts';
import { GitTree, type TreeFile } from './git-tree.ts';

export interface CommitInfo {
  readonly hash: string;
  readonly author: string;
  /** The message's first line. */
  readonly subject: string;
}

/** One look at a repository. What it has read of packs is kept; so a fetch, a force push or a repack is seen by the next look. */
export interface GitRepository {
  /** A branch, a tag, `refs/…`, a commit's hash or the start of one, each with `~2`, `^` or `^{commit}` after it → the commit's hash. Throws GIT_REF_NOT_FOUND. */
  resolve(ref: string): Promise<string>;
  /** Throws GIT_OBJECT_UNREADABLE, as do the two below. */
  commit(hash: string): Promise<CommitInfo>;
  /** The first is the one that it was made on; of a merge, those after it are what came in. None: it is the first commit, or the clone is shallow. */
  parents(hash: string): Promise<readonly string[]>;
  /** The workflow files below a folder of a commit's tree (`''`: the root), links followed; undefined: there is no such folder. */
  files(commit: string, folder: string): Promise<readonly TreeFile[] | undefined>;
  bytes(blob: string): Promise<Buffer>;
}

/** Throws GIT_UNSUPPORTED. */
export async function openGitRepository(folders: GitFolders): Promise<GitRepository> {
  const store = await openGitStore(folders.common);
  return {
    resolve: (ref) => resolveCommit(folders, store, ref),
    async commit(hash) {
      const { author, subject } = parseCommit((await store.read(hash, `commit ${hash}`)).bytes);
      return { hash, author, subject };
    },
    parents: async (hash) => parseCommit((await store.read(hash, `commit ${hash}`)).bytes).parents,
    async files(commit, folder) {
      const { tree } = parseCommit((await store.read(commit, `commit ${commit}`)).bytes);
      return new GitTree(store, commit, tree).workflows(folder);
    },
    bytes: async (blob) => (await store.read(blob, `file ${blob}`)).bytes,
  };
}

/** The hash that git gives to a file's content. */
export function blobHash(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
