// Adds everything up again: each attempt from its usage and rates, and every sum from its rows, to the nano-dollar (INV-1).
import type { DatabaseSync } from 'node:sqlite';
import type { Posting } from '../../engine/budget/port.ts';
import type { PlanPrice, PlanRates } from '../../language/plan/types.ts';
import { costOf } from '../../engine/routing/cost.ts';
import { settledSpending } from '../sqlite/settled-spending.ts';
import { Findings } from './report.ts';
import type { VerifyReport } from './report.ts';
import {
  ATTEMPTS_BY_DAY,
  DAYS_AS_KEPT,
  DAY_GRAINS,
  FINER,
  RUNS_BY_DAY,
  verifyRollups,
} from './verify-rollups.ts';

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
  const all = (text: string): Iterable<Row> => connection.prepare(text).iterate();
  const one = (text: string): Row | undefined => connection.prepare(text).get();
  const prunedBeforeMs = (one('select pruned_before_ms as at from ledger_state')?.['at'] ?? 0n) as bigint;
  const sums = new AttemptSums(findings);
  const attempts = sums.add(all(`select attempts.id as id, ${ATTEMPT_COLUMNS} ${FROM_ATTEMPTS}`));
  const runs = verifyRuns(all(RUNS), findings);
  const budgetWindows = sums.verifyWindows(all('select * from budget_windows'), prunedBeforeMs);
  const rollups = verifyRollups(
    {
      attempts: all(ATTEMPTS_BY_DAY),
      runs: all(RUNS_BY_DAY),
      days: all(DAYS_AS_KEPT(DAY_GRAINS)),
      dayGrains: DAY_GRAINS,
      finer: (grains) => all(FINER(grains)),
    },
    prunedBeforeMs,
    findings,
  );
  return reportOf(findings, { attempts, runs, budgetWindows, rollups });
}

export function reportOf(
  findings: Findings,
  counts: Pick<VerifyReport, 'attempts' | 'runs' | 'budgetWindows' | 'rollups'>,
): VerifyReport {
  return {
    ok: findings.found === 0,
    ...counts,
    found: findings.found,
    discrepancies: findings.listed,
  };
}

export const ATTEMPT_COLUMNS = `status, reconciled, rates_content, contents.text as rates, postings, held_nano_usd, held_tokens, input_tokens,
  cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost_nano_usd, estimated`;
export const FROM_ATTEMPTS = 'from attempts join contents on contents.id = rates_content';
export const RUNS = `select id, cost_nano_usd as cost,
  (select coalesce(sum(cost_nano_usd), 0) from attempts where run_id = runs.id and status not in ('open', 'unreconciled')) as summed
  from runs where finished_at_ms is not null`;

/** 64 bits in SQLite, a boolean in PostgreSQL. */
const isTrue = (value: unknown): boolean => value === 1n || value === true;

/** Holds each attempt to its bill, and the budgets' windows to the attempts. */
export class AttemptSums {
  readonly #findings: Findings;
  readonly #windows = new Map<string, Window>();
  readonly #prices = new Map<bigint, PlanPrice | undefined>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Returns how many there were. */
  add(rows: Iterable<Row>): number {
    let count = 0;
    for (const row of rows) {
      count += 1;
      this.#post(row);
      if (!isOpen(row) && !isReconciled(row)) this.#verifyCost(row);
    }
    return count;
  }

  #verifyCost(row: Row): void {
    const key = row['rates_content'] as bigint;
    if (!this.#prices.has(key)) this.#prices.set(key, priceOf(row));
    const price = this.#prices.get(key);
    const id = row['id'] as string;
    if (price === undefined) {
      this.#findings.add({
        kind: 'rates',
        where: id,
        expected: 'a price',
        actual: String(row['rates']).slice(0, 80),
      });
      return;
    }
    const listed = costOf(price, usageOf(row));
    const cost = row['cost_nano_usd'] as bigint;
    // Who refused a call bills nothing for it, not even a fee.
    if (cost === 0n && isRefused(row)) return;
    // An estimate may be above what its tokens cost: at the held worst case, or at a price of its own.
    if (!isTrue(row['estimated']) || cost < listed) this.#findings.expect('attempt_cost', id, listed, cost);
  }

  #post(row: Row): void {
    for (const posting of JSON.parse(row['postings'] as string) as Posting[]) {
      if (posting.windowStartMs === 0) continue;
      const key = windowKey(posting.budgetId, posting.account, posting.windowStartMs);
      const window = this.#windows.get(key) ?? emptyWindow();
      this.#windows.set(key, window);
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
  /** Windows that began with a balance, or from before rows were pruned, cannot be summed from rows: only their holds are checked. */
  verifyWindows(rows: Iterable<Row>, prunedBeforeMs: bigint): number {
    const findings = this.#findings;
    let count = 0;
    let oldest: bigint | null = null;
    for (const row of rows) {
      count += 1;
      const start = row['window_start_ms'] as bigint;
      if (oldest === null || start < oldest) oldest = start;
      const key = windowKey(row['budget_id'] as string, row['account'] as string, start);
      const sums = this.#windows.get(key) ?? emptyWindow();
      this.#windows.delete(key);
      findings.expect('budget_held', key, sums.heldNanoUsd, row['held_nano_usd'] as bigint);
      findings.expect('budget_held', `${key} tokens`, sums.heldTokens, row['held_tokens'] as bigint);
      findings.expect('budget_held', `${key} calls`, sums.heldCalls, row['held_calls'] as bigint);
      if (isTrue(row['seeded']) || start < prunedBeforeMs) continue;
      findings.expect('budget_spent', key, sums.spentNanoUsd, row['spent_nano_usd'] as bigint);
      findings.expect('budget_spent', `${key} tokens`, sums.spentTokens, row['spent_tokens'] as bigint);
      findings.expect('budget_spent', `${key} calls`, sums.spentCalls, row['spent_calls'] as bigint);
    }
    // What is left was posted to a window that has no row: it was pruned with its time, or it is missing.
    for (const [key, window] of this.#windows) {
      const start = BigInt(key.slice(key.lastIndexOf(' ') + 1));
      if (start >= (oldest ?? 0n)) findings.expect('budget_spent', key, window.spentNanoUsd, 0n);
    }
    return count;
  }
}

const isOpen = (row: Row): boolean => row['status'] === 'open' || row['status'] === 'unreconciled';

/** Its cost is what an operator said, not what usage makes of it. */
const isReconciled = (row: Row): boolean => isTrue(row['reconciled']);
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

export function verifyRuns(rows: Iterable<Row>, findings: Findings): number {
  let count = 0;
  for (const row of rows) {
    count += 1;
    findings.expect('run_cost', row['id'] as string, row['summed'] as bigint, row['cost'] as bigint);
  }
  return count;
}

/** The rates that an attempt was settled with: `free`, or a price as canonical JSON whose integers are `{"$bigint":"…"}`. Throws on anything else. */
function parsePrice(text: string): PlanPrice {
  if (text === 'free') return { kind: 'free' };
  const price = JSON.parse(text, (_key, value: unknown) => {
    if (typeof value === 'object' && value !== null && '$bigint' in value)
      return BigInt(String(value.$bigint));
    return value;
  }) as PlanPrice;
  if (price.kind === 'rates' && price.tiers.every(isRates)) return price;
  throw new Error('not a price');
}

function isRates(rates: PlanRates): boolean {
  const { input, cachedInput, cacheWrite, output, reasoning, request } = rates;
  return [input, cachedInput, cacheWrite, output, reasoning, request].every(
    (rate) => typeof rate === 'bigint',
  );
}
