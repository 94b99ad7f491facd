// The groups of one span, or of its buckets, from sums of keys and from rows, whichever database they were read from.
import { HistogramSum } from '../../common/histogram.ts';
import type { Dimensions } from './dimensions.ts';
import { PART_OF, matchesFilter, sharesOf } from './group.ts';
import type { GroupedPoint, GroupedSums, Grouping, PointSums } from './group.ts';
import { packDurations, unpackGroups } from './packed-groups.ts';
import { times } from './span.ts';
import type { PackedAnswer } from './span.ts';
import { SumTable } from './sum-table.ts';
import { ALL_SUMS } from './sums.ts';

type Row = { readonly [column: string]: unknown };

interface Durations {
  readonly latency: HistogramSum;
  readonly firstToken: HistogramSum;
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
  ofSums<Key>(key: Key, dimensionsOf: DimensionsOf<Key>): number {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const dimensions = dimensionsOf(key);
    return dimensions === undefined
      ? NO_SHARE
      : remember(this.#byKey, key, this.#newShare(dimensions, 'sums'));
  }

  /** The share of an attempt or a run, which is in the groups of its own dimensions; `status`: an attempt's, whose key has that which it was opened with. */
  ofRow<Key>(key: Key, dimensionsOf: DimensionsOf<Key>, status?: string): number {
    const name = status === undefined ? key : `${String(key)} ${status}`;
    const known = this.#byRowKey.get(name);
    if (known !== undefined) return known;
    const dimensions = dimensionsOf(key);
    if (dimensions === undefined) return NO_SHARE;
    const own = status === undefined ? dimensions : { ...dimensions, status };
    return remember(this.#byRowKey, name, this.#newShare(own, 'row'));
  }

  /** The share of what is all of one group. */
  ofGroup(values: readonly string[]): number {
    const name = nameOf(['group', ...values]);
    return (
      this.#byParts.get(name) ??
      remember(this.#byParts, name, this.shares.push([{ group: this.numberOf(values), sign: 1 }]) - 1)
    );
  }

  #newShare(dimensions: Dimensions, of: 'sums' | 'row'): number {
    const { by, filter } = this.grouping;
    const isIn = matchesFilter(dimensions, filter);
    // Many keys say the same of what is asked for.
    const name = isIn ? nameOf([of, ...by.map((one) => dimensions[PART_OF[one]])]) : '';
    const known = this.#byParts.get(name);
    if (known !== undefined) return known;
    const shares = isIn ? sharesOf(dimensions, this.grouping, of) : [];
    if (shares.length === 0) return remember(this.#byParts, name, NO_SHARE);
    const parts = shares.map(({ values, sign }) => ({ group: this.numberOf(values), sign }));
    return remember(this.#byParts, name, this.shares.push(parts) - 1);
  }
}

/** undefined: nobody knows it yet, and it is left out. */
type DimensionsOf<Key> = (key: Key) => Dimensions | undefined;

function remember<Key>(shares: Map<Key, number>, key: Key, share: number): number {
  shares.set(key, share);
  return share;
}

/** Of so many keys at most it is remembered, over all groupings, which share they have: some 40 bytes each. */
const REMEMBERED_SHARES = 1_000_000;

/** The shares of groupings that were asked for before. */
export class RememberedShares {
  readonly #known = new Map<string, KeyShares>();

  of(grouping: Grouping): KeyShares {
    const name = JSON.stringify(grouping);
    const shares = this.#known.get(name) ?? new KeyShares(grouping);
    // What was asked for last is forgotten last.
    this.#known.delete(name);
    this.#known.set(name, shares);
    let size = 0;
    for (const one of this.#known.values()) size += 1 + one.size;
    for (const [oldest, { size: less }] of this.#known) {
      if (size <= REMEMBERED_SHARES || oldest === name) break;
      this.#known.delete(oldest);
      size -= 1 + less;
    }
    return shares;
  }
}

/** What one question adds up, by the shares of its grouping. */
export abstract class Shares {
  protected readonly keys: KeyShares;

  constructor(keys: KeyShares) {
    this.keys = keys;
  }

  shareOf<Key>(key: Key, dimensionsOf: DimensionsOf<Key>): number {
    return this.#wanted(this.keys.ofSums(key, dimensionsOf));
  }

  rowShareOf<Key>(key: Key, dimensionsOf: DimensionsOf<Key>, status?: string): number {
    return this.#wanted(this.keys.ofRow(key, dimensionsOf, status));
  }

  protected partsOf(share: number): KeyShares['shares'][number] {
    return this.keys.shares[share] ?? [];
  }

  protected isWanted(_group: number): boolean {
    return true;
  }

  #wanted(share: number): number {
    return this.partsOf(share).some(({ group }) => this.isWanted(group)) ? share : NO_SHARE;
  }
}

export class SpanGroups extends Shares {
  readonly #byShare: SumTable;
  /** The shares that something was added to, and of each of them its row. */
  readonly #shares: number[] = [];
  readonly #rowOf = new Map<number, number>();
  readonly #durations = new Map<number, Durations>();
  #groups: FoundGroups | null = null;
  /** By their numbers; null: all. */
  #kept: ReadonlySet<number> | null = null;

  /** `names`: what its rows have. */
  constructor(keys: KeyShares, names = ALL_SUMS) {
    super(keys);
    this.#byShare = new SumTable(names);
  }

  /** The share of what is all of one group: that of nothing where there are groups. */
  shareOfAll(): number {
    return this.keys.ofGroup(this.keys.grouping.by.map(() => ''));
  }

  /** Sums that are all of one group. */
  addAll(row: Row, sign: 1 | -1): void {
    this.add(this.shareOfAll(), row, sign);
  }

  add(share: number, row: Row, sign: 1 | -1): void {
    if (share !== NO_SHARE) this.#byShare.add(this.#row(share), row, sign);
  }

  /** Of keys that are all of one group, as `LINE` has them, one after the other. */
  addAllLines(lines: string, sign: 1 | -1): void {
    const row = this.#row(this.shareOfAll());
    this.#byShare.addLines(lines, sign, () => row);
  }

  addLines(lines: string, sign: 1 | -1, dimensionsOf: DimensionsOf<number>): void {
    this.#byShare.addLines(lines, sign, (key) => {
      const share = this.keys.ofSums(key, dimensionsOf);
      return share === NO_SHARE ? NO_SHARE : this.#row(share);
    });
  }

  /** Adds to `keys` those of lines that were added, and are asked for. */
  wantedOf(lines: string, keys: Set<number>): void {
    this.#byShare.addLines(lines, 1, (key) => {
      if (this.shareOf(key, () => undefined) !== NO_SHARE) keys.add(key);
      return NO_SHARE;
    });
  }

