// What a caller is told: a run's end as a member of the result union.
import { formatDuration } from '../../common/units.ts';
import { errorText } from '../../errors/catalogue.ts';
import { SAME } from '../../language/plan/print.ts';
import type { LoopDecision, SpendSwitch } from '../budget/guards/port.ts';
import type { RunResult } from './port.ts';
import type { RunFailure } from './failure.ts';
import type { LiveRun } from './live-run.ts';
import type { RunRefusal } from './prepare.ts';
import { graphqlScope } from './spend-scope.ts';

/** After its record is final. */
export function resultOf(run: LiveRun, failure: RunFailure | null): RunResult {
  const snapshot = { run: run.record, steps: run.steps, attempts: run.attempts };
  if (failure === null) return { kind: 'run', snapshot };
  const { code, message, remedy, retryAfterMs, step } = failure.error;
  const refused = { code, message, remedy };
  const { failure: cause } = failure;
  const begun = { runId: run.id, costNanoUsd: run.record.costNanoUsd, attempts: run.attempts };
  switch (cause.kind) {
    case 'failed':
    case 'cancelled':
    case 'stands_still':
      return { kind: 'run', snapshot };
    case 'suspended':
      return { kind: 'run', snapshot: { ...snapshot, run: { ...run.record, error: failure.error } } };
    case 'budget_exceeded':
      return { kind: 'budget_exceeded', refusal: cause.refusal, ...begun, ...refused };
    case 'spending_paused':
      return { ...spendingPaused(cause.switch), ...begun, ...refused };
    case 'loop_detected':
      return {
        kind: 'loop_detected',
        repeats: cause.repeats,
        withinMs: cause.withinMs,
        retryAfterMs,
        ...begun,
        ...refused,
      };
    case 'no_provider_available':
      return {
        kind: 'no_provider_available',
        ...begun,
        task: run.record.task,
        step: step ?? '',
        retryAfterMs,
        decision: cause.decision,
        ...refused,
      };
  }
}

export function spendingPaused(off: SpendSwitch): RunRefusal & { kind: 'spending_paused' } {
  const { scope, reason, sinceMs } = off;
  return {
    kind: 'spending_paused',
    scope,
    reason,
    sinceMs,
    ...errorText('SPENDING_PAUSED', { scope, reason, graphqlScope: graphqlScope(scope) }),
  };
}

export function loopDetected(
  task: string,
  {
    same,
    repeats,
    withinMs,
    retryAfterMs,
    tool,
  }: Pick<
    Extract<LoopDecision, { kind: 'reject' }>,
    'same' | 'repeats' | 'withinMs' | 'retryAfterMs' | 'tool'
  >,
): RunRefusal {
  return {
    kind: 'loop_detected',
    repeats,
    withinMs,
    retryAfterMs,
    ...(tool === undefined
      ? errorText('LOOP_DETECTED', { task, what: SAME[same], repeats, within: formatDuration(withinMs) })
      : errorText('TOOL_LOOP_DETECTED', { tool, repeats })),
  };
}

export function keyReused(key: string): RunRefusal {
  return { kind: 'invalid_input', problems: [], ...errorText('IDEMPOTENCY_KEY_REUSED', { key }) };
}
