// What `lease_budget` of PostgreSQL does, in memory: the books that several nodes' budgets spend from. A test holds the two to each other.
import type { Hold, Leases, Spending } from '../../../src/engine/budget/port.ts';
import { LedgerUnavailable } from '../../../src/errors/ledger-unavailable.ts';
import { amountOf } from '../../../src/engine/budget/units.ts';

type Unit = 'usd' | 'tokens' | 'calls';

interface Row {
  spent: Spending;
  held: Spending;
}

const ZERO: Spending = { costNanoUsd: 0n, tokens: 0, calls: 0 };
const plus = (a: Spending, b: Spending, sign: 1 | -1 = 1): Spending => ({
  costNanoUsd: a.costNanoUsd + BigInt(sign) * b.costNanoUsd,
  tokens: a.tokens + sign * b.tokens,
  calls: a.calls + sign * b.calls,
});
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const keyOf = (...parts: readonly unknown[]): string => JSON.stringify(parts);

export class SharedBooks {
  /** By budget, account, window and node: what is written. */
  readonly rows = new Map<string, Row>();
  readonly #granted = new Map<string, bigint>();
  readonly #listeners = new Map<number, Set<(budgetId: string, account: string) => void>>();
  readonly living = new Set<number>();

  /** An attempt is written as open, or as closed. */
  open(node: number, hold: Hold): void {
    for (const { budgetId, account, windowStartMs } of hold.postings) {
      const row = this.#row(budgetId, account, windowStartMs, node);
      row.held = plus(row.held, hold.worst);
    }
  }

  close(node: number, hold: Hold, worst: Spending, actual: Spending): void {
    for (const { budgetId, account, windowStartMs } of hold.postings) {
      const row = this.#row(budgetId, account, windowStartMs, node);
      row.held = plus(row.held, worst, -1);
      row.spent = plus(row.spent, actual);
    }
  }

  #row(budgetId: string, account: string, windowStartMs: number, node: number): Row {
    const key = keyOf(budgetId, account, windowStartMs, node);
    const row = this.rows.get(key) ?? { spent: ZERO, held: ZERO };
    this.rows.set(key, row);
    return row;
  }

  /** What it has spent and holds stays; what it was granted beyond is free. */
  bury(node: number): void {
    this.living.delete(node);
    this.#listeners.delete(node);
    for (const key of this.#granted.keys())
      if ((JSON.parse(key) as unknown[])[3] === node) this.#granted.delete(key);
  }

  /** Spent and held of an account in the windows that count. */
  used(budgetId: string, account: string, fromMs: number, unit: Unit, node?: number): bigint {
    let sum = 0n;
    for (const [key, { spent, held }] of this.rows) {
      const [budget, name, startMs, of] = JSON.parse(key) as [string, string, number, number];
      if (budget !== budgetId || name !== account || startMs < fromMs) continue;
      if (node === undefined || of === node) sum += amountOf(unit, spent) + amountOf(unit, held);
    }
    return sum;
  }

  leasesOf(node: number): Leases {
    this.living.add(node);
    const heard = new Set<(budgetId: string, account: string) => void>();
    this.#listeners.set(node, heard);
    return {
      lease: async ({ budgetId, account, windowStartMs, unit, countedFromMs }, ask) => {
        await Promise.resolve();
        if (!this.living.has(node)) throw new LedgerUnavailable('It is fenced.', 'Start it again.');
        const nodes = new Set<number>();
        for (const key of [...this.rows.keys(), ...this.#granted.keys()]) {
          const [budget, name, , of] = JSON.parse(key) as [string, string, number, number];
          if (budget === budgetId && name === account) nodes.add(of);
        }
        const usedBy = (of: number): bigint => this.used(budgetId, account, countedFromMs, unit, of);
        let others = 0n;
        for (const of of nodes)
          if (of !== node)
            others += larger(
              this.#granted.get(keyOf(budgetId, account, windowStartMs, of)) ?? 0n,
              usedBy(of),
            );
        const room = ask.limit - others - larger(ask.have, usedBy(node));
        const share = larger(room, 0n) / BigInt(2 * this.living.size);
        const wanted = larger(ask.need, smaller(ask.want, share));
        const got = wanted > room ? 0n : wanted;
        if (got > 0n) this.#granted.set(keyOf(budgetId, account, windowStartMs, node), ask.have + got);
        return { granted: ask.have + got, othersSpent: others, othersHeld: 0n };
      },
      giveBack: ({ budgetId, account, windowStartMs }, granted) => {
        const key = keyOf(budgetId, account, windowStartMs, node);
        const before = this.#granted.get(key);
        if (before !== undefined) this.#granted.set(key, smaller(before, granted));
        return Promise.resolve();
      },
      recall: (budgetId, account) => {
        for (const [of, listeners] of this.#listeners)
          if (of !== node) for (const listener of listeners) listener(budgetId, account);
        return Promise.resolve();
      },
      onRecall(listener) {
        heard.add(listener);
        return () => heard.delete(listener);
      },
      others: () => Promise.resolve([]),
    };
  }
}
