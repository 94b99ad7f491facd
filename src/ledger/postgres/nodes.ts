// Nodes: each process that writes is one, with rows of its own; what a node leaves behind is settled by another, in one transaction.
import { hostname } from 'node:os';
import type { Pool, PoolClient } from 'pg';
import { addSums, emptySums } from '../rollup/sums.ts';
import { INTERRUPTED, stemOfRun } from '../recovery-rules.ts';
import { encodeDimensions, stemOf } from '../rollup/dimensions.ts';
import { DATABASE_NOW_MS, inTransaction } from './connection.ts';
import type { Queryable } from './connection.ts';
import { RollupChanges } from './rollup-changes.ts';
import { turnStatement } from './statement.ts';

export interface NodeRecord {
  readonly seq: number;
  readonly id: string;
}

/** A process that loads its code may say nothing for a while; it has nothing to leave behind yet. */
const START_MS = 20_000;

export async function registerNode(database: Queryable, id: string, version: string): Promise<NodeRecord> {
  const { rows } = await database.query(
    `insert into nodes (id, place, version, alive, has_left, started_at_ms, beat_at_ms, last_operation, has_session_days, has_quarters)
     values ($1, $2, $3, true, false, ${DATABASE_NOW_MS}, ${DATABASE_NOW_MS} + ${START_MS}, 0, true, true) returning seq`,
    [id, `${hostname()} ${process.pid}`, version],
  );
  return { seq: Number((rows[0] as { seq: bigint }).seq), id };
}

/** What a node left behind. */
export interface Buried {
  readonly unreconciled: number;
  readonly heldNanoUsd: bigint;
  readonly interrupted: number;
  /** Durable runs, which go on where there is room. */
  readonly waiting: readonly string[];
}

export const NOBODY_BURIED: Buried = { unreconciled: 0, heldNanoUsd: 0n, interrupted: 0, waiting: [] };

/**
 * Fences a node: from here on nothing that it writes is taken, and what it left is settled. Its open attempts become unreconciled and stay held at
 * their worst case (INV-3), its interactive runs end as interrupted, its durable ones wait for whoever takes them. Of several who do so, one does.
 * `isDead`: SQL of the row of `nodes`, looked at once more under its lock.
 */
export function buryNode(
  pool: Pool,
  dead: number,
  by: number,
  nowMs: number,
  isDead: string,
): Promise<Buried | undefined> {
  return inTransaction(pool, async (client) => {
    const burier = await client.query('select 1 from nodes where seq = $1 and alive for key share', [by]);
    if (burier.rowCount !== 1) return undefined;
    const found = await client.query(
      `select 1 from nodes where seq = $1 and alive and (${isDead}) for update skip locked`,
      [dead],
    );
    if (found.rowCount !== 1) return undefined;
    const left = await client.query(
      `update attempts set status = 'unreconciled' where node = $1 and status = 'open' returning held_nano_usd as held`,
      [dead],
    );
    const held = left.rows as { held: bigint }[];
    await client.query('update nodes set alive = false where seq = $1', [dead]);
    const interrupted = await interruptRuns(client, dead, nowMs);
    // Those that had begun wait for whoever has room; child runs, for their parents.
    const waiting = await client.query(
      `update runs set node = 0, status = 'queued' where node = $1 and finished_at_ms is null and durable returning id`,
      [dead],
    );
    // What it was granted and did not use is free again; what it has spent and holds is in its rows.
    await client.query('delete from budget_leases where node = $1', [dead]);
    return {
      unreconciled: held.length,
      heldNanoUsd: held.reduce((sum, each) => sum + each.held, 0n),
      interrupted,
      waiting: (waiting.rows as { id: string }[]).map(({ id }) => id),
    };
  });
}

/** Counted in the dead node's own rows, which nobody writes any more. */
async function interruptRuns(client: PoolClient, dead: number, nowMs: number): Promise<number> {
  const { rows } = await client.query(
    `select id, task, caller, team, session, revision, tags, started_at_ms, cost_nano_usd as row_cost,
       (select dimensions from attempts join rollup_keys on rollup_keys.id = attempts.rollup_key_id where run_id = runs.id
         order by attempts.seq desc limit 1) as last_key,
       (select coalesce(sum(cost_nano_usd), 0) from attempts where run_id = runs.id) as cost,
       (select coalesce(sum(saved_nano_usd), 0) from attempts where run_id = runs.id) as saved
     from runs where node = $1 and finished_at_ms is null and not durable`,
    [dead],
  );
  if (rows.length === 0) return 0;
  const rollups = new RollupChanges(dead);
  const runs = (rows as { [column: string]: unknown }[]).map((run) => {
    const lastKey = run['last_key'] as string | null;
    const key = encodeDimensions(lastKey === null ? stemOfRun(run) : stemOf(lastKey), 'failed');
    const startedAtMs = Number(run['started_at_ms']);
    const sums = emptySums();
    sums.runs = 1;
    sums.savedNanoUsd = run['saved'] as bigint;
    rollups.want(key);
    addSums(rollups.at(key, startedAtMs), sums);
    return {
      id: run['id'] as string,
      key,
      startedAtMs,
      cost: run['cost'] as bigint,
      rowCost: run['row_cost'] as bigint,
      saved: sums.savedNanoUsd,
    };
  });
  await rollups.resolve(client);
  const finished = runs.map(({ id, key, startedAtMs, cost, rowCost, saved }) => ({
    id,
    status: 'failed',
    error: INTERRUPTED,
    costNanoUsd: String(cost),
    fromCost: String(rowCost),
    savedNanoUsd: String(saved),
    cached: 0,
    finishedAtMs: nowMs,
    latencyMs: Math.max(0, nowMs - startedAtMs),
    rollupKeyId: rollups.keyId(key),
    outputText: null,
    outputContent: null,
  }));
  // It takes no number of the dead node: one that wakes would take its next operation for written.
  const turn = {
    node: dead,
    first: 1,
    last: 0,
    finished,
    rollups: await rollups.take(client),
  };
  await client.query(turnStatement(turn, true));
  return runs.length;
}
