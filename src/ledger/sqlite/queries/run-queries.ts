// Reads runs and their steps.
import { and, desc, asc, eq, gte, inArray, isNull, lt, gt, sql, or } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import { alias } from 'drizzle-orm/sqlite-core';
import type { CachedFor } from '../../../engine/execution/recorder.ts';
import type { RunRecord, StepRecord } from '../../../engine/execution/records.ts';
import type { Page, PageRequest, RunFilter } from '../../port.ts';
import { toRun, toStep } from '../../read-records.ts';
import { encodeTags } from '../../rollup/dimensions.ts';
import { attempts, contents, runs, steps } from '../tables.ts';
import type { ReadDatabase } from './read-database.ts';
import { pageOf, rowLimit } from './paging.ts';

const inputs = alias(contents, 'inputs');
const outputs = alias(contents, 'outputs');

/** Until a run is finished, its cost is what its attempts have cost so far. */
const costSoFar = sql<bigint>`case when ${runs.finishedAtMs} is null
  then (select coalesce(sum(cost_nano_usd), 0) from attempts where run_id = ${runs.id}) else ${runs.costNanoUsd} end`.mapWith(
  BigInt,
);

const runColumns = {
  seq: runs.seq,
  id: runs.id,
  task: runs.task,
  revision: runs.revision,
  taskRevision: runs.taskRevision,
  status: runs.status,
  caller: runs.caller,
  team: runs.team,
  tier: runs.tier,
  session: runs.session,
  tags: runs.tags,
  idempotencyKey: runs.idempotencyKey,
  parentRunId: runs.parentRunId,
  durable: runs.durable,
  continuation: runs.continuation,
  input: sql<string | null>`coalesce(${runs.inputText}, ${inputs.text})`,
  inputHash: runs.inputHash,
  output: sql<string | null>`coalesce(${runs.outputText}, ${outputs.text})`,
  error: runs.error,
  costNanoUsd: costSoFar,
  savedNanoUsd: runs.savedNanoUsd,
  cached: runs.cached,
  startedAtMs: runs.startedAtMs,
  finishedAtMs: runs.finishedAtMs,
  latencyMs: runs.latencyMs,
  retain: runs.retain,
  priority: runs.priority,
  begun: runs.begun,
  cancelReason: runs.cancelReason,
};

// eslint-disable-next-line typescript/explicit-function-return-type -- the builder's type is Drizzle's to infer.
function selectRuns(database: ReadDatabase) {
  return database
    .select(runColumns)
    .from(runs)
    .leftJoin(inputs, eq(inputs.id, runs.inputContent))
    .leftJoin(outputs, eq(outputs.id, runs.outputContent));
}

export function findRun(database: ReadDatabase, id: string): RunRecord | undefined {
  const row = selectRuns(database).where(eq(runs.id, id)).get();
  return row === undefined ? undefined : toRun(row);
}

export function findRuns(database: ReadDatabase, ids: readonly string[]): Map<string, RunRecord> {
  const rows = selectRuns(database)
    .where(inArray(runs.id, [...ids]))
    .all();
  return new Map(rows.map((row) => [row.id, toRun(row)]));
}

export function findByIdempotencyKey(
  database: ReadDatabase,
  caller: string,
  key: string,
): RunRecord | undefined {
  const row = selectRuns(database)
    .where(and(eq(runs.caller, caller), eq(runs.idempotencyKey, key), sql`idempotency_key is not null`))
    .get();
  return row === undefined ? undefined : toRun(row);
}

export function findCached(
  database: ReadDatabase,
  taskRevision: string,
  inputHash: string,
  { sinceMs, caller, team, tier, tags }: CachedFor,
): RunRecord | undefined {
  const row = selectRuns(database)
    .where(
      and(
        sql`substr(input_hash, 1, 16) = ${inputHash.slice(0, 16)}`,
        sql`status = 'succeeded'`,
        sql`reusable = 1`,
        eq(runs.inputHash, inputHash),
        eq(runs.taskRevision, taskRevision),
        gte(runs.finishedAtMs, sinceMs),
        caller === undefined ? undefined : eq(runs.caller, caller),
        team === undefined ? undefined : sql`${runs.team} is ${team}`,
        tier === undefined ? undefined : sql`${runs.tier} is ${tier}`,
        tags === undefined ? undefined : eq(runs.tags, encodeTags(tags)),
        eq(runs.retain, 'full'),
        sql`coalesce(output_text, output_content) is not null`,
      ),
    )
    .orderBy(desc(runs.seq))
    .limit(1)
    .get();
  return row === undefined ? undefined : toRun(row);
}

