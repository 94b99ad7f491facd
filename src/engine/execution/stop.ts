// What a stopped run's failure is: by the reason on its signal.
import { formatDuration } from '../../common/units.ts';
import { RunFailure, runError } from './failure.ts';
import type { LiveRun } from './live-run.ts';
import { RunStopped } from './runtime-port.ts';

/** The failure of a run whose signal is aborted. */
export function stopped(run: LiveRun, signal: AbortSignal, step: string | null): RunFailure {
  const reason: unknown = signal.reason;
  if (!(reason instanceof RunStopped)) {
    return new RunFailure(
      runError('CANCELLED', { reason: reason instanceof Error ? reason.message : String(reason) }, { step }),
      { kind: 'cancelled' },
    );
  }
  switch (reason.why) {
    case 'deadline':
      return deadlineExceeded(run, step);
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

export function deadlineExceeded(run: LiveRun, step: string | null): RunFailure {
  const ms = Math.round(run.allowance.limits.deadlineAtMs - run.startedAtMs);
  const deadline = formatDuration(ms);
  return new RunFailure(runError('DEADLINE_EXCEEDED', { deadline }, { step, details: { deadlineMs: ms } }), {
    kind: 'failed',
  });
}
