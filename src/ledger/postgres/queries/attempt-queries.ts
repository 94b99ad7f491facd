// Reads attempts from PostgreSQL.
import { and, asc, desc, eq, getColumns, gte, inArray, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { AttemptRecord } from '../../../engine/execution/records.ts';
import { toAttempt } from '../../read-records.ts';
import { stemOf } from '../../rollup/dimensions.ts';
import { attempts, contents, rollupKeys } from '../tables.ts';
import type { PostgresDatabase } from './read-database.ts';

/** A column of the table that the record has by the same name is read by that name. */
const {
  seq: _seq,
  ratesContent: _ratesContent,
  rollupKeyId: _rollupKeyId,
  reconciled: _reconciled,
  node: _node,
  ...ownColumns
} = getColumns(attempts);
const attemptColumns = { ...ownColumns, rates: contents.text };

async function selectAttempts(database: PostgresDatabase, where: SQL): Promise<AttemptRecord[]> {
  const rows = await database
    .select(attemptColumns)
    .from(attempts)
    .innerJoin(contents, eq(contents.id, attempts.ratesContent))
    .where(where)
    .orderBy(asc(attempts.seq));
  return rows.map(toAttempt);
}

export async function attemptsOf(
  database: PostgresDatabase,
  runIds: readonly string[],
): Promise<Map<string, AttemptRecord[]>> {
  const found = new Map<string, AttemptRecord[]>(runIds.map((id) => [id, []]));
  for (const attempt of await selectAttempts(database, inArray(attempts.runId, [...runIds])))
    found.get(attempt.runId)?.push(attempt);
  return found;
}

export async function findAttempt(
  database: PostgresDatabase,
  id: string,
): Promise<AttemptRecord | undefined> {
  return (await selectAttempts(database, eq(attempts.id, id)))[0];
}

export function unreconciledAttempts(database: PostgresDatabase): Promise<AttemptRecord[]> {
  // With the condition of the index word for word.
  return selectAttempts(database, sql`status in ('open', 'unreconciled') and status = 'unreconciled'`);
}

/** The dearest first. */
export async function estimatedAttempts(
  database: PostgresDatabase,
  sinceMs: number,
  limit: number,
): Promise<AttemptRecord[]> {
  const dearest = await database
    .select({ id: attempts.id })
    .from(attempts)
    .where(
      and(
        gte(attempts.startedAtMs, sinceMs),
        eq(attempts.estimated, true),
        inArray(attempts.status, ['succeeded', 'failed', 'cancelled']),
      ),
    )
    .orderBy(desc(attempts.costNanoUsd), desc(attempts.seq))
    .limit(limit);
  if (dearest.length === 0) return [];
  const ids = dearest.map(({ id }) => id);
  const found = new Map(
    (await selectAttempts(database, inArray(attempts.id, ids))).map((attempt) => [attempt.id, attempt]),
  );
  return ids.flatMap((id) => found.get(id) ?? []);
}

/** The roll-up dimensions of an attempt, without its status. */
export async function rollupStemOf(database: PostgresDatabase, id: string): Promise<string | undefined> {
  const [row] = await database
    .select({ dimensions: rollupKeys.dimensions })
    .from(attempts)
    .innerJoin(rollupKeys, eq(rollupKeys.id, attempts.rollupKeyId))
    .where(eq(attempts.id, id));
  return row === undefined ? undefined : stemOf(row.dimensions);
}
