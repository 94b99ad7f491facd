// Groups on their way from thread to thread: columns of numbers, as to copy thousands of objects of twenty sums takes longer than to add them up.
import type { SpansAnswer } from '../sqlite/queries/queries.ts';
import type { GroupedSums } from './group.ts';
import type { PackedAnswer } from './span.ts';
import { noSums } from './sums.ts';
import type { SumNames } from './sums.ts';

export interface PackedGroups {
  /** One list for each group. */
  readonly values: readonly (readonly string[])[];
  readonly names: SumNames;
  /** Of each group all of `names`; where one does not fit into 64 bits, as they are. */
  readonly numbers: BigInt64Array | readonly bigint[];
  /** Of each group its latencies and its times to the first token, encoded, and where each of them ends; null: nobody asked. */
  readonly durations: { readonly bytes: Uint8Array; readonly ends: Uint32Array } | null;
}

/** `names`: the others are 0. */
export function packGroups(groups: readonly GroupedSums[], names: SumNames): PackedGroups {
  const { amounts, counts } = names;
  const all: bigint[] = [];
  for (const { sums } of groups) {
    for (const name of amounts) all.push(sums[name]);
    for (const name of counts) all.push(BigInt(sums[name]));
  }
  const numbers = BigInt64Array.from(all);
  return {
    values: groups.map(({ values }) => values),
    names,
    numbers: all.every((value, index) => value === numbers[index]) ? numbers : all,
    durations: packDurations(groups),
  };
}

function packDurations(groups: readonly GroupedSums[]): PackedGroups['durations'] {
  const all = groups.flatMap(({ sums: { latency, firstToken } }) => [latency, firstToken]);
  let end = 0;
  const ends = Uint32Array.from(all, ({ length }) => (end += length));
  if (end === 0) return null;
  const bytes = new Uint8Array(end);
  all.forEach((one, index) => bytes.set(one, (ends[index] ?? 0) - one.length));
  return { bytes, ends };
}

/** What a reader sent, as it is read. */
export function unpackSpans({ answers, ...rest }: SpansAnswer<PackedAnswer>): SpansAnswer {
  return { ...rest, answers: answers.map((answer) => ({ ...answer, groups: unpackGroups(answer.groups) })) };
}

function unpackGroups({ values, names, numbers, durations }: PackedGroups): GroupedSums[] {
  const { amounts, counts } = names;
  let at = 0;
  const next = (): bigint => numbers[at++] ?? 0n;
  return values.map((group, index) => {
    const sums = noSums();
    for (const name of amounts) sums[name] = next();
    for (const name of counts) sums[name] = Number(next());
    if (durations !== null) {
      const [from = 0, middle = 0, to = 0] = [-1, 0, 1].map((by) => durations.ends[2 * index + by]);
      sums.latency = durations.bytes.subarray(from, middle);
      sums.firstToken = durations.bytes.subarray(middle, to);
    }
    return { bucketMs: 0, values: group, sums };
  });
}
