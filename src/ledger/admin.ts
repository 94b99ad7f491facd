// What operators and the composition root do to the ledger: revisions, switches, keys, attempts of unknown outcome.
import type { Clock } from '../common/clock.ts';
import { formatUsd } from '../common/money.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import type { AttemptRecord } from '../engine/execution/records.ts';
import type { LedgerAdmin } from './port.ts';
import { encodeDimensions } from './rollup/dimensions.ts';
import * as operations from './sqlite/operations.ts';
import { count } from './sqlite/written-values.ts';
import type { ReaderThread } from './sqlite/reader.ts';
import type { WriteQueue } from './sqlite/write-queue.ts';

/** A key's last use is told to the minute: a request is not worth a row for it. */
const TOUCH_EVERY_MS = 60_000;
const REMEMBERED_KEYS = 10_000;

type Reconciliation = Parameters<LedgerAdmin['reconcile']>[1];

export function createAdmin(queue: WriteQueue, reader: ReaderThread, clock: Clock): LedgerAdmin {
  const touched = new Map<string, number>();
  return {
    recordRevision: (revision, planText) =>
      queue.commit(() => operations.recordRevision(revision, planText), null),
    setSwitch: (record) => queue.commit(() => operations.setSwitch(record), null, true),
    clearSwitch: (scope, by, atMs) =>
      queue.commit(() => ({ kind: 'clearSwitch', scope, by, atMs: count(atMs) }), null, true),
    acknowledgeAlert: (id, by, atMs) =>
      queue.commit(() => ({ kind: 'acknowledgeAlert', id, by, atMs: count(atMs) }), null),
    saveApiKey: (key) => queue.commit(() => operations.saveApiKey(key), null),
    revokeApiKey: (id, atMs) => queue.commit(() => ({ kind: 'revokeApiKey', id, atMs: count(atMs) }), null),
    touchApiKey(id, atMs) {
      if (atMs - (touched.get(id) ?? Number.NEGATIVE_INFINITY) < TOUCH_EVERY_MS) return;
      if (touched.size >= REMEMBERED_KEYS) touched.clear();
      touched.set(id, atMs);
      // When a key was last used is worth no request's failure.
      queue.write(() => ({ kind: 'touchApiKey', id, atMs: count(atMs) }), null).catch(() => {});
    },
    async reconcile(attemptId, verdict) {
      await queue.flushed();
      const attempt = await reader.ask('attempt', attemptId);
      const stem = await reader.ask('rollupStem', attemptId);
      if (attempt !== undefined && stem !== undefined && isEstimate(attempt)) {
        const lowered = lower(attempt, verdict);
        await queue.commit(() => operations.lowerAttempt(attempt, lowered), {
          kind: 'attempt_lowered',
          before: attempt,
          attempt: lowered,
          rollupKey: encodeDimensions(stem, attempt.status),
        });
        return lowered;
      }
      if (attempt?.status !== 'unreconciled' || stem === undefined) throw notUnreconciled(attemptId, attempt);
      const reconciled = judge(attempt, verdict, clock.nowMs());
      await queue.commit(() => operations.closeAttempt(reconciled, null, null, true), {
        kind: 'attempt_closed',
        attempt: reconciled,
        rollupKey: encodeDimensions(stem, reconciled.status),
        reconciled: true,
      });
      return reconciled;
    },
  };
}

/** Confirmed: it failed for the run, and was billed. Released: nobody billed it. */
function judge(attempt: AttemptRecord, verdict: Reconciliation, nowMs: number): AttemptRecord {
  const finished = {
    ...attempt,
    finishedAtMs: nowMs,
    errorClass: 'unknown' as const,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
  };
  if (verdict.kind === 'release')
    return {
      ...finished,
      status: 'cancelled',
      errorMessage: 'The process died during the call; an operator found that it was not billed.',
      inputTokens: 0,
      costNanoUsd: 0n,
      estimated: false,
    };
  return {
    ...finished,
    status: 'failed',
    errorMessage: 'The process died during the call; it is taken for billed.',
    // How many it used is not known: budgets in tokens count the worst case, as those in dollars do.
    inputTokens: attempt.heldTokens ?? 0,
    costNanoUsd: verdict.costNanoUsd ?? attempt.heldNanoUsd,
    estimated: verdict.costNanoUsd === undefined,
  };
}

/** Nobody saw what it was billed: it was settled at what was held, or by what was seen, or by our own count. */
function isEstimate({ status, estimated }: AttemptRecord): boolean {
  return estimated && status !== 'open' && status !== 'unreconciled';
}

function lower(attempt: AttemptRecord, verdict: Reconciliation): AttemptRecord {
  const costNanoUsd = verdict.kind === 'release' ? 0n : (verdict.costNanoUsd ?? attempt.costNanoUsd);
  if (costNanoUsd > attempt.costNanoUsd || costNanoUsd < 0n)
    throw new HeadgateError(
      'RECONCILE_RAISES',
      `Attempt ${attempt.id} was settled at $${formatUsd(attempt.costNanoUsd)}; an estimate is not raised.`,
      "Give what the provider's bill says, or leave the cost out to confirm the estimate.",
    );
  const unused = {
    inputTokens: 0,
    outputTokens: 0,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    reasoningTokens: 0,
  };
  return {
    ...attempt,
    ...(verdict.kind === 'release' ? unused : {}),
    costNanoUsd,
    estimated: false,
  };
}

function notUnreconciled(id: string, attempt: AttemptRecord | undefined): HeadgateError {
  return attempt === undefined
    ? new HeadgateError(
        'ATTEMPT_UNKNOWN',
        `There is no attempt ${id}.`,
        'List those of unknown outcome: `headgate ledger reconcile`.',
      )
    : new HeadgateError(
        'ATTEMPT_NOT_UNRECONCILED',
        `Attempt ${id} is ${attempt.status}: its outcome is known.`,
        'List those of unknown outcome: `headgate ledger reconcile`.',
      );
}
