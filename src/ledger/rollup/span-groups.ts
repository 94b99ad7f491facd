// The groups of one span, or of its buckets, from sums of keys and from rows, whichever database they were read from.
import { DenseHistogram } from '../../common/histogram.ts';
import type { Histogram } from '../../common/histogram.ts';
import type { Dimensions } from './dimensions.ts';
import { groupsOf, matchesFilter, sharesOf } from './group.ts';
import type { GroupedPoint, Grouping, PointSums } from './group.ts';
import { times } from './span.ts';
import type { SpanAnswer } from './span.ts';
import { addRow, emptySums, isNothing } from './sums.ts';
import type { Sums } from './sums.ts';

type Row = { readonly [column: string]: unknown };

interface Group {
  readonly values: readonly string[];
  readonly sums: Sums;
  /** null: nobody asked for durations. They are large beside the sums, and there may be a group for each session. */
  durations: { readonly latency: DenseHistogram; readonly firstToken: DenseHistogram } | null;
}

/** What attempts that began at the edge of a span, or runs, are counted for, and under what; each is in the groups of its own dimensions. */
export interface CountedSums {
  readonly dimensions: Dimensions;
  readonly row: Row;
}

export interface CountedDurations {
  readonly dimensions: Dimensions;
  readonly latencyMs: number | null;
  readonly firstTokenMs: number | null;
}

/** One for all groups: what is sent to another thread holds it once. */
const NO_DURATIONS: Histogram = new Map();

function durationsOf(group: Group): NonNullable<Group['durations']> {
  return (group.durations ??= { latency: new DenseHistogram(), firstToken: new DenseHistogram() });
}

export class SpanGroups {
  readonly #grouping: Grouping;
  readonly #found = new Map<string, Group>();
  readonly #byKey = new Map<unknown, readonly { readonly group: Group; readonly sign: 1 | -1 }[]>();

  constructor(grouping: Grouping) {
    this.#grouping = grouping;
  }

  /** Sums that are all of one group: that of nothing where there are groups. */
  addAll(row: Row, sign: 1 | -1): void {
    addRow(this.#at(this.#grouping.by.map(() => '')).sums, row, sign);
  }

  /** Sums of one key, or of one in one bucket. */
  addKey(key: unknown, dimensionsOf: (key: unknown) => Dimensions, row: Row, sign: 1 | -1): void {
    for (const { group, sign: own } of this.#sharesOf(key, dimensionsOf))
      addRow(group.sums, row, times(own, sign));
  }

  addHistograms(key: unknown, dimensionsOf: (key: unknown) => Dimensions, row: Row, sign: 1 | -1): void {
    for (const { group, sign: own } of this.#sharesOf(key, dimensionsOf)) {
      const { latency, firstToken } = durationsOf(group);
      latency.add(row['latency'] as Uint8Array, times(own, sign));
      firstToken.add(row['first_token'] as Uint8Array, times(own, sign));
    }
  }

  addCounted({ dimensions, row }: CountedSums, sign: 1 | -1): void {
    for (const group of this.#of(dimensions)) addRow(group.sums, row, sign);
  }

  addDurations({ dimensions, latencyMs, firstTokenMs }: CountedDurations, sign: 1 | -1): void {
    for (const group of this.#of(dimensions)) {
      const { latency, firstToken } = durationsOf(group);
      if (latencyMs !== null) latency.record(latencyMs, sign);
      if (firstTokenMs !== null) firstToken.record(firstTokenMs, sign);
    }
  }

  /** By group, in no order. */
  groups(): SpanAnswer['groups'] {
    return [...this.#found.values()]
      .filter(({ sums }) => !isNothing(sums))
      .map(({ values, sums, durations }) => ({
        bucketMs: 0,
        values,
        sums: {
          ...sums,
          latency: durations?.latency.toHistogram() ?? NO_DURATIONS,
          firstToken: durations?.firstToken.toHistogram() ?? NO_DURATIONS,
        },
      }));
  }

  #sharesOf(
    key: unknown,
    dimensionsOf: (key: unknown) => Dimensions,
  ): readonly { readonly group: Group; readonly sign: 1 | -1 }[] {
    let shares = this.#byKey.get(key);
    if (shares === undefined) {
      shares = sharesOf(dimensionsOf(key), this.#grouping).map(({ values, sign }) => ({
        group: this.#at(values),
        sign,
      }));
      this.#byKey.set(key, shares);
    }
    return shares;
  }

  #of(dimensions: Dimensions): readonly Group[] {
    if (!matchesFilter(dimensions, this.#grouping.filter)) return [];
    return groupsOf(dimensions, this.#grouping).map((values) => this.#at(values));
  }

  #at(values: readonly string[]): Group {
    const name = JSON.stringify(values);
    const known = this.#found.get(name);
    if (known !== undefined) return known;
    const group = { values, sums: emptySums(), durations: null };
    this.#found.set(name, group);
    return group;
  }
}

/** By group and bucket of time. */
export class PointGroups {
  readonly #grouping: Grouping;
  readonly #found = new Map<string, Points>();
  readonly #byKey = new Map<unknown, readonly { readonly points: Points; readonly sign: 1 | -1 }[]>();

  constructor(grouping: Grouping) {
    this.#grouping = grouping;
  }

  add(key: unknown, dimensionsOf: (key: unknown) => Dimensions, row: Row): void {
    let shares = this.#byKey.get(key);
    if (shares === undefined) {
      shares = sharesOf(dimensionsOf(key), this.#grouping).map(({ values, sign }) => ({
        points: this.#at(values),
        sign,
      }));
      this.#byKey.set(key, shares);
    }
    const bucketMs = Number(row['bucket_ms']);
    for (const {
      points: { values, byBucket },
      sign,
    } of shares) {
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
    return [...this.#found.values()].flatMap(({ byBucket }) =>
      [...byBucket.values()].filter(({ sums }) => sums.attempts !== 0 || sums.runs !== 0),
    );
  }

  #at(values: readonly string[]): Points {
    const name = JSON.stringify(values);
    const points = this.#found.get(name) ?? { values, byBucket: new Map() };
    this.#found.set(name, points);
    return points;
  }
}

interface Points {
  readonly values: readonly string[];
  readonly byBucket: Map<number, GroupedPoint>;
}

const NO_POINT: PointSums = { costNanoUsd: 0n, runs: 0, attempts: 0, inputTokens: 0n, outputTokens: 0n };
