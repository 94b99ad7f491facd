// Reads what is not traffic: revisions, plans, alerts, switches and keys.
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
import { pageOf, rowLimit } from './paging.ts';
import type { ReadDatabase } from './read-database.ts';

export function listRevisions(database: ReadDatabase, page: PageRequest): Page<RevisionRecord> {
  const seqOf = (hash: string): SQL => sql`(select seq from revisions as cursor where cursor.hash = ${hash})`;
  const rows = database
    .select()
    .from(revisions)
    .where(
      and(
        page.after === undefined ? undefined : lt(revisions.seq, seqOf(page.after)),
        page.before === undefined ? undefined : gt(revisions.seq, seqOf(page.before)),
      ),
    )
    .orderBy(page.backwards === true ? asc(revisions.seq) : desc(revisions.seq))
    .limit(rowLimit(page))
    .all();
  return pageOf(rows.map(toRevision), page);
}

export function revisionsByHash(
  database: ReadDatabase,
  hashes: readonly string[],
): Map<string, RevisionRecord> {
  const rows = database
    .select()
    .from(revisions)
    .where(inArray(revisions.hash, [...hashes]))
    .all();
  return new Map(rows.map((row) => [row.hash, toRevision(row)]));
}

export function revisionsInForce(database: ReadDatabase): RevisionRecord[] {
  return database
    .select()
    .from(revisions)
    .where(
      or(eq(revisions.pinned, true), and(isNotNull(revisions.activeFromMs), isNull(revisions.activeToMs))),
    )
    .orderBy(desc(revisions.seq))
    .all()
    .map(toRevision);
}

export function revisionsNamed(database: ReadDatabase, start: string): RevisionRecord[] {
  const begins = (column: AnyColumn): SQL => sql`substr(${column}, 1, ${start.length}) = ${start}`;
  return database
    .select()
    .from(revisions)
    .where(and(isNotNull(revisions.planContent), or(begins(revisions.hash), begins(revisions.commit))))
    .orderBy(desc(revisions.seq))
    .limit(10)
    .all()
    .map(toRevision);
}

export function planText(database: ReadDatabase, hash: string): string | undefined {
  return database
    .select({ text: contents.text })
    .from(revisions)
    .innerJoin(contents, eq(contents.id, revisions.planContent))
    .where(eq(revisions.hash, hash))
    .get()?.text;
}

export function listAlerts(database: ReadDatabase, page: PageRequest): Page<AlertRecord> {
  const seqOf = (id: string): SQL => sql`(select seq from alerts as cursor where cursor.id = ${id})`;
  const rows = database
    .select()
    .from(alerts)
    .where(
      and(
        page.after === undefined ? undefined : lt(alerts.seq, seqOf(page.after)),
        page.before === undefined ? undefined : gt(alerts.seq, seqOf(page.before)),
      ),
    )
    .orderBy(page.backwards === true ? asc(alerts.seq) : desc(alerts.seq))
    .limit(rowLimit(page))
    .all();
  return pageOf(rows.map(toAlert), page);
}

export function alertById(database: ReadDatabase, id: string): AlertRecord | undefined {
  const row = database.select().from(alerts).where(eq(alerts.id, id)).get();
  return row && toAlert(row);
}

/** The oldest first. */
export function waitingAlerts(database: ReadDatabase, sink: string, limit: number): WaitingAlerts {
  const rows = database
    .select({ alert: alerts })
    .from(alertOutbox)
    .innerJoin(alerts, eq(alerts.seq, alertOutbox.alertSeq))
    .where(eq(alertOutbox.sink, sink))
    .orderBy(asc(alertOutbox.alertSeq))
    .limit(limit)
    .all();
  const known = database.select().from(alertSinks).where(eq(alertSinks.name, sink)).get();
  return {
    waiting: rows.map(({ alert }) => ({ seq: alert.seq, alert: toAlert(alert) })),
    state: known?.state ?? null,
    isTeller: true,
  };
}

/** Those that are off now. */
export function activeSwitches(database: ReadDatabase): SwitchRecord[] {
  return database
    .select({ scope: switches.scope, reason: switches.reason, by: switches.by, sinceMs: switches.sinceMs })
    .from(switches)
    .where(isNull(switches.clearedAtMs))
    .orderBy(asc(switches.seq))
    .all();
}

export function listApiKeys(database: ReadDatabase): ApiKeyRecord[] {
  return database.select().from(apiKeys).orderBy(asc(apiKeys.seq)).all().map(toApiKey);
}

/** By `provider/model`; JSON. */
export function learntBoundsOf(database: ReadDatabase): Map<string, string> {
  return new Map(
    database
      .select()
      .from(learntBounds)
      .all()
      .map(({ model, bound }) => [model, bound]),
  );
}
