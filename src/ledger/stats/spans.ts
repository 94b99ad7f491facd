// Statistics of exact spans: what was spent, what it saved against the baseline, and how fast it goes now.
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../common/clock.ts';
import { HistogramSum } from '../../common/histogram.ts';
import type { NanoUsd } from '../../common/money.ts';
import type { BudgetView } from '../../engine/budget/port.ts';
import { HeadgateError } from '../../errors/headgate-error.ts';
import type { RollupReader } from '../open.ts';
import { GRAIN_MS, HOURS, MINUTES, bucketStartMs } from '../rollup/dimensions.ts';
import type { GroupedSums, Grouping } from '../rollup/group.ts';
import type { SpanAnswer, SpanRead, TimeSpan } from '../rollup/span.ts';
import { addNumbers, emptySums } from '../rollup/sums.ts';
import type { PackedSums, SumName, SumNumbers } from '../rollup/sums.ts';
import { toBucket } from './bucket.ts';
import { readCostChange } from './changes.ts';
import type { ChangeReader } from './changes.ts';
import { partsOf, shownSpan, spanOf } from './calendar.ts';
import { forecastOf, readPasts } from './forecast.ts';
import type { HourlyPast } from './forecast.ts';
import type { GroupKeys, SavingCause, SavingsSum, SpanStats, SpendQuery, StatsDimension } from './port.ts';

const PACE_MINUTES = 5;
const WEEK_MS = 7 * 86_400_000;
const USUAL_WEEKS = 4;
const REMEMBERED_ACCOUNTS = 1000;

export function createSpanStats(reader: ChangeReader, clock: Clock): SpanStats {
  return {
    costChange: (query) => readCostChange(reader, clock, query),
    forecast: createForecasts(reader, clock),
    async spend({ span: asked, by = [], tagKey, filter = {}, every, latencies = true, sums, first }) {
      if (first !== undefined && first < 0)
        throw new HeadgateError(
          'SPAN_INVALID',
          '`first` is a number of groups, from 0.',
          'Leave it out to see all of them.',
        );
      const nowMs = clock.nowMs();
      const span = spanOf(asked, nowMs);
      const parts = every === undefined ? [] : partsOf(span, every, asked.timeZone ?? 'UTC', nowMs);
      const grouping = groupingOf({ by, tagKey, filter });
      const whole = readsOf(span, grouping, { latencies, sums }, first);
      const ofParts = parts.map((part): SpanRead => ({
        ...part,
        grouping: { by: [], filter },
        latencies: false,
        sums,
      }));
      // Of nothing but sums, and no groups, the whole is its parts: it is read by itself where one of them has lost rows at an edge.
      const isOfParts =
        by.length === 0 && first === undefined && !latencies && parts.at(-1)?.toMs === span.toMs;
      let reads = isOfParts ? ofParts : [...whole, ...ofParts];
      let { answers } = await reader.spans(reads);
      const areParts = isOfParts && answers.every(({ complete }) => complete);
      if (isOfParts && !areParts) {
        reads = [...whole, ...ofParts];
        ({ answers } = await reader.spans(reads));
      }
      const { total, groups, groupCount } = totalAndGroups(
        areParts
          ? [{ groups: answers.flatMap((answer) => answer.groups), groupCount: 0, complete: true }]
          : answers,
        grouping,
        first,
      );
      return {
        ...shownSpan(span, nowMs),
        complete: answers.every(({ complete }) => complete),
        total: toBucket(total),
        groups: groups.map(({ values, sums }) => ({ keys: keysOf(by, values), bucket: toBucket(sums) })),
        groupCount,
        series: parts.map((part, index) => ({
          ...shownSpan(part, nowMs),
          bucket: toBucket(answers[reads.length - parts.length + index]?.groups[0]?.sums ?? emptySums()),
        })),
      };
    },
    async savings({ span: asked, by = [], tagKey, filter = {} }) {
      const nowMs = clock.nowMs();
      const span = spanOf(asked, nowMs);
      const grouping = groupingOf({ by, tagKey, filter });
      const { answers } = await reader.spans(
        readsOf(span, grouping, { latencies: false, sums: SUMS_OF_SAVINGS }),
      );
      const { total, groups } = totalAndGroups(answers, grouping);
      return {
        ...shownSpan(span, nowMs),
        complete: answers.every(({ complete }) => complete),
        total: savingsSum(total),
        groups: groups
          .map(({ values, sums }) => ({ keys: keysOf(by, values), sum: savingsSum(sums) }))
          .sort((a, b) => descending(a.sum.netNanoUsd, b.sum.netNanoUsd) || byName(a.keys, b.keys)),
      };
    },
    async pace(filter = {}) {
      const nowMs = clock.nowMs();
      const grouping = { by: [], filter };
      const read = (span: TimeSpan): SpanRead => ({ ...span, grouping, latencies: false, sums: [] });
      const hourMs = bucketStartMs(HOURS, nowMs);
      const weeks = Array.from({ length: USUAL_WEEKS }, (_, week) => hourMs - (week + 1) * WEEK_MS);
      const { firstMs, answers } = await reader.spans([
        // This minute has only begun: the five before it are whole.
        read({
          fromMs: bucketStartMs(MINUTES, nowMs) - PACE_MINUTES * GRAIN_MS[MINUTES],
          toMs: bucketStartMs(MINUTES, nowMs),
        }),
        ...weeks.map((fromMs) => read({ fromMs, toMs: fromMs + GRAIN_MS[HOURS] })),
      ]);
      const costOf = (index: number): NanoUsd => answers[index]?.groups[0]?.sums.costNanoUsd ?? 0n;
      const there = weeks.filter((fromMs) => firstMs !== null && fromMs >= firstMs);
      const usual = there.reduce((sum, _week, index) => sum + costOf(index + 1), 0n);
      return {
        atMs: nowMs,
        nanoUsdPerMinute: costOf(0) / BigInt(PACE_MINUTES),
        usualNanoUsdPerMinute: there.length === 0 ? null : usual / BigInt(60 * there.length),
        weeks: there.length,
      };
    },
  };
}

