// What routing learns from a closed attempt.
import type { AttemptRecord } from '../../engine/execution/records.ts';
import type { ErrorClass } from '../../engine/providers/port.ts';
import type { AttemptSample } from '../../engine/routing/signals.ts';

/** These say that the candidate served nobody. The others answered, as far as its speed goes, or say something of the request only. */
const FAILURES: ReadonlySet<ErrorClass> = new Set<ErrorClass>([
  'quota_exhausted',
  'overloaded',
  'server_error',
  'connection',
  'timeout',
  'first_token_timeout',
  'stalled',
  'cut_stream',
  'malformed_stream',
  'authentication',
  'permission',
  'model_not_found',
  'unknown',
]);
/** A whole answer came, though it was not taken. */
const ANSWERED: ReadonlySet<ErrorClass> = new Set<ErrorClass>([
  'empty_answer',
  'invalid_output',
  'wrong_model',
  'not_accepted',
]);

/** undefined: no provider was reached. */
export function sampleOf(attempt: AttemptRecord): AttemptSample | undefined {
  if (attempt.latencyMs === null) return undefined;
  const health = healthOf(attempt);
  return {
    modelKey: `${attempt.provider}/${attempt.requestedModel}`,
    task: attempt.task,
    step: attempt.step,
    health,
    totalMs: attempt.latencyMs,
    firstTokenMs: attempt.firstTokenMs,
    outputTokens: health === 'success' && !attempt.estimated ? attempt.outputTokens : null,
  };
}

function healthOf({ status, errorClass }: AttemptRecord): AttemptSample['health'] {
  if (status === 'succeeded') return 'success';
  if (status !== 'failed' || errorClass === null) return 'ignore';
  if (ANSWERED.has(errorClass)) return 'success';
  return FAILURES.has(errorClass) ? 'failure' : 'ignore';
}
