// What the main thread asks of the writer: operations as runs of plain values in one flat array, which JSON hands to a thread at the least cost.
import { encodeTags } from '../rollup/dimensions.ts';
import type { AlertRecord } from '../../engine/execution/ports.ts';
import type { AttemptRecord, RunRecord, StepRecord } from '../../engine/execution/records.ts';
import type { ApiKeyRecord, RevisionRecord, SwitchRecord } from '../port.ts';

/** What SQLite can bind and JSON can say. Nano-dollars are decimal digits: columns of integers take them as what they are, to the last. */
export type Value = null | number | string;

export const OPEN_RUN = 1;
export const FINISH_RUN = 2;
export const OPEN_ATTEMPT = 3;
export const CLOSE_ATTEMPT = 4;
export const RECORD_STEP = 5;
export const RECORD_ALERT = 6;
export const RECORD_REVISION = 7;
export const SET_SWITCH = 8;
export const CLEAR_SWITCH = 9;
export const SAVE_API_KEY = 10;
export const REVOKE_API_KEY = 11;
export const TOUCH_API_KEY = 12;
export const PRUNE = 13;
export const SEED_BUDGET = 14;
export const MOVE_HOLD = 15;
/** Writes nothing of its own: whether a transaction can be committed at all. */
export const PROBE = 16;

/** Where a step's receipt begins among the values of CLOSE_ATTEMPT. */
export const RECEIPT = 20;

/** How many values follow each operation's code. */
export const ARITY: { readonly [code: number]: number } = {
  [OPEN_RUN]: 17,
  [FINISH_RUN]: 10,
  [OPEN_ATTEMPT]: 29,
  [CLOSE_ATTEMPT]: 28,
  [RECORD_STEP]: 8,
  [RECORD_ALERT]: 9,
  [RECORD_REVISION]: 12,
  [SET_SWITCH]: 4,
  [CLEAR_SWITCH]: 3,
  [SAVE_API_KEY]: 13,
  [REVOKE_API_KEY]: 2,
  [TOUCH_API_KEY]: 2,
  [PRUNE]: 3,
  [SEED_BUDGET]: 3,
  [MOVE_HOLD]: 2,
  [PROBE]: 0,
};

const textOf = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

export function pushOpenRun(batch: Value[], run: RunRecord): void {
  const { caller } = run;
  batch.push(
    OPEN_RUN,
    run.id,
    run.task,
    run.revision,
    run.taskRevision,
    run.status,
    caller.name,
    caller.team,
  );
  batch.push(caller.tier, encodeTags(run.tags), run.idempotencyKey, run.parentRunId, run.durable ? 1 : 0);
  batch.push(textOf(run.continuation), textOf(run.input), run.inputHash, cachedBy(run), run.startedAtMs);
}

/** 0: called; 1: answered by the cache; 2: by the loop guard. */
function cachedBy({ cached, reusedBy }: RunRecord): number {
  if (reusedBy === 'loop_guard') return 2;
  return cached ? 1 : 0;
}

/** `rollupKey`: dimensions with the status. */
export function pushFinishRun(batch: Value[], run: RunRecord, rollupKey: string): void {
  batch.push(FINISH_RUN, run.id, run.status, textOf(run.output), textOf(run.error), String(run.costNanoUsd));
  batch.push(String(run.savedNanoUsd), cachedBy(run), run.finishedAtMs, run.latencyMs, rollupKey);
}

/** `postings`: as JSON. `rollupStem`: dimensions without the status. */
export function pushOpenAttempt(
  batch: Value[],
  attempt: AttemptRecord,
  postings: string,
  rollupStem: string,
): void {
  const heldTokens = attempt.heldTokens ?? attempt.inputTokens + attempt.outputTokens;
  batch.push(
    OPEN_ATTEMPT,
    attempt.id,
    attempt.runId,
    attempt.step,
    attempt.revision,
    attempt.task,
    attempt.caller,
  );
  batch.push(attempt.provider, attempt.requestedModel, attempt.rates, postings);
  batch.push(
    String(attempt.heldNanoUsd),
    heldTokens,
    attempt.startedAtMs,
    JSON.stringify(attempt.decision),
    rollupStem,
  );
  pushProgress(batch, attempt, attempt.status === 'unreconciled' ? 'unreconciled' : 'open');
}

/** The part of an attempt that closing it changes. */
function pushProgress(batch: Value[], attempt: AttemptRecord, status: string): void {
  batch.push(status, attempt.model, attempt.inputTokens, attempt.cachedInputTokens, attempt.cacheWriteTokens);
  batch.push(
    attempt.outputTokens,
    attempt.reasoningTokens,
    String(attempt.costNanoUsd),
    String(attempt.savedNanoUsd),
  );
  batch.push(
    attempt.estimated ? 1 : 0,
    attempt.queueMs,
    attempt.latencyMs,
    attempt.firstTokenMs,
    attempt.finishedAtMs,
  );
}

/**
 * `movedPostings`: where a reload put the hold after the attempt was opened, as JSON; null: where it was.
 * `reconciled`: the outcome was decided, not seen.
 */
export function pushCloseAttempt(
  batch: Value[],
  attempt: AttemptRecord,
  receipt: StepRecord | null,
  movedPostings: string | null,
  reconciled: boolean,
): void {
  batch.push(CLOSE_ATTEMPT, attempt.id);
  pushProgress(batch, attempt, attempt.status);
  batch.push(attempt.errorClass, attempt.errorMessage, attempt.requestId, movedPostings);
  batch.push(reconciled ? 1 : 0);
  if (receipt === null) batch.push(null, null, null, null, null, null, null, null);
  else pushStepValues(batch, receipt);
}

export function pushStep(batch: Value[], step: StepRecord): void {
  batch.push(RECORD_STEP);
  pushStepValues(batch, step);
}

function pushStepValues(batch: Value[], step: StepRecord): void {
  batch.push(step.runId, step.key, step.kind, step.status, step.startedAtMs, step.finishedAtMs);
  batch.push(textOf(step.output), textOf(step.error));
}

export function pushAlert(batch: Value[], alert: AlertRecord): void {
  batch.push(RECORD_ALERT, alert.id, alert.kind, alert.severity, alert.message, alert.remedy, alert.scope);
  batch.push(alert.atMs, alert.runId, JSON.stringify(alert.details));
}

export function pushRevision(batch: Value[], revision: RevisionRecord, planText: string | null): void {
  batch.push(RECORD_REVISION, revision.hash, revision.commit, revision.author, revision.subject);
  batch.push(revision.dirty ? 1 : 0, revision.source, revision.compiledAtMs, revision.activeFromMs);
  batch.push(revision.activeToMs, JSON.stringify(revision.problems), revision.pinned ? 1 : 0, planText);
}

export function pushSwitch(batch: Value[], record: SwitchRecord): void {
  batch.push(SET_SWITCH, record.scope, record.reason, record.by, record.sinceMs);
}

export function pushApiKey(batch: Value[], key: ApiKeyRecord): void {
  batch.push(
    SAVE_API_KEY,
    key.id,
    key.hash,
    key.hint,
    key.caller,
    key.team,
    key.tier,
    JSON.stringify(key.tags),
  );
  batch.push(JSON.stringify(key.scopes), key.createdAtMs, key.expiresAtMs, key.revokedAtMs, key.lastUsedAtMs);
  batch.push(key.requestsPerMinute);
}
