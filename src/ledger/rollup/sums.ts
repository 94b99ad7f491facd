// What a roll-up adds up, for one bucket of time and one combination of dimensions; and what one attempt or run adds.
import type { AttemptRecord, AttemptStatus, RunRecord, SavedBy } from '../../engine/execution/records.ts';
import type { NanoUsd } from '../../common/money.ts';
import { bucketOf, countInto, decodeInto, encodeHistogram } from '../../common/histogram.ts';
import type { Histogram } from '../../common/histogram.ts';
import { BY_SESSION, DAYS, SESSION_DAYS } from './dimensions.ts';

/** Each amount and the column that holds it: nano-dollars and tokens. */
export const AMOUNTS = {
  costNanoUsd: 'cost_nano_usd',
  savedNanoUsd: 'saved_nano_usd',
  inputTokens: 'input_tokens',
  cachedInputTokens: 'cached_input_tokens',
  outputTokens: 'output_tokens',
  cacheWriteTokens: 'cache_write_tokens',
  reasoningTokens: 'reasoning_tokens',
  /** The part of the cost that was settled by what was seen, not by the provider's own count. */
  estimatedNanoUsd: 'estimated_nano_usd',
  /** The part of the cost that answered and had no baseline to be counted against. */
  unbaselinedNanoUsd: 'unbaselined_nano_usd',
  savedRoutingNanoUsd: 'saved_routing_nano_usd',
  savedLocalNanoUsd: 'saved_local_nano_usd',
  savedCascadeNanoUsd: 'saved_cascade_nano_usd',
  savedPromptCacheNanoUsd: 'saved_prompt_cache_nano_usd',
  savedExactCacheNanoUsd: 'saved_exact_cache_nano_usd',
  /** Never above 0: what was paid for answers that were not used. */
  savedFailuresNanoUsd: 'saved_failures_nano_usd',
} as const;
export type Amount = keyof typeof AMOUNTS;

/** Each count and its column; `cachedRuns`: answered without a call. */
export const COUNTS = {
  runs: 'runs',
  attempts: 'attempts',
  errors: 'errors',
  cachedRuns: 'cached_runs',
} as const;
export type Count = keyof typeof COUNTS;

export const AMOUNT_NAMES = Object.keys(AMOUNTS) as readonly Amount[];
export const COUNT_NAMES = Object.keys(COUNTS) as readonly Count[];

/** Some of them, in the order of the table. */
export interface SumNames {
  readonly amounts: readonly Amount[];
  readonly counts: readonly Count[];
}
export type SumName = Amount | Count;
export const ALL_SUMS: SumNames = { amounts: AMOUNT_NAMES, counts: COUNT_NAMES };

/** Those of a list, and those that say which group is the dearest and whether there is anything in it; undefined: all. */
export function sumsNamed(names?: readonly SumName[]): SumNames {
  if (names === undefined) return ALL_SUMS;
  const wanted = new Set<SumName>([...names, 'costNanoUsd', 'runs', 'attempts']);
  return {
    amounts: AMOUNT_NAMES.filter((name) => wanted.has(name)),
    counts: COUNT_NAMES.filter((name) => wanted.has(name)),
  };
}

export const COLUMN_OF: { readonly [name in SumName]: string } = { ...AMOUNTS, ...COUNTS };

export function columnsOf({ amounts, counts }: SumNames): readonly string[] {
  return [...amounts, ...counts].map((name) => COLUMN_OF[name]);
}
export const SUM_COLUMNS = columnsOf(ALL_SUMS);

/** The grains whose rows have a line. */
const GRAINS_OF_LINES: ReadonlySet<number> = new Set([DAYS, DAYS + BY_SESSION, SESSION_DAYS]);
export const hasLine = (grain: number): boolean => GRAINS_OF_LINES.has(grain);

/**
 * In SQL, of a row of roll-ups: its key and its sums as one text. Days have it beside their columns: of the thousands of rows that a month has, to read one
 * column takes a tenth of what twenty take.
 */
export const LINE = `case when grain in (${[...GRAINS_OF_LINES].join(', ')}) then ${['key_id', ...SUM_COLUMNS].map((column) => `cast(${column} as text)`).join(" || ' ' || ")} end`;

/** All but the durations. */
export type SumNumbers = { [name in Amount]: bigint } & { [name in Count]: number };
export type Sums = SumNumbers & {
  latency: Histogram;
  firstToken: Histogram;
};

/** As rows have them, and as they are sent from thread to thread: durations encoded. */
export type PackedSums = SumNumbers & {
  latency: Uint8Array;
  firstToken: Uint8Array;
};

/** What groups begin with: what is sent to another thread holds its empty durations once. */
export function noSums(): PackedSums {
  return { ...NOTHING };
}

export function emptySums(): Sums {
  return {
    costNanoUsd: 0n,
    savedNanoUsd: 0n,
    inputTokens: 0n,
    cachedInputTokens: 0n,
    outputTokens: 0n,
    cacheWriteTokens: 0n,
    reasoningTokens: 0n,
    estimatedNanoUsd: 0n,
    unbaselinedNanoUsd: 0n,
    savedRoutingNanoUsd: 0n,
    savedLocalNanoUsd: 0n,
    savedCascadeNanoUsd: 0n,
    savedPromptCacheNanoUsd: 0n,
    savedExactCacheNanoUsd: 0n,
    savedFailuresNanoUsd: 0n,
    runs: 0,
    attempts: 0,
    errors: 0,
    cachedRuns: 0,
    latency: new Map(),
    firstToken: new Map(),
  };
}

