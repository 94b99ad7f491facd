// What a person calls a commit, as git takes it: a branch, a tag, a hash or the start of one, and the steps from it.
import fs from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HeadgateError } from '../errors/headgate-error.ts';
import { parseCommit } from './git-commit.ts';
import type { GitFolders } from './git-folders.ts';
import type { GitStore } from './git-store.ts';

const FULL_HASH = /^[0-9a-f]{40}$/i;
const SHORT_HASH = /^[0-9a-f]{4,39}$/i;
/** What `git describe` prints: a tag, how many commits after it, and the commit. */
const DESCRIBED = /-\d+-g([0-9a-f]{4,40})$/i;
/** `main~2^{commit}`: the name, and the steps from it. */
const STEPS = /^(.*?)((?:~\d*|\^\d*|\^\{\w*\})*)$/s;
/** An annotated tag may name a tag. */
const MAX_PEELED = 8;

/** The commit's hash. Throws GIT_REF_NOT_FOUND, or what the store throws. */
export async function resolveCommit(
  { own, common }: GitFolders,
  store: GitStore,
  ref: string,
): Promise<string> {
  const git = await import('isomorphic-git');

  /** HEAD is each work tree's own; all other refs are shared. */
  async function readRef(name: string): Promise<string> {
    if (FULL_HASH.test(name)) return name.toLowerCase();
    if (name !== 'HEAD' && name !== '@') return git.resolveRef({ fs, gitdir: common, ref: name });
    const head = (await readFile(join(own, 'HEAD'), 'utf8')).trim();
    return head.startsWith('ref: ') ? git.resolveRef({ fs, gitdir: common, ref: head.slice(5) }) : head;
  }

  async function named(name: string): Promise<string> {
    try {
      return await readRef(name);
    } catch (error) {
      const start = SHORT_HASH.test(name) ? name : DESCRIBED.exec(name)?.[1];
      const whole = start === undefined ? undefined : await store.expand(start.toLowerCase());
      if (whole !== undefined) return whole;
      throw notFound(ref, common, error);
    }
  }

  /** A tag's commit; what is neither a tag nor a commit is no place to read workflows from. */
  async function peeled(hash: string): Promise<string> {
    let at = hash;
    for (let step = 0; step < MAX_PEELED; step += 1) {
      const { type, bytes } = await store.read(at, `"${ref}" (${at})`);
      if (type === 'commit') return at;
      const target =
        type === 'tag' ? /^object ([0-9a-f]{40})$/m.exec(bytes.toString('latin1'))?.[1] : undefined;
      if (target === undefined) break;
      at = target;
    }
    throw new HeadgateError(
      'GIT_REF_NOT_FOUND',
      `"${ref}" in ${common} is no commit`,
      'Name a branch, a tag or a commit.',
    );
  }

  const [, name = '', steps = ''] = STEPS.exec(ref) ?? [];
  let hash = await peeled(await named(name === '' ? 'HEAD' : name));
  for (const [, sign, count, , kind] of steps.matchAll(/([~^])(?:(\d*)(\{(\w*)\})?)/g)) {
    if (kind !== undefined) {
      // `^{}` and `^{commit}` ask for what a tag leads to, which is had already.
      if (kind !== '' && kind !== 'commit') throw notFound(ref, common, undefined);
      continue;
    }
    const number = count === '' || count === undefined ? 1 : Number(count);
    // `~2` is the parent's parent, `^2` the second parent.
    const generations = sign === '~' ? number : Math.min(number, 1);
    const parent = sign === '~' ? 0 : number - 1;
    for (let generation = 0; generation < generations; generation += 1) {
      const shortened = await store.parents(hash);
      const { bytes } = await store.read(hash, `commit ${hash}`);
      const next = (shortened ?? parseCommit(bytes).parents)[parent];
      if (next === undefined) throw notFound(ref, common, undefined, shortened !== undefined);
      hash = next;
    }
  }
  return hash;
}

function notFound(ref: string, folder: string, cause: unknown, isShallow = false): HeadgateError {
  return new HeadgateError(
    'GIT_REF_NOT_FOUND',
    `there is no "${ref}" in ${folder}`,
    isShallow
      ? 'It is a shallow clone that ends before; run "git fetch --unshallow" there.'
      : fs.existsSync(join(folder, 'reftable'))
        ? 'Its refs are stored as a reftable, which cannot be read; convert it with "git refs migrate --ref-format=files".'
        : 'Name a branch, a tag or a commit that is there, or fetch it.',
    { cause },
  );
}
