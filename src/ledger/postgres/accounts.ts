// What budgets start from, out of PostgreSQL: read when a plan is prepared, so that budgets are asked and answered in one turn of the event loop.
import type { Pool } from 'pg';
import { canonicalJson } from '../../common/json.ts';
import type { Accounts, RecoveredHold } from '../../engine/budget/port.ts';
import type { PlanBudget } from '../../language/plan/types.ts';
import type { WrittenRow } from '../port.ts';
import { BY_SESSION, GRAIN_MS, HOURS, MINUTES, bucketStartMs } from '../rollup/dimensions.ts';
import { createAccountWrites, holdOf, sumOfRuns, windowSum } from '../sqlite/accounts.ts';
import { MINUTES_READ, accountsOf, countedRows, pastOf, pending } from '../sqlite/history.ts';
import type { Past } from '../sqlite/history.ts';
import type { Settled } from '../sqlite/window-writes.ts';
import type { WriteQueue } from '../sqlite/write-queue.ts';
import { inSnapshot } from './connection.ts';
import type { Queryable, Row } from './connection.ts';

/** The longest calendar window, and its time zone. */
const MONTH_MS = 33 * 86_400_000;

interface Read {
  /** Of the node's own operations, the last one that is in what was read. */
  readonly lastOperation: number;
  readonly sinceMs: number;
  readonly settled: readonly Settled[];
  readonly open: readonly RecoveredHold[];
  readonly history: ReadonlyMap<string, readonly Bucket[]>;
}

/** What was spent in a minute or an hour, and when that is over. */
interface Bucket {
  readonly past: Past;
  readonly endMs: number;
}

const NOTHING: Read = { lastOperation: 0, sinceMs: 0, settled: [], open: [], history: new Map() };

export interface PreparedAccounts extends Required<Accounts> {
  /** To be told of all that is written, so that nothing is missed between reading and asking. */
  written(rows: readonly WrittenRow[], lastOperation: number): void;
}

export function createPostgresAccounts(
  { reads, scans }: { readonly reads: Pool; readonly scans: Pool },
  node: number,
  queue: Pick<WriteQueue, 'pendingAfter' | 'write'>,
  nowMs: () => number,
  patiently: <Value>(work: () => Promise<Value>) => Promise<Value>,
): PreparedAccounts {
  let read = NOTHING;
  /** What was written since the last reading began. */
  let since: { readonly rows: readonly WrittenRow[]; readonly lastOperation: number }[] = [];
  let isListening = false;

  const missed: Pick<WriteQueue, 'pendingAfter'> = {
    pendingAfter: (operation) => [
      ...since.flatMap(({ rows, lastOperation }) => (lastOperation > operation ? rows : [])),
      ...queue.pendingAfter(operation),
    ],
  };

  return {
    ...createAccountWrites(queue),
    async prepare(budgets) {
      since = [];
      isListening = true;
      const longestMs = Math.max(
        MONTH_MS,
        ...budgets.map(({ per }) => (per.kind === 'rolling' ? per.ms * 1.1 : 0)),
      );
      const sinceMs = Math.floor(nowMs() - longestMs);
      read = await inSnapshot(scans, async (client) => ({
        lastOperation: await lastOperationOf(client, node),
        sinceMs,
        settled: [...(await windowSums(client, sinceMs)), ...(await runSums(client, null))],
        open: await openHolds(client),
        history: await histories(client, budgets, sinceMs),
      }));
    },
    settled: (sinceMs) =>
      read.settled.filter(
        ({ posting: { windowStartMs } }) => windowStartMs === 0 || windowStartMs >= sinceMs,
      ),
    open: () => read.open,
    ofRun: (id) => patiently(() => runSums(reads, id)),
    history(budget, sinceMs) {
      const past = (read.history.get(historyKey(budget)) ?? []).flatMap((each) =>
        each.endMs > sinceMs ? [{ ...each.past, atMs: Math.max(sinceMs, each.past.atMs) }] : [],
      );
      return [...past, ...pending(missed, budget, read.lastOperation, sinceMs)];
    },
    written(rows, lastOperation) {
      if (isListening) since.push({ rows, lastOperation });
      // A plan that was prepared is in force at once, or never.
      if (since.length > MOST_KEPT) {
        isListening = false;
        since = [];
      }
    },
  };
}

const MOST_KEPT = 10_000;

/** What decides which past attempts count. */
const historyKey = ({ scope, each }: PlanBudget): string => canonicalJson({ scope, each });

