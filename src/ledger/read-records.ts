// Rows as they are read from either store, made into records.
import type { Json } from '../common/json.ts';
import type { Problem } from '../errors/problem.ts';
import type { Posting } from '../engine/budget/port.ts';
import type { AlertRecord } from '../engine/execution/recorder.ts';
import type {
  AttemptRecord,
  AttemptStatus,
  RunError,
  RunRecord,
  RunStatus,
  SavedBy,
  StepRecord,
} from '../engine/execution/records.ts';
import type { ErrorClass, Note } from '../engine/providers/port.ts';
import type { RouteDecision } from '../engine/routing/port.ts';
import type { ApiKeyRecord, RevisionRecord } from './port.ts';
import type { alerts, apiKeys, attempts, revisions, runs, steps } from './sqlite/tables.ts';

/** Texts are read from where they are kept. */
type RunRow = Omit<
  typeof runs.$inferSelect,
  'inputText' | 'inputContent' | 'outputText' | 'outputContent' | 'keepUntilMs' | 'reusable' | 'rollupKeyId'
> & { readonly input: string | null; readonly output: string | null };
type StepRow = Omit<typeof steps.$inferSelect, 'outputText' | 'outputContent'> & {
  readonly output: string | null;
};
type AttemptRow = Omit<
  typeof attempts.$inferSelect,
  'seq' | 'ratesContent' | 'rollupKeyId' | 'reconciled'
> & { readonly rates: string };

const parse = (text: string | null): unknown => (text === null ? null : JSON.parse(text));

export function toRun(row: RunRow): RunRecord {
  const { seq: _seq, team, tier, session, cached, retain, cancelReason, ...rest } = row;
  return {
    ...rest,
    cached: cached > 0,
    ...(cancelReason === null ? {} : { cancelReason }),
    ...(retain === 'full' ? {} : { confidential: true as const }),
    ...(cached === 2 ? { reusedBy: 'loop_guard' as const } : {}),
    status: row.status as RunStatus,
    caller: { name: row.caller, team, tier, ...(session === null ? {} : { session }) },
    tags: JSON.parse(row.tags) as { [key: string]: string },
    continuation: parse(row.continuation) as Json | null,
    input: parse(row.input) as Json | null,
    output: parse(row.output) as Json | null,
    error: parse(row.error) as RunError | null,
  };
}

export function toStep(row: StepRow): StepRecord {
  return {
    ...row,
    kind: row.kind as StepRecord['kind'],
    status: row.status as StepRecord['status'],
    output: parse(row.output) as Json | null,
    error: parse(row.error) as RunError | null,
  };
}

export function toAttempt(row: AttemptRow): AttemptRecord {
  return {
    ...row,
    status: row.status as AttemptStatus,
    savedBy: row.savedBy as SavedBy | null,
    errorClass: row.errorClass as ErrorClass | null,
    finishReason: row.finishReason as AttemptRecord['finishReason'] & (string | null),
    notes: row.notes === null ? [] : (JSON.parse(row.notes) as Note[]),
    postings: JSON.parse(row.postings) as Posting[],
    decision: JSON.parse(row.decision) as RouteDecision,
  };
}

export function toRevision({
  seq: _seq,
  planContent: _plan,
  ...row
}: typeof revisions.$inferSelect): RevisionRecord {
  return { ...row, problems: row.problems as Problem[] };
}

export function toAlert({
  seq: _seq,
  acknowledgedBy: by,
  acknowledgedAtMs: atMs,
  ...row
}: typeof alerts.$inferSelect): AlertRecord {
  return {
    ...row,
    ...(by === null || atMs === null ? {} : { acknowledged: { by, atMs } }),
    kind: row.kind as AlertRecord['kind'],
    severity: row.severity as AlertRecord['severity'],
    details: JSON.parse(row.details) as { [key: string]: Json },
  };
}

export function toApiKey({ seq: _seq, ...row }: typeof apiKeys.$inferSelect): ApiKeyRecord {
  return {
    ...row,
    tags: JSON.parse(row.tags) as { [key: string]: string },
    scopes: JSON.parse(row.scopes) as string[],
  };
}
