// Groups roll-ups by dimensions and leaves out what a filter excludes; used by the reader for the past and by the statistics for what comes in.
import { tagValue } from '../../engine/budget/scope.ts';
import type { RunFilter } from '../port.ts';
import { BY_SESSION, DAYS, QUARTERS, SESSION_DAYS } from './dimensions.ts';
import type { Dimensions, Grain, GROUP_DIMENSIONS } from './dimensions.ts';
import type { PackedSums, SumNumbers } from './sums.ts';

export type GroupDimension = (typeof GROUP_DIMENSIONS)[number];

/** The part of a filter that dimensions can answer; the rest needs the rows themselves. */
export type RollupFilter = Pick<
  RunFilter,
  'task' | 'caller' | 'session' | 'provider' | 'revision' | 'tag'
> & {
  readonly team?: string;
  /** `provider/model`. */
  readonly model?: string;
};

export interface Grouping {
  readonly by: readonly GroupDimension[];
  readonly filter: RollupFilter;
  /** By TAG: the values of this tag alone, '' where a row has none; so each row is in one group. */
  readonly tagKey?: string;
}

/** What is told of a bucket of time. There may be tens of thousands of them, which go from thread to thread. */
export type PointSums = Pick<
  SumNumbers,
  'costNanoUsd' | 'runs' | 'attempts' | 'inputTokens' | 'outputTokens'
>;

/** Sums of one group in one bucket of time. */
export interface GroupedPoint {
  /** 0 where the read is not by bucket. */
  readonly bucketMs: number;
  /** One value for each dimension, in the order asked for. */
  readonly values: readonly string[];
  readonly sums: PointSums;
}

/** Sums of one group: of a whole read. */
export interface GroupedSums extends GroupedPoint {
  readonly sums: PackedSums;
}

/** All buckets of a grain from a time on, up to another (exclusive). */
export interface RollupSpan {
  readonly grain: Grain;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Roll-ups to read: spans that follow each other, in groups. */
export interface RollupRead {
  readonly spans: readonly RollupSpan[];
  readonly grouping: Grouping;
  /** `whole`: everything, added up. `points`: cost, runs, attempts and tokens only, by bucket. */
  readonly as: 'whole' | 'points';
}

export function matchesFilter(dimensions: Dimensions, filter: RollupFilter): boolean {
  if (filter.task !== undefined && dimensions.task !== filter.task) return false;
  if (filter.caller !== undefined && dimensions.caller !== filter.caller) return false;
  if (filter.provider !== undefined && dimensions.provider !== filter.provider) return false;
  if (filter.revision !== undefined && dimensions.revision !== filter.revision) return false;
  if (filter.session !== undefined && dimensions.session !== filter.session) return false;
  if (filter.team !== undefined && dimensions.team !== filter.team) return false;
  if (filter.model !== undefined && dimensions.model !== filter.model) return false;
  return filter.tag === undefined || tagValue(tagsOf(dimensions), filter.tag.key) === filter.tag.value;
}

/**
 * The groups that a row belongs to: one for each combination of values. By TAG, a row with two tags belongs to two groups
 * (`team=a`, `env=prod`) and one without to none; by one tag's key, and by every other dimension, it has one value.
 */
export function groupsOf(
  dimensions: Dimensions,
  { by, tagKey }: Pick<Grouping, 'by' | 'tagKey'>,
): readonly (readonly string[])[] {
  // As nearly always.
  if (!by.includes('TAG')) return [by.map((dimension) => dimensions[PART_OF[dimension]])];
  let groups: string[][] = [[]];
  for (const dimension of by) {
    const values = valuesOf(dimensions, dimension, tagKey);
    groups = groups.flatMap((group) => values.map((value) => [...group, value]));
  }
  return groups;
}

/**
 * What is read of a grain: all sums, those by session, or both. `hasSessionDays`: false where something still writes that does not know of days by
 * session alone.
 */
export function grainsOf(grain: number, { by, filter }: Grouping, hasSessionDays = true): readonly number[] {
  if (grain === QUARTERS) return [QUARTERS];
  const isAlone =
    by.every((dimension) => dimension === 'SESSION') && !hasFilter({ ...filter, session: undefined });
  const said = grain === DAYS && isAlone && hasSessionDays ? SESSION_DAYS : grain + BY_SESSION;
  if (filter.session !== undefined) return [said];
  return by.includes('SESSION') ? [grain, said] : [grain];
}

export function hasFilter(filter: {
  readonly [name in keyof RollupFilter]: RollupFilter[name] | undefined;
}): boolean {
  return Object.values(filter).some((part) => part !== undefined);
}

/** A group that sums are counted in; −1: that they are taken from. */
export interface Share {
  readonly values: readonly string[];
  readonly sign: 1 | -1;
}

/**
 * All sums have those of sessions in them, under none: where both are read, what a session has is taken from there. A row is in the groups of its own
 * dimensions.
 */
export function sharesOf(
  dimensions: Dimensions,
  grouping: Grouping,
  of: 'sums' | 'row' = 'sums',
): readonly Share[] {
  if (!matchesFilter(dimensions, grouping.filter)) return [];
  const own = groupsOf(dimensions, grouping).map((values) => ({ values, sign: 1 as const }));
  if (of === 'row' || dimensions.session === '' || grouping.filter.session !== undefined) return own;
  return [
    ...own,
    ...groupsOf({ ...dimensions, session: '' }, grouping).map((values) => ({ values, sign: -1 as const })),
  ];
}

/** What dimensions say of each; by TAG, of all tags. */
export const PART_OF: { readonly [dimension in GroupDimension]: keyof Dimensions } = {
  PROVIDER: 'provider',
  MODEL: 'model',
  TASK: 'task',
  CALLER: 'caller',
  TEAM: 'team',
  SESSION: 'session',
  TAG: 'tags',
  REVISION: 'revision',
  STATUS: 'status',
};

function valuesOf(
  dimensions: Dimensions,
  dimension: GroupDimension,
  tagKey: string | undefined,
): readonly string[] {
  if (dimension !== 'TAG') return [dimensions[PART_OF[dimension]]];
  if (tagKey !== undefined) return [tagValue(tagsOf(dimensions), tagKey) ?? ''];
  return Object.entries(tagsOf(dimensions)).map(([key, value]) => `${key}=${value}`);
}

function tagsOf(dimensions: Dimensions): { readonly [key: string]: string } {
  return dimensions.tags === '{}' ? {} : (JSON.parse(dimensions.tags) as { [key: string]: string });
}
