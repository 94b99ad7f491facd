// What budgets start from: settled sums and open holds, read once at the start, while nothing waits for the event loop yet.
import type { DatabaseSync } from 'node:sqlite';
import type { Accounts, Posting, RecoveredHold, Spending } from '../../budget/port.ts';
import { settledSpending } from './settled-spending.ts';

type Row = { readonly [column: string]: unknown };

export function createAccounts(connection: () => DatabaseSync): Accounts {
  return {
    settled: (sinceMs) => [...windowSums(connection(), sinceMs), ...runSums(connection())],
    open: () => openHolds(connection()),
    history: () => [],
  };
}

type Settled = { readonly posting: Posting; readonly spending: Spending };

function windowSums(connection: DatabaseSync, sinceMs: number): Settled[] {
  const rows = connection.prepare('select * from budget_windows where window_start_ms >= ?').all(sinceMs);
  return rows.map((row) => ({
    posting: {
      budgetId: row['budget_id'] as string,
      account: row['account'] as string,
      windowStartMs: Number(row['window_start_ms']),
    },
    spending: {
      costNanoUsd: row['spent_nano_usd'] as bigint,
      tokens: Number(row['spent_tokens']),
      calls: Number(row['spent_calls']),
    },
  }));
}

/** The accounts of runs' own budgets, of the runs that may still go on. */
function runSums(connection: DatabaseSync): Settled[] {
  const rows = connection
    .prepare(
      `select postings, attempts.status as status, attempts.cost_nano_usd as cost, input_tokens + output_tokens as tokens
       from attempts join runs on runs.id = attempts.run_id
       where runs.finished_at_ms is null and attempts.status not in ('open', 'unreconciled')`,
    )
    .all();
  const sums = new Map<string, Settled>();
  for (const row of rows) {
    const spending = settledSpending(row['status'] as string, row['cost'] as bigint, Number(row['tokens']));
    for (const posting of postingsOf(row)) {
      if (posting.windowStartMs !== 0) continue;
      const key = JSON.stringify([posting.budgetId, posting.account]);
      sums.set(key, { posting, spending: plus(sums.get(key)?.spending, spending) });
    }
  }
  return [...sums.values()];
}

function plus(sum: Spending | undefined, spending: Spending): Spending {
  if (sum === undefined) return spending;
  return {
    costNanoUsd: sum.costNanoUsd + spending.costNanoUsd,
    tokens: sum.tokens + spending.tokens,
    calls: sum.calls + spending.calls,
  };
}

function openHolds(connection: DatabaseSync): RecoveredHold[] {
  const rows = connection
    .prepare(
      `select attempts.*, runs.team as team, runs.tier as tier, runs.tags as tags
       from attempts left join runs on runs.id = attempts.run_id where attempts.status in ('open', 'unreconciled')`,
    )
    .all();
  return rows.map(holdOf);
}

function holdOf(row: Row): RecoveredHold {
  const attemptId = row['id'] as string;
  const provider = row['provider'] as string;
  const tags = JSON.parse((row['tags'] as string | null) ?? '{}') as { [key: string]: string };
  const worst = { costNanoUsd: row['held_nano_usd'] as bigint, tokens: Number(row['held_tokens']), calls: 1 };
  return {
    attemptId,
    worst,
    postings: postingsOf(row),
    exceededSoftly: [],
    heldAtMs: Number(row['started_at_ms']),
    request: {
      runId: row['run_id'] as string,
      attemptId,
      task: row['task'] as string,
      provider,
      model: `${provider}/${row['requested_model'] as string}`,
      caller: {
        name: row['caller'] as string,
        team: row['team'] as string | null,
        tier: row['tier'] as string | null,
        tags,
        scopes: [],
        keyId: null,
      },
      tags,
      worst,
    },
  };
}

function postingsOf(row: Row): Posting[] {
  return JSON.parse(row['postings'] as string) as Posting[];
}
