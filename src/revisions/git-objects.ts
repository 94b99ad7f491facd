// Reading a git repository's object database: a ref, its commit, the workflow files of its tree. No checkout, no git binary.
import fs from 'node:fs';
import { stat, readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { isAbsolute, join, resolve } from 'node:path';
import { HeadgateError } from '../errors/headgate-error.ts';

export interface CommitInfo {
  readonly hash: string;
  readonly author: string;
  /** The message's first line. */
  readonly subject: string;
}

/** A blob of a tree; `path` is relative to the tree that was asked for. */
export interface TreeFile {
  readonly path: string;
  readonly blob: string;
}

export interface GitRepository {
  readonly gitDirectory: string;
  /** A branch, a tag, `refs/…` or a commit's hash → the commit's hash. Throws a HeadgateError GIT_REF_NOT_FOUND. */
  resolve(ref: string): Promise<string>;
  commit(hash: string): Promise<CommitInfo>;
  /** All blobs below a folder of a commit's tree (`''`: the root) that `wanted` says yes to; undefined: there is no such folder. */
  files(commit: string, folder: string, wanted: (path: string) => boolean): Promise<readonly TreeFile[] | undefined>;
  text(blob: string): Promise<string>;
}

/** The `.git` of a clone or of a linked work tree, or a bare repository's own folder; undefined: this is none. */
export async function gitDirectoryOf(path: string): Promise<string | undefined> {
  const inside = join(path, '.git');
  const found = await stat(inside).catch(() => undefined);
  if (found?.isDirectory()) return inside;
  if (found?.isFile()) {
    const pointer = /^gitdir:\s*(.+)$/m.exec(await readFile(inside, 'utf8'))?.[1]?.trim();
    if (pointer !== undefined) return isAbsolute(pointer) ? pointer : resolve(path, pointer);
  }
  const bare = await Promise.all(['HEAD', 'objects', 'refs'].map((name) => stat(join(path, name)).catch(() => undefined)));
  return bare.every((entry) => entry !== undefined) ? path : undefined;
}

/** Each call looks afresh: a fetch, a force push or a repack between two calls is seen. */
export async function openGitRepository(gitDirectory: string): Promise<GitRepository> {
  const git = await import('isomorphic-git');
  const damaged = (what: string, error: unknown): HeadgateError =>
    new HeadgateError(
      'GIT_OBJECT_UNREADABLE',
      `${what} cannot be read from ${gitDirectory} (${error instanceof Error ? error.message : String(error)})`,
      'Run "git fsck" there; the last good revision serves on.',
      { cause: error },
    );
  return {
    gitDirectory,
    async resolve(ref) {
      if (/^[0-9a-f]{40}$/.test(ref)) return ref;
      try {
        return await git.resolveRef({ fs, gitdir: gitDirectory, ref });
      } catch (error) {
        if (/^[0-9a-f]{4,39}$/.test(ref)) {
          const expanded = await git.expandOid({ fs, gitdir: gitDirectory, oid: ref }).catch(() => undefined);
          if (expanded !== undefined) return expanded;
        }
        throw new HeadgateError('GIT_REF_NOT_FOUND', `there is no "${ref}" in ${gitDirectory}`, 'Name a branch, a tag or a commit that is there, or fetch it.', { cause: error });
      }
    },
    async commit(hash) {
      try {
        const { commit } = await git.readCommit({ fs, gitdir: gitDirectory, oid: hash, cache: {} });
        return { hash, author: `${commit.author.name} <${commit.author.email}>`, subject: commit.message.split('\n', 1)[0] ?? '' };
      } catch (error) {
        throw damaged(`commit ${hash}`, error);
      }
    },
    async files(commit, folder, wanted) {
      const cache = {};
      const found: TreeFile[] = [];
      const walk = async (tree: string, below: string): Promise<void> => {
        const entries = await git.readTree({ fs, gitdir: gitDirectory, oid: tree, cache });
        for (const entry of entries.tree) {
          const path = below === '' ? entry.path : `${below}/${entry.path}`;
          if (entry.type === 'tree') await walk(entry.oid, path);
          else if (entry.type === 'blob' && wanted(path)) found.push({ path, blob: entry.oid });
        }
      };
      try {
        const root = folder === '' ? await git.readTree({ fs, gitdir: gitDirectory, oid: commit, cache }) : await git.readTree({ fs, gitdir: gitDirectory, oid: commit, filepath: folder, cache });
        await walk(root.oid, '');
      } catch (error) {
        if (error instanceof git.Errors.NotFoundError && error.data.what.includes(folder) && folder !== '') return undefined;
        throw damaged(`the tree of ${commit}`, error);
      }
      return found;
    },
    async text(blob) {
      try {
        const read = await git.readBlob({ fs, gitdir: gitDirectory, oid: blob, cache: {} });
        return Buffer.from(read.blob).toString('utf8');
      } catch (error) {
        throw damaged(`file ${blob}`, error);
      }
    },
  };
}

/** The hash that git gives to a file's content. */
export function blobHash(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
