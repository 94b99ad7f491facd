// Reads what is not traffic from PostgreSQL: revisions, plans, alerts, switches and keys.
import { and, asc, desc, eq, gt, inArray, isNotNull, isNull, lt, or, sql } from 'drizzle-orm';
import type { AnyColumn, SQL } from 'drizzle-orm';
import type { AlertRecord } from '../../../engine/execution/recorder.ts';
import type {
  ApiKeyRecord,
  Page,
  PageRequest,
  RevisionRecord,
  SwitchRecord,
  WaitingAlerts,
} from '../../port.ts';
import { toAlert, toApiKey, toRevision } from '../../read-records.ts';
import {
  alertOutbox,
  alertSinks,
  alerts,
  apiKeys,
  contents,
  learntBounds,
  revisions,
  switches,
} from '../tables.ts';
import { pageOf, rowLimit } from '../../sqlite/queries/paging.ts';
import type { PostgresDatabase } from './read-database.ts';

export async function listRevisions(
  database: PostgresDatabase,
  page: PageRequest,
): Promise<Page<RevisionRecord>> {
  const seqOf = (hash: string): SQL => sql`(select seq from revisions as cursor where cursor.hash = ${hash})`;
  const rows = await database
    .select()
    .from(revisions)
    .where(
      and(
        page.after === undefined ? undefined : lt(revisions.seq, seqOf(page.after)),
        page.before === undefined ? undefined : gt(revisions.seq, seqOf(page.before)),
      ),
    )
    .orderBy(page.backwards === true ? asc(revisions.seq) : desc(revisions.seq))
    .limit(rowLimit(page));
  return pageOf(rows.map(toRevision), page);
}

export async function revisionsByHash(
  database: PostgresDatabase,
  hashes: readonly string[],
): Promise<Map<string, RevisionRecord>> {
  const rows = await database
    .select()
    .from(revisions)
    .where(inArray(revisions.hash, [...hashes]));
  return new Map(rows.map((row) => [row.hash, toRevision(row)]));
}

export async function revisionsInForce(database: PostgresDatabase): Promise<RevisionRecord[]> {
  const rows = await database
    .select()
    .from(revisions)
    .where(
      or(eq(revisions.pinned, true), and(isNotNull(revisions.activeFromMs), isNull(revisions.activeToMs))),
    )
    .orderBy(desc(revisions.seq));
  return rows.map(toRevision);
}

export async function revisionsNamed(database: PostgresDatabase, start: string): Promise<RevisionRecord[]> {
  const begins = (column: AnyColumn): SQL => sql`substr(${column}, 1, ${start.length}) = ${start}`;
  const rows = await database
    .select()
    .from(revisions)
    .where(and(isNotNull(revisions.planContent), or(begins(revisions.hash), begins(revisions.commit))))
    .orderBy(desc(revisions.seq))
    .limit(10);
  return rows.map(toRevision);
}

export async function planText(database: PostgresDatabase, hash: string): Promise<string | undefined> {
  const [row] = await database
    .select({ text: contents.text })
    .from(revisions)
    .innerJoin(contents, eq(contents.id, revisions.planContent))
    .where(eq(revisions.hash, hash));
  return row?.text;
}

export async function listAlerts(database: PostgresDatabase, page: PageRequest): Promise<Page<AlertRecord>> {
  const seqOf = (id: string): SQL => sql`(select seq from alerts as cursor where cursor.id = ${id})`;
  const rows = await database
    .select()
    .from(alerts)
    .where(
      and(
        page.after === undefined ? undefined : lt(alerts.seq, seqOf(page.after)),
        page.before === undefined ? undefined : gt(alerts.seq, seqOf(page.before)),
      ),
    )
    .orderBy(page.backwards === true ? asc(alerts.seq) : desc(alerts.seq))
    .limit(rowLimit(page));
  return pageOf(rows.map(toAlert), page);
}

export async function alertById(database: PostgresDatabase, id: string): Promise<AlertRecord | undefined> {
  const [row] = await database.select().from(alerts).where(eq(alerts.id, id));
  return row && toAlert(row);
}

/** The oldest first. */
export async function waitingAlerts(
  database: PostgresDatabase,
  sink: string,
  limit: number,
): Promise<WaitingAlerts> {
  const rows = await database
    .select({ alert: alerts })
    .from(alertOutbox)
    .innerJoin(alerts, eq(alerts.seq, alertOutbox.alertSeq))
    .where(eq(alertOutbox.sink, sink))
    .orderBy(asc(alertOutbox.alertSeq))
    .limit(limit);
  const [known] = await database.select().from(alertSinks).where(eq(alertSinks.name, sink));
  return {
    waiting: rows.map(({ alert }) => ({ seq: alert.seq, alert: toAlert(alert) })),
    state: known?.state ?? null,
    isTeller: true,
  };
}

/** Those that are off now. */
export async function activeSwitches(database: PostgresDatabase): Promise<SwitchRecord[]> {
  return await database
    .select({ scope: switches.scope, reason: switches.reason, by: switches.by, sinceMs: switches.sinceMs })
    .from(switches)
    .where(isNull(switches.clearedAtMs))
    .orderBy(asc(switches.seq));
}

export async function listApiKeys(database: PostgresDatabase): Promise<ApiKeyRecord[]> {
  const rows = await database.select().from(apiKeys).orderBy(asc(apiKeys.seq));
  return rows.map(toApiKey);
}

/** By `provider/model`; JSON. */
export async function learntBoundsOf(database: PostgresDatabase): Promise<Map<string, string>> {
  const rows = await database.select().from(learntBounds);
  return new Map(rows.map(({ model, bound }) => [model, bound]));
}
