// The groups of one span, or of its buckets, from sums of keys and from rows, whichever database they were read from.
import { HistogramSum } from '../../common/histogram.ts';
import type { Dimensions } from './dimensions.ts';
import { PART_OF, matchesFilter, sharesOf } from './group.ts';
import type { GroupedPoint, Grouping, PointSums } from './group.ts';
import { times } from './span.ts';
import type { SpanAnswer } from './span.ts';
import { addRow, emptySums, isNothing } from './sums.ts';
import type { PackedSums } from './sums.ts';

type Row = { readonly [column: string]: unknown };

interface Group {
  readonly values: readonly string[];
  readonly sums: PackedSums;
  /** null: nobody asked for durations. */
  durations: { readonly latency: HistogramSum; readonly firstToken: HistogramSum } | null;
}

function durationsOf(group: Group): NonNullable<Group['durations']> {
  return (group.durations ??= { latency: new HistogramSum(), firstToken: new HistogramSum() });
}

/** Of no group: what a filter leaves out. */
export const NO_SHARE = -1;

/**
 * What is added is named by its share: the number of the groups that it is counted in. Keys of one share are added up where they are read, so that of a
 * thousand keys as many rows are read as there are groups.
 */
export abstract class Shares<Group> {
  protected readonly grouping: Grouping;
  protected readonly found = new Map<string, Group>();
  protected readonly shares: (readonly { readonly group: Group; readonly sign: 1 | -1 }[])[] = [];
  readonly #byParts = new Map<string, number>();
  readonly #byKey = new Map<unknown, number>();
  readonly #byRowKey = new Map<unknown, number>();

  constructor(grouping: Grouping) {
    this.grouping = grouping;
  }

  protected abstract newGroup(values: readonly string[]): Group;

  /** The share of what is summed under a key. */
  shareOf<Key>(key: Key, dimensionsOf: (key: Key) => Dimensions): number {
    let share = this.#byKey.get(key);
    if (share === undefined) this.#byKey.set(key, (share = this.#newShare(dimensionsOf(key), 'sums')));
    return this.shares[share]?.length === 0 ? NO_SHARE : share;
  }

  /** The share of an attempt or a run, which is in the groups of its own dimensions; `status`: an attempt's, whose key has that which it was opened with. */
  rowShareOf<Key>(key: Key, dimensionsOf: (key: Key) => Dimensions, status?: string): number {
    const name = status === undefined ? key : `${String(key)} ${status}`;
    let share = this.#byRowKey.get(name);
    if (share === undefined) {
      const dimensions = dimensionsOf(key);
      share = this.#newShare(status === undefined ? dimensions : { ...dimensions, status }, 'row');
      this.#byRowKey.set(name, share);
    }
    return this.shares[share]?.length === 0 ? NO_SHARE : share;
  }

  protected at(values: readonly string[]): Group {
    const name = nameOf(values);
    const known = this.found.get(name);
    if (known !== undefined) return known;
    const group = this.newGroup(values);
    this.found.set(name, group);
    return group;
  }

  #newShare(dimensions: Dimensions, of: 'sums' | 'row'): number {
    const { by, filter } = this.grouping;
    const isIn = matchesFilter(dimensions, filter);
    // Many keys say the same of what is asked for.
    const name = isIn ? nameOf([of, ...by.map((one) => dimensions[PART_OF[one]])]) : '';
    const known = this.#byParts.get(name);
    if (known !== undefined) return known;
    const shares = isIn ? sharesOf(dimensions, this.grouping, of) : [];
    const share = this.shares.push(shares.map(({ values, sign }) => ({ group: this.at(values), sign }))) - 1;
    this.#byParts.set(name, share);
    return share;
  }
}

export class SpanGroups extends Shares<Group> {
  #kept = Number.POSITIVE_INFINITY;

  protected override newGroup(values: readonly string[]): Group {
    return { values, sums: { ...NOTHING }, durations: null };
  }

  /** Sums that are all of one group: that of nothing where there are groups. */
  addAll(row: Row, sign: 1 | -1): void {
    addRow(this.at(this.grouping.by.map(() => '')).sums, row, sign);
  }

