// What each run has cost: the sum of its attempts, whichever of them is closed before or after the run (INV-1).
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LARGEST_SUM, withinSum } from './written-values.ts';

export class RunCosts {
  readonly #beforeReading: () => void;
  readonly #costs: StatementSync;
  readonly #add: StatementSync;
  /** Of the runs that were opened here and are under way. */
  #running = new Map<string, bigint>();

  /** `beforeReading`: inserts the rows that the open transaction has not inserted yet. */
  constructor(database: DatabaseSync, beforeReading: () => void) {
    this.#beforeReading = beforeReading;
    this.#costs = database.prepare(
      // Added up here: SQLite's sum ends in an error past 64 bits.
      'select cost_nano_usd as cost from attempts where run_id = ?',
    );
    this.#add = database.prepare(
      `update runs set cost_nano_usd = min(${LARGEST_SUM}, cost_nano_usd + ?) where id = ? and finished_at_ms is not null`,
    );
  }

  opened(runId: string): void {
    this.#running.set(runId, 0n);
  }

  closed(runId: string, costNanoUsd: bigint): void {
    const sum = this.#running.get(runId);
    if (sum !== undefined) this.#running.set(runId, sum + costNanoUsd);
    // The loser of a hedge, or an attempt reconciled later: its run may be over.
    else if (costNanoUsd !== 0n) {
      this.#beforeReading();
      this.#add.run(costNanoUsd, runId);
    }
  }

  finished(runId: string): bigint {
    const sum = this.#running.get(runId);
    this.#running.delete(runId);
    if (sum !== undefined) return withinSum(sum);
    this.#beforeReading();
    const costs = this.#costs.all(runId).map((row) => row['cost'] as bigint);
    return withinSum(costs.reduce((sum, cost) => sum + cost, 0n));
  }

  forget(): void {
    this.#running = new Map();
  }
}
