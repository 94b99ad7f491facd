// When a budget will be spent, from its own past by hour and weekday; and how sure that is.
import type { Clock } from '../../common/clock.ts';
import type { BudgetView } from '../../engine/budget/port.ts';
import type { PlanBudget } from '../../language/plan/types.ts';
import type { RollupReader } from '../open.ts';
import { GRAIN_MS, HOURS, bucketStartMs } from '../rollup/dimensions.ts';
import type { Grouping, PointSums, RollupFilter } from '../rollup/group.ts';
import type { Forecast } from './port.ts';
import { studentQuantile } from './student.ts';

const HOUR_MS = GRAIN_MS[HOURS];
const DAY_HOURS = 24;
const MOST_PAST_DAYS = 28;
/** A weekday is compared with itself from three weeks on; before that every day counts alike. */
const DAYS_FOR_WEEKDAYS = 21;
/** Of the interval: four ends in five are in it, where the days to come are like those that were. */
export const CONFIDENCE = 0.8;

/** Amounts by hour, in the budget's unit; `pastDays` whole days before `startMs`, which is a whole hour. */
export interface HourlyPast {
  readonly startMs: number;
  readonly pastDays: number;
  amountAt(hourMs: number): number;
}

interface Course {
  /** For each hour to come, cut at now and at the end: what is expected in it. */
  readonly hours: readonly { readonly fromMs: number; readonly toMs: number; readonly amount: number }[];
  readonly expected: number;
  /** Half the width of the interval; null: less than two days to compare. */
  readonly margin: number | null;
}

/**
 * What is expected from `nowMs` to `endMs`. Each hour to come is the mean of the same hour of earlier days: of the same weekday once there are three
 * weeks, else of all. How far whole days lie from their mean says how far the days to come may: the interval is Student's for a sum of new days, with
 * the mean itself as unsure as so few days make it.
 */
export function courseOf(past: HourlyPast, nowMs: number, endMs: number): Course {
  const { startMs, pastDays } = past;
  const hours: { fromMs: number; toMs: number; amount: number }[] = [];
  if (pastDays < 1 || endMs <= nowMs) return { hours, expected: 0, margin: null };
  const byWeekday = pastDays >= DAYS_FOR_WEEKDAYS;
  let variance = 0;
  let freedom = Number.POSITIVE_INFINITY;
  let expected = 0;
  const blocksOfClass = new Map<number, number>();
  const count = Math.ceil((endMs - startMs) / HOUR_MS);
  for (let first = 0, block = 0; first < count; first += DAY_HOURS, block += 1) {
    const weights = Array.from({ length: Math.min(DAY_HOURS, count - first) }, (_, index) => {
      const fromMs = startMs + (first + index) * HOUR_MS;
      return (Math.min(fromMs + HOUR_MS, endMs) - Math.max(fromMs, nowMs)) / HOUR_MS;
    });
    // Day -1 is the one that ends at the start; block 0 is day 0.
    const days = Array.from({ length: pastDays }, (_, index) => index + 1);
    const alike = byWeekday ? days.filter((day) => (block + day) % 7 === 0) : days;
    const valueOf = (day: number): number =>
      weights.reduce(
        (sum, weight, index) =>
          sum + weight * past.amountAt(startMs - day * DAY_HOURS * HOUR_MS + index * HOUR_MS),
        0,
      );
    weights.forEach((weight, index) => {
      const fromMs = startMs + (first + index) * HOUR_MS;
      const mean =
        alike.reduce(
          (sum, day) => sum + past.amountAt(startMs - day * DAY_HOURS * HOUR_MS + index * HOUR_MS),
          0,
        ) / alike.length;
      const amount = weight * mean;
      hours.push({
        fromMs: Math.max(fromMs, nowMs),
        toMs: Math.min(fromMs + HOUR_MS, endMs),
        amount,
      });
      expected += amount;
    });
    const { squares, freedom: own } = residuals(days, byWeekday, valueOf);
    freedom = Math.min(freedom, own);
    if (own < 1) continue;
    const spread = squares / own;
    // What blocks of one class share is the error of their mean: it adds up, the days themselves do not.
    const kind = byWeekday ? block % 7 : 0;
    const shared = blocksOfClass.get(kind) ?? 0;
    blocksOfClass.set(kind, shared + 1);
    variance += spread * (1 + (2 * shared + 1) / alike.length);
  }
  const margin = freedom < 1 ? null : studentQuantile((1 + CONFIDENCE) / 2, freedom) * Math.sqrt(variance);
  return { hours, expected, margin };
}

/** How far the days lie from the mean of their class, squared and added up, with what is free in it. */
function residuals(
  days: readonly number[],
  byWeekday: boolean,
  valueOf: (day: number) => number,
): { readonly squares: number; readonly freedom: number } {
  const classes = new Map<number, number[]>();
  for (const day of days) {
    const kind = byWeekday ? day % 7 : 0;
    classes.set(kind, [...(classes.get(kind) ?? []), valueOf(day)]);
  }
  let squares = 0;
  for (const values of classes.values()) {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    for (const value of values) squares += (value - mean) ** 2;
  }
  return { squares, freedom: days.length - classes.size };
}