const NOTHING: PackedSums = { ...emptySums(), latency: new Uint8Array(), firstToken: new Uint8Array() };

export function addSums(into: Sums, other: Sums): void {
  addNumbers(into, other);
  for (const [bucket, times] of other.latency) countInto(into.latency, bucket, times);
  for (const [bucket, times] of other.firstToken) countInto(into.firstToken, bucket, times);
}

export function packed(sums: Sums): PackedSums {
  return { ...sums, latency: encodeHistogram(sums.latency), firstToken: encodeHistogram(sums.firstToken) };
}

export function addPacked(into: Sums, other: PackedSums): void {
  addNumbers(into, other);
  decodeInto(into.latency, other.latency);
  decodeInto(into.firstToken, other.firstToken);
}

/** What one attempt is counted for less than before, or more; how long it took is what it was. */
export function addDifference(into: Sums, before: CountedAttempt, after: CountedAttempt): void {
  const [less, more] = [emptySums(), emptySums()];
  countAttempt(less, before);
  countAttempt(more, after);
  for (const name of AMOUNT_NAMES) into[name] += more[name] - less[name];
  for (const name of COUNT_NAMES) into[name] += more[name] - less[name];
}

export function addNumbers(into: SumNumbers, other: SumNumbers): void {
  for (const name of AMOUNT_NAMES) if (other[name] !== 0n) into[name] += other[name];
  for (const name of COUNT_NAMES) into[name] += other[name];
}

/** A row whose columns are those of the table, as node:sqlite gives it with bigints. */
export function addRow(into: SumNumbers, row: { readonly [column: string]: unknown }): void {
  for (const name of AMOUNT_NAMES) into[name] += row[AMOUNTS[name]] as bigint;
  for (const name of COUNT_NAMES) into[name] += Number(row[COUNTS[name]]);
}

/** What is counted of an attempt that is closed. */
export interface CountedAttempt {
  readonly status: AttemptStatus;
  readonly costNanoUsd: NanoUsd;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly estimated: boolean;
  readonly latencyMs: number | null;
  readonly firstTokenMs: number | null;
  /** null: nobody worked out what it saved. */
  readonly savedBy: SavedBy | null;
  readonly baseline: string | null;
  readonly savedRouteNanoUsd: NanoUsd;
  readonly savedPromptCacheNanoUsd: NanoUsd;
}

/** The rule for the writer, for the live statistics and for those who count the rows again. */
export function countAttempt(sums: Sums, attempt: CountedAttempt): void {
  const { status, costNanoUsd, savedBy } = attempt;
  sums.attempts += 1;
  if (status === 'failed') sums.errors += 1;
  sums.costNanoUsd += costNanoUsd;
  sums.inputTokens += BigInt(attempt.inputTokens);
  sums.cachedInputTokens += BigInt(attempt.cachedInputTokens);
  sums.cacheWriteTokens += BigInt(attempt.cacheWriteTokens);
  sums.outputTokens += BigInt(attempt.outputTokens);
  sums.reasoningTokens += BigInt(attempt.reasoningTokens);
  if (attempt.estimated) sums.estimatedNanoUsd += costNanoUsd;
  if (attempt.latencyMs !== null) countInto(sums.latency, bucketOf(attempt.latencyMs), 1);
  if (attempt.firstTokenMs !== null) countInto(sums.firstToken, bucketOf(attempt.firstTokenMs), 1);
  sums.savedPromptCacheNanoUsd += attempt.savedPromptCacheNanoUsd;
  if (savedBy === 'cascade') sums.savedCascadeNanoUsd += attempt.savedRouteNanoUsd;
  else if (savedBy === 'failure' || (savedBy === null && status !== 'succeeded'))
    sums.savedFailuresNanoUsd -= costNanoUsd;
  else if (savedBy === 'local') sums.savedLocalNanoUsd += attempt.savedRouteNanoUsd;
  else if (savedBy === 'routing') sums.savedRoutingNanoUsd += attempt.savedRouteNanoUsd;
  if (status === 'succeeded' && savedBy !== 'failure' && attempt.baseline === null)
    sums.unbaselinedNanoUsd += costNanoUsd;
}

/** `cached`: as the table has it; 0: called, 1: answered by the cache, 2: by the loop guard. */
export function countRun(sums: Sums, savedNanoUsd: NanoUsd, cached: number): void {
  sums.runs += 1;
  sums.savedNanoUsd += savedNanoUsd;
  if (cached > 0) sums.cachedRuns += 1;
  if (cached === 1) sums.savedExactCacheNanoUsd += savedNanoUsd;
}

/** As the table has it. */
export function cachedBy({ cached, reusedBy }: Pick<RunRecord, 'cached' | 'reusedBy'>): 0 | 1 | 2 {
  if (reusedBy === 'loop_guard') return 2;
  return cached ? 1 : 0;
}

export function countedOf(attempt: AttemptRecord): CountedAttempt {
  const { savedBy = null, baseline = null, savedRouteNanoUsd = 0n, savedPromptCacheNanoUsd = 0n } = attempt;
  return { ...attempt, savedBy, baseline, savedRouteNanoUsd, savedPromptCacheNanoUsd };
}
