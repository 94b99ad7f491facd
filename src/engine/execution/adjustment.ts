// Spending that no call of ours tells: what a provider billed in a time that the ledger lost, entered by a person.
import type { Clock } from '../../common/clock.ts';
import { newId } from '../../common/ids.ts';
import type { NanoUsd } from '../../common/money.ts';
import type { Random } from '../../common/random.ts';
import { HeadgateError } from '../../errors/headgate-error.ts';
import type { Budgets, Caller, Spending } from '../budget/port.ts';
import type { Recorder } from './recorder.ts';
import type { AttemptRecord, RunRecord } from './records.ts';

export interface Adjustment {
  readonly costNanoUsd: NanoUsd;
  /** Why; kept with the attempt. */
  readonly reason: string;
  /** Who enters it. */
  readonly by: string;
  readonly provider: string;
  /** The model's name without its provider; null: of none in particular. */
  readonly model: string | null;
  /** null: of none in particular. */
  readonly task: string | null;
  /** Whose it was, for budgets and statistics. */
  readonly caller: Pick<Caller, 'name' | 'team' | 'tier'>;
  readonly tags: { readonly [key: string]: string };
}

export interface AdjustmentParts {
  readonly budgets: Pick<Budgets, 'hold' | 'correct' | 'release' | 'endRun'>;
  readonly recorder: Pick<Recorder, 'openRun' | 'openAttempt' | 'closeAttempt' | 'finishRun'>;
  /** The hash of the plan in force. */
  readonly revision: () => string;
  readonly clock: Clock;
  readonly random: Random;
}

const UNNAMED = 'adjustment';
const NOTHING: Spending = { costNanoUsd: 0n, tokens: 0, calls: 0 };

/**
 * Counts now, as a run with one attempt, in every budget that such a call would have been held on: also beyond their limits, since it is spent
 * already. The attempt is an estimate, so that `reconcile` can lower it. Throws ADJUSTMENT_INVALID, and what the ledger throws: then nothing counts.
 */
export async function adjustSpend(parts: AdjustmentParts, adjustment: Adjustment): Promise<AttemptRecord> {
  const { budgets, recorder, clock, random } = parts;
  const { costNanoUsd, provider, reason, by, caller, tags } = adjustment;
  if (costNanoUsd <= 0n || reason.trim() === '' || provider === '')
    throw new HeadgateError(
      'ADJUSTMENT_INVALID',
      'An adjustment has a cost above nothing, a provider that billed it, and a reason.',
      'Give all three; what was entered too high is lowered with `headgate ledger reconcile`.',
    );
  const task = adjustment.task ?? UNNAMED;
  const model = adjustment.model ?? UNNAMED;
  const runId = newId('run', clock, random);
  const attemptId = newId('att', clock, random);
  // What costs nothing fits every budget, so that the accounts are found whatever is left in them.
  const held = budgets.hold({
    runId,
    attemptId,
    task,
    provider,
    model: `${provider}/${model}`,
    caller: { ...caller, tags: {}, scopes: [], keyId: null },
    tags,
    worst: NOTHING,
  });
  if (!held.ok)
    throw new HeadgateError(
      'ADJUSTMENT_INVALID',
      `The budget "${held.error.name}" keeps count of as many accounts as it can.`,
      'Wait until its window is over, or leave the caller, team or tag out.',
    );
  const nowMs = clock.nowMs();
  const run: RunRecord = {
    id: runId,
    task,
    revision: parts.revision(),
    taskRevision: '',
    status: 'running',
    caller,
    tags,
    idempotencyKey: null,
    parentRunId: null,
    durable: false,
    priority: 0,
    begun: 1,
    continuation: null,
    input: null,
    inputHash: '',
    output: null,
    error: null,
    costNanoUsd: 0n,
    savedNanoUsd: 0n,
    cached: false,
    startedAtMs: nowMs,
    finishedAtMs: null,
    latencyMs: null,
  };
  const open: AttemptRecord = {
    id: attemptId,
    runId,
    step: UNNAMED,
    revision: run.revision,
    task,
    caller: caller.name,
    provider,
    model,
    requestedModel: model,
    status: 'open',
    errorClass: null,
    errorMessage: null,
    inputTokens: 0,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
    costNanoUsd: 0n,
    heldNanoUsd: 0n,
    savedNanoUsd: 0n,
    estimated: true,
    rates: 'free',
    postings: held.value.postings,
    queueMs: 0,
    latencyMs: null,
    firstTokenMs: null,
    startedAtMs: nowMs,
    finishedAtMs: null,
    requestId: null,
    decision: { rule: UNNAMED, pick: 'first', candidates: [] },
  };
  const closed: AttemptRecord = {
    ...open,
    // Neither an answer nor a failure of the provider's.
    status: 'cancelled',
    errorMessage: `Entered by ${by}: ${reason}`,
    costNanoUsd,
    finishedAtMs: nowMs,
  };
  try {
    await recorder.openRun(run);
    await recorder.openAttempt(open);
    await recorder.closeAttempt(closed, null);
    await recorder.finishRun({ ...run, status: 'succeeded', costNanoUsd, finishedAtMs: nowMs, latencyMs: 0 });
    budgets.correct(held.value.postings, NOTHING, { costNanoUsd, tokens: 0, calls: 1 });
  } finally {
    budgets.release(held.value);
    budgets.endRun(runId);
  }
  return closed;
}
