// Classification: what a failed answer means, decided once for every adapter.
import type { ErrorClass, ProviderError } from '../port.ts';

/** An error as a provider worded it: in the body of a 4xx or 5xx, or inside a 200. */
export interface ReportedFailure {
  /** null: inside a 200. */
  readonly status: number | null;
  /** OpenAI's and Anthropic's `error.type`. */
  readonly type: string | null;
  /** OpenAI's `error.code`. */
  readonly code: string | null;
  readonly message: string;
  /** `x-should-retry`, which both vendors send. */
  readonly shouldRetry: boolean | null;
  readonly retryAfterMs: number | null;
}

export interface Verdict {
  readonly class: ErrorClass;
  readonly advice: ProviderError['advice'];
  readonly billed: ProviderError['billed'];
}

const CONTEXT =
  /context[ _-]?(?:length|window|size)|maximum (?:context|input|prompt) length|prompt is too long|input is too long|too many (?:input )?tokens|exceeds? the (?:available|model'?s?) context|`?max_tokens`? exceed context|reduce the length/i;
const FILTERED =
  /content[ _](?:management )?(?:policy|filter)|content filtering policy|responsibleaipolicyviolation|flagged as potentially violating|usage polic(?:y|ies)|safety system/i;
const EXHAUSTED =
  /exceeded your current quota|credit balance|insufficient (?:balance|credits?|funds)|billing hard limit|reached your specified api usage limits|spending limit/i;
const NO_MODEL =
  /\bmodel\b.*(?:not found|does not exist|not exist|no longer|decommissioned|is not supported)|^model: /i;
const TOO_LARGE_FOR_LIMIT = /request too large|single request|must be reduced/i;

/**
 * retry: the same call may succeed here after a pause. elsewhere: it will not, here. give-up: it should not be tried anywhere, or nobody
 * is waiting. A 400 is elsewhere, not give-up: what one server rejects (a parameter, a role, a schema keyword) another accepts.
 */
export function classify(failure: ReportedFailure): Verdict {
  const verdict = byWords(failure) ?? byStatus(failure);
  // The vendor's own word on retrying counts where the class itself leaves it open.
  if (failure.shouldRetry === false && verdict.advice === 'retry') return { ...verdict, advice: 'elsewhere' };
  return verdict;
}

function byWords({ status, type, code, message, retryAfterMs }: ReportedFailure): Verdict | undefined {
  const names = `${type ?? ''} ${code ?? ''}`;
  const refused: ProviderError['billed'] = status === null ? 'maybe' : 'no';
  const is = (...known: readonly string[]): boolean => known.some((name) => type === name || code === name);

  if (
    is(
      'insufficient_quota',
      'billing_hard_limit_reached',
      'billing_not_active',
      'billing_error',
      'insufficient_balance',
    )
  ) {
    return { class: 'quota_exhausted', advice: 'elsewhere', billed: refused };
  }
  // Gemini words its limit per minute as a quota too; it says when to come back.
  if (retryAfterMs === null && EXHAUSTED.test(message)) {
    return { class: 'quota_exhausted', advice: 'elsewhere', billed: refused };
  }
  if (
    is('content_filter', 'content_policy_violation', 'ResponsibleAIPolicyViolation') ||
    (isRequestFault(status) && FILTERED.test(message))
  ) {
    return { class: 'content_filter', advice: 'give-up', billed: refused };
  }
  if (
    is('context_length_exceeded', 'string_above_max_length', 'request_too_large') ||
    (isRequestFault(status) && CONTEXT.test(message))
  ) {
    return { class: 'context_length', advice: 'elsewhere', billed: refused };
  }
  if (is('model_not_found', 'DeploymentNotFound') || (isRequestFault(status) && NO_MODEL.test(message))) {
    return { class: 'model_not_found', advice: 'elsewhere', billed: refused };
  }
  if (is('overloaded_error', 'engine_overloaded', 'slow_down', 'server_is_overloaded')) {
    return { class: 'overloaded', advice: 'retry', billed: refused };
  }
  if (is('rate_limit_error', 'rate_limit_exceeded') || status === 429) {
    // A single request above the limit per minute is refused for ever.
    const never = TOO_LARGE_FOR_LIMIT.test(message);
    return { class: 'rate_limited', advice: never ? 'elsewhere' : 'retry', billed: refused };
  }
  if (is('authentication_error', 'invalid_api_key'))
    return { class: 'authentication', advice: 'elsewhere', billed: refused };
  if (is('permission_error')) return { class: 'permission', advice: 'elsewhere', billed: refused };
  if (status === null) {
    if (/timeout/.test(names)) return { class: 'timeout', advice: 'elsewhere', billed: 'maybe' };
    if (/invalid|not_supported|unsupported/.test(names))
      return { class: 'invalid_request', advice: 'elsewhere', billed: 'maybe' };
  }
  return undefined;
}

function isRequestFault(status: number | null): boolean {
  return (
    status === null || status === 400 || status === 403 || status === 404 || status === 413 || status === 422
  );
}

function byStatus({ status }: ReportedFailure): Verdict {
  switch (status) {
    case null:
      return { class: 'server_error', advice: 'retry', billed: 'maybe' };
    case 400:
    case 405:
    case 415:
    case 422:
      return { class: 'invalid_request', advice: 'elsewhere', billed: 'no' };
    case 401:
      return { class: 'authentication', advice: 'elsewhere', billed: 'no' };
    case 402:
      return { class: 'quota_exhausted', advice: 'elsewhere', billed: 'no' };
    case 403:
      return { class: 'permission', advice: 'elsewhere', billed: 'no' };
    case 404:
      return { class: 'model_not_found', advice: 'elsewhere', billed: 'no' };
    case 408:
    case 504:
    case 522:
    case 524:
      // A gateway gave up; what stands behind it may have finished and billed. It has had its time once already.
      return { class: 'timeout', advice: 'elsewhere', billed: 'maybe' };
    case 409:
      return { class: 'server_error', advice: 'retry', billed: 'no' };
    case 413:
      return { class: 'context_length', advice: 'elsewhere', billed: 'no' };
    case 429:
      return { class: 'rate_limited', advice: 'retry', billed: 'no' };
    case 503:
    case 529:
      return { class: 'overloaded', advice: 'retry', billed: 'no' };
    case 502:
    case 520:
    case 521:
    case 523:
      return { class: 'server_error', advice: 'retry', billed: 'maybe' };
    default:
      if (status >= 500) return { class: 'server_error', advice: 'retry', billed: 'no' };
      if (status >= 400) return { class: 'invalid_request', advice: 'elsewhere', billed: 'no' };
      return { class: 'unknown', advice: 'elsewhere', billed: 'maybe' };
  }
}