  add(share: number, row: Row, sign: 1 | -1): void {
    for (const { group, sign: own } of this.shares[share] ?? []) addRow(group.sums, row, times(own, sign));
  }

  addHistograms(share: number, row: Row, sign: 1 | -1): void {
    for (const { group, sign: own } of this.shares[share] ?? []) {
      const { latency, firstToken } = durationsOf(group);
      latency.add(row['latency'] as Uint8Array, times(own, sign));
      firstToken.add(row['first_token'] as Uint8Array, times(own, sign));
    }
  }

  addDurations(share: number, { latency_ms, first_token_ms }: Row, sign: 1 | -1): void {
    for (const { group } of this.shares[share] ?? []) {
      const { latency, firstToken } = durationsOf(group);
      if (latency_ms !== null) latency.record(latency_ms as number, sign);
      if (first_token_ms !== null) firstToken.record(first_token_ms as number, sign);
    }
  }

  /** Those that are left are not asked for: what is added from now on is added to the dearest alone. */
  keepDearest(count: number): void {
    const kept = new Set(this.#dearestFirst().slice(0, count));
    this.shares.forEach((share, index) => {
      this.shares[index] = share.filter(({ group }) => kept.has(group));
    });
    this.#kept = count;
  }

  answer(): Pick<SpanAnswer, 'groups' | 'groupCount'> {
    const found = this.#dearestFirst();
    const groups = found.slice(0, this.#kept).map(({ values, sums, durations }) => {
      if (durations !== null) {
        sums.latency = durations.latency.encoded();
        sums.firstToken = durations.firstToken.encoded();
      }
      return { bucketMs: 0, values, sums };
    });
    return { groups, groupCount: found.length };
  }

  #dearestFirst(): Group[] {
    return [...this.found.values()].filter(({ sums }) => !isNothing(sums)).sort(dearestFirst);
  }
}

/** One for all groups: what is sent to another thread holds its empty durations once. */
const NOTHING: PackedSums = { ...emptySums(), latency: new Uint8Array(), firstToken: new Uint8Array() };

/** Of no other values. */
function nameOf(values: readonly string[]): string {
  let name = '';
  for (const value of values) name += `${value.length}:${value}`;
  return name;
}

function dearestFirst(a: Group, b: Group): number {
  if (a.sums.costNanoUsd !== b.sums.costNanoUsd) return a.sums.costNanoUsd < b.sums.costNanoUsd ? 1 : -1;
  return b.sums.attempts - a.sums.attempts || (a.values.join() < b.values.join() ? -1 : 1);
}

/** By group and bucket of time. */
export class PointGroups extends Shares<Points> {
  protected override newGroup(values: readonly string[]): Points {
    return { values, byBucket: new Map() };
  }

  add(share: number, row: Row): void {
    const bucketMs = Number(row['bucket_ms']);
    for (const { group, sign } of this.shares[share] ?? []) {
      const { values, byBucket } = group;
      const point = byBucket.get(bucketMs) ?? { bucketMs, values, sums: { ...NO_POINT } };
      byBucket.set(bucketMs, point);
      const signed = BigInt(sign);
      point.sums.costNanoUsd += signed * (row['cost_nano_usd'] as bigint);
      point.sums.inputTokens += signed * (row['input_tokens'] as bigint);
      point.sums.outputTokens += signed * (row['output_tokens'] as bigint);
      point.sums.attempts += sign * Number(row['attempts']);
      point.sums.runs += sign * Number(row['runs']);
    }
  }

  /** In no order. */
  points(): readonly GroupedPoint[] {
    return [...this.found.values()].flatMap(({ byBucket }) =>
      [...byBucket.values()].filter(({ sums }) => sums.attempts !== 0 || sums.runs !== 0),
    );
  }
}

interface Points {
  readonly values: readonly string[];
  readonly byBucket: Map<number, GroupedPoint>;
}

const NO_POINT: PointSums = { costNanoUsd: 0n, runs: 0, attempts: 0, inputTokens: 0n, outputTokens: 0n };
