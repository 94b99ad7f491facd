// What past attempts spent in a budget's scope, by account: from the roll-ups, and from what was handed over and is not in them yet.
import type { DatabaseSync } from 'node:sqlite';
import type { Spending } from '../../engine/budget/port.ts';
import { covers, sessionAccount, tagValue } from '../../engine/budget/scope.ts';
import type { PlanBudget } from '../../language/plan/types.ts';
import {
  BY_SESSION,
  GRAIN_MS,
  HOURS,
  MINUTES,
  bucketStartMs,
  decodeDimensions,
  withoutSession,
} from '../rollup/dimensions.ts';
import type { Dimensions, Grain } from '../rollup/dimensions.ts';
import { inSnapshot } from './queries/snapshot.ts';
import { settledSpending } from './settled-spending.ts';
import type { WriteQueue } from './write-queue.ts';

export interface Past {
  readonly account: string;
  readonly atMs: number;
  readonly spending: Spending;
}

/** Read by the minute as far back as this, by the hour before it. */
export const MINUTES_READ = 24 * 60;

/** An hour that `sinceMs` falls into is taken whole: to count a little too much of the past is careful, to forget some is not. */
export function readHistory(
  connection: DatabaseSync,
  queue: Pick<WriteQueue, 'pendingAfter'>,
  budget: PlanBudget,
  sinceMs: number,
): readonly Past[] {
  return inSnapshot(connection, () => {
    const state = connection.prepare('select last_operation from ledger_state').get();
    const newest = connection.prepare('select max(bucket_ms) as at from rollups where grain = 0').get();
    const splitMs = bucketStartMs(HOURS, Number(newest?.['at'] ?? 0) - MINUTES_READ * GRAIN_MS[MINUTES]);
    const past: Past[] = [];
    if (sinceMs < splitMs)
      past.push(...readGrain(connection, budget, HOURS, bucketStartMs(HOURS, sinceMs), splitMs, sinceMs));
    const fromMs = Math.max(splitMs, bucketStartMs(MINUTES, sinceMs));
    past.push(...readGrain(connection, budget, MINUTES, fromMs, Number.MAX_SAFE_INTEGER, sinceMs));
    past.push(...pending(queue, budget, Number(state?.['last_operation'] ?? 0), sinceMs));
    return past;
  });
}

function readGrain(
  connection: DatabaseSync,
  budget: PlanBudget,
  grain: Grain,
  fromMs: number,
  toMs: number,
  sinceMs: number,
): Past[] {
  const { per, each } = budget;
  // All since its beginning is of the window that a calendar has now: one sum for each key. A session's has to be parted by its buckets.
  const isOneWindow = per.kind === 'calendar' && each?.kind !== 'session';
  const rows = (family: number): RollupRow[] =>
    connection
      .prepare(
        `select dimensions, ${isOneWindow ? ONE_WINDOW : BY_BUCKET} from rollups join rollup_keys on rollup_keys.id = key_id
         where grain = ? and bucket_ms >= ? and bucket_ms < ? and attempts > 0 ${isOneWindow ? 'group by key_id' : ''}`,
      )
      .all(grain + family, fromMs, toMs);
  const accounts = accountsOf(budget);
  return countedRows(budget, rows).flatMap((row) => {
    const account = accounts(row['dimensions'] as string);
    return account === undefined ? [] : pastOf(row, account, sinceMs);
  });
}

/** Attempts that all failed at no cost were no calls; where one of them cost something, all are taken for calls. */
const CALLS =
  'case when errors = attempts and cost_nano_usd = 0 and input_tokens + output_tokens = 0 then 0 else attempts end';
const BY_BUCKET = 'bucket_ms, cost_nano_usd, attempts, errors, input_tokens + output_tokens as tokens';
const ONE_WINDOW = `max(bucket_ms) as bucket_ms, sum(cost_nano_usd) as cost_nano_usd, sum(input_tokens + output_tokens) as tokens, sum(${CALLS}) as calls`;

