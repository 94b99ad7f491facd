// Cost statistics over written rows: windows, dimensions, buckets.
import type { NanoUsd } from '../../common/money.ts';
import type { BudgetView } from '../../engine/budget/port.ts';
import type { RunFilter } from '../port.ts';
import type { GroupDimension, RollupFilter } from '../rollup/group.ts';
import type { TimeSpan } from '../rollup/span.ts';
import type { SumName } from '../rollup/sums.ts';

export type StatsWindow = 'HOUR' | 'DAY' | 'WEEK' | 'MONTH' | 'ALL';
export type StatsDimension = GroupDimension;

export type GroupKeys = readonly { readonly dimension: StatsDimension; readonly value: string }[];
export type StatsUnit = 'hour' | 'day' | 'week' | 'month';

export interface CostBucket {
  readonly costNanoUsd: NanoUsd;
  readonly savedNanoUsd: NanoUsd;
  readonly runs: number;
  readonly attempts: number;
  /** Attempts that failed. */
  readonly errors: number;
  readonly inputTokens: bigint;
  readonly cachedInputTokens: bigint;
  readonly outputTokens: bigint;
  readonly cacheWriteTokens: bigint;
  readonly reasoningTokens: bigint;
  /** The part of the cost that was settled by what was seen, not by the provider's own count. */
  readonly estimatedNanoUsd: NanoUsd;
  /** Runs that were answered without a call: by the cache, or by the loop guard. */
  readonly cachedRuns: number;
  readonly latencyP50Ms: number | null;
  readonly latencyP95Ms: number | null;
  readonly latencyP99Ms: number | null;
  readonly firstTokenP50Ms: number | null;
  /** Cost and runs a minute, oldest first, at most 60 points. */
  readonly perMinute: readonly {
    readonly atMs: number;
    readonly costNanoUsd: NanoUsd;
    readonly runs: number;
  }[];
}

export interface CostStats {
  readonly atMs: number;
  readonly window: StatsWindow;
  readonly total: CostBucket;
  /** One for each combination of the dimensions asked for, dearest first. */
  readonly groups: readonly {
    readonly keys: GroupKeys;
    readonly bucket: CostBucket;
  }[];
}

/** A span as it is asked for; what is left out is open: nothing at all is all that there is. Exactly one of `calendar`, `window`, or `fromMs` and `toMs`. */
export interface SpanRequest {
  /** Inclusive. */
  readonly fromMs?: number;
  /** Exclusive. */
  readonly toMs?: number;
  readonly calendar?: StatsUnit;
  /** 0: the one that holds now; 1: the one before it. */
  readonly ago?: number;
  /** IANA name; default UTC. */
  readonly timeZone?: string;
  readonly window?: StatsWindow;
}

export interface SpendQuery {
  readonly span: SpanRequest;
  readonly by?: readonly StatsDimension[];
  readonly tagKey?: string;
  readonly filter?: RollupFilter;
  /** Also by each calendar hour, day… of the span, in its time zone. */
  readonly every?: StatsUnit;
  /** False: nobody looks at them, and they take longest to add up. Default true. */
  readonly latencies?: boolean;
  /** Which of the others anybody looks at: the rest may be left at 0. Default: all. */
  readonly sums?: readonly SumName[];
  /** At most so many groups, the dearest; left out: all of them. */
  readonly first?: number;
}

export interface SpendPart extends TimeSpan {
  readonly bucket: CostBucket;
}

export interface Spend extends TimeSpan {
  /** False: rows at an edge of the span are deleted, and are not in the sums. */
  readonly complete: boolean;
  readonly total: CostBucket;
  /** Dearest first. */
  readonly groups: CostStats['groups'];
  /** How many there are. */
  readonly groupCount: number;
  /** Oldest first; empty where it was not asked for. */
  readonly series: readonly SpendPart[];
}

export const SAVING_CAUSES = [
  'routing',
  'local',
  'cascade',
  'exact_cache',
  'prompt_cache',
  'failures',
] as const;
export type SavingCause = (typeof SAVING_CAUSES)[number];

/** What was saved against the baseline: the parts add up to `netNanoUsd`, and cost and net to what the baseline would have cost. */
export interface SavingsSum {
  readonly costNanoUsd: NanoUsd;
  readonly netNanoUsd: NanoUsd;
  readonly baselineNanoUsd: NanoUsd;
  readonly parts: readonly {
    readonly cause: SavingCause;
    readonly amountNanoUsd: NanoUsd;
    /** Another model's price of the same tokens; else both sides were measured. */
    readonly estimated: boolean;
  }[];
  /** The part of the cost that answered where no baseline was named: routing saved nothing there that anybody could count. */
  readonly unbaselinedNanoUsd: NanoUsd;
}

