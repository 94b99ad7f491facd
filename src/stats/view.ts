// A view: one question's sums, read once from the roll-ups and then kept by adding what is committed and giving back what gets too old.
import { GRAIN_MS, MINUTES, bucketStartMs, decodeDimensions } from '../ledger/rollup/dimensions.ts';
import { groupsOf, matchesFilter } from '../ledger/rollup/group.ts';
import type { GroupedSums, Grouping, RollupRead } from '../ledger/rollup/group.ts';
import { addSums, emptySums } from '../ledger/rollup/sums.ts';
import type { Sums } from '../ledger/rollup/sums.ts';
import type { Contribution } from './contribution.ts';
import type { StatsWindow } from './port.ts';
import { grainOf, windowStartMs } from './window.ts';

const POINTS = 60;
const MOST_GROUPS = 10_000;
const OTHER = '(other)';

export interface Point {
  costNanoUsd: bigint;
  runs: number;
}

export interface ViewGroup {
  readonly values: readonly string[];
  readonly sums: Sums;
  /** By the start of the minute; the last 60. */
  readonly minutes: Map<number, Point>;
}

export class View {
  readonly window: StatsWindow;
  readonly grouping: Grouping;
  readonly total: ViewGroup = newGroup([]);
  readonly #groups = new Map<string, ViewGroup>();
  /** What each bucket has added to each group, to be given back when it leaves the window; '' is the total. */
  readonly #buckets = new Map<number, Map<string, Sums>>();

  constructor(window: StatsWindow, grouping: Grouping) {
    this.window = window;
    this.grouping = grouping;
  }

  /** What has to be read for it: the window, and the last hour by the minute; for the total, and for the groups where there are any. */
  reads(nowMs: number): readonly RollupRead[] {
    const { by, filter } = this.grouping;
    const total = { by: [], filter };
    const window = { grain: grainOf(this.window), fromMs: windowStartMs(this.window, nowMs) };
    const hour = { grain: MINUTES, fromMs: oldestPointMs(nowMs) };
    const reads: RollupRead[] = [
      { ...window, grouping: total },
      { ...hour, grouping: total },
    ];
    if (by.length > 0)
      reads.push({ ...window, grouping: this.grouping }, { ...hour, grouping: this.grouping });
    return reads;
  }

  /** The answers to `reads`, in their order. */
  load([
    total = [],
    totalHour = [],
    groups = [],
    groupsHour = [],
  ]: readonly (readonly GroupedSums[])[]): void {
    for (const { bucketMs, sums } of total) this.#add(bucketMs, null, sums);
    for (const { bucketMs, sums } of totalHour) addPoint(this.total, bucketMs, sums);
    for (const { bucketMs, values, sums } of groups) this.#add(bucketMs, values, sums);
    for (const { bucketMs, values, sums } of groupsHour) addPoint(this.#group(values), bucketMs, sums);
  }

  groups(): Iterable<ViewGroup> {
    return this.#groups.values();
  }

  add({ dimensions: text, atMs, sums }: Contribution): void {
    const dimensions = decodeDimensions(text);
    if (!matchesFilter(dimensions, this.grouping.filter)) return;
    const bucketMs = bucketStartMs(grainOf(this.window), atMs);
    const minuteMs = bucketStartMs(MINUTES, atMs);
    const groups = this.grouping.by.length === 0 ? [] : groupsOf(dimensions, this.grouping.by);
    for (const values of [null, ...groups]) {
      this.#add(bucketMs, values, sums);
      addPoint(this.#group(values), minuteMs, sums);
    }
  }

  #add(bucketMs: number, values: readonly string[] | null, sums: Sums): void {
    const group = this.#group(values);
    addSums(group.sums, sums);
    // A window without an end gives nothing back.
    if (this.window === 'ALL') return;
    const name = values === null ? '' : JSON.stringify(group.values);
    let bucket = this.#buckets.get(bucketMs);
    if (bucket === undefined) this.#buckets.set(bucketMs, (bucket = new Map<string, Sums>()));
    let added = bucket.get(name);
    if (added === undefined) bucket.set(name, (added = emptySums()));
    addSums(added, sums);
  }

  #group(values: readonly string[] | null): ViewGroup {
    if (values === null) return this.total;
    const name = JSON.stringify(values);
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    // Values come from callers: what is beyond the bound is shown as one group, so that the groups still add up (INV-14).
    const isOther = this.#groups.size >= MOST_GROUPS && values[0] !== OTHER;
    if (isOther) return this.#group(values.map(() => OTHER));
    const group = newGroup(values);
    this.#groups.set(name, group);
    return group;
  }

  /** Leaves out what is older than the window is long. */
  advance(nowMs: number): void {
    const fromMs = windowStartMs(this.window, nowMs);
    for (const [bucketMs, bucket] of this.#buckets) {
      if (bucketMs >= fromMs) continue;
      for (const [name, sums] of bucket) this.#giveBack(name, sums);
      this.#buckets.delete(bucketMs);
    }
    const oldestMs = oldestPointMs(nowMs);
    for (const group of [this.total, ...this.#groups.values()]) {
      for (const minuteMs of group.minutes.keys()) if (minuteMs < oldestMs) group.minutes.delete(minuteMs);
    }
  }

  #giveBack(name: string, sums: Sums): void {
    const group = name === '' ? this.total : this.#groups.get(name);
    if (group === undefined) return;
    addSums(group.sums, sums, -1);
    if (name !== '' && group.sums.attempts === 0 && group.sums.runs === 0) this.#groups.delete(name);
  }
}

function newGroup(values: readonly string[]): ViewGroup {
  return { values, sums: emptySums(), minutes: new Map() };
}

function oldestPointMs(nowMs: number): number {
  return bucketStartMs(MINUTES, nowMs) - (POINTS - 1) * GRAIN_MS[MINUTES];
}

function addPoint(group: ViewGroup, minuteMs: number, sums: Sums): void {
  if (sums.costNanoUsd === 0n && sums.runs === 0) return;
  const point = group.minutes.get(minuteMs);
  if (point === undefined) group.minutes.set(minuteMs, { costNanoUsd: sums.costNanoUsd, runs: sums.runs });
  else {
    point.costNanoUsd += sums.costNanoUsd;
    point.runs += sums.runs;
  }
}
