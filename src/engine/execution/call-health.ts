// How a call's end looks to a circuit breaker, and which time limit a cut-off call ran into.
import { fail } from '../../common/outcome.ts';
import type { CallOutcome, ErrorClass } from '../providers/port.ts';
import { AttemptTimeout } from '../resilience/port.ts';
import type { CallHealth } from '../resilience/port.ts';

/**
 * A breaker asks whether the candidate can serve anyone. A refused key or an unknown model counts: nobody will be served. A rate limit has its own
 * gate, and says that the server is well. What is wrong with one request says nothing about the next.
 */
const HEALTH: { readonly [kind in ErrorClass]: CallHealth } = {
  rate_limited: 'ignore',
  quota_exhausted: 'failure',
  overloaded: 'failure',
  server_error: 'failure',
  connection: 'failure',
  timeout: 'failure',
  first_token_timeout: 'failure',
  stalled: 'failure',
  cut_stream: 'failure',
  malformed_stream: 'failure',
  authentication: 'failure',
  permission: 'failure',
  model_not_found: 'failure',
  invalid_request: 'ignore',
  context_length: 'ignore',
  content_filter: 'success',
  empty_answer: 'success',
  invalid_output: 'success',
  wrong_model: 'success',
  not_accepted: 'success',
  cancelled: 'ignore',
  unknown: 'failure',
};

export function callHealth(outcome: CallOutcome): CallHealth {
  return outcome.ok ? 'success' : HEALTH[outcome.error.class];
}

const BY_LIMIT = { attempt: 'timeout', first_token: 'first_token_timeout', stall: 'stalled' } as const;

/** A provider may say no more than that its signal was aborted; which limit it was is known here. */
export function timeoutError(outcome: CallOutcome, signal: AbortSignal): CallOutcome {
  if (outcome.ok || outcome.error.class !== 'cancelled' || !(signal.reason instanceof AttemptTimeout))
    return outcome;
  return fail({
    ...outcome.error,
    class: BY_LIMIT[signal.reason.kind],
    advice: 'elsewhere',
    message: signal.reason.message,
  });
}