/** The past of an account is read once an hour, since it is of whole hours; that of accounts that are asked for together, together. */
function createForecasts(reader: RollupReader, clock: Clock): SpanStats['forecast'] {
  const pasts = new LRUCache<string, Promise<HourlyPast | undefined>>({ max: REMEMBERED_ACCOUNTS });
  const asked = new Map<
    string,
    { readonly accounts: string[]; readonly read: ReturnType<typeof readPasts> }
  >();
  const nameOf = (...parts: readonly unknown[]): string =>
    JSON.stringify(parts, (_key, value) => (typeof value === 'bigint' ? String(value) : (value as unknown)));
  const pastOf = async ({ budget, account }: BudgetView): Promise<HourlyPast | undefined> => {
    const name = nameOf(budget);
    let together = asked.get(name);
    if (together === undefined) {
      const accounts: string[] = [];
      const read = Promise.resolve().then(() => {
        asked.delete(name);
        return readPasts(reader, clock, budget, accounts);
      });
      asked.set(name, (together = { accounts, read }));
    }
    together.accounts.push(account);
    return (await together.read)(account);
  };
  return async (view) => {
    const nowMs = clock.nowMs();
    const name = nameOf(view.budget, view.account, bucketStartMs(HOURS, nowMs));
    let reading = pasts.get(name);
    if (reading === undefined) {
      pasts.set(name, (reading = pastOf(view)));
      reading.catch(() => pasts.delete(name));
    }
    const past = await reading;
    return (past && forecastOf(view, past, nowMs)) ?? null;
  };
}

