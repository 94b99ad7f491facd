// Adds everything up again: each attempt from its usage and rates, and every sum from its rows, to the nano-dollar (INV-1).
import type { DatabaseSync } from 'node:sqlite';
import type { Posting } from '../../engine/budget/port.ts';
import type { PlanPrice } from '../../language/plan/types.ts';
import { costOf } from '../../engine/routing/cost.ts';
import { settledSpending } from '../sqlite/settled-spending.ts';
import { parsePrice } from './price.ts';
import { Findings } from './report.ts';
import type { VerifyReport } from './report.ts';
import { verifyRollups } from './verify-rollups.ts';

type Row = { readonly [column: string]: unknown };

interface Window {
  spentNanoUsd: bigint;
  spentTokens: bigint;
  spentCalls: bigint;
  heldNanoUsd: bigint;
  heldTokens: bigint;
  heldCalls: bigint;
}

/** To be called within a snapshot: all sums are of one commit. */
export function verify(connection: DatabaseSync): VerifyReport {
  const findings = new Findings();
  const windows = new Map<string, Window>();
  const attempts = verifyAttempts(connection, findings, windows);
  const runs = verifyRuns(connection, findings);
  const budgetWindows = verifyWindows(connection, findings, windows);
  const rollups = verifyRollups(connection, findings);
  return {
    ok: findings.found === 0,
    attempts,
    runs,
    budgetWindows,
    rollups,
    found: findings.found,
    discrepancies: findings.listed,
  };
}

function verifyAttempts(connection: DatabaseSync, findings: Findings, windows: Map<string, Window>): number {
  const prices = new Map<bigint, PlanPrice | undefined>();
  const rows = connection
    .prepare(
      `select attempts.id as id, status, reconciled, rates_content, contents.text as rates, postings, held_nano_usd, held_tokens,
         input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost_nano_usd, estimated
       from attempts join contents on contents.id = rates_content`,
    )
    .iterate();
  let count = 0;
  for (const row of rows) {
    count += 1;
    post(windows, row);
    if (isOpen(row) || isReconciled(row)) continue;
    const key = row['rates_content'] as bigint;
    if (!prices.has(key)) prices.set(key, priceOf(row));
    const price = prices.get(key);
    const id = row['id'] as string;
    if (price === undefined)
      findings.add({
        kind: 'rates',
        where: id,
        expected: 'a price',
        actual: String(row['rates']).slice(0, 80),
      });
    else {
      const listed = costOf(price, usageOf(row));
      const cost = row['cost_nano_usd'] as bigint;
      // Who refused a call bills nothing for it, not even a fee.
      if (cost === 0n && isRefused(row)) continue;
      // An estimate may be above what its tokens cost: at the held worst case, or at a price of its own.
      if (row['estimated'] !== 1n || cost < listed) findings.expect('attempt_cost', id, listed, cost);
    }
  }
  return count;
}

const isOpen = (row: Row): boolean => row['status'] === 'open' || row['status'] === 'unreconciled';

/** Its cost is what an operator said, not what usage makes of it. */
const isReconciled = (row: Row): boolean => row['reconciled'] === 1n;
const isRefused = (row: Row): boolean =>
  row['status'] !== 'succeeded' &&
  ['input_tokens', 'cached_input_tokens', 'cache_write_tokens', 'output_tokens'].every(
    (column) => row[column] === 0n,
  );

function priceOf(row: Row): PlanPrice | undefined {
  try {
    return parsePrice(row['rates'] as string);
  } catch {
    return undefined;
  }
}

function usageOf(row: Row): Parameters<typeof costOf>[1] {
  return {
    inputTokens: Number(row['input_tokens']),
    cachedInputTokens: Number(row['cached_input_tokens']),
    cacheWriteTokens: Number(row['cache_write_tokens']),
    outputTokens: Number(row['output_tokens']),
    reasoningTokens: Number(row['reasoning_tokens']),
  };
}