async function lastOperationOf(client: Queryable, node: number): Promise<number> {
  const { rows } = await client.query('select last_operation from nodes where seq = $1', [node]);
  return Number((rows[0] as { last_operation: bigint } | undefined)?.last_operation ?? 0);
}

async function windowSums(client: Queryable, sinceMs: number): Promise<Settled[]> {
  const { rows } = await client.query(
    `select budget_id, account, window_start_ms, sum(spent_nano_usd) as spent_nano_usd, sum(spent_tokens) as spent_tokens,
       sum(spent_calls) as spent_calls from budget_windows where window_start_ms >= $1 group by 1, 2, 3 order by 1, 2, 3`,
    [sinceMs],
  );
  return (rows as Row[]).map(windowSum);
}

/** The accounts of runs' own budgets, of the runs that may still go on: their attempts, and those of their child runs `ID.…`. */
async function runSums(client: Queryable, id: string | null): Promise<Settled[]> {
  const { rows } = await client.query(
    // What nobody knows the outcome of counts as it is held.
    `select distinct attempts.seq, postings, case when attempts.status = 'unreconciled' then 'failed' else attempts.status end as status,
       reconciled, case when attempts.status = 'unreconciled' then held_nano_usd else attempts.cost_nano_usd end as cost,
       case when attempts.status = 'unreconciled' then held_tokens else input_tokens + output_tokens end as tokens
     from runs join attempts
       on attempts.run_id = runs.id or (attempts.run_id > runs.id || '.' and attempts.run_id < runs.id || '/')
     where runs.finished_at_ms is null and attempts.status <> 'open' and ($1::text is null or runs.id = $1)`,
    [id],
  );
  return sumOfRuns(rows as Row[]);
}

async function openHolds(client: Queryable): Promise<RecoveredHold[]> {
  const { rows } = await client.query(
    `select attempts.*, runs.team as team, runs.tier as tier, runs.session as session, runs.tags as tags
     from attempts left join runs on runs.id = attempts.run_id where attempts.status in ('open', 'unreconciled')
     order by attempts.seq`,
  );
  return (rows as Row[]).map(holdOf);
}

/** By the minute as far back as a day, by the hour before. */
async function histories(
  client: Queryable,
  budgets: readonly PlanBudget[],
  sinceMs: number,
): Promise<Map<string, Bucket[]>> {
  const found = new Map<string, Bucket[]>();
  if (budgets.length === 0) return found;
  const newest = await client.query('select max(bucket_ms) as at from rollups where grain = 0');
  const at = Number((newest.rows[0] as { at: bigint | null } | undefined)?.at ?? 0);
  const splitMs = bucketStartMs(HOURS, at - MINUTES_READ * GRAIN_MS[MINUTES]);
  const families = budgets.some(({ each }) => each?.kind === 'session') ? [0, BY_SESSION] : [0];
  const { rows } = await client.query(
    `select grain % ${BY_SESSION} as grain, grain / ${BY_SESSION} * ${BY_SESSION} as family, dimensions, bucket_ms, sum(cost_nano_usd) as cost_nano_usd, sum(attempts) as attempts, sum(errors) as errors,
       sum(input_tokens + output_tokens) as tokens
     from rollups join rollup_keys on rollup_keys.id = key_id
     where attempts > 0 and (grain = any($4) and bucket_ms >= $1 and bucket_ms < $2 or grain = any($5) and bucket_ms >= $3)
     group by rollups.grain, bucket_ms, dimensions`,
    [
      bucketStartMs(HOURS, sinceMs),
      splitMs,
      Math.max(splitMs, bucketStartMs(MINUTES, sinceMs)),
      families.map((family) => HOURS + family),
      families.map((family) => MINUTES + family),
    ],
  );
  const ofFamily = (family: number): readonly Row[] =>
    (rows as Row[]).filter((row) => Number(row['family']) === family);
  for (const budget of budgets) {
    const key = historyKey(budget);
    if (found.has(key)) continue;
    const accounts = accountsOf(budget);
    found.set(
      key,
      countedRows(budget, ofFamily).flatMap((row) => {
        const account = accounts(row['dimensions'] as string);
        if (account === undefined) return [];
        const past = pastOf(row, account, 0);
        return { past, endMs: past.atMs + GRAIN_MS[Number(row['grain']) === HOURS ? HOURS : MINUTES] };
      }),
    );
  }
  return found;
}