/** The groups, and the total where they do not add up to it: where only some are asked for, and by TAG, as a run with two tags is in two of them. */
function readsOf(
  span: TimeSpan,
  grouping: Grouping,
  { latencies, sums }: Pick<SpanRead, 'latencies' | 'sums'>,
  first?: number,
): readonly SpanRead[] {
  const groups: SpanRead = { ...span, grouping, latencies, sums, first };
  if (addsUp(grouping, first)) return [groups];
  return [groups, { ...span, grouping: { by: [], filter: grouping.filter }, latencies, sums }];
}

function addsUp({ by, tagKey }: Grouping, first?: number): boolean {
  return first === undefined && (tagKey !== undefined || !by.includes('TAG'));
}

function totalAndGroups(
  [groups, whole]: readonly SpanAnswer[],
  grouping: Grouping,
  first?: number,
): { readonly total: PackedSums; readonly groups: readonly GroupedSums[]; readonly groupCount: number } {
  const [latency, firstToken] = [new HistogramSum(), new HistogramSum()];
  const numbers: SumNumbers = emptySums();
  for (const { sums } of (addsUp(grouping, first) ? groups : whole)?.groups ?? []) {
    addNumbers(numbers, sums);
    latency.add(sums.latency, 1);
    firstToken.add(sums.firstToken, 1);
  }
  const total = { ...numbers, latency: latency.encoded(), firstToken: firstToken.encoded() };
  if (grouping.by.length === 0) return { total, groups: [], groupCount: 0 };
  return { total, groups: groups?.groups ?? [], groupCount: groups?.groupCount ?? 0 };
}

function groupingOf({
  by = [],
  tagKey,
  filter = {},
}: Pick<SpendQuery, 'by' | 'filter'> & {
  readonly tagKey: string | undefined;
}): Grouping {
  return { by, filter, ...(tagKey === undefined ? {} : { tagKey }) };
}

function keysOf(by: readonly StatsDimension[], values: readonly string[]): GroupKeys {
  return by.map((dimension, index) => ({ dimension, value: values[index] ?? '' }));
}

const SUMS_OF_SAVINGS: readonly SumName[] = [
  'savedRoutingNanoUsd',
  'savedLocalNanoUsd',
  'savedCascadeNanoUsd',
  'savedExactCacheNanoUsd',
  'savedPromptCacheNanoUsd',
  'savedFailuresNanoUsd',
  'unbaselinedNanoUsd',
];

/** Whether the other side of the comparison is another model's price, or was measured as well. */
const IS_ESTIMATED: { readonly [cause in SavingCause]: boolean } = {
  routing: true,
  local: true,
  cascade: true,
  exact_cache: false,
  prompt_cache: false,
  failures: false,
};

function savingsSum(sums: SumNumbers): SavingsSum {
  const amounts: { readonly [cause in SavingCause]: NanoUsd } = {
    routing: sums.savedRoutingNanoUsd,
    local: sums.savedLocalNanoUsd,
    cascade: sums.savedCascadeNanoUsd,
    exact_cache: sums.savedExactCacheNanoUsd,
    prompt_cache: sums.savedPromptCacheNanoUsd,
    failures: sums.savedFailuresNanoUsd,
  };
  const causes = Object.keys(amounts) as SavingCause[];
  const netNanoUsd = causes.reduce((sum, cause) => sum + amounts[cause], 0n);
  return {
    costNanoUsd: sums.costNanoUsd,
    netNanoUsd,
    baselineNanoUsd: sums.costNanoUsd + netNanoUsd,
    parts: causes.map((cause) => ({
      cause,
      amountNanoUsd: amounts[cause],
      estimated: IS_ESTIMATED[cause],
    })),
    unbaselinedNanoUsd: sums.unbaselinedNanoUsd,
  };
}

function descending(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? 1 : -1;
}

function byName(a: GroupKeys, b: GroupKeys): number {
  const text = (keys: GroupKeys): string => keys.map(({ value }) => value).join();
  return text(a) < text(b) ? -1 : 1;
}
