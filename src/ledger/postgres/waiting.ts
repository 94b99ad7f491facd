// Durable runs that no node runs: each is taken by one of the nodes that ask, in one statement.
import { inArray } from 'drizzle-orm';
import type { RunRecord } from '../../engine/execution/records.ts';
import type { Queryable } from './connection.ts';
import type { PostgresDatabase } from './queries/read-database.ts';
import { readRuns } from './queries/run-queries.ts';
import { runs } from './tables.ts';

/** Locked rows are another's that asks at the same time; a node that was declared dead takes nothing. */
const TAKE = `with me as (select seq from nodes where seq = $1 and alive for key share), line as (
  select seq from runs where node = 0 and finished_at_ms is null and durable and parent_run_id is null and ($3::text is null or id = $3)
  order by priority desc nulls last, seq limit $2 for update skip locked
)
update runs set node = me.seq, status = 'running', begun = begun + 1 from me, line where runs.seq = line.seq returning runs.seq`;

const MINE = `select seq from runs where node = $1 and finished_at_ms is null and durable and parent_run_id is null`;

export type TakeWaiting = (limit: number, id?: string) => Promise<RunRecord[]>;

/** After an answer that was lost, it may have taken runs that nobody here knows of: then all that are this node's are given, those that it runs among them. */
export function createTakeWaiting(client: Queryable, database: PostgresDatabase, node: number): TakeWaiting {
  let isUnsure = false;
  const seqs = async (text: string, values: readonly unknown[]): Promise<number[]> => {
    const { rows } = await client.query(text, [...values]);
    return (rows as { seq: bigint }[]).map(({ seq }) => Number(seq));
  };
  return async (limit, id) => {
    try {
      const taken = await seqs(TAKE, [node, limit, id ?? null]);
      if (isUnsure && id === undefined) {
        taken.push(...(await seqs(MINE, [node])));
        isUnsure = false;
      }
      return taken.length === 0 ? [] : await readRuns(database, inArray(runs.seq, taken));
    } catch (error) {
      isUnsure = true;
      throw error;
    }
  };
}
