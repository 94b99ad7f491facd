// The time limit of one attempt: a signal for the body that follows the caller's, and is aborted with an AttemptTimeout when the time is up.
import type { Clock } from '../../common/clock.ts';
import { AttemptTimeout } from './port.ts';

export interface AttemptLimit {
  readonly signal: AbortSignal;
  /** The body has ended. The signal is left alone, never aborted: what the body has handed on may still listen to it. */
  end(): void;
}

/**
 * Begins to limit a body. The limit is cooperative: the body hears of it by its signal, and its own answer is awaited, for only the body knows
 * what was received (and billed) until then.
 */
export function limitAttempt(clock: Clock, timeoutMs: number, callerSignal: AbortSignal): AttemptLimit {
  const controller = new AbortController();
  const onCallerAbort = (): void => controller.abort(callerSignal.reason);
  if (callerSignal.aborted) onCallerAbort();
  else callerSignal.addEventListener('abort', onCallerAbort);
  const cancelTimer = clock.after(timeoutMs, () =>
    controller.abort(new AttemptTimeout('attempt', timeoutMs)),
  );
  return {
    signal: controller.signal,
    end() {
      cancelTimer();
      callerSignal.removeEventListener('abort', onCallerAbort);
    },
  };
}
