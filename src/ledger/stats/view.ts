// A view: one question's sums from a start on, read once from the roll-ups and then kept by adding what is written.
import { MINUTES, bucketStartMs, decodeDimensions } from '../rollup/dimensions.ts';
import { groupsOf, matchesFilter } from '../rollup/group.ts';
import type { GroupedPoint, Grouping, PointSums, RollupRead } from '../rollup/group.ts';
import { addPacked, addSums, emptySums } from '../rollup/sums.ts';
import type { PackedSums, Sums } from '../rollup/sums.ts';
import type { Contribution } from './contribution.ts';
import type { StatsWindow } from './port.ts';
import { oldestPointMs, pointSpans, windowSpans, windowStartMs } from './window.ts';

const MOST_GROUPS = 5_000;
const OTHER = '(other)';

export interface Point {
  costNanoUsd: bigint;
  runs: number;
}

export interface ViewGroup {
  readonly values: readonly string[];
  readonly sums: Sums;
  /** By the start of the minute. */
  readonly minutes: Map<number, Point>;
}

export class View {
  readonly window: StatsWindow;
  readonly grouping: Grouping;
  /** When the window has moved on from here, the view is void: what is too old is in its sums. */
  readonly startMs: number;
  readonly total: ViewGroup = newGroup([]);
  readonly #groups = new Map<string, ViewGroup>();

  constructor(window: StatsWindow, grouping: Grouping, nowMs: number) {
    this.window = window;
    this.grouping = grouping;
    this.startMs = windowStartMs(window, nowMs);
  }

  isCurrent(nowMs: number): boolean {
    return this.startMs === windowStartMs(this.window, nowMs);
  }

  /** What has to be read for it: the window, and the last hour by the minute; for the total, and for the groups where there are any. */
  reads(nowMs: number): readonly RollupRead[] {
    const { by, filter } = this.grouping;
    const whole = { spans: windowSpans(this.window, this.startMs), as: 'whole' as const };
    const points = { spans: pointSpans(nowMs), as: 'points' as const };
    const total = { by: [], filter };
    const reads: RollupRead[] = [
      { ...whole, grouping: total },
      { ...points, grouping: total },
    ];
    if (by.length > 0)
      reads.push({ ...whole, grouping: this.grouping }, { ...points, grouping: this.grouping });
    return reads;
  }

  /** The answers to `reads`, in their order. */
  load([
    total = [],
    totalPoints = [],
    groups = [],
    groupPoints = [],
  ]: readonly (readonly GroupedPoint[])[]): void {
    // What was asked for as a whole has all of its sums.
    for (const { sums } of total) addPacked(this.total.sums, sums as PackedSums);
    for (const { bucketMs, sums } of totalPoints) addPoint(this.total, bucketMs, sums);
    for (const { values, sums } of groups) addPacked(this.#group(values).sums, sums as PackedSums);
    for (const { bucketMs, values, sums } of groupPoints) addPoint(this.#group(values), bucketMs, sums);
  }

  add({ dimensions: text, atMs, sums }: Contribution): void {
    // What began before the window began is not of it, though it ends now.
    if (atMs < this.startMs) return;
    const dimensions = decodeDimensions(text);
    if (!matchesFilter(dimensions, this.grouping.filter)) return;
    const groups =
      this.grouping.by.length === 0
        ? []
        : groupsOf(dimensions, this.grouping).map((values) => this.#group(values));
    const minuteMs = bucketStartMs(MINUTES, atMs);
    for (const group of [this.total, ...groups]) {
      addSums(group.sums, sums);
      addPoint(group, minuteMs, sums);
    }
  }

  groups(): Iterable<ViewGroup> {
    return this.#groups.values();
  }

  #group(values: readonly string[]): ViewGroup {
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

  /** Forgets the minutes that are no longer shown by themselves. */
  forgetPoints(nowMs: number): void {
    const oldestMs = oldestPointMs(nowMs);
    for (const { minutes } of [this.total, ...this.#groups.values()])
      for (const minuteMs of minutes.keys()) if (minuteMs < oldestMs) minutes.delete(minuteMs);
  }
}

function newGroup(values: readonly string[]): ViewGroup {
  return { values, sums: emptySums(), minutes: new Map() };
}

function addPoint(group: ViewGroup, minuteMs: number, sums: PointSums): void {
  if (sums.costNanoUsd === 0n && sums.runs === 0) return;
  const point = group.minutes.get(minuteMs);
  if (point === undefined) group.minutes.set(minuteMs, { costNanoUsd: sums.costNanoUsd, runs: sums.runs });
  else {
    point.costNanoUsd += sums.costNanoUsd;
    point.runs += sums.runs;
  }
}