/** When `left` is spent, if all of the course is multiplied by `factor`; null: not before its end. */
function spentAtMs(course: Course, left: number, factor: number): number | null {
  let sum = 0;
  for (const { fromMs, toMs, amount } of course.hours) {
    const next = sum + amount * factor;
    if (next >= left && amount > 0)
      return Math.round(fromMs + ((left - sum) / (amount * factor)) * (toMs - fromMs));
    sum = next;
  }
  return null;
}

/** undefined: the budget has no end to be reached: `per: run`, or a rolling window. */
export function forecastOf(view: BudgetView, past: HourlyPast, nowMs: number): Forecast | undefined {
  const { budget, resetsAtMs } = view;
  if (budget.per.kind !== 'calendar' || resetsAtMs === null) return undefined;
  const course = courseOf(past, nowMs, resetsAtMs);
  const spent = Number(view.spent);
  const { expected, margin } = course;
  const left = Math.max(0, Number(view.limit - view.spent));
  const whole = (amount: number): bigint => BigInt(Math.round(Math.max(0, amount)));
  const known = past.pastDays >= 1;
  const at = (total: number): number | null => {
    if (left === 0) return nowMs;
    return !known || expected <= 0 || total <= 0 ? null : spentAtMs(course, left, total / expected);
  };
  return {
    endsAtMs: resetsAtMs,
    pastDays: past.pastDays,
    expected: known ? whole(spent + expected) : null,
    low: margin === null ? null : whole(Math.max(spent, spent + expected - margin)),
    high: margin === null ? null : whole(spent + expected + margin),
    exhaustedAtMs: at(expected),
    earliestMs: margin === null ? null : at(expected + margin),
    latestMs: margin === null ? null : at(expected - margin),
  };
}

/**
 * Reads the past of accounts of one budget: of several at once by what tells them apart, so that their hours are read once. undefined where the past
 * cannot be told: a condition says which calls count.
 */
export async function readPasts(
  reader: RollupReader,
  clock: Clock,
  budget: PlanBudget,
  accounts: readonly string[],
): Promise<(account: string) => HourlyPast | undefined> {
  if (budget.when !== null || budget.per.kind !== 'calendar') return () => undefined;
  const { each } = budget;
  const startMs = bucketStartMs(HOURS, clock.nowMs());
  const fromMs = startMs - MOST_PAST_DAYS * DAY_HOURS * HOUR_MS;
  // There may be a session for every few runs: they are read one by one.
  const tellsApart = accounts.length === 1 || each === null || each.kind === 'session' ? undefined : each;
  const groupings: readonly Grouping[] =
    tellsApart === undefined
      ? accounts.map((account) => ({ by: [], filter: filterOf(budget, account) }))
      : [
          {
            by: [DIMENSION_OF[tellsApart.kind]],
            filter: scopeFilterOf(budget),
            ...(tellsApart.kind === 'tag' ? { tagKey: tellsApart.tag } : {}),
          },
        ];
  const [{ answers }, { firstMs }] = await Promise.all([
    reader.rollups(
      groupings.map((grouping) => ({
        spans: [{ grain: HOURS, fromMs, toMs: startMs }],
        grouping,
        as: 'points' as const,
      })),
    ),
    reader.spans([]),
  ]);
  const amounts = new Map<string, Map<number, number>>();
  answers.forEach((points, index) => {
    for (const { bucketMs, values, sums } of points) {
      const account = tellsApart === undefined ? accounts[index] : values[0];
      const hours = amounts.get(account ?? '') ?? new Map<number, number>();
      amounts.set(account ?? '', hours.set(bucketMs, amountOf(budget.limit.unit, sums)));
    }
  });
  const sinceMs = firstMs === null ? startMs : Math.max(fromMs, firstMs);
  const pastDays = Math.floor((startMs - sinceMs) / (DAY_HOURS * HOUR_MS));
  return (account) => {
    // What says no session is not kept by itself.
    if (each?.kind === 'session' && account.endsWith('/')) return undefined;
    const hours = amounts.get(account);
    return { startMs, pastDays, amountAt: (hourMs) => hours?.get(hourMs) ?? 0 };
  };
}

const DIMENSION_OF = { caller: 'CALLER', team: 'TEAM', tag: 'TAG' } as const;

function amountOf(unit: PlanBudget['limit']['unit'], sums: PointSums): number {
  if (unit === 'calls') return sums.attempts;
  return Number(unit === 'usd' ? sums.costNanoUsd : sums.inputTokens + sums.outputTokens);
}

/** `caller/session`, as accounts of sessions are named: a session has no slash. */
function sessionOf(account: string): Pick<RollupFilter, 'caller' | 'session'> {
  const at = account.lastIndexOf('/');
  return { caller: account.slice(0, at), session: account.slice(at + 1) };
}

function filterOf(budget: PlanBudget, account: string): RollupFilter {
  const { each } = budget;
  return {
    ...scopeFilterOf(budget),
    ...(each?.kind === 'caller' ? { caller: account } : {}),
    ...(each?.kind === 'team' ? { team: account } : {}),
    ...(each?.kind === 'session' ? sessionOf(account) : {}),
    ...(each?.kind === 'tag' ? { tag: { key: each.tag, value: account } } : {}),
  };
}

function scopeFilterOf({ scope }: PlanBudget): RollupFilter {
  return {
    ...(scope.kind === 'provider' ? { provider: scope.provider } : {}),
    ...(scope.kind === 'model' ? { model: scope.model } : {}),
    ...(scope.kind === 'task' ? { task: scope.task } : {}),
  };
}
