// Where two sets of workflow files differ, by file and line.
import type { WorkflowFile } from './port.ts';

export interface LineChange {
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
  before: readonly WorkflowFile[],
  after: readonly WorkflowFile[],
): readonly LineChange[] {
  const earlier = new Map(before.map(({ path, text }) => [path, text]));
  const later = new Map(after.map(({ path, text }) => [path, text]));
  return [...new Set([...earlier.keys(), ...later.keys()])]
    .sort()
    .flatMap((file) =>
      changesOf(linesOf(earlier.get(file)), linesOf(later.get(file))).map((change) => ({ file, ...change })),
    );
}

export interface LinesAlone {
  /** `headgate.yaml:12`: where the first of them stands, in the later files. */
  readonly where: string;
  /** What stands there now; what stood there where nothing does. */
  readonly text: string;
  /** The earlier files with these lines alone as the later ones have them. */
  readonly files: readonly WorkflowFile[];
}

/** Each group of changed lines that stand together, by itself. A file that is new or gone is one group. */
export function linesAlone(
  before: readonly WorkflowFile[],
  after: readonly WorkflowFile[],
): readonly LinesAlone[] {
  const [from, to] = [fromProject(before), fromProject(after)];
  const earlier = new Map(from.map((file) => [file.path, file]));
  const later = new Map(to.map((file) => [file.path, file]));
  return [...new Set([...earlier.keys(), ...later.keys()])].sort().flatMap((path): LinesAlone[] => {
    const [old, fresh] = [earlier.get(path), later.get(path)];
    if (old?.text === fresh?.text) return [];
    const without = from.filter((file) => file.path !== path);
    if (old === undefined || fresh === undefined)
      return [
        {
          where: path,
          text: fresh === undefined ? '(taken out)' : '(new)',
          files: fresh === undefined ? without : [...without, fresh],
        },
      ];
    const lines = linesOf(old.text);
    return groupsOf(lines, linesOf(fresh.text)).map(({ start, taken, given, line }) => ({
      where: `${path}:${line}`,
      text: (given.find((one) => one.trim() !== '') ?? `(taken out) ${taken[0]?.trim() ?? ''}`).trim(),
      files: [
        ...without,
        {
          ...old,
          text: [...lines.slice(0, start), ...given, ...lines.slice(start + taken.length)].join('\n'),
        },
      ],
    }));
  });
}

const PROJECT_FILE = 'headgate.yaml';

/** Paths from the folder of the project file on: two folders, and a folder and a commit, are compared too. */
function fromProject(files: readonly WorkflowFile[]): readonly WorkflowFile[] {
  const [project] = files
    .map(({ path }) => path)
    .filter((path) => path === PROJECT_FILE || path.endsWith(`/${PROJECT_FILE}`))
    .sort((a, b) => a.length - b.length);
  const start = (project ?? PROJECT_FILE).length - PROJECT_FILE.length;
  const folder = (project ?? '').slice(0, start);
  return files.map((file) =>
    file.path.startsWith(folder) ? { ...file, path: file.path.slice(start) } : file,
  );
}

interface LineGroup {
  /** From 0, in the earlier text. */
  readonly start: number;
  readonly taken: readonly string[];
  readonly given: readonly string[];
  /** From 1, in the later text. */
  readonly line: number;
}

function groupsOf(from: readonly string[], to: readonly string[]): readonly LineGroup[] {
  const groups: LineGroup[] = [];
  let [left, right] = [0, 0];
  for (const [at, other] of [...sameLines(from, to), [from.length, to.length] as const]) {
    if (left < at || right < other)
      groups.push({
        start: left,
        taken: from.slice(left, at),
        given: to.slice(right, other),
        line: right + 1,
      });
    left = at + 1;
    right = other + 1;
  }
  return groups.filter(({ taken, given }) => taken.join('\n').trim() !== given.join('\n').trim());
}

export const linesOf = (text: string | undefined): readonly string[] => text?.split(/\r?\n/) ?? [];

function changesOf(from: readonly string[], to: readonly string[]): Omit<LineChange, 'file'>[] {
  const changes: Omit<LineChange, 'file'>[] = [];
  let [left, right] = [0, 0];
  for (const [at, other] of [...sameLines(from, to), [from.length, to.length] as const]) {
    // A run of lines in the place of another is told pair by pair.
    for (; left < at || right < other;) {
      changes.push({
        line: Math.max(1, right + (right < other ? 1 : 0)),
        before: left < at ? (from[left] ?? null) : null,
        after: right < other ? (to[right] ?? null) : null,
      });
      if (left < at) left += 1;
      if (right < other) right += 1;
    }
    left = at + 1;
    right = other + 1;
  }
  return changes.filter(({ before, after }) => (before ?? '').trim() !== (after ?? '').trim());
}

/** The lines that two texts share, as pairs of places from 0, in their order. */
export function sameLines(
  from: readonly string[],
  to: readonly string[],
): readonly (readonly [number, number])[] {
  let start = 0;
  while (start < from.length && start < to.length && from[start] === to[start]) start += 1;
  let ends = 0;
  while (
    ends < from.length - start &&
    ends < to.length - start &&
    from[from.length - 1 - ends] === to[to.length - 1 - ends]
  )
    ends += 1;
  const inside = commonLines(from.slice(start, from.length - ends), to.slice(start, to.length - ends));
  return [
    ...Array.from({ length: start }, (_, index) => [index, index] as const),
    ...inside.map(([left, right]) => [start + left, start + right] as const),
    ...Array.from(
      { length: ends },
      (_, index) => [from.length - ends + index, to.length - ends + index] as const,
    ),
  ];
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