  /** What others of the same grouping have. */
  addGroups(others: SpanGroups, sign: 1 | -1): void {
    const { sums, numbers } = others.#found();
    numbers.forEach((group, row) => {
      const share = this.keys.ofGroup(others.keys.groups[group] ?? []);
      this.#byShare.addFrom(this.#row(share), sums, row, sign);
    });
  }

  addHistograms(share: number, row: Row, sign: 1 | -1): void {
    for (const { group, sign: own } of this.partsOf(share)) {
      if (!this.isWanted(group)) continue;
      const { latency, firstToken } = this.#durationsOf(group);
      latency.add(row['latency'] as Uint8Array, times(own, sign));
      firstToken.add(row['first_token'] as Uint8Array, times(own, sign));
    }
  }

  /** Histograms of keys, one after the other: what `KEYED_HISTOGRAMS` of either database gives. */
  addKeyedHistograms(row: Row, sign: 1 | -1, dimensionsOf: DimensionsOf<number>): void {
    const [latencies, firstTokens] = [row['latency'] as Uint8Array, row['first_token'] as Uint8Array];
    const key = numbersOf(row['keys'] as string);
    const latencyLength = numbersOf(row['latency_lengths'] as string);
    const firstTokenLength = numbersOf(row['first_token_lengths'] as string);
    for (let [at, firstAt] = [0, 0]; at < latencies.length || firstAt < firstTokens.length;) {
      const share = this.keys.ofSums(key(), dimensionsOf);
      const [end, firstEnd] = [at + latencyLength(), firstAt + firstTokenLength()];
      for (const { group, sign: own } of this.partsOf(share)) {
        if (!this.isWanted(group)) continue;
        const { latency, firstToken } = this.#durationsOf(group);
        latency.add(latencies, times(own, sign), at, end);
        firstToken.add(firstTokens, times(own, sign), firstAt, firstEnd);
      }
      [at, firstAt] = [end, firstEnd];
    }
  }

  addDurations(share: number, { latency_ms, first_token_ms }: Row, sign: 1 | -1): void {
    for (const { group } of this.partsOf(share)) {
      if (!this.isWanted(group)) continue;
      const { latency, firstToken } = this.#durationsOf(group);
      if (latency_ms !== null) latency.record(latency_ms as number, sign);
      if (first_token_ms !== null) firstToken.record(first_token_ms as number, sign);
    }
  }

  /** Those that are left are not asked for: what is added from now on are durations, of the dearest alone. */
  keepDearest(count: number): void {
    const { numbers, rows } = this.#found();
    if (rows.length > count)
      this.#kept = new Set(rows.slice(0, count).map((row) => numbers[row] ?? NO_SHARE));
  }

