// What past attempts spent in a budget's scope, by account: from the roll-ups, and from what was handed over and is not in them yet.
import type { DatabaseSync } from 'node:sqlite';
import type { Spending } from '../../engine/budget/port.ts';
import { covers } from '../../engine/budget/scope.ts';
import type { PlanBudget } from '../../language/plan/types.ts';
import { GRAIN_MS, HOURS, MINUTES, bucketStartMs, decodeDimensions } from '../rollup/dimensions.ts';
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
  const accounts = accountsByKey(connection, budget);
  const rows = connection
    .prepare(
      `select key_id, bucket_ms, cost_nano_usd, attempts, errors, input_tokens + output_tokens as tokens from rollups
       where grain = ? and bucket_ms >= ? and bucket_ms < ? and attempts > 0`,
    )
    .all(grain, fromMs, toMs);
  return rows.flatMap((row) => {
    const account = accounts.get(Number(row['key_id']));
    return account === undefined ? [] : pastOf(row, account, sinceMs);
  });
}

/** `row`: of `rollups`, with its tokens added up. */
export function pastOf(row: { readonly [column: string]: unknown }, account: string, sinceMs: number): Past {
  const costNanoUsd = row['cost_nano_usd'] as bigint;
  const tokens = Number(row['tokens']);
  // Attempts that all failed at no cost were no calls; where one of them cost something, all are taken for calls.
  const isNone = row['errors'] === row['attempts'] && costNanoUsd === 0n && tokens === 0;
  return {
    account,
    atMs: Math.max(sinceMs, Number(row['bucket_ms'])),
    spending: { costNanoUsd, tokens, calls: isNone ? 0 : Number(row['attempts']) },
  };
}

/** The account of each combination of dimensions that is in the budget's scope. */
function accountsByKey(connection: DatabaseSync, budget: PlanBudget): Map<number, string> {
  const accounts = new Map<number, string>();
  for (const row of connection.prepare('select id, dimensions from rollup_keys').iterate()) {
    const account = accountOf(budget, decodeDimensions(row['dimensions'] as string));
    if (account !== undefined) accounts.set(Number(row['id']), account);
  }
  return accounts;
}

export function accountOf({ scope, each }: PlanBudget, dimensions: Dimensions): string | undefined {
  if (!covers(scope, dimensions.task, dimensions.provider, dimensions.model)) return undefined;
  if (each === null) return '';
  if (each.kind === 'caller') return dimensions.caller;
  if (each.kind === 'team') return dimensions.team;
  // A session that goes on when such a budget is new begins its account then.
  if (each.kind === 'session') return undefined;
  const tags = JSON.parse(dimensions.tags) as { readonly [key: string]: string };
  return tags[each.tag] ?? '';
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