function post(windows: Map<string, Window>, row: Row): void {
  for (const posting of JSON.parse(row['postings'] as string) as Posting[]) {
    if (posting.windowStartMs === 0) continue;
    const key = windowKey(posting.budgetId, posting.account, posting.windowStartMs);
    const window = windows.get(key) ?? emptyWindow();
    windows.set(key, window);
    if (isOpen(row)) {
      window.heldNanoUsd += row['held_nano_usd'] as bigint;
      window.heldTokens += row['held_tokens'] as bigint;
      window.heldCalls += 1n;
      continue;
    }
    const tokens = (row['input_tokens'] as bigint) + (row['output_tokens'] as bigint);
    const cost = row['cost_nano_usd'] as bigint;
    const status = row['status'] as string;
    const { calls } = settledSpending(status, cost, Number(tokens));
    window.spentNanoUsd += cost;
    window.spentTokens += tokens;
    window.spentCalls += BigInt(calls);
  }
}

function emptyWindow(): Window {
  return {
    spentNanoUsd: 0n,
    spentTokens: 0n,
    spentCalls: 0n,
    heldNanoUsd: 0n,
    heldTokens: 0n,
    heldCalls: 0n,
  };
}

function windowKey(budgetId: string, account: string, startMs: number | bigint): string {
  return `${budgetId} ${account} ${startMs}`;
}

function verifyRuns(connection: DatabaseSync, findings: Findings): number {
  const rows = connection
    .prepare(
      `select id, cost_nano_usd as cost,
         (select coalesce(sum(cost_nano_usd), 0) from attempts where run_id = runs.id and status not in ('open', 'unreconciled')) as summed
       from runs where finished_at_ms is not null`,
    )
    .iterate();
  let count = 0;
  for (const row of rows) {
    count += 1;
    findings.expect('run_cost', row['id'] as string, row['summed'] as bigint, row['cost'] as bigint);
  }
  return count;
}

/** Windows that began with a balance, or from before rows were pruned, cannot be summed from rows: only their holds are checked. */
function verifyWindows(connection: DatabaseSync, findings: Findings, windows: Map<string, Window>): number {
  const prunedBeforeMs = connection.prepare('select pruned_before_ms from ledger_state').get()?.[
    'pruned_before_ms'
  ];
  const rows = connection.prepare('select * from budget_windows').all();
  for (const row of rows) {
    const start = row['window_start_ms'] as bigint;
    const key = windowKey(row['budget_id'] as string, row['account'] as string, start);
    const sums = windows.get(key) ?? emptyWindow();
    windows.delete(key);
    findings.expect('budget_held', key, sums.heldNanoUsd, row['held_nano_usd'] as bigint);
    findings.expect('budget_held', `${key} tokens`, sums.heldTokens, row['held_tokens'] as bigint);
    findings.expect('budget_held', `${key} calls`, sums.heldCalls, row['held_calls'] as bigint);
    if (row['seeded'] === 1n || start < ((prunedBeforeMs as bigint | undefined) ?? 0n)) continue;
    findings.expect('budget_spent', key, sums.spentNanoUsd, row['spent_nano_usd'] as bigint);
    findings.expect('budget_spent', `${key} tokens`, sums.spentTokens, row['spent_tokens'] as bigint);
    findings.expect('budget_spent', `${key} calls`, sums.spentCalls, row['spent_calls'] as bigint);
  }
  // What is left was posted to a window that has no row: it was pruned with its time, or it is missing.
  const oldest = connection
    .prepare('select coalesce(min(window_start_ms), 0) as oldest from budget_windows')
    .get();
  for (const [key, window] of windows) {
    const start = BigInt(key.slice(key.lastIndexOf(' ') + 1));
    if (start >= (oldest?.['oldest'] as bigint))
      findings.expect('budget_spent', key, window.spentNanoUsd, 0n);
  }
  return rows.length;
}
