// Who changed which line of the workflows between two commits: each is followed back to where it came in, as `git blame` does.
import { realpath } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { changedLines, linesOf, sameLines, type LineChange } from './changed-lines.ts';
import { workTreeOf, type GitFolders } from './git-folders.ts';
import { openGitRepository, type CommitInfo, type GitRepository } from './git-objects.ts';
import { readGitSnapshot } from './git-snapshot.ts';
import type { ChangedLine } from './port.ts';
import { decodeFile } from './unread.ts';

/** A revision is in force for weeks, in a repository of much else; what lies further back is not looked for. */
const MOST_COMMITS = 1_000;

/** Between two commits of a repository, below a folder of its tree; undefined: it does not have them both. */
export async function changesInGit(
  folders: GitFolders,
  folder: string,
  before: string,
  after: string,
): Promise<readonly ChangedLine[] | undefined> {
  try {
    const [from, to] = await Promise.all(
      [before, after].map((commit) => readGitSnapshot(folders, commit, folder)),
    );
    if (from === undefined || to === undefined) return undefined;
    const changes = changedLines(from.files, to.files);
    const commits = await blame(
      await openGitRepository(folders),
      folder,
      from.commitHash,
      to.commitHash,
      changes,
    );
    return changes.map((change, index) => ({ ...change, commit: commits[index] ?? null }));
  } catch {
    return undefined;
  }
}

/** The same for a folder of a work tree; undefined: it lies in none. */
export async function changesInFolder(
  directory: string,
  before: string,
  after: string,
): Promise<readonly ChangedLine[] | undefined> {
  const real = await realpath(directory).catch(() => directory);
  const tree = await workTreeOf(real).catch(() => null);
  if (tree === null) return undefined;
  return changesInGit(tree.folders, relative(tree.root, real).split(sep).join('/'), before, after);
}

/** What is looked for in one file, by the number of its change. */
interface Wanted {
  /** By the line's place in the commit that is looked at, from 0. */
  readonly added: Map<number, readonly number[]>;
  /** Texts that were taken out. */
  readonly gone: Map<number, string>;
}
/** By the file's path. */
type Pending = Map<string, Wanted>;
/** A commit's files: path → blob. */
type Blobs = ReadonlyMap<string, string>;

/**
 * For each change between `before` and `after`, the commit that made it; null: it lies too far back. A line goes on to the parent that has it too, so that
 * a merge is named only for what it wrote itself; one that was taken out is laid to the newest commit that took such a line out of that file.
 */
async function blame(
  git: GitRepository,
  folder: string,
  before: string,
  after: string,
  changes: readonly LineChange[],
): Promise<readonly (CommitInfo | null)[]> {
  const makers = new Map<number, string>();
  const waiting = new Map<string, Pending>([[after, startOf(changes)]]);
  for (let seen = 0; seen < MOST_COMMITS; seen += 1) {
    const [next] = waiting;
    if (next === undefined) break;
    const [commit, pending] = next;
    waiting.delete(commit);
    if (commit === before) continue;
    const own = await blobsOf(git, commit, folder);
    const parents: { readonly hash: string; readonly blobs: Blobs }[] = [];
    for (const hash of await git.parents(commit)) {
      const blobs = await blobsOf(git, hash, folder).catch(() => undefined);
      // A clone that is not deep ends somewhere.
      if (blobs !== undefined) parents.push({ hash, blobs });
    }
    const same = parents.find(({ blobs }) =>
      [...pending.keys()].every((file) => blobs.get(file) === own.get(file)),
    );
    if (same !== undefined) {
      for (const [file, wanted] of pending) handOn(waiting, same.hash, file, wanted);
      continue;
    }
    const linesAt = async (blobs: Blobs, file: string): Promise<readonly string[]> => {
      const blob = blobs.get(file);
      return blob === undefined ? [] : linesOf(decodeFile(file, await git.bytes(blob)).text);
    };
    for (const [file, wanted] of pending) {
      const lines = await linesAt(own, file);
      const added = new Map(wanted.added);
      const gone = new Map(wanted.gone);
      for (const { hash, blobs } of parents) {
        const earlier = await linesAt(blobs, file);
        const shared = sameLines(earlier, lines);
        const passed: Wanted = { added: new Map(), gone: new Map() };
        for (const [at, place] of shared) {
          const ids = added.get(place);
          if (ids === undefined) continue;
          passed.added.set(at, ids);
          added.delete(place);
        }
        const kept = new Set(shared.map(([at]) => at));
        const removed = new Set(earlier.filter((_, at) => !kept.has(at)));
        for (const [id, text] of gone) {
          // Of a merge, whose other side may have done it: the older commit is told then.
          if (removed.has(text)) makers.set(id, commit);
          else passed.gone.set(id, text);
        }
        handOn(waiting, hash, file, passed);
      }
      for (const ids of added.values()) for (const id of ids) makers.set(id, commit);
    }
  }
  const infos = new Map<string, CommitInfo>();
  for (const hash of new Set(makers.values())) infos.set(hash, await git.commit(hash));
  return changes.map((_, id) => infos.get(makers.get(id) ?? '') ?? null);
}

function startOf(changes: readonly LineChange[]): Pending {
  const pending: Pending = new Map();
  for (const [id, { file, line, before, after }] of changes.entries()) {
    const wanted = pending.get(file) ?? {
      added: new Map<number, number[]>(),
      gone: new Map<number, string>(),
    };
    pending.set(file, wanted);
    if (after === null) wanted.gone.set(id, before ?? '');
    else wanted.added.set(line - 1, [...(wanted.added.get(line - 1) ?? []), id]);
  }
  return pending;
}

/** A commit may be reached by several ways: what is looked for there comes together. */
function handOn(waiting: Map<string, Pending>, commit: string, file: string, { added, gone }: Wanted): void {
  if (added.size === 0 && gone.size === 0) return;
  const pending = waiting.get(commit) ?? new Map<string, Wanted>();
  waiting.set(commit, pending);
  const known = pending.get(file);
  if (known === undefined) {
    pending.set(file, { added, gone });
    return;
  }
  for (const [place, ids] of added) known.added.set(place, [...(known.added.get(place) ?? []), ...ids]);
  for (const [id, text] of gone) known.gone.set(id, text);
}

async function blobsOf(git: GitRepository, commit: string, folder: string): Promise<Blobs> {
  const files = (await git.files(commit, folder)) ?? [];
  return new Map(
    files.flatMap(({ path, blob }) =>
      blob === undefined ? [] : [[folder === '' ? path : `${folder}/${path}`, blob] as const],
    ),
  );
}
