// The time limit of one attempt: a signal for the body that follows the caller's, and is aborted with an AttemptTimeout when the time is up.
import type { Clock } from '../../common/clock.ts';
import { AttemptTimeout } from './port.ts';

export interface AttemptLimit {
  readonly signal: AbortSignal;
  /** From now on the limit is this long, not less than before, counted from the beginning of the body. */
  readonly prolong: (timeoutMs: number) => void;
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
  const startedAtMs = clock.monotonicMs();
  let limitMs = timeoutMs;
  // The timer is not moved when the limit is: it is set again for what is left then.
  const fire = (): void => {
    const leftMs = startedAtMs + limitMs - clock.monotonicMs();
    if (limitMs > timeoutMs && leftMs > 0) cancelTimer = clock.after(leftMs, fire);
    else controller.abort(new AttemptTimeout('attempt', limitMs));
  };
  let cancelTimer = clock.after(timeoutMs, fire);
  return {
    signal: controller.signal,
    prolong(longerMs) {
      limitMs = longerMs;
    },
    end() {
      cancelTimer();
      callerSignal.removeEventListener('abort', onCallerAbort);
    },
  };
}
