// Deletes what its time is over for, a bounded number of rows at a time, and never a sum.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { KEEP_WINDOWS_MS, sumsKeptFrom } from '../retention/kept.ts';

export class PruneWrites {
  readonly #expired: StatementSync;
  readonly #dropRunTexts: StatementSync;
  readonly #dropStepTexts: StatementSync;
  readonly #dropContents: StatementSync;
  readonly #oldRuns: StatementSync;
  readonly #dropAttempts: StatementSync;
  readonly #dropSteps: StatementSync;
  readonly #dropRun: StatementSync;
  readonly #markPruned: StatementSync;
  readonly #markRollups: StatementSync;
  readonly #dropRollups: StatementSync;
  readonly #dropWindows: StatementSync;

  constructor(database: DatabaseSync) {
    const finished = 'finished_at_ms is not null';
    this.#expired = database.prepare(
      `select seq, id from runs where keep_until_ms is not null and keep_until_ms < ? and ${finished} limit ?`,
    );
    this.#dropRunTexts = database.prepare(
      `update runs set input_text = null, input_content = null, output_text = null, output_content = null, keep_until_ms = null
       where seq = ?`,
    );
    this.#dropStepTexts = database.prepare(
      'update steps set output_text = null, output_content = null where run_id = ?',
    );
    // A durable run that is still under way reads its input again after a restart, however long ago it began.
    this.#dropContents = database.prepare(
      `delete from contents where id in (
         select id from contents where keep_until_ms is not null and keep_until_ms < ?1
           and id not in (select input_content from runs where finished_at_ms is null and input_content is not null)
           and id not in (select steps.output_content from runs cross join steps
             where steps.run_id = runs.id and runs.finished_at_ms is null and steps.output_content is not null)
         limit ?2)`,
    );
    this.#oldRuns = database.prepare(
      `select seq, id from runs where started_at_ms < ? and ${finished}
         and not exists (select 1 from attempts where run_id = runs.id and status in ('open', 'unreconciled')) limit ?`,
    );
    this.#dropAttempts = database.prepare('delete from attempts where run_id = ?');
    this.#dropSteps = database.prepare('delete from steps where run_id = ?');
    this.#dropRun = database.prepare('delete from runs where seq = ?');
    this.#markPruned = database.prepare(
      'update ledger_state set pruned_before_ms = max(pruned_before_ms, ?)',
    );
    this.#markRollups = database.prepare(
      'update ledger_state set minutes_from_ms = max(minutes_from_ms, ?1), hours_from_ms = max(hours_from_ms, ?2), quarters_from_ms = max(quarters_from_ms, ?2)',
    );
    this.#dropRollups = database.prepare('delete from rollups where grain = ? and bucket_ms < ?');
    this.#dropWindows = database.prepare(
      'delete from budget_windows where window_start_ms < ? and held_nano_usd = 0 and held_tokens = 0 and held_calls = 0',
    );
  }

  /** At most some `limit` runs of each kind; returns how many rows there were, 0 when nothing is left to do. */
  prune(nowMs: number, rowsBeforeMs: number, limit: number): number {
    let done = 0;
    for (const run of this.#expired.all(nowMs, limit)) {
      this.#dropRunTexts.run(run['seq'] as bigint);
      this.#dropStepTexts.run(run['id'] as string);
      done += 1;
    }
    done += Number(this.#dropContents.run(nowMs, limit).changes);
    for (const run of this.#oldRuns.all(rowsBeforeMs, limit)) {
      this.#markPruned.run(rowsBeforeMs);
      this.#dropAttempts.run(run['id'] as string);
      this.#dropSteps.run(run['id'] as string);
      this.#dropRun.run(run['seq'] as bigint);
      done += 1;
    }
    const { minutesFromMs, hoursFromMs, grains } = sumsKeptFrom(nowMs);
    this.#markRollups.run(minutesFromMs, hoursFromMs);
    for (const [grain, fromMs] of grains) done += Number(this.#dropRollups.run(grain, fromMs).changes);
    done += Number(this.#dropWindows.run(nowMs - KEEP_WINDOWS_MS).changes);
    return done;
  }
}
