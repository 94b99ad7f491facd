// What opening does about a process that died: its open attempts become unreconciled, its runs interrupted or left for the runtime.
import type { DatabaseSync } from 'node:sqlite';
import { INTERRUPTED, stemOfRun } from '../recovery-rules.ts';
import { encodeDimensions, stemOf } from '../rollup/dimensions.ts';
import type { TakenUp } from '../journal/take-up.ts';
import { RollupWrites } from './rollup-writes.ts';

export interface Recovered {
  /** Attempts whose outcome nobody knows, newly found; they stay held at their worst case. */
  readonly unreconciled: number;
  readonly heldNanoUsd: bigint;
  /** Runs that were going and are not durable; marked as failed with RUN_INTERRUPTED. */
  readonly interrupted: number;
  /** What became of its journal. */
  readonly journal: TakenUp;
}

/** With the condition of the index word for word: SQLite does not see that one status is among two, and would look at every attempt. */
const OPEN = `status in ('open', 'unreconciled') and status = 'open'`;

export function recover(database: DatabaseSync, nowMs: number): Omit<Recovered, 'journal'> {
  database.exec('begin immediate');
  try {
    let unreconciled = 0;
    let heldNanoUsd = 0n;
    for (const row of database
      .prepare(`select held_nano_usd as held from attempts where ${OPEN}`)
      .iterate()) {
      unreconciled += 1;
      heldNanoUsd += row['held'] as bigint;
    }
    // Not closed, nothing moved: the hold stays in its budget windows until somebody says what became of it (INV-3).
    database.exec(`update attempts set status = 'unreconciled' where ${OPEN}`);
    const interrupted = interruptRuns(database, nowMs);
    // They wait for this process, which goes on with them from their receipts.
    database.exec(`update runs set status = 'queued' where finished_at_ms is null and durable = 1`);
    database.exec('commit');
    return { unreconciled, heldNanoUsd, interrupted };
  } catch (error) {
    if (database.isTransaction) database.exec('rollback');
    throw error;
  }
}

function interruptRuns(database: DatabaseSync, nowMs: number): number {
  const runs = database
    .prepare(
      `select id, task, caller, team, session, revision, tags, started_at_ms,
         (select dimensions from attempts join rollup_keys on rollup_keys.id = attempts.rollup_key_id where run_id = runs.id
           order by attempts.seq desc limit 1) as last_key,
         (select coalesce(sum(cost_nano_usd), 0) from attempts where run_id = runs.id) as cost,
         (select coalesce(sum(saved_nano_usd), 0) from attempts where run_id = runs.id) as saved
       from runs where finished_at_ms is null and durable = 0`,
    )
    .all();
  const update = database.prepare(
    `update runs set status = 'failed', error = ?, cost_nano_usd = ?, saved_nano_usd = ?, finished_at_ms = ?, latency_ms = ?,
       rollup_key_id = ? where id = ?`,
  );
  const rollups = new RollupWrites(database);
  for (const run of runs) {
    const startedAtMs = Number(run['started_at_ms']);
    const cost = run['cost'] as bigint;
    const saved = run['saved'] as bigint;
    const lastKey = run['last_key'] as string | null;
    const key = encodeDimensions(lastKey === null ? stemOfRun(run) : stemOf(lastKey), 'failed');
    const latencyMs = Math.max(0, nowMs - startedAtMs);
    update.run(INTERRUPTED, cost, saved, nowMs, latencyMs, rollups.keyId(key), run['id'] as string);
    const sums = rollups.at(key, startedAtMs);
    sums.runs += 1;
    sums.savedNanoUsd += saved;
  }
  rollups.flush();
  return runs.length;
}
