// A repository's objects as git itself gives them out: its own, those of the repositories it borrows from, and what was put in the place of others.
import fs from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, resolve, join } from 'node:path';
import { HeadgateError } from '../errors/headgate-error.ts';

export interface GitObject {
  readonly type: string;
  readonly bytes: Buffer;
}

export interface GitStore {
  /** What stands for this object, which is another one where `git replace` says so. Throws GIT_OBJECT_UNREADABLE; `what` is for people. */
  read(hash: string, what: string): Promise<GitObject>;
  /** The whole of a hash that begins so, if there is one and no other. */
  expand(start: string): Promise<string | undefined>;
  /** A commit's parents where they are not those that it names: a shallow clone ends there. */
  parents(hash: string): Promise<readonly string[] | undefined>;
}

/** git follows a chain of borrowed object folders as far. */
const MAX_BORROWED = 5;
/** A replacement may have been replaced in its turn. */
const MAX_REPLACED = 5;
const HASH = /^[0-9a-f]{40}$/;

/** Throws GIT_UNSUPPORTED where the objects are of a kind that cannot be read. */
export async function openGitStore(gitdir: string): Promise<GitStore> {
  const config = await lines(join(gitdir, 'config'));
  if (config.some((line) => /^\s*objectformat\s*=\s*"?sha256/i.test(line)))
    throw new HeadgateError(
      'GIT_UNSUPPORTED',
      `the repository ${gitdir} names its objects with SHA-256, which cannot be read here; SHA-1 is`,
      'Serve a checkout with --workflows DIR, or push the workflows to a repository made with "git init --object-format=sha1".',
    );
  const git = await import('isomorphic-git');
  const cache = {};
  const borrowed = await borrowedFolders(gitdir);
  const folders = [gitdir, ...borrowed.there];
  let replaced: Promise<ReadonlyMap<string, string>> | undefined;
  let ends: Promise<ReadonlyMap<string, readonly string[]>> | undefined;

  async function replacements(): Promise<ReadonlyMap<string, string>> {
    const names = await git.listRefs({ fs, gitdir, filepath: 'refs/replace' }).catch(() => []);
    const found = names.filter((name) => HASH.test(name));
    return new Map(
      await Promise.all(
        found.map(
          async (name) => [name, await git.resolveRef({ fs, gitdir, ref: `refs/replace/${name}` })] as const,
        ),
      ),
    );
  }

  async function shortened(): Promise<ReadonlyMap<string, readonly string[]>> {
    const found = new Map<string, readonly string[]>();
    for (const line of [
      ...(await lines(join(gitdir, 'shallow'))),
      ...(await lines(join(gitdir, 'info/grafts'))),
    ]) {
      const [commit = '', ...parents] = line.trim().split(/\s+/);
      if (HASH.test(commit)) found.set(commit, parents);
    }
    return found;
  }

  function unreadable(what: string, error: unknown): HeadgateError {
    const isMissing = (error as { code?: string }).code === 'NotFoundError';
    const isPartial = config.some((line) => /^\s*(promisor|partialclone)\s*=/i.test(line));
    const [reason, remedy] =
      isMissing && isPartial
        ? [
            'it is a partial clone, and this was never fetched',
            'Fetch all of it: "git fetch --refetch --no-filter" there.',
          ]
        : isMissing && borrowed.missing.length > 0
          ? [
              `it borrows objects from ${borrowed.missing.join(' and ')}, which cannot be read`,
              'Bring that folder back, correct objects/info/alternates, or clone again without --shared.',
            ]
          : [
              error instanceof Error ? error.message : String(error),
              'Run "git fsck" there, and fetch what is missing or damaged.',
            ];
    return new HeadgateError(
      'GIT_OBJECT_UNREADABLE',
      `${what} cannot be read from ${gitdir} (${reason})`,
      remedy,
      {
        cause: error,
      },
    );
  }

  async function raw(hash: string): Promise<GitObject> {
    let missing: unknown;
    for (const folder of folders) {
      try {
        const { type, object } = await git.readObject({
          fs,
          gitdir: folder,
          oid: hash,
          format: 'content',
          cache,
        });
        return { type, bytes: Buffer.from(object as Uint8Array) };
      } catch (error) {
        if ((error as { code?: string }).code !== 'NotFoundError') throw error;
        missing ??= error;
      }
    }
    throw missing;
  }

  return {
    async read(hash, what) {
      try {
        const map = await (replaced ??= replacements());
        let wanted = hash;
        for (let step = 0; step < MAX_REPLACED; step += 1) wanted = map.get(wanted) ?? wanted;
        return await raw(wanted);
      } catch (error) {
        throw unreadable(what, error);
      }
    },
    async expand(start) {
      const found = new Set<string>();
      for (const folder of folders) {
        const hash = await git.expandOid({ fs, gitdir: folder, oid: start, cache }).catch(() => undefined);
        if (hash !== undefined) found.add(hash);
      }
      return found.size === 1 ? [...found][0] : undefined;
    },
    async parents(hash) {
      return (await (ends ??= shortened())).get(hash);
    },
  };
}

/** The repositories whose objects this one uses (`git clone --shared`, forks on a server), and theirs; a folder that cannot be read is told when something is missing. */
async function borrowedFolders(
  gitdir: string,
): Promise<{ readonly there: readonly string[]; readonly missing: readonly string[] }> {
  const there = new Set<string>();
  const missing: string[] = [];
  const follow = async (objects: string, depth: number): Promise<void> => {
    for (const line of await lines(join(objects, 'info/alternates'))) {
      const path = line.trim().replace(/^"(.*)"$/, '$1');
      if (path === '' || path.startsWith('#')) continue;
      const lender = isAbsolute(path) ? path : resolve(objects, path);
      const found = await stat(lender).catch(() => undefined);
      // The library asks for the folder above it.
      if (found?.isDirectory() !== true || basename(lender) !== 'objects') missing.push(lender);
      else if (!there.has(dirname(lender))) {
        there.add(dirname(lender));
        if (depth < MAX_BORROWED) await follow(lender, depth + 1);
      }
    }
  };
  await follow(join(gitdir, 'objects'), 1);
  return { there: [...there], missing };
}

async function lines(path: string): Promise<readonly string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split(/\r?\n/);
}
