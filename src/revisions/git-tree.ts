// The tree of a commit: its workflow files, through links and linked folders as a checkout would have them. What cannot be followed is named.
import { posix } from 'node:path';
import type { GitStore } from './git-store.ts';
import { holdsWorkflows, isWorkflowPath } from './paths.ts';
import { badName, brokenLink, mayBeWorkflows, unreadSubmodule, type Unread } from './unread.ts';

/** `path` is relative to the folder that was asked for. */
export type TreeFile =
  | { readonly path: string; readonly blob: string; readonly unread?: never }
  | { readonly path: string; readonly blob?: never; readonly unread: Unread };

interface Entry {
  readonly name: string;
  readonly kind: 'folder' | 'file' | 'link' | 'submodule';
  readonly hash: string;
}

/** What a path leads to: `at` is where it really lies, from the root. */
type Found =
  | { readonly kind: 'folder' | 'file' | 'submodule'; readonly hash: string; readonly at: string }
  /** `why` goes on from "it leads to X,". */
  | { readonly kind: 'nothing'; readonly why: string };

/** As many links one after the other as Linux follows. */
const MAX_LINKS = 40;

export class GitTree {
  readonly #store: GitStore;
  readonly #commit: string;
  readonly #root: string;
  readonly #folders = new Map<string, Promise<readonly Entry[]>>();

  constructor(store: GitStore, commit: string, root: string) {
    this.#store = store;
    this.#commit = commit;
    this.#root = root;
  }

  /** undefined: there is no such folder. */
  async workflows(folder: string): Promise<readonly TreeFile[] | undefined> {
    const start = await this.#follow(folder, 0);
    if (start.kind === 'submodule') return [{ path: '', unread: unreadSubmodule(folder) }];
    if (start.kind !== 'folder') return undefined;
    const files: TreeFile[] = [];
    await this.#walk(start.hash, start.at, '', [start.at], files);
    return files;
  }

  /** `at`: where the folder lies; `below`: how it is reached; `under`: the folders that it is reached through, where they lie. */
  async #walk(
    tree: string,
    at: string,
    below: string,
    under: readonly string[],
    files: TreeFile[],
  ): Promise<void> {
    for (const entry of await this.#folder(tree)) {
      const { name } = entry;
      const path = join(below, name);
      const found: Found =
        entry.kind === 'link'
          ? await this.#followLink(at, name, entry.hash, 0)
          : { kind: entry.kind, hash: entry.hash, at: join(at, name) };
      if (found.kind === 'file') {
        if (isWorkflowPath(path))
          files.push(name.includes('\uFFFD') ? { path, unread: badName(path) } : { path, blob: found.hash });
      } else if (!holdsWorkflows(name)) continue;
      else if (found.kind === 'submodule') files.push({ path, unread: unreadSubmodule(path) });
      else if (found.kind === 'nothing') {
        if (mayBeWorkflows(name)) files.push({ path, unread: brokenLink(path, found.why) });
      } else if (under.some((folder) => isWithin(folder, found.at)))
        files.push({ path, unread: brokenLink(path, `${found.at || 'the root'}, which it lies in`) });
      else await this.#walk(found.hash, found.at, path, [...under, found.at], files);
    }
  }

  /** A path from the root, each link in it followed. */
  async #follow(path: string, links: number): Promise<Found> {
    let found: Found = { kind: 'folder', hash: this.#root, at: '' };
    const names = path.split('/').filter((name) => name !== '' && name !== '.');
    for (const name of names) {
      if (found.kind !== 'folder') return missing(path);
      if (name === '..') {
        if (found.at === '')
          return { kind: 'nothing', why: `${posix.normalize(path)}, which is outside the repository` };
        found = await this.#follow(parentOf(found.at), links);
        continue;
      }
      const { at, hash }: { at: string; hash: string } = found;
      const entry = (await this.#folder(hash)).find((one) => one.name === name);
      if (entry === undefined) return missing(path);
      found =
        entry.kind === 'link'
          ? await this.#followLink(at, name, entry.hash, links)
          : { kind: entry.kind, hash: entry.hash, at: join(at, name) };
      if (found.kind === 'nothing') return found;
    }
    return found;
  }

  async #followLink(at: string, name: string, blob: string, links: number): Promise<Found> {
    if (links >= MAX_LINKS) return { kind: 'nothing', why: 'itself, over other links' };
    const { bytes } = await this.#store.read(blob, `link ${join(at, name)}`);
    const target = bytes.toString('utf8');
    if (target.startsWith('/') || /^[A-Za-z]:[\\/]/.test(target))
      return { kind: 'nothing', why: `${target}, which is outside the repository` };
    return this.#follow(join(at, target), links + 1);
  }

  #folder(hash: string): Promise<readonly Entry[]> {
    let read = this.#folders.get(hash);
    if (read === undefined) {
      read = this.#store
        .read(hash, `the tree of commit ${this.#commit}`)
        .then(({ bytes }) => parseTree(bytes));
      this.#folders.set(hash, read);
    }
    return read;
  }
}

const KINDS: { readonly [mode: string]: Entry['kind'] } = {
  '40000': 'folder',
  '120000': 'link',
  '160000': 'submodule',
};
const HASH_BYTES = 20;

/** `mode name\0hash`, one after the other; whatever stands beside the workflows, however it is named, is no obstacle. */
function parseTree(bytes: Buffer): readonly Entry[] {
  const entries: Entry[] = [];
  for (let position = 0; position < bytes.length;) {
    const blank = bytes.indexOf(0x20, position);
    const end = bytes.indexOf(0, blank);
    if (blank < 0 || end < 0 || end + HASH_BYTES >= bytes.length + 1) break;
    const mode = bytes.toString('latin1', position, blank);
    const hash = bytes.toString('hex', end + 1, end + 1 + HASH_BYTES);
    const name = bytes.toString('utf8', blank + 1, end);
    entries.push({ name, kind: KINDS[mode.replace(/^0+/, '')] ?? 'file', hash });
    position = end + 1 + HASH_BYTES;
  }
  return entries;
}

function missing(path: string): Found {
  return { kind: 'nothing', why: `${posix.normalize(path)}, which is not there` };
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function isWithin(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

function parentOf(path: string): string {
  const end = path.lastIndexOf('/');
  return end < 0 ? '' : path.slice(0, end);
}
