// The groups of one span, or of its buckets, from sums of keys and from rows, whichever database they were read from.
import { HistogramSum } from '../../common/histogram.ts';
import type { Dimensions } from './dimensions.ts';
import { PART_OF, matchesFilter, sharesOf } from './group.ts';
import type { GroupedPoint, GroupedSums, Grouping, PointSums } from './group.ts';
import { packGroups } from './packed-groups.ts';
import { times } from './span.ts';
import type { PackedAnswer } from './span.ts';
import { ALL_SUMS, addRow, addValues, isNothing, noSums } from './sums.ts';
import type { PackedSums, SumNames } from './sums.ts';

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
 * thousand keys as many rows are read as there are groups. Which share a key has says its grouping alone: it is worked out once for all questions.
 */
export class KeyShares {
  readonly grouping: Grouping;
  /** The values of each group, by its number. */
  readonly groups: (readonly string[])[] = [];
  readonly shares: (readonly { readonly group: number; readonly sign: 1 | -1 }[])[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #byParts = new Map<string, number>();
  readonly #byKey = new Map<unknown, number>();
  readonly #byRowKey = new Map<unknown, number>();

  constructor(grouping: Grouping) {
    this.grouping = grouping;
  }

  /** Of how many keys it was worked out. */
  get size(): number {
    return this.#byKey.size + this.#byRowKey.size;
  }

  numberOf(values: readonly string[]): number {
    const name = nameOf(values);
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.groups.push(values) - 1;
    this.#numbers.set(name, number);
    return number;
  }

  /** The share of what is summed under a key. */
  ofSums<Key>(key: Key, dimensionsOf: (key: Key) => Dimensions): number {
    let share = this.#byKey.get(key);
    if (share === undefined) this.#byKey.set(key, (share = this.#newShare(dimensionsOf(key), 'sums')));
    return share;
  }

  /** The share of an attempt or a run, which is in the groups of its own dimensions; `status`: an attempt's, whose key has that which it was opened with. */
  ofRow<Key>(key: Key, dimensionsOf: (key: Key) => Dimensions, status?: string): number {
    const name = status === undefined ? key : `${String(key)} ${status}`;
    let share = this.#byRowKey.get(name);
    if (share === undefined) {
      const dimensions = dimensionsOf(key);
      share = this.#newShare(status === undefined ? dimensions : { ...dimensions, status }, 'row');
      this.#byRowKey.set(name, share);
    }
    return share;
  }

  #newShare(dimensions: Dimensions, of: 'sums' | 'row'): number {
    const { by, filter } = this.grouping;
    const isIn = matchesFilter(dimensions, filter);
    // Many keys say the same of what is asked for.
    const name = isIn ? nameOf([of, ...by.map((one) => dimensions[PART_OF[one]])]) : '';
    const known = this.#byParts.get(name);
    if (known !== undefined) return known;
    const shares = isIn ? sharesOf(dimensions, this.grouping, of) : [];
    const share =
      this.shares.push(shares.map(({ values, sign }) => ({ group: this.numberOf(values), sign }))) - 1;
    this.#byParts.set(name, share);
    return share;
  }
}

/** Of so many keys at most it is remembered, over all groupings, which share they have. */
const REMEMBERED_SHARES = 100_000;

/** The shares of groupings that were asked for before. */
export class RememberedShares {
  #known = new Map<string, KeyShares>();

  of(grouping: Grouping): KeyShares {
    let size = 0;
    for (const shares of this.#known.values()) size += 1 + shares.size;
    if (size > REMEMBERED_SHARES) this.#known = new Map();
    const name = JSON.stringify(grouping);
    const known = this.#known.get(name) ?? new KeyShares(grouping);
    this.#known.set(name, known);
    return known;
  }
}

/** What one question adds up, by the shares of its grouping. */
export abstract class Shares<Group> {
  protected readonly keys: KeyShares;
  /** By their numbers; those that something was added to. */
  protected readonly found: Group[] = [];

  constructor(keys: KeyShares) {
    this.keys = keys;
  }

  protected abstract newGroup(values: readonly string[]): Group;

  shareOf<Key>(key: Key, dimensionsOf: (key: Key) => Dimensions): number {
    return this.#wanted(this.keys.ofSums(key, dimensionsOf));
  }

