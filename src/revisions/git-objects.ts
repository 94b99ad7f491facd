// Reading a git repository's object database: a ref, its commit, the workflow files of its tree. No checkout, no git binary.
import fs from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { HeadgateError } from '../errors/headgate-error.ts';
import type { GitFolders } from './git-folders.ts';

export interface CommitInfo {
  readonly hash: string;
  readonly author: string;
  /** The message's first line. */
  readonly subject: string;
}

/** A blob of a tree; `path` is relative to the folder that was asked for. */
export interface TreeFile {
  readonly path: string;
  readonly blob: string;
}

/** One look at a repository. What it has read of packs is kept; so a fetch, a force push or a repack is seen by the next look. */
export interface GitRepository {
  /** A branch, a tag, `refs/…`, a commit's hash or the start of one, each with `~2` or `^` after it → the commit's hash. Throws GIT_REF_NOT_FOUND. */
  resolve(ref: string): Promise<string>;
  /** Throws GIT_OBJECT_UNREADABLE, as do the two below. */
  commit(hash: string): Promise<CommitInfo>;
  /** All files below a folder of a commit's tree (`''`: the root) that `wanted` says yes to; undefined: there is no such folder. */
  files(
    commit: string,
    folder: string,
    wanted: (path: string) => boolean,
  ): Promise<readonly TreeFile[] | undefined>;
  text(blob: string): Promise<string>;
}

const FULL_HASH = /^[0-9a-f]{40}$/;
const SHORT_HASH = /^[0-9a-f]{4,39}$/;
/** `main~2^`: the name, and the steps back from it. */
const ANCESTOR = /^(.*?)((?:[~^]\d*)*)$/s;
const SYMBOLIC_LINK = '120000';

export async function openGitRepository({ own, common }: GitFolders): Promise<GitRepository> {
  const git = await import('isomorphic-git');
  const base = { fs, gitdir: common, cache: {} };

  const damaged = (what: string, error: unknown): HeadgateError =>
    new HeadgateError(
      'GIT_OBJECT_UNREADABLE',
      `${what} cannot be read from ${common} (${error instanceof Error ? error.message : String(error)})`,
      'Run "git fsck" there, and fetch what is missing or damaged.',
      { cause: error },
    );

  async function readCommit(hash: string) {
    try {
      return await git.readCommit({ ...base, oid: hash });
    } catch (error) {
      throw damaged(`commit ${hash}`, error);
    }
  }

  /** HEAD is each work tree's own; all other refs are shared. */
  async function readRef(ref: string): Promise<string> {
    if (FULL_HASH.test(ref)) return ref;
    if (ref !== 'HEAD' && ref !== '@') return git.resolveRef({ fs, gitdir: common, ref });
    const head = (await readFile(join(own, 'HEAD'), 'utf8')).trim();
    return head.startsWith('ref: ') ? git.resolveRef({ fs, gitdir: common, ref: head.slice(5) }) : head;
  }

  async function resolveName(ref: string): Promise<string> {
    try {
      return await readRef(ref);
    } catch (error) {
      if (SHORT_HASH.test(ref)) {
        const whole = await git.expandOid({ ...base, oid: ref }).catch(() => undefined);
        if (whole !== undefined) return whole;
      }
      throw refNotFound(ref, common, error);
    }
  }

  return {
    async resolve(ref) {
      const [, name = '', steps = ''] = ANCESTOR.exec(ref) ?? [];
      let hash = await resolveName(name === '' ? 'HEAD' : name);
      for (const [, sign, count] of steps.matchAll(/([~^])(\d*)/g)) {
        const number = count === '' || count === undefined ? 1 : Number(count);
        // `~2` is the parent's parent, `^2` the second parent.
        const path =
          sign === '~' ? Array.from({ length: number }, () => 0) : number === 0 ? [] : [number - 1];
        for (const parent of path) {
          const next = (await readCommit(hash)).commit.parent[parent];
          if (next === undefined) throw refNotFound(ref, common, undefined);
          hash = next;
        }
      }
      return hash;
    },
    async commit(hash) {
      const { oid, commit } = await readCommit(hash);
      const { name, email } = commit.author;
      return { hash: oid, author: `${name} <${email}>`, subject: commit.message.split('\n', 1)[0] ?? '' };
    },
    async files(commit, folder, wanted) {
      const found: TreeFile[] = [];
      const walk = async (tree: string, below: string): Promise<void> => {
        const { tree: entries } = await git.readTree({ ...base, oid: tree });
        for (const { path: name, type, oid, mode } of entries) {
          const path = below === '' ? name : `${below}/${name}`;
          if (type === 'tree') await walk(oid, path);
          // A link's blob holds the path that it leads to, not a workflow.
          else if (type === 'blob' && mode !== SYMBOLIC_LINK && wanted(path)) found.push({ path, blob: oid });
        }
      };
      try {
        let { oid: root } = await git.readTree({ ...base, oid: commit });
        for (const name of folder === '' ? [] : folder.split('/')) {
          const { tree } = await git.readTree({ ...base, oid: root });
          const entry = tree.find(({ path, type }) => path === name && type === 'tree');
          if (entry === undefined) return undefined;
          root = entry.oid;
        }
        await walk(root, '');
      } catch (error) {
        throw damaged(`the tree of commit ${commit}`, error);
      }
      return found;
    },
    async text(blob) {
      try {
        const read = await git.readBlob({ ...base, oid: blob });
        return Buffer.from(read.blob).toString('utf8');
      } catch (error) {
        throw damaged(`file ${blob}`, error);
      }
    },
  };
}

function refNotFound(ref: string, folder: string, cause: unknown): HeadgateError {
  return new HeadgateError(
    'GIT_REF_NOT_FOUND',
    `there is no "${ref}" in ${folder}`,
    fs.existsSync(join(folder, 'reftable'))
      ? 'Its refs are stored as a reftable, which cannot be read; convert it with "git refs migrate --ref-format=files".'
      : 'Name a branch, a tag or a commit that is there, or fetch it.',
    { cause },
  );
}

/** The hash that git gives to a file's content. */
export function blobHash(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
