// Reads attempts.
import { and, asc, desc, eq, getColumns, gte, inArray, sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { AttemptRecord } from '../../../engine/execution/records.ts';
import { toAttempt } from '../../read-records.ts';
import { stemOf } from '../../rollup/dimensions.ts';
import { attempts, contents, rollupKeys } from '../tables.ts';
import type { ReadDatabase } from './read-database.ts';

/** A column of the table that the record has by the same name is read by that name. */
const {
  seq: _seq,
  ratesContent: _ratesContent,
  rollupKeyId: _rollupKeyId,
  reconciled: _reconciled,
  ...ownColumns
} = getColumns(attempts);
const attemptColumns = { ...ownColumns, rates: contents.text };

function selectAttempts(database: ReadDatabase, where: SQL): AttemptRecord[] {
  return database
    .select(attemptColumns)
    .from(attempts)
    .innerJoin(contents, eq(contents.id, attempts.ratesContent))
    .where(where)
    .orderBy(asc(attempts.seq))
    .all()
    .map(toAttempt);
}

export function attemptsOf(database: ReadDatabase, runIds: readonly string[]): Map<string, AttemptRecord[]> {
  const found = new Map<string, AttemptRecord[]>(runIds.map((id) => [id, []]));
  for (const attempt of selectAttempts(database, inArray(attempts.runId, [...runIds])))
    found.get(attempt.runId)?.push(attempt);
  return found;
}

export function findAttempt(database: ReadDatabase, id: string): AttemptRecord | undefined {
  return selectAttempts(database, eq(attempts.id, id))[0];
}

export function unreconciledAttempts(database: ReadDatabase): AttemptRecord[] {
  // With the condition of the index word for word: SQLite does not see that one status is among two.
  return selectAttempts(database, sql`status in ('open', 'unreconciled') and status = 'unreconciled'`);
}

/** The dearest first; by the index of starts, and each row once more by its id. */
export function estimatedAttempts(database: ReadDatabase, sinceMs: number, limit: number): AttemptRecord[] {
  const dearest = database
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
    .limit(limit)
    .all()
    .map(({ id }) => id);
  if (dearest.length === 0) return [];
  const found = new Map(
    selectAttempts(database, inArray(attempts.id, dearest)).map((attempt) => [attempt.id, attempt]),
  );
  return dearest.flatMap((id) => found.get(id) ?? []);
}

/** The roll-up dimensions of an attempt, without its status. */
export function rollupStemOf(database: ReadDatabase, id: string): string | undefined {
  const row = database
    .select({ dimensions: rollupKeys.dimensions })
    .from(attempts)
    .innerJoin(rollupKeys, eq(rollupKeys.id, attempts.rollupKeyId))
    .where(eq(attempts.id, id))
    .get();
  return row === undefined ? undefined : stemOf(row.dimensions);
}
