// What budgets start from: settled sums, open holds and past attempts; read in this thread, at the start and for a budget that is new.
import type { DatabaseSync } from 'node:sqlite';
import { rootRunId } from '../../common/ids.ts';
import type { Accounts, Posting, RecoveredHold, Spending } from '../../engine/budget/port.ts';
import { readHistory } from './history.ts';
import { inSnapshot } from './queries/snapshot.ts';
import { settledSpending } from './settled-spending.ts';
import type { Settled } from './window-writes.ts';
import type { WriteQueue } from './write-queue.ts';

type Row = { readonly [column: string]: unknown };

export function createAccounts(
  connection: () => DatabaseSync,
  queue: Pick<WriteQueue, 'pendingAfter' | 'write'>,
): Accounts {
  return {
    settled: (sinceMs) => inSnapshot(connection(), (it) => [...windowSums(it, sinceMs), ...runSums(it)]),
    open: () => openHolds(connection()),
    history: (budget, sinceMs) => readHistory(connection(), queue, budget, sinceMs),
    ...createAccountWrites(queue),
  };
}

/** What budgets tell the ledger of their accounts. */
export function createAccountWrites(
  queue: Pick<WriteQueue, 'write'>,
): Required<Pick<Accounts, 'seeded' | 'moved'>> {
  return {
    seeded(budgetId, sinceMs, balances) {
      const text = JSON.stringify(balances, (_key, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      );
      forgetFailure(
        queue.write(() => ({ kind: 'seedBudget', budgetId, sinceMs, balances: text }), null, true),
      );
    },
    moved(holds) {
      for (const { attemptId, postings } of holds)
        forgetFailure(
          queue.write(
            () => ({ kind: 'moveHold', attemptId, postings: JSON.stringify(postings) }),
            null,
            true,
          ),
        );
    },
  };
}

/** Nobody waits for these; they are tried again until they are written, and the ledger's health tells of the failure. */
function forgetFailure(written: Promise<void>): void {
  written.catch(() => undefined);
}

function windowSums(connection: DatabaseSync, sinceMs: number): Settled[] {
  return connection
    .prepare('select * from budget_windows where window_start_ms >= ?')
    .all(sinceMs)
    .map(windowSum);
}

/** `row`: of `budget_windows`. */
export function windowSum(row: Row): Settled {
  return {
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
  };
}

/** The accounts of runs' own budgets, of the runs that may still go on: their attempts, and those of their child runs `ID.…`. */
function runSums(connection: DatabaseSync): Settled[] {
  const rows = connection
    .prepare(
      `select distinct attempts.seq, postings, attempts.status as status, reconciled, attempts.cost_nano_usd as cost,
         input_tokens + output_tokens as tokens
       from runs join attempts
         on attempts.run_id = runs.id or (attempts.run_id > runs.id || '.' and attempts.run_id < runs.id || '/')
       where runs.finished_at_ms is null and attempts.status not in ('open', 'unreconciled')`,
    )
    .all();
  return sumOfRuns(rows);
}

/** `rows`: closed attempts of runs that may go on. */
export function sumOfRuns(rows: readonly Row[]): Settled[] {
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
      `select attempts.*, runs.team as team, runs.tier as tier, runs.session as session, runs.tags as tags
       from attempts left join runs on runs.id = attempts.run_id where attempts.status in ('open', 'unreconciled')`,
    )
    .all();
  return rows.map(holdOf);
}

/** `row`: of `attempts`, with its run's team, tier, session and tags. */
export function holdOf(row: Row): RecoveredHold {
  const attemptId = row['id'] as string;
  const provider = row['provider'] as string;
  const runId = row['run_id'] as string;
  const tags = JSON.parse((row['tags'] as string | null) ?? '{}') as { [key: string]: string };
  const worst = { costNanoUsd: row['held_nano_usd'] as bigint, tokens: Number(row['held_tokens']), calls: 1 };
  return {
    attemptId,
    worst,
    postings: postingsOf(row),
    exceededSoftly: [],
    heldAtMs: Number(row['started_at_ms']),
    request: {
      // A child run `ROOT.KEY` spends from its root's own budget.
      runId: rootRunId(runId),
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
        ...(row['session'] === null ? {} : { session: row['session'] as string }),
      },
      tags,
      worst,
    },
  };
}

function postingsOf(row: Row): Posting[] {
  return JSON.parse(row['postings'] as string) as Posting[];
}
