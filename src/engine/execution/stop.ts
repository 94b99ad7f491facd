// What a stopped run's failure is: by the reason on its signal.
import { formatDuration } from '../../common/units.ts';
import { RunFailure, runError } from './failure.ts';
import type { ErrorClass } from '../providers/port.ts';
import type { LiveRun } from './live-run.ts';
import type { AttemptRecord } from './records.ts';
import { RunStopped } from './runtime.ts';

/** The failure of a run whose signal is aborted. `made`: the attempts of the step. */
export function stopped(
  run: LiveRun,
  signal: AbortSignal,
  step: string | null,
  made: readonly AttemptRecord[] = [],
): RunFailure {
  const reason: unknown = signal.reason;
  if (!(reason instanceof RunStopped)) {
    return new RunFailure(
      runError('CANCELLED', { reason: reason instanceof Error ? reason.message : String(reason) }, { step }),
      { kind: 'cancelled' },
    );
  }
  switch (reason.why) {
    case 'deadline':
      return deadlineExceeded(run, step, made);
    case 'shutdown':
      return new RunFailure(runError('SHUT_DOWN', {}, { step }), {
        kind: run.record.durable ? 'suspended' : 'cancelled',
      });
    case 'caller':
    case 'operator':
      return new RunFailure(runError('CANCELLED', { reason: reason.message }, { step }), {
        kind: 'cancelled',
      });
  }
}

/** It names who was asked and did not answer: the time went there. */
export function deadlineExceeded(
  run: LiveRun,
  step: string | null,
  made: readonly AttemptRecord[] = [],
): RunFailure {
  const ms = Math.round(run.allowance.limits.deadlineAtMs - run.startedAtMs);
  const deadline = formatDuration(ms);
  const silent = made.flatMap(({ provider, requestedModel, errorClass, latencyMs }) =>
    errorClass !== null && SILENCE.has(errorClass)
      ? [`${provider}/${requestedModel} (${formatDuration(Math.round(latencyMs ?? 0))})`]
      : [],
  );
  const waiting = silent.length === 0 ? '' : `; it waited for ${silent.join(', ')}`;
  return new RunFailure(
    runError('DEADLINE_EXCEEDED', { deadline, waiting }, { step, details: { deadlineMs: ms } }),
    { kind: 'failed' },
  );
}

const SILENCE: ReadonlySet<ErrorClass> = new Set(['timeout', 'first_token_timeout', 'stalled']);
