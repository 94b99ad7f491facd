// What the main thread asks of the writer: one operation for each thing that happens, made of rows that JSON can say.
import type { AlertRecord } from '../../engine/execution/recorder.ts';
import type { AttemptRecord, RunRecord, StepRecord } from '../../engine/execution/records.ts';
import type { ApiKeyRecord, RevisionRecord, SwitchRecord } from '../port.ts';
import { encodeTags } from '../rollup/dimensions.ts';
import { cachedBy } from '../rollup/sums.ts';
import type {
  AlertRow,
  ApiKeyRow,
  AttemptProgress,
  DoneStep,
  OpenedAttempt,
  OpenedRun,
  RevisionRow,
  RunEndColumns,
  SwitchRow,
} from './rows.ts';
import { count, digits, duration, flag, jsonText, nullable } from './written-values.ts';

export interface OpenRun {
  readonly kind: 'openRun';
  readonly run: OpenedRun;
  /** JSON. */
  readonly input: string | null;
}

export interface FinishRun {
  readonly kind: 'finishRun';
  readonly id: string;
  readonly end: RunEndColumns;
  /** JSON. */
  readonly output: string | null;
  /** Dimensions with the status. */
  readonly rollupKey: string;
}

export interface OpenAttempt {
  readonly kind: 'openAttempt';
  readonly opened: OpenedAttempt;
  readonly progress: AttemptProgress;
  readonly rates: string;
  /** Dimensions without the status. */
  readonly rollupStem: string;
}

export interface CloseAttempt {
  readonly kind: 'closeAttempt';
  readonly id: string;
  readonly progress: AttemptProgress;
  /** Where a reload put the hold after the attempt was opened, as JSON; null: where it was. */
  readonly movedPostings: string | null;
  readonly receipt: StepReceipt | null;
}

/** An attempt that was settled at an estimate is settled at what it was billed; `before`: as it was read. */
export interface LowerAttempt {
  readonly kind: 'lowerAttempt';
  readonly id: string;
  readonly before: AttemptProgress;
  readonly after: AttemptProgress;
}

export interface StepReceipt {
  readonly step: DoneStep;
  /** JSON. */
  readonly output: string | null;
}

export type AdminOperation =
  | { readonly kind: 'recordAlert'; readonly alert: AlertRow }
  | { readonly kind: 'acknowledgeAlert'; readonly id: string; readonly by: string; readonly atMs: number }
  | {
      readonly kind: 'recordRevision';
      readonly revision: Omit<RevisionRow, 'planContent'>;
      readonly planText: string | null;
    }
  | { readonly kind: 'setSwitch'; readonly set: Pick<SwitchRow, 'scope' | 'reason' | 'by' | 'sinceMs'> }
  | { readonly kind: 'clearSwitch'; readonly scope: string; readonly by: string; readonly atMs: number }
  | { readonly kind: 'saveApiKey'; readonly key: ApiKeyRow }
  /** `names`: JSON. */
  | { readonly kind: 'keepSinks'; readonly names: string; readonly sinceMs: number }
  | {
      readonly kind: 'delivered';
      readonly sink: string;
      readonly throughSeq: number;
      readonly state: string;
    }
  | { readonly kind: 'learnBound'; readonly model: string; readonly bound: string }
  | { readonly kind: 'revokeApiKey' | 'touchApiKey'; readonly id: string; readonly atMs: number };

export type Operation =
  | OpenRun
  | FinishRun
  | OpenAttempt
  | CloseAttempt
  | LowerAttempt
  | { readonly kind: 'recordStep'; readonly receipt: StepReceipt }
  | AdminOperation
  | {
      readonly kind: 'prune';
      readonly nowMs: number;
      readonly rowsBeforeMs: number;
      /** Runs of each sort at once. */
      readonly limit: number;
    }
  /** `balances`: as `accounts.seeded` writes them. */
  | {
      readonly kind: 'seedBudget';
      readonly budgetId: string;
      readonly sinceMs: number;
      readonly balances: string;
    }
  /** A reload put an open attempt's hold on other accounts; `postings`: JSON. */
  | { readonly kind: 'moveHold'; readonly attemptId: string; readonly postings: string }
  /** Writes nothing of its own: whether a transaction can be committed at all. */
  | { readonly kind: 'probe' };

