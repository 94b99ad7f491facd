// The time limit of one attempt: a signal for the body that follows the caller's, and is aborted with an AttemptTimeout when the time is up.
import type { Clock } from '../common/clock.ts';
import { AttemptTimeout } from './port.ts';

/**
 * Runs `body` under a limit. The limit is cooperative: the body hears of it by its signal, and its own answer is awaited, for only the body knows
 * what was received (and billed) until then. On return the signal is left alone, never aborted: what the body has handed on may still listen to it.
 */
export async function withAttemptTimeout<Value>(
  clock: Clock,
  timeoutMs: number,
  callerSignal: AbortSignal,
  body: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const controller = new AbortController();
  const onCallerAbort = (): void => controller.abort(callerSignal.reason);
  if (callerSignal.aborted) onCallerAbort();
  else callerSignal.addEventListener('abort', onCallerAbort);
  const cancelTimer = clock.after(timeoutMs, () =>
    controller.abort(new AttemptTimeout('attempt', timeoutMs)),
  );
  try {
    return await body(controller.signal);
  } finally {
    cancelTimer();
    callerSignal.removeEventListener('abort', onCallerAbort);
  }
}
