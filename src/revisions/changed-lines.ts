// Where the workflows differ between two commits: file and line, for people who look for who changed what.
import { realpath } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { workTreeOf } from './git-folders.ts';
import { readGitSnapshot } from './git.ts';
import type { SourceFile } from './port.ts';

export interface ChangedLine {
  /** As the later commit has it; of a file that is gone, the earlier one's. */
  readonly file: string;
  /** From 1, in the later commit; a line that was taken out is told at the place where it stood. */
  readonly line: number;
  readonly before: string | null;
  readonly after: string | null;
}

/** More lines than this on both sides are compared only from their first difference to their last. */
const MOST_CELLS = 4_000_000;

export function changedLines(
  before: readonly SourceFile[],
  after: readonly SourceFile[],
): readonly ChangedLine[] {
  const earlier = new Map(before.map(({ path, text }) => [path, text]));
  const later = new Map(after.map(({ path, text }) => [path, text]));
  return [...new Set([...earlier.keys(), ...later.keys()])]
    .sort()
    .flatMap((file) =>
      changesOf(linesOf(earlier.get(file)), linesOf(later.get(file))).map((change) => ({ file, ...change })),
    );
}

const linesOf = (text: string | undefined): readonly string[] => text?.split(/\r?\n/) ?? [];

function changesOf(from: readonly string[], to: readonly string[]): Omit<ChangedLine, 'file'>[] {
  let start = 0;
  while (start < from.length && start < to.length && from[start] === to[start]) start += 1;
  let ends = 0;
  while (
    ends < from.length - start &&
    ends < to.length - start &&
    from[from.length - 1 - ends] === to[to.length - 1 - ends]
  )
    ends += 1;
  const old = from.slice(start, from.length - ends);
  const fresh = to.slice(start, to.length - ends);
  const changes: Omit<ChangedLine, 'file'>[] = [];
  const common = commonLines(old, fresh);
  let [left, right] = [0, 0];
  for (const [at, other] of [...common, [old.length, fresh.length] as const]) {
    // A run of lines in the place of another is told pair by pair.
    for (; left < at || right < other;) {
      changes.push({
        line: Math.max(1, start + right + (right < other ? 1 : 0)),
        before: left < at ? (old[left] ?? null) : null,
        after: right < other ? (fresh[right] ?? null) : null,
      });
      if (left < at) left += 1;
      if (right < other) right += 1;
    }
    left = at + 1;
    right = other + 1;
  }
  return changes.filter(({ before, after }) => (before ?? '').trim() !== (after ?? '').trim());
}

/** The longest common subsequence, as pairs of places. */
function commonLines(old: readonly string[], fresh: readonly string[]): (readonly [number, number])[] {
  const width = fresh.length + 1;
  if (old.length * width > MOST_CELLS) return [];
  const lengths = new Uint32Array((old.length + 1) * width);
  const at = (left: number, right: number): number => lengths[left * width + right] ?? 0;
  for (let left = old.length - 1; left >= 0; left -= 1)
    for (let right = fresh.length - 1; right >= 0; right -= 1)
      lengths[left * width + right] =
        old[left] === fresh[right]
          ? at(left + 1, right + 1) + 1
          : Math.max(at(left + 1, right), at(left, right + 1));
  const pairs: (readonly [number, number])[] = [];
  for (let left = 0, right = 0; left < old.length && right < fresh.length;) {
    if (old[left] === fresh[right]) pairs.push([left++, right++]);
    else if (at(left + 1, right) >= at(left, right + 1)) left += 1;
    else right += 1;
  }
  return pairs;
}

/** The workflow files that a commit has in the folder of a work tree; undefined: there is no such tree or commit here. */
export async function filesOfFolderAt(
  directory: string,
  commit: string,
): Promise<readonly SourceFile[] | undefined> {
  try {
    const real = await realpath(directory);
    const tree = await workTreeOf(real);
    if (tree === null) return undefined;
    return (await readGitSnapshot(tree.folders, commit, relative(tree.root, real).split(sep).join('/')))
      .files;
  } catch {
    return undefined;
  }
}