export function openRun(run: RunRecord): OpenRun {
  const { caller } = run;
  return {
    kind: 'openRun',
    run: {
      id: run.id,
      task: run.task,
      revision: run.revision,
      taskRevision: run.taskRevision,
      status: run.status,
      caller: caller.name,
      team: caller.team,
      tier: caller.tier,
      session: caller.session ?? null,
      tags: encodeTags(run.tags),
      idempotencyKey: run.idempotencyKey,
      parentRunId: run.parentRunId,
      durable: flag(run.durable),
      continuation: nullable(run.continuation, jsonText),
      inputHash: run.inputHash,
      cached: cachedBy(run),
      startedAtMs: count(run.startedAtMs),
      priority: run.priority,
      begun: run.begun,
    },
    input: nullable(run.input, jsonText),
  };
}

export function finishRun(run: RunRecord, rollupKey: string): FinishRun {
  return {
    kind: 'finishRun',
    id: run.id,
    end: {
      status: run.status,
      error: nullable(run.error, jsonText),
      savedNanoUsd: digits(run.savedNanoUsd),
      cached: cachedBy(run),
      finishedAtMs: nullable(run.finishedAtMs, count),
      latencyMs: nullable(run.latencyMs, duration),
    },
    output: nullable(run.output, jsonText),
    rollupKey,
  };
}

/** `postings`: as JSON. */
export function openAttempt(attempt: AttemptRecord, postings: string, rollupStem: string): OpenAttempt {
  const { status } = attempt;
  return {
    kind: 'openAttempt',
    opened: {
      id: attempt.id,
      runId: attempt.runId,
      step: attempt.step,
      revision: attempt.revision,
      task: attempt.task,
      caller: attempt.caller,
      provider: attempt.provider,
      requestedModel: attempt.requestedModel,
      postings,
      heldNanoUsd: digits(attempt.heldNanoUsd),
      heldTokens: count(attempt.heldTokens ?? attempt.inputTokens + attempt.outputTokens),
      startedAtMs: count(attempt.startedAtMs),
      decision: jsonText(attempt.decision),
    },
    progress: {
      ...progressOf(attempt, false),
      status: status === 'unreconciled' ? status : 'open',
      errorClass: null,
      errorMessage: null,
      requestId: null,
    },
    rates: attempt.rates,
    rollupStem,
  };
}

/** `reconciled`: the outcome was decided, not seen. */
export function closeAttempt(
  attempt: AttemptRecord,
  receipt: StepRecord | null,
  movedPostings: string | null,
  reconciled: boolean,
): CloseAttempt {
  return {
    kind: 'closeAttempt',
    id: attempt.id,
    progress: progressOf(attempt, reconciled),
    movedPostings,
    receipt: nullable(receipt, receiptOf),
  };
}

/** Of an attempt whose process ended before its request was sent. */
export function closeUncalled(id: string, model: string, queueMs: number, atMs: number): CloseAttempt {
  return {
    kind: 'closeAttempt',
    id,
    progress: {
      status: 'cancelled',
      model,
      errorClass: null,
      errorMessage: 'The process ended before the request was sent.',
      inputTokens: 0,
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
      outputTokens: 0,
      reasoningTokens: 0,
      costNanoUsd: '0',
      savedNanoUsd: '0',
      savedBy: null,
      baseline: null,
      savedRouteNanoUsd: '0',
      savedPromptCacheNanoUsd: '0',
      estimated: 0,
      queueMs,
      latencyMs: null,
      firstTokenMs: null,
      finishedAtMs: atMs,
      requestId: null,
      finishReason: null,
      serviceTier: null,
      reportedCostNanoUsd: null,
      notes: null,
      reconciled: 0,
    },
    movedPostings: null,
    receipt: null,
  };
}

export function lowerAttempt(before: AttemptRecord, after: AttemptRecord): LowerAttempt {
  return {
    kind: 'lowerAttempt',
    id: before.id,
    before: progressOf(before, false),
    after: progressOf(after, true),
  };
}

