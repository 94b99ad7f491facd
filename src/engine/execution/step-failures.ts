// How a model step fails: what it met, in the words of the catalogue.
import type { BudgetRefusal } from '../budget/port.ts';
import { isOnlyHeld, retryAfterMs } from '../budget/refusals.ts';
import type { SpendSwitch } from '../budget/guards/port.ts';
import { formatUsd } from '../../common/money.ts';
import type { ProviderError } from '../providers/port.ts';
import type { Decided } from '../routing/decide.ts';
import type { RouteDecision } from '../routing/port.ts';
import { RunFailure, failed, runError } from './failure.ts';
import type { LiveRun } from './live-run.ts';
import type { AttemptRecord } from './records.ts';
import { spendingPaused } from './results.ts';

export function attemptsExhausted(
  run: LiveRun,
  step: string,
  lastError: ProviderError | undefined,
): RunFailure {
  const { attemptsUsed } = run.allowance;
  return failed(
    'ATTEMPTS_EXHAUSTED',
    { attempts: attemptsUsed, reason: lastError?.message ?? 'by other steps' },
    { step, details: { attempts: attemptsUsed } },
  );
}

/** Of all that were passed over because of their hold, the cheapest is what it would have taken. */
export function costExhausted(run: LiveRun, step: string, { skipped }: Pick<Decided, 'skipped'>): RunFailure {
  const limit = run.allowance.limits.costNanoUsd ?? run.allowance.parent?.limits.costNanoUsd ?? 0n;
  const left = run.allowance.costLeftNanoUsd ?? 0n;
  const holds = skipped.flatMap(({ candidate, skip }) =>
    skip.code === 'hold_does_not_fit' ? [candidate.holdNanoUsd] : [],
  );
  const needed = holds.reduce<bigint | null>(
    (least, hold) => (least === null || hold < least ? hold : least),
    null,
  );
  return failed(
    'COST_EXHAUSTED',
    {
      limit: `$${formatUsd(limit)}`,
      left: `$${formatUsd(left)}`,
      needed: needed === null ? 'more' : `$${formatUsd(needed)}`,
    },
    {
      step,
      details: {
        limitUsd: formatUsd(limit),
        leftUsd: formatUsd(left),
        ...(needed === null ? {} : { neededUsd: formatUsd(needed) }),
      },
    },
  );
}

export function budgetExceeded(refusal: BudgetRefusal, step: string, nowMs: number): RunFailure {
  const left = refusal.limit - refusal.spent - refusal.held;
  const amount = (value: bigint): string =>
    refusal.unit === 'usd' ? `$${formatUsd(value)}` : `${value} ${refusal.unit}`;
  const resets = refusal.resetsAtMs === null ? 'never' : new Date(refusal.resetsAtMs).toISOString();
  const wait = isOnlyHeld(refusal)
    ? `Try again in a moment, since calls under way hold ${amount(refusal.held)} and may need less`
    : `Wait until the budget resets (${resets})`;
  const error = runError(
    'BUDGET_EXCEEDED',
    {
      budget: refusal.name,
      left: amount(left < 0n ? 0n : left),
      limit: amount(refusal.limit),
      needed: amount(refusal.needed),
      wait,
    },
    {
      step,
      retryAfterMs: retryAfterMs(refusal, nowMs),
      details: { budget: refusal.budgetId },
    },
  );
  return new RunFailure(error, { kind: 'budget_exceeded', refusal });
}

export function pausedAt(off: SpendSwitch, step: string): RunFailure {
  const { code, message, remedy } = spendingPaused(off);
  const error = { code, message, remedy, retryAfterMs: null, step, details: { scope: off.scope } };
  return new RunFailure(error, { kind: 'spending_paused', switch: off });
}

/** Of an answer that the client has had a part of: another's cannot follow it. */
export function brokenOff(error: ProviderError, step: string): RunFailure {
  return failed(
    'ANSWER_BROKE_OFF',
    { reason: error.message },
    { step, details: { errorClass: error.class } },
  );
}

/** A failure that no other candidate would do better with. */
export function gaveUp(error: ProviderError, step: string, decision: RouteDecision): RunFailure {
  const code = error.class === 'content_filter' ? 'CONTENT_FILTERED' : 'REQUEST_REFUSED';
  const chosen = decision.candidates.find((candidate) => candidate.chosen)?.model ?? null;
  return failed(
    code,
    { step, reason: error.message },
    { step, details: { model: chosen, errorClass: error.class } },
  );
}

export interface NobodyLeft {
  readonly run: LiveRun;
  readonly stepKey: string;
  readonly decided: Decided;
  readonly attempts: readonly AttemptRecord[];
  readonly lastError: ProviderError | undefined;
}

/** Answers came and none was good: that is the answers' fault. Otherwise it is the providers'. */
export function nobodyLeft({ run, stepKey, decided, attempts, lastError }: NobodyLeft): RunFailure {
  if (attempts.length > 0 && lastError !== undefined) {
    const details = { attempts: attempts.length };
    if (lastError.class === 'not_accepted')
      return failed('NOT_ACCEPTED', { step: stepKey }, { step: stepKey, details });
    if (lastError.class === 'invalid_output')
      return failed(
        'INVALID_OUTPUT',
        { step: stepKey, reason: lastError.message },
        { step: stepKey, details },
      );
  }
  const reasons = decided.decision.candidates.map(
    ({ model, skipped }) => `${model}: ${lastFailureOf(model, attempts) ?? skipped?.detail ?? 'not tried'}`,
  );
  const error = runError(
    'NO_PROVIDER_AVAILABLE',
    {
      step: stepKey,
      task: run.record.task,
      reasons: reasons.length === 0 ? 'no rule of its route holds' : reasons.join('; '),
    },
    { step: stepKey, retryAfterMs: decided.retryAfterMs },
  );
  return new RunFailure(error, { kind: 'no_provider_available', decision: decided.decision });
}

function lastFailureOf(modelKey: string, attempts: readonly AttemptRecord[]): string | undefined {
  const last = attempts.findLast(
    ({ provider, requestedModel }) => `${provider}/${requestedModel}` === modelKey,
  );
  return last === undefined ? undefined : `${last.errorClass ?? last.status} (${last.errorMessage ?? ''})`;
}

/** A refusal half way says what failed before it: it may be the reason why anything more had to be spent. */
export function afterFailures({ attempts }: LiveRun, { error, failure }: RunFailure): RunFailure {
  const isRefusal =
    failure.kind === 'budget_exceeded' ||
    failure.kind === 'spending_paused' ||
    failure.kind === 'loop_detected';
  const last = isRefusal ? attempts.findLast(({ errorClass }) => errorClass !== null) : undefined;
  if (last === undefined) return new RunFailure(error, failure);
  const { provider, requestedModel, errorClass, errorMessage } = last;
  const before = `${provider}/${requestedModel}: ${errorClass} (${errorMessage ?? ''})`;
  return new RunFailure(
    {
      ...error,
      message: `${error.message} Before that, ${before}.`,
      details: { ...error.details, failedBefore: before },
    },
    failure,
  );
}