/** Durable runs that no process runs, the most urgent first; child runs wait for their parents. */
export function waitingRuns(database: ReadDatabase, limit: number, id: string | undefined): RunRecord[] {
  return (
    selectRuns(database)
      .where(
        and(
          isNull(runs.finishedAtMs),
          eq(runs.status, 'queued'),
          eq(runs.durable, true),
          isNull(runs.parentRunId),
          id === undefined ? undefined : eq(runs.id, id),
        ),
      )
      // Not the bare column: for its order alone SQLite would go through all runs, instead of the few that the index holds.
      .orderBy(desc(runs.priority), sql`+${runs.seq}`)
      .limit(limit)
      .all()
      .map(toRun)
  );
}

export function listRuns(database: ReadDatabase, filter: RunFilter, page: PageRequest): Page<RunRecord> {
  const seqOf = (id: string): SQL => sql`(select seq from runs as cursor where cursor.id = ${id})`;
  const conditions = filterConditions(filter);
  if (page.after !== undefined) conditions.push(lt(runs.seq, seqOf(page.after)));
  if (page.before !== undefined) conditions.push(gt(runs.seq, seqOf(page.before)));
  const rows = selectRuns(database)
    .where(and(...conditions))
    .orderBy(page.backwards === true ? asc(runs.seq) : desc(runs.seq))
    .limit(rowLimit(page))
    .all();
  return pageOf(rows.map(toRun), page);
}

/** Of the table `runs`; the statistics use it too, where roll-ups cannot answer. */
export function filterConditions(filter: RunFilter): SQL[] {
  const conditions: (SQL | undefined)[] = [
    filter.task === undefined ? undefined : eq(runs.task, filter.task),
    filter.caller === undefined ? undefined : eq(runs.caller, filter.caller),
    filter.session === undefined ? undefined : eq(runs.session, filter.session),
    filter.status === undefined ? undefined : eq(runs.status, filter.status),
    // So that those are found through their index: of a million runs none may be under way.
    filter.status === 'queued' || filter.status === 'running' ? isNull(runs.finishedAtMs) : undefined,
    filter.revision === undefined ? undefined : eq(runs.revision, filter.revision),
    filter.startedFromMs === undefined ? undefined : gte(runs.startedAtMs, filter.startedFromMs),
    filter.startedToMs === undefined ? undefined : lt(runs.startedAtMs, filter.startedToMs),
    filter.minCostNanoUsd === undefined ? undefined : sql`${costSoFar} >= ${filter.minCostNanoUsd}`,
    filter.tag === undefined
      ? undefined
      : sql`exists (select 1 from json_each(${runs.tags}) where key = ${filter.tag.key} and value = ${filter.tag.value})`,
    filter.provider === undefined
      ? undefined
      : sql`exists (select 1 from ${attempts} where ${attempts.runId} = ${runs.id} and ${attempts.provider} = ${filter.provider})`,
  ];
  return conditions.filter((condition) => condition !== undefined);
}

export function stepsOf(database: ReadDatabase, runIds: readonly string[]): Map<string, StepRecord[]> {
  const found = new Map<string, StepRecord[]>(runIds.map((id) => [id, []]));
  for (const step of readSteps(database, inArray(steps.runId, [...runIds])))
    found.get(step.runId)?.push(step);
  return found;
}

/** Of the run and of its child runs, `ID.…`. */
export function stepsUnder(database: ReadDatabase, id: string): StepRecord[] {
  const children = and(gt(steps.runId, `${id}.`), lt(steps.runId, `${id}/`));
  return readSteps(database, or(eq(steps.runId, id), children));
}

function readSteps(database: ReadDatabase, condition: SQL | undefined): StepRecord[] {
  return database
    .select({
      runId: steps.runId,
      key: steps.key,
      kind: steps.kind,
      status: steps.status,
      startedAtMs: steps.startedAtMs,
      finishedAtMs: steps.finishedAtMs,
      output: sql<string | null>`coalesce(${steps.outputText}, ${outputs.text})`,
      error: steps.error,
    })
    .from(steps)
    .leftJoin(outputs, eq(outputs.id, steps.outputContent))
    .where(condition)
    .orderBy(asc(steps.startedAtMs), asc(steps.key))
    .all()
    .map(toStep);
}