  /** Whether there are groups that are not asked for. */
  get leavesOut(): boolean {
    return this.#kept !== null;
  }

  /** Whether anybody asks for what is counted in a share. */
  isAsked(share: number): boolean {
    return this.partsOf(share).some(({ group }) => this.isWanted(group));
  }

  protected override isWanted(group: number): boolean {
    return this.#kept === null || this.#kept.has(group);
  }

  groups(): GroupedSums[] {
    return unpackGroups(this.answer().groups);
  }

  answer(): Omit<PackedAnswer, 'complete'> {
    const { sums, numbers, rows } = this.#found();
    const shown = rows.slice(0, this.#kept?.size);
    const groups = shown.map((row) => numbers[row] ?? NO_SHARE);
    const durations = groups.flatMap((group) => {
      const { latency, firstToken } = this.#durations.get(group) ?? {};
      return [latency?.encoded() ?? NO_DURATIONS, firstToken?.encoded() ?? NO_DURATIONS];
    });
    return {
      groups: {
        values: groups.map((group) => this.keys.groups[group] ?? []),
        names: sums.names,
        sums: sums.packed(shown),
        durations: packDurations(durations),
      },
      groupCount: rows.length,
    };
  }

  #row(share: number): number {
    let row = this.#rowOf.get(share);
    if (row === undefined) {
      this.#rowOf.set(share, (row = this.#byShare.newRow()));
      this.#shares.push(share);
    }
    return row;
  }

  #durationsOf(group: number): Durations {
    let durations = this.#durations.get(group);
    if (durations === undefined)
      this.#durations.set(
        group,
        (durations = { latency: new HistogramSum(), firstToken: new HistogramSum() }),
      );
    return durations;
  }

  /** The groups that the shares are counted in, once all sums are there. */
  #found(): FoundGroups {
    if (this.#groups !== null) return this.#groups;
    const sums = new SumTable(this.#byShare.names);
    const rowOf = new Map<number, number>();
    const numbers: number[] = [];
    this.#shares.forEach((share, from) => {
      for (const { group, sign } of this.partsOf(share)) {
        let row = rowOf.get(group);
        if (row === undefined) {
          rowOf.set(group, (row = sums.newRow()));
          numbers.push(group);
        }
        sums.addFrom(row, this.#byShare, from, sign);
      }
    });
    const nameOf = (row: number): string => (this.keys.groups[numbers[row] ?? NO_SHARE] ?? []).join();
    const rows = numbers
      .map((_group, row) => row)
      .filter((row) => !sums.isNothing(row))
      .sort(
        (a, b) =>
          sums.compare(a, b, 'costNanoUsd') ||
          sums.compare(a, b, 'attempts') ||
          (nameOf(a) < nameOf(b) ? -1 : 1),
      );
    return (this.#groups = { sums, numbers, rows });
  }
}

const NO_DURATIONS = new Uint8Array();

interface FoundGroups {
  /** A row for each group. */
  readonly sums: SumTable;
  /** Of each row its group. */
  readonly numbers: readonly number[];
  /** Of the groups in which there is something, the dearest first. */
  readonly rows: readonly number[];
}

/** One after the other of a text that has commas between them. */
function numbersOf(text: string): () => number {
  let at = 0;
  return () => {
    let number = 0;
    for (let code = text.charCodeAt(at); code >= 48; code = text.charCodeAt(at)) {
      number = number * 10 + code - 48;
      at += 1;
    }
    at += 1;
    return number;
  };
}

/** Of no other values. */
function nameOf(values: readonly string[]): string {
  let name = '';
  for (const value of values) name += `${value.length}:${value}`;
  return name;
}

/** By group and bucket of time. */
export class PointGroups extends Shares {
  /** By their numbers; those that something was added to. */
  readonly #found: Points[] = [];

  add(share: number, row: Row): void {
    const bucketMs = Number(row['bucket_ms']);
    for (const { group, sign } of this.partsOf(share)) {
      const { values, byBucket } = (this.#found[group] ??= {
        values: this.keys.groups[group] ?? [],
        byBucket: new Map(),
      });
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
    return this.#found.flatMap(({ byBucket }) =>
      [...byBucket.values()].filter(({ sums }) => sums.attempts !== 0 || sums.runs !== 0),
    );
  }
}

interface Points {
  readonly values: readonly string[];
  readonly byBucket: Map<number, GroupedPoint>;
}

const NO_POINT: PointSums = { costNanoUsd: 0n, runs: 0, attempts: 0, inputTokens: 0n, outputTokens: 0n };