  rowShareOf<Key>(key: Key, dimensionsOf: (key: Key) => Dimensions, status?: string): number {
    return this.#wanted(this.keys.ofRow(key, dimensionsOf, status));
  }

  protected partsOf(share: number): KeyShares['shares'][number] {
    return this.keys.shares[share] ?? [];
  }

  protected at(number: number): Group {
    return (this.found[number] ??= this.newGroup(this.keys.groups[number] ?? []));
  }

  protected isWanted(_group: number): boolean {
    return true;
  }

  #wanted(share: number): number {
    return this.partsOf(share).some(({ group }) => this.isWanted(group)) ? share : NO_SHARE;
  }
}

export class SpanGroups extends Shares<Group> {
  readonly #names: SumNames;
  /** null: all. */
  #kept: ReadonlySet<number> | null = null;

  /** `names`: what its rows have. */
  constructor(keys: KeyShares, names = ALL_SUMS) {
    super(keys);
    this.#names = names;
  }

  protected override newGroup(values: readonly string[]): Group {
    return { values, sums: noSums(), durations: null };
  }

  /** Sums that are all of one group: that of nothing where there are groups. */
  addAll(row: Row, sign: 1 | -1): void {
    const values = this.keys.grouping.by.map(() => '');
    addRow(this.at(this.keys.numberOf(values)).sums, row, sign, this.#names);
  }

  add(share: number, row: Row, sign: 1 | -1): void {
    for (const { group, sign: own } of this.partsOf(share))
      addRow(this.at(group).sums, row, times(own, sign), this.#names);
  }

  /** The sums of its names one after the other, as digits. */
  addValues(share: number, values: readonly string[]): void {
    for (const { group, sign } of this.partsOf(share))
      addValues(this.at(group).sums, values, sign, this.#names);
  }

  addHistograms(share: number, row: Row, sign: 1 | -1): void {
    for (const { group, sign: own } of this.partsOf(share)) {
      if (!this.isWanted(group)) continue;
      const { latency, firstToken } = durationsOf(this.at(group));
      latency.add(row['latency'] as Uint8Array, times(own, sign));
      firstToken.add(row['first_token'] as Uint8Array, times(own, sign));
    }
  }

  addDurations(share: number, { latency_ms, first_token_ms }: Row, sign: 1 | -1): void {
    for (const { group } of this.partsOf(share)) {
      if (!this.isWanted(group)) continue;
      const { latency, firstToken } = durationsOf(this.at(group));
      if (latency_ms !== null) latency.record(latency_ms as number, sign);
      if (first_token_ms !== null) firstToken.record(first_token_ms as number, sign);
    }
  }

  /** Those that are left are not asked for: what is added from now on is added to the dearest alone. */
  keepDearest(count: number): void {
    this.#kept = new Set(
      this.#dearestFirst()
        .slice(0, count)
        .map(({ values }) => this.keys.numberOf(values)),
    );
  }

  protected override isWanted(group: number): boolean {
    return this.#kept === null || this.#kept.has(group);
  }

  groups(): GroupedSums[] {
    return this.#answered(this.#dearestFirst());
  }

  answer(): Omit<PackedAnswer, 'complete'> {
    const found = this.#dearestFirst();
    return { groups: packGroups(this.#answered(found), this.#names), groupCount: found.length };
  }

  #answered(found: readonly Group[]): GroupedSums[] {
    return found.slice(0, this.#kept?.size).map(({ values, sums, durations }) => {
      if (durations !== null) {
        sums.latency = durations.latency.encoded();
        sums.firstToken = durations.firstToken.encoded();
      }
      return { bucketMs: 0, values, sums };
    });
  }

  #dearestFirst(): Group[] {
    // What nothing was added to is no element.
    return this.found.filter(({ sums }) => !isNothing(sums)).sort(dearestFirst);
  }
}

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
    for (const { group, sign } of this.partsOf(share)) {
      const { values, byBucket } = this.at(group);
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
    return this.found.flatMap(({ byBucket }) =>
      [...byBucket.values()].filter(({ sums }) => sums.attempts !== 0 || sums.runs !== 0),
    );
  }
}

interface Points {
  readonly values: readonly string[];
  readonly byBucket: Map<number, GroupedPoint>;
}

const NO_POINT: PointSums = { costNanoUsd: 0n, runs: 0, attempts: 0, inputTokens: 0n, outputTokens: 0n };
