// The rows that the writer is given, as the tables declare them: a column that is added there is missed by the compiler wherever a row is made.
import type { alerts, apiKeys, attempts, revisions, runs, steps, switches } from './tables.ts';

/**
 * A column's value as JSON says it and SQLite binds it: nano-dollars are decimal digits (columns of integers take them to the last one), flags
 * are 0 or 1, JSON is text.
 */
type Written<Value> = unknown extends Value
  ? string
  : Value extends bigint
    ? `${bigint}`
    : Value extends boolean
      ? 0 | 1
      : Value;

/** `seq` is SQLite's to give. */
type Row<Columns> = { readonly [Column in Exclude<keyof Columns, 'seq'>]: Written<Columns[Column]> };

export type RunRow = Row<typeof runs.$inferSelect>;
export type StepRow = Row<typeof steps.$inferSelect>;
export type AttemptRow = Row<typeof attempts.$inferSelect>;
/** When it is raised, nobody has acknowledged it. */
export type AlertRow = Omit<Row<typeof alerts.$inferSelect>, 'acknowledgedBy' | 'acknowledgedAtMs'>;
export type RevisionRow = Row<typeof revisions.$inferSelect>;
export type SwitchRow = Row<typeof switches.$inferSelect>;
export type ApiKeyRow = Row<typeof apiKeys.$inferSelect>;

/** What opening an attempt says once and for all (its postings may be moved); every other column is written again when it is closed. */
export const OPENED_ATTEMPT_COLUMNS = [
  'id',
  'runId',
  'step',
  'revision',
  'task',
  'caller',
  'provider',
  'requestedModel',
  'ratesContent',
  'postings',
  'heldNanoUsd',
  'heldTokens',
  'startedAtMs',
  'decision',
  'rollupKeyId',
] as const satisfies readonly (keyof AttemptRow)[];

type OpenedAttemptColumn = (typeof OPENED_ATTEMPT_COLUMNS)[number];

/** The writer itself finds out the numbers of other tables' rows. */
export type OpenedAttempt = Pick<AttemptRow, Exclude<OpenedAttemptColumn, 'ratesContent' | 'rollupKeyId'>>;
export type AttemptProgress = Omit<AttemptRow, OpenedAttemptColumn>;

/** What is known of a run when it ends; what it cost is summed from its attempts. */
export type RunEndColumns = Pick<
  RunRow,
  'status' | 'error' | 'savedNanoUsd' | 'cached' | 'finishedAtMs' | 'latencyMs'
>;

/** What is known of a run when it is opened; what is kept of its texts, the writer decides. */
export type OpenedRun = Pick<
  RunRow,
  | 'id'
  | 'task'
  | 'revision'
  | 'taskRevision'
  | 'status'
  | 'caller'
  | 'team'
  | 'tier'
  | 'session'
  | 'tags'
  | 'idempotencyKey'
  | 'parentRunId'
  | 'durable'
  | 'continuation'
  | 'inputHash'
  | 'cached'
  | 'startedAtMs'
  | 'priority'
  | 'begun'
>;

export type DoneStep = Omit<StepRow, 'outputText' | 'outputContent'>;
