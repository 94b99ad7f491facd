// Groups on their way from thread to thread: columns of numbers, as to copy thousands of objects of twenty sums takes longer than to add them up.
import type { SpansAnswer } from '../sqlite/queries/queries.ts';
import type { GroupedSums } from './group.ts';
import type { PackedAnswer } from './span.ts';
import { unpackedRows } from './sum-table.ts';
import type { PackedTable } from './sum-table.ts';
import type { SumNames } from './sums.ts';

export interface PackedGroups {
  /** One list for each group. */
  readonly values: readonly (readonly string[])[];
  readonly names: SumNames;
  /** Of each group all of `names`. */
  readonly sums: PackedTable;
  /** Of each group its latencies and its times to the first token, encoded, and where each of them ends; null: nobody asked. */
  readonly durations: { readonly bytes: Uint8Array; readonly ends: Uint32Array } | null;
}

/** Two of each group. */
export function packDurations(all: readonly Uint8Array[]): PackedGroups['durations'] {
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

export function unpackGroups({ values, names, sums, durations }: PackedGroups): GroupedSums[] {
  const groups: GroupedSums[] = [];
  for (const own of unpackedRows(sums, names)) {
    const index = groups.length;
    if (durations !== null) {
      const [from = 0, middle = 0, to = 0] = [-1, 0, 1].map((by) => durations.ends[2 * index + by]);
      own.latency = durations.bytes.subarray(from, middle);
      own.firstToken = durations.bytes.subarray(middle, to);
    }
    groups.push({ bucketMs: 0, values: values[index] ?? [], sums: own });
  }
  return groups;
}
