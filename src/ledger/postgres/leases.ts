// Slices of budgets, in PostgreSQL: granted under a lock of the account, in one call of one function (see migrations/postgres).
import type { Pool, QueryConfig, QueryResult } from 'pg';
import type { Leases, OthersUse } from '../../engine/budget/port.ts';
import { unavailable } from '../sqlite/write-failures.ts';
import { explainPostgresError } from './connection.ts';
import type { DatabaseAddress } from './connection.ts';
import type { Patience } from './patience.ts';
import type { NodeSignals } from './signals.ts';
import { FENCED } from './writer.ts';

interface Granted {
  readonly granted: bigint;
  readonly others_spent: bigint;
  readonly others_held: bigint;
}

interface Used {
  readonly budget_id: string;
  readonly account: string;
  readonly window_start_ms: bigint;
  readonly spent_nano_usd: bigint;
  readonly spent_tokens: bigint;
  readonly spent_calls: bigint;
  readonly held_nano_usd: bigint;
  readonly held_tokens: bigint;
  readonly held_calls: bigint;
}

export function createLeases(
  pool: Pool,
  address: DatabaseAddress,
  node: number,
  signals: NodeSignals,
  patience: Patience,
): Leases {
  /** Asked for again is granted once. Throws LedgerUnavailable. */
  async function asked(query: QueryConfig): Promise<QueryResult> {
    try {
      return await patience.while(() => pool.query(query));
    } catch (error) {
      throw unavailable(explainPostgresError(error, address));
    }
  }
  return {
    async lease({ budgetId, account, windowStartMs, unit, countedFromMs }, { limit, have, need, want }) {
      const { rows } = await asked({
        name: 'headgate_lease',
        text: 'select * from lease_budget($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)',
        values: [
          node,
          budgetId,
          account,
          windowStartMs,
          Math.floor(countedFromMs),
          unit,
          String(limit),
          String(have),
          String(need),
          String(want),
        ],
      });
      const { granted, others_spent: othersSpent, others_held: othersHeld } = rows[0] as Granted;
      // It is no matter of budgets: another node may be asked.
      if (granted < 0n) throw unavailable(FENCED);
      return { granted, othersSpent, othersHeld };
    },
    async giveBack({ budgetId, account, windowStartMs }, granted) {
      await pool.query(
        `update budget_leases set granted = least(granted, $5)
         where budget_id = $1 and account = $2 and window_start_ms = $3 and node = $4`,
        [budgetId, account, windowStartMs, node, String(granted)],
      );
    },
    recall: (budgetId, account) => signals.send({ kind: 'recall', budgetId, account }),
    onRecall: (listener) =>
      signals.onSignal((signal) => {
        if (signal.kind === 'recall') listener(signal.budgetId, signal.account);
      }),
    async others(sinceMs) {
      const { rows } = await pool.query(
        `select budget_id, account, window_start_ms, ${['spent', 'held'].flatMap((kind) => ['nano_usd', 'tokens', 'calls'].map((unit) => `sum(${kind}_${unit}) as ${kind}_${unit}`)).join(', ')}
         from budget_windows where window_start_ms >= $1 and node <> $2 group by 1, 2, 3`,
        [Math.floor(sinceMs), node],
      );
      return (rows as Used[]).map(useOf);
    },
  };
}

function useOf(row: Used): OthersUse {
  return {
    budgetId: row.budget_id,
    account: row.account,
    windowStartMs: Number(row.window_start_ms),
    spent: {
      costNanoUsd: row.spent_nano_usd,
      tokens: Number(row.spent_tokens),
      calls: Number(row.spent_calls),
    },
    held: { costNanoUsd: row.held_nano_usd, tokens: Number(row.held_tokens), calls: Number(row.held_calls) },
  };
}