export interface Savings extends TimeSpan {
  readonly complete: boolean;
  readonly total: SavingsSum;
  /** What was saved most first. */
  readonly groups: readonly { readonly keys: GroupKeys; readonly sum: SavingsSum }[];
}

/** Dollars a minute: of the last five minutes, and of the same hour in up to four weeks before; null: there was no such week. */
export interface SpendPace {
  readonly atMs: number;
  readonly nanoUsdPerMinute: NanoUsd;
  readonly usualNanoUsdPerMinute: NanoUsd | null;
  /** Weeks that the usual is the mean of. */
  readonly weeks: number;
}

export const COST_CAUSES = [
  'volume',
  'exact_cache',
  'failures',
  'calls',
  'route',
  'input_tokens',
  'output_tokens',
  'prompt_cache',
  'price',
] as const;
export type CostCause = (typeof COST_CAUSES)[number];

export interface CostChangeQuery extends Pick<SpendQuery, 'by' | 'tagKey' | 'filter'> {
  /** Left out: the usual, which is the mean of the same hours of up to four weeks before. */
  readonly from?: SpanRequest;
  readonly to: SpanRequest;
}

type CauseAmounts = readonly { readonly cause: CostCause; readonly amountNanoUsd: NanoUsd }[];

/** What is laid to one change of the workflows. */
export interface RevisionEffect {
  /** null: the workflows are the same, what is asked of them is not. */
  readonly revision: string | null;
  /** The revision that it followed. */
  readonly before: string | null;
  readonly amountNanoUsd: NanoUsd;
  readonly byCause: CauseAmounts;
}

/** The causes add up to the change, and so do the revisions, and so do the groups; largest first. */
export interface CostChange {
  /** One, or the weeks that the usual is the mean of; none: there was no week before. */
  readonly from: readonly TimeSpan[];
  readonly to: TimeSpan;
  readonly complete: boolean;
  readonly fromNanoUsd: NanoUsd;
  readonly toNanoUsd: NanoUsd;
  readonly changeNanoUsd: NanoUsd;
  readonly byCause: CauseAmounts;
  readonly byRevision: readonly RevisionEffect[];
  readonly groups: readonly {
    readonly keys: GroupKeys;
    readonly fromNanoUsd: NanoUsd;
    readonly toNanoUsd: NanoUsd;
    readonly changeNanoUsd: NanoUsd;
    readonly byCause: CauseAmounts;
  }[];
}

export interface SpanStats {
  costChange(query: CostChangeQuery): Promise<CostChange>;
  spend(query: SpendQuery): Promise<Spend>;
  savings(query: Omit<SpendQuery, 'every' | 'latencies' | 'sums' | 'first'>): Promise<Savings>;
  pace(filter?: RollupFilter): Promise<SpendPace>;
  /** null: the budget has no end to be reached (`per: run`, a rolling window), or a condition says which calls count, which sums do not tell. */
  forecast(view: BudgetView): Promise<Forecast | null>;
}

/** Amounts in the budget's unit: nano-dollars, tokens or calls. */
export interface Forecast {
  /** When the budget's window ends. */
  readonly endsAtMs: number;
  /** Whole days of its own past that this is from, 28 at the most. */
  readonly pastDays: number;
  /** What will be spent by then; null: there is no past yet. */
  readonly expected: bigint | null;
  /** Four ends in five lie from `low` to `high`, where the days to come are like those that were; null: there are fewer than two days. */
  readonly low: bigint | null;
  readonly high: bigint | null;
  /** When it is expected to be spent; null: not before the window ends. */
  readonly exhaustedAtMs: number | null;
  /** The same if as much is spent as `high` says, and as `low` does. */
  readonly earliestMs: number | null;
  readonly latestMs: number | null;
}

export interface StatsReader {
  costStats(query: {
    readonly window: StatsWindow;
    readonly by?: readonly StatsDimension[];
    readonly filter?: RunFilter;
  }): Promise<CostStats>;
  /** Changes whenever something was written: subscribers compare it before they compute. */
  version(): number;
  onChange(listener: () => void): () => void;
}