/** The part of an attempt that closing it changes. */
function progressOf(attempt: AttemptRecord, reconciled: boolean): AttemptProgress {
  return {
    status: attempt.status,
    model: attempt.model,
    errorClass: attempt.errorClass,
    errorMessage: attempt.errorMessage,
    inputTokens: count(attempt.inputTokens),
    cachedInputTokens: count(attempt.cachedInputTokens),
    cacheWriteTokens: count(attempt.cacheWriteTokens),
    outputTokens: count(attempt.outputTokens),
    reasoningTokens: count(attempt.reasoningTokens),
    costNanoUsd: digits(attempt.costNanoUsd),
    savedNanoUsd: digits(attempt.savedNanoUsd),
    savedBy: attempt.savedBy ?? null,
    baseline: attempt.baseline ?? null,
    savedRouteNanoUsd: digits(attempt.savedRouteNanoUsd ?? 0n),
    savedPromptCacheNanoUsd: digits(attempt.savedPromptCacheNanoUsd ?? 0n),
    estimated: flag(attempt.estimated),
    queueMs: duration(attempt.queueMs),
    latencyMs: nullable(attempt.latencyMs, duration),
    firstTokenMs: nullable(attempt.firstTokenMs, duration),
    finishedAtMs: nullable(attempt.finishedAtMs, count),
    requestId: attempt.requestId,
    finishReason: attempt.finishReason ?? null,
    serviceTier: attempt.serviceTier ?? null,
    reportedCostNanoUsd: nullable(attempt.reportedCostNanoUsd ?? null, digits),
    notes: attempt.notes === undefined || attempt.notes.length === 0 ? null : jsonText(attempt.notes),
    reconciled: flag(reconciled),
  };
}

export function recordStep(step: StepRecord): Operation {
  return { kind: 'recordStep', receipt: receiptOf(step) };
}

function receiptOf(step: StepRecord): StepReceipt {
  return {
    step: {
      runId: step.runId,
      key: step.key,
      kind: step.kind,
      status: step.status,
      startedAtMs: count(step.startedAtMs),
      finishedAtMs: nullable(step.finishedAtMs, count),
      error: nullable(step.error, jsonText),
    },
    output: nullable(step.output, jsonText),
  };
}

export function recordAlert(alert: AlertRecord): Operation {
  return {
    kind: 'recordAlert',
    alert: {
      id: alert.id,
      kind: alert.kind,
      severity: alert.severity,
      message: alert.message,
      remedy: alert.remedy,
      scope: alert.scope,
      atMs: count(alert.atMs),
      runId: alert.runId,
      details: jsonText(alert.details),
    },
  };
}

export function recordRevision(revision: RevisionRecord, planText: string | null): Operation {
  return {
    kind: 'recordRevision',
    revision: {
      hash: revision.hash,
      commit: revision.commit,
      author: revision.author,
      subject: revision.subject,
      dirty: flag(revision.dirty),
      source: revision.source,
      compiledAtMs: count(revision.compiledAtMs),
      activeFromMs: nullable(revision.activeFromMs, count),
      activeToMs: nullable(revision.activeToMs, count),
      problems: jsonText(revision.problems),
      pinned: flag(revision.pinned),
    },
    planText,
  };
}

export function setSwitch({ scope, reason, by, sinceMs }: SwitchRecord): Operation {
  return { kind: 'setSwitch', set: { scope, reason, by, sinceMs: count(sinceMs) } };
}

export function saveApiKey(key: ApiKeyRecord): Operation {
  return {
    kind: 'saveApiKey',
    key: {
      id: key.id,
      hash: key.hash,
      hint: key.hint,
      caller: key.caller,
      team: key.team,
      tier: key.tier,
      tags: jsonText(key.tags),
      scopes: jsonText(key.scopes),
      createdAtMs: count(key.createdAtMs),
      expiresAtMs: nullable(key.expiresAtMs, count),
      revokedAtMs: nullable(key.revokedAtMs, count),
      lastUsedAtMs: nullable(key.lastUsedAtMs, count),
      requestsPerMinute: nullable(key.requestsPerMinute, count),
      maxBodyBytes: nullable(key.maxBodyBytes ?? null, count),
    },
  };
}
