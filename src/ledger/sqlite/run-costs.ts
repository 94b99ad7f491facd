// What each run has cost: the sum of its attempts, whichever of them is closed before or after the run (INV-1).
import type { DatabaseSync, StatementSync } from 'node:sqlite';

export class RunCosts {
  readonly #beforeReading: () => void;
  readonly #sum: StatementSync;
  readonly #add: StatementSync;
  /** Of the runs that were opened here and are under way. */
  #running = new Map<string, bigint>();

  /** `beforeReading`: inserts the rows that the open transaction has not inserted yet. */
  constructor(database: DatabaseSync, beforeReading: () => void) {
    this.#beforeReading = beforeReading;
    this.#sum = database.prepare(
      'select coalesce(sum(cost_nano_usd), 0) as cost from attempts where run_id = ?',
    );
    this.#add = database.prepare(
      'update runs set cost_nano_usd = cost_nano_usd + ? where id = ? and finished_at_ms is not null',
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
    if (sum !== undefined) return sum;
    this.#beforeReading();
    return this.#sum.get(runId)?.['cost'] as bigint;
  }

  forget(): void {
    this.#running = new Map();
  }
}
