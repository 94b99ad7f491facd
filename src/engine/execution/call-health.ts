// How a call's end looks to a circuit breaker, and which time limit a cut-off call ran into.
import { fail } from '../../common/outcome.ts';
import { sha256Hex } from '../../common/json.ts';
import type { CallOutcome, ErrorClass, ModelRequest } from '../providers/port.ts';
import { AttemptTimeout } from '../resilience/port.ts';
import type { CallHealth, RefusedInput } from '../resilience/port.ts';
import { RunStopped } from './runtime.ts';

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

/** A 403 may be about the input: one that is refused says little about the next. */
export function callHealth(
  outcome: CallOutcome,
  { system, prompt }: ModelRequest,
): CallHealth | RefusedInput {
  if (outcome.ok) return 'success';
  const { class: kind, status, keptConnection } = outcome.error;
  if (keptConnection === true) return 'ignore';
  if (kind === 'permission' && status === 403) return { input: sha256Hex(`${system ?? ''}\n${prompt}`) };
  return HEALTH[kind];
}

const BY_LIMIT = { attempt: 'timeout', first_token: 'first_token_timeout', stall: 'stalled' } as const;

/** A provider may say no more than that its signal was aborted; which limit it was is known here. */
export function timeoutError(outcome: CallOutcome, signal: AbortSignal): CallOutcome {
  if (outcome.ok || outcome.error.class !== 'cancelled') return outcome;
  const reason: unknown = signal.reason;
  if (reason instanceof AttemptTimeout)
    return fail({
      ...outcome.error,
      class: BY_LIMIT[reason.kind],
      advice: 'elsewhere',
      message: reason.message,
    });
  // The run's deadline is the candidate's failure too: it was asked, and did not answer.
  if (reason instanceof RunStopped && reason.why === 'deadline')
    return fail({
      ...outcome.error,
      class: 'timeout',
      advice: 'elsewhere',
      message: "no answer when the run's deadline came",
    });
  return outcome;
}
