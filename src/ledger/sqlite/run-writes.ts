// Writes runs and the receipts of their steps.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ContentStore } from './content-store.ts';
import type { Value } from './operations.ts';
import type { RollupWrites } from './rollup-writes.ts';

export class RunWrites {
  readonly #contents: ContentStore;
  readonly #rollups: RollupWrites;
  readonly #insert: StatementSync;
  readonly #finish: StatementSync;
  readonly #step: StatementSync;
  readonly #caller: StatementSync;
  /** Callers whose row is known to be up to date, with what it says. */
  #callers = new Map<string, string>();

  constructor(database: DatabaseSync, contents: ContentStore, rollups: RollupWrites) {
    this.#contents = contents;
    this.#rollups = rollups;
    this.#insert = database.prepare(
      `insert into runs (id, task, revision, task_revision, status, caller, team, tier, tags, idempotency_key, parent_run_id,
         durable, continuation, input_text, input_content, input_hash, cached, started_at_ms, cost_nano_usd, saved_nano_usd)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)
       on conflict (id) do update set status = excluded.status where finished_at_ms is null`,
    );
    this.#finish = database.prepare(
      `update runs set status = ?, output_text = ?, output_content = ?, error = ?, cost_nano_usd = ?, saved_nano_usd = ?, cached = ?,
         finished_at_ms = ?, latency_ms = ?, continuation = null where id = ? and finished_at_ms is null
       returning started_at_ms`,
    );
    this.#step = database.prepare(
      `insert into steps (run_id, key, kind, status, started_at_ms, finished_at_ms, output_text, output_content, error)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?)
       on conflict (run_id, key) do update set status = excluded.status, started_at_ms = excluded.started_at_ms,
         finished_at_ms = excluded.finished_at_ms, output_text = excluded.output_text, output_content = excluded.output_content,
         error = excluded.error
       where status <> 'succeeded'`,
    );
    this.#caller = database.prepare(
      `insert into callers (name, team, tier, first_seen_ms, last_seen_ms) values (?, ?, ?, ?, ?)
       on conflict (name) do update set team = excluded.team, tier = excluded.tier, last_seen_ms = excluded.last_seen_ms`,
    );
  }

  open(batch: readonly Value[], at: number): void {
    const input = this.#contents.store(batch[at + 13] as string | null, null);
    this.#insert.run(
      ...batch.slice(at, at + 13),
      input.text,
      input.content,
      ...batch.slice(at + 14, at + 17),
    );
    this.#seeCaller(
      batch[at + 5] as string,
      batch[at + 6] as string | null,
      batch[at + 7] as string | null,
      batch[at + 16] as number,
    );
  }

  #seeCaller(name: string, team: string | null, tier: string | null, atMs: number): void {
    // To the hour: a caller's row is not worth a write for each of its runs.
    const seen = JSON.stringify([team, tier, Math.floor(atMs / 3_600_000)]);
    if (this.#callers.get(name) === seen) return;
    if (this.#callers.size >= 10_000) this.#callers = new Map();
    this.#caller.run(name, team, tier, atMs, atMs);
    this.#callers.set(name, seen);
  }

  /** Does nothing to a run that is finished already, so that it is counted once. */
  finish(batch: readonly Value[], at: number): void {
    const [id, status, outputText, error, cost, saved, cached, finishedAtMs, latencyMs, key] = batch.slice(
      at,
      at + 10,
    );
    const output = this.#contents.store(outputText as string | null, null);
    const row = this.#finish.get(
      status ?? null,
      output.text,
      output.content,
      error ?? null,
      cost ?? 0n,
      saved ?? 0n,
      cached ?? 0,
      finishedAtMs ?? null,
      latencyMs ?? null,
      id ?? null,
    );
    if (row === undefined) return;
    const sums = this.#rollups.at(key as string, Number(row['started_at_ms']));
    sums.runs += 1;
    sums.savedNanoUsd += saved as bigint;
  }

  /** A step that succeeded keeps its first receipt (INV-5). */
  step(batch: readonly Value[], at: number): void {
    const output = this.#contents.store(batch[at + 6] as string | null, null);
    this.#step.run(...batch.slice(at, at + 6), output.text, output.content, batch[at + 7] ?? null);
  }

  forget(): void {
    this.#callers = new Map();
  }
}