/** The account of what has these dimensions, as they are encoded; undefined: the budget does not cover it. Each is decoded once. */
export function accountsOf(budget: PlanBudget): (dimensions: string) => string | undefined {
  const known = new Map<string, { readonly account: string | undefined }>();
  return (text) => {
    let found = known.get(text);
    if (found === undefined)
      known.set(text, (found = { account: accountOf(budget, decodeDimensions(text)) }));
    return found.account;
  };
}

/** `rows`: of everything (0), or of what says a session (`BY_SESSION`). */
export function countedRows(
  { each }: PlanBudget,
  rows: (family: number) => readonly RollupRow[],
): readonly RollupRow[] {
  return each?.kind === 'session' ? partedBySession(rows(0), rows(BY_SESSION)) : rows(0);
}

/** Of `rollups`, with its dimensions and its tokens added up. */
export type RollupRow = { readonly [column: string]: unknown };

/** What says a session is kept beside all; what is left of all in the same bucket says none. */
function partedBySession(all: readonly RollupRow[], said: readonly RollupRow[]): readonly RollupRow[] {
  const nameOf = (row: RollupRow, dimensions: string): string =>
    `${String(row['grain'])}:${String(row['bucket_ms'])}:${dimensions}`;
  const left = new Map(all.map((row) => [nameOf(row, row['dimensions'] as string), row]));
  for (const row of said) {
    const name = nameOf(row, withoutSession(row['dimensions'] as string));
    const rest = left.get(name);
    if (rest !== undefined) left.set(name, less(rest, row));
  }
  return [...said, ...[...left.values()].filter(({ attempts }) => Number(attempts) > 0)];
}

function less(all: RollupRow, part: RollupRow): RollupRow {
  return {
    ...all,
    cost_nano_usd: (all['cost_nano_usd'] as bigint) - (part['cost_nano_usd'] as bigint),
    tokens: Number(all['tokens']) - Number(part['tokens']),
    attempts: Number(all['attempts']) - Number(part['attempts']),
    errors: Number(all['errors']) - Number(part['errors']),
  };
}

export function pastOf(row: RollupRow, account: string, sinceMs: number): Past {
  const costNanoUsd = row['cost_nano_usd'] as bigint;
  const tokens = Number(row['tokens']);
  const isNone = Number(row['errors']) === Number(row['attempts']) && costNanoUsd === 0n && tokens === 0;
  return {
    account,
    atMs: Math.max(sinceMs, Number(row['bucket_ms'])),
    spending: { costNanoUsd, tokens, calls: Number(row['calls'] ?? (isNone ? 0 : row['attempts'])) },
  };
}

function accountOf({ scope, each }: PlanBudget, dimensions: Dimensions): string | undefined {
  if (!covers(scope, dimensions.task, dimensions.provider, dimensions.model)) return undefined;
  if (each === null) return '';
  if (each.kind === 'caller') return dimensions.caller;
  if (each.kind === 'team') return dimensions.team;
  if (each.kind === 'session')
    return sessionAccount({ name: dimensions.caller, session: dimensions.session });
  const tags = JSON.parse(dimensions.tags) as { readonly [key: string]: string };
  return tagValue(tags, each.tag) ?? '';
}

export function pending(
  queue: Pick<WriteQueue, 'pendingAfter'>,
  budget: PlanBudget,
  committed: number,
  sinceMs: number,
): Past[] {
  return queue.pendingAfter(committed).flatMap((row) => {
    if (row.kind !== 'attempt_closed' || row.rollupKey === undefined) return [];
    const { attempt } = row;
    const account = accountOf(budget, decodeDimensions(row.rollupKey));
    if (account === undefined || attempt.startedAtMs < sinceMs) return [];
    return {
      account,
      atMs: attempt.startedAtMs,
      spending: settledSpending(
        attempt.status,
        attempt.costNanoUsd,
        attempt.inputTokens + attempt.outputTokens,
      ),
    };
  });
}
