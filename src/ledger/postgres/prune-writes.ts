// Deletes what its time is over for, a bounded number of rows at a time, and never a sum.
import { KEEP_WINDOWS_MS, sumsKeptFrom } from '../retention/kept.ts';
import type { Queryable } from './connection.ts';
import { beginQuarters, completeSessionDays, mergeRollups } from './rollup-changes.ts';

/** Rows of roll-ups are small. */
const MERGED_A_RUN = 10;

/** At most some `limit` runs of each kind; returns how many rows there were, 0 when nothing is left to do. */
export async function prune(
  database: Queryable,
  { nowMs, rowsBeforeMs, limit }: { nowMs: number; rowsBeforeMs: number; limit: number },
): Promise<number> {
  let done = 0;
  const changed = async (text: string, values: readonly unknown[]): Promise<number> => {
    const { rowCount } = await database.query(text, [...values]);
    return rowCount ?? 0;
  };
  const expired = await idsOf(
    database,
    'select id from runs where keep_until_ms is not null and keep_until_ms < $1 and finished_at_ms is not null limit $2',
    [nowMs, limit],
  );
  await changed('update steps set output_text = null, output_content = null where run_id = any($1::text[])', [
    expired,
  ]);
  done += await changed(
    `update runs set input_text = null, input_content = null, output_text = null, output_content = null, keep_until_ms = null
     where id = any($1::text[])`,
    [expired],
  );
  // A durable run that is still under way reads its input again after a restart, however long ago it began.
  done += await changed(
    `delete from contents where id in (
       select id from contents where keep_until_ms is not null and keep_until_ms < $1
         and not exists (select 1 from runs where finished_at_ms is null and input_content = contents.id)
         and not exists (select 1 from runs join steps on steps.run_id = runs.id
           where runs.finished_at_ms is null and steps.output_content = contents.id)
       limit $2)`,
    [nowMs, limit],
  );
  const old = await idsOf(
    database,
    `select id from runs where started_at_ms < $1 and finished_at_ms is not null
       and not exists (select 1 from attempts where run_id = runs.id and status in ('open', 'unreconciled')) limit $2`,
    [rowsBeforeMs, limit],
  );
  if (old.length > 0) {
    await changed('update ledger_state set pruned_before_ms = greatest(pruned_before_ms, $1)', [
      rowsBeforeMs,
    ]);
    await changed('delete from attempts where run_id = any($1::text[])', [old]);
    await changed('delete from steps where run_id = any($1::text[])', [old]);
    done += await changed('delete from runs where id = any($1::text[])', [old]);
  }
  const { minutesFromMs, hoursFromMs, grains } = sumsKeptFrom(nowMs);
  await changed(
    'update ledger_state set minutes_from_ms = greatest(minutes_from_ms, $1), hours_from_ms = greatest(hours_from_ms, $2)',
    [minutesFromMs, hoursFromMs],
  );
  await changed('update ledger_state set quarters_from_ms = $1 where quarters_from_ms < $1', [hoursFromMs]);
  for (const [grain, fromMs] of grains)
    done += await changed('delete from rollups where grain = $1 and bucket_ms < $2', [grain, fromMs]);
  await completeSessionDays(database);
  await beginQuarters(database);
  done += await mergeRollups(database, limit * MERGED_A_RUN);
  done += await changed(
    'delete from budget_windows where window_start_ms < $1 and held_nano_usd = 0 and held_tokens = 0 and held_calls = 0',
    [nowMs - KEEP_WINDOWS_MS],
  );
  await changed('delete from budget_leases where window_start_ms <> 0 and window_start_ms < $1', [
    nowMs - KEEP_WINDOWS_MS,
  ]);
  return done;
}

async function idsOf(database: Queryable, text: string, values: readonly unknown[]): Promise<string[]> {
  const { rows } = await database.query(text, [...values]);
  return (rows as { id: string }[]).map(({ id }) => id);
}
