// Classification: what a failed answer means, decided once for every adapter.
import type { ErrorClass, ProviderError } from '../port.ts';

/** An error as a provider worded it: in the body of a 4xx or 5xx, or inside a 200. */
export interface ReportedFailure {
  /** The answer's, or the one that an error inside a 200 names; null: it names none. */
  readonly status: number | null;
  /** OpenAI's and Anthropic's `error.type`, or Google's `error.status`. */
  readonly type: string | null;
  /** OpenAI's `error.code`. */
  readonly code: string | null;
  /** The parameter that is refused, where the provider names it apart. */
  readonly param: string | null;
  readonly message: string;
  /** It says that the input was looked at and flagged. */
  readonly flagged: boolean;
  /** `x-should-retry`, which both vendors send. */
  readonly shouldRetry: boolean | null;
  readonly retryAfterMs: number | null;
  /** The body is an error in JSON, as vendors' own servers put it; false: a page, a word or nothing, as what stands before them does. */
  readonly fromVendor: boolean;
}

export interface FailureClass {
  readonly class: ErrorClass;
  readonly advice: ProviderError['advice'];
  readonly billed: ProviderError['billed'];
}

const CONTEXT =
  /context[ _-]?(?:length|window|size)|maximum (?:context|input|prompt) length|prompt is too long|input is too long|too many (?:input )?tokens|exceeds? the (?:available|model'?s?) context|`?max_tokens`? exceed context|range of input length should be|tokens \+ `?max_new_tokens|reduce the length|input token count.*exceeds|(?:input|prompt)\b.{0,60}exceeds? the maximum|longer than the (?:maximum|model)|(?:prompt|input|request).{0,40}too (?:long|large)/i;
/** A number of tokens in a time is a rate, whatever else the words say. */
const PER_TIME = /per (?:second|minute|hour|day)|\b[TR]P[MDS]\b|rate limit/i;
/** What the vendors' filters say: OpenAI, Azure, Anthropic, DeepSeek, Alibaba, xAI, Zhipu, MiniMax, Bedrock, Gemini. */
const FILTERED =
  /content[ _-]?(?:management )?(?:policy|filter)|content filtering policy|responsibleaipolicyviolation|flagged as potentially violating|usage (?:polic(?:y|ies)|guidelines)|safety (?:system|filter|polic|setting|guideline|check)|content exists risk|data_?inspection_?failed|\bmoderat(?:ion|ed)\b|\b(?:input|prompt|request|content|message|text|output|response|image)s? (?:was|were|has been|have been|is|are|got) (?:flagged|blocked|rejected by (?:the|our) (?:content|safety|filter))|(?:inappropriate|sensitive|unsafe|harmful|prohibited|disallowed) (?:content|material|information|words?)|guardrail|prohibited_content|new_sensitive|censor(?:ed|ship)|content[ _-]violation|considered high risk|\bcontent you provided.{0,60}\bblocked|\b(?:blocked|rejected) (?:by|due to|because of).{0,40}(?:safety|polic|filter|content)|敏感|违规/i;
/** The account, not the content: nobody is served with this key. */
const ACCOUNT =
  /\b(?:account|organi[sz]ation|api[ _-]?key|key|project|team|user)\b.{0,60}\b(?:suspended|disabled|banned|deactivated|terminated|blocked|flagged|restricted)\b/i;
const EXHAUSTED =
  /exceeded your current quota|credit balance|insufficient (?:balance|credits?|funds|quota)|billing hard limit|reached your specified api usage limits|spending (?:limit|cap)|any credits|no (?:more )?credits|out of credits|purchase (?:more )?credits|add (?:more )?credits|all available credits|requires more credits|payment (?:required|method)|past invoices|account is not active|free (?:tier|quota|credits).{0,60}(?:exhausted|used up)|budget (?:has been |was )?exceeded|\b(?:key|credit|usage) limit exceeded|余额不足|额度不足|额度已用|欠费/i;
const NO_MODEL =
  /\bmodel\b.*(?:not found|does not exist|doesn't exist|not exist|no longer|decommissioned|deprecated and|is not supported|is not available|not a valid model)|^model: |model identifier is invalid|inference profile|no such model|unknown model|no endpoints found|not a valid model/i;
const TOO_LARGE_FOR_LIMIT = /request too large|single request|must be reduced/i;
/** Gateways that have no 429. */
const TOO_FAST =
  /\b(?:rate|request|qps)[ _-]?limit(?:s|ed)?\b.{0,20}\b(?:exceeded|reached|hit)|too many requests|\bthrottl|out of (?:call volume|bandwidth) quota/i;
const BAD_KEY =
  /(?:api[ _-]?key|access token|bearer token|credentials?)\b.{0,40}\b(?:not valid|invalid|incorrect|expired|missing|required|not found|revoked)|(?:invalid|incorrect|expired|missing|no|wrong) (?:api[ _-]?key|access token|bearer token|credentials|authentication)|api_key_invalid|unauthori[sz]ed|\bsecurity token\b.{0,40}\b(?:expired|invalid)|request signature we calculated|\blogin fail|carry the api (?:secret )?key/i;
const NO_ROOM =
  /capacity exceeded|(?:no|at|over|insufficient|out of) capacity|overloaded|temporarily unavailable|currently loading|model is (?:still )?loading|server is busy|high demand|try again later|no available (?:workers?|replicas?|channels?)/i;

/** A gateway lost the connection over which it had sent the request on: Envoy, and proxies that say what nginx writes into its log. */
const LOST_BEHIND =
  /disconnect\/reset before headers(?!.*\b(?:connection failure|overflow))|(?:connection|stream|upstream) (?:was )?(?:reset|terminat|prematurely closed)|premature(?:ly)? (?:close|end)|upstream (?:request|response) timeout/i;

/**
 * retry: the same call may succeed here after a pause. elsewhere: it will not, here. give-up: it should not be tried anywhere, or nobody
 * is waiting. A 400 is elsewhere, not give-up: what one server rejects (a parameter, a role, a schema keyword) another accepts.
 */
export function classify(failure: ReportedFailure): FailureClass {
  const verdict = billing(byWords(failure) ?? byStatus(failure), failure);
  // The vendor's own word on retrying counts where the class itself leaves it open.
  if (failure.shouldRetry === false && verdict.advice === 'retry') return { ...verdict, advice: 'elsewhere' };
  return verdict;
}

/** What answers in place of a vendor does not know what the vendor did; nor does a gateway whose connection broke. */
function billing(verdict: FailureClass, { status, message, fromVendor }: ReportedFailure): FailureClass {
  if (verdict.billed !== 'no' || status === null || status < 500) return verdict;
  const isRefusal = verdict.class === 'overloaded' || fromVendor;
  return isRefusal && !LOST_BEHIND.test(message) ? verdict : { ...verdict, billed: 'maybe' };
}

function byWords({
  status,
  type,
  code,
  message,
  flagged,
  retryAfterMs,
}: ReportedFailure): FailureClass | undefined {
  const names = `${type ?? ''} ${code ?? ''}`.slice(0, 200);
  const refused: ProviderError['billed'] = status === null ? 'maybe' : 'no';
  // AWS begins the same names with a small letter in streams.
  const named = new Set([type, code].map((name) => name?.toLowerCase()));
  const is = (...known: readonly string[]): boolean => known.some((name) => named.has(name.toLowerCase()));
  const to = (kind: ErrorClass, advice: FailureClass['advice']): FailureClass => ({
    class: kind,
    advice,
    billed: refused,
  });

  if (
    is(
      'insufficient_quota',
      'billing_hard_limit_reached',
      'billing_not_active',
      'billing_error',
      'insufficient_balance',
      'exceeded_current_quota_error',
      'Arrearage',
      'budget_exceeded',
      'insufficient_user_quota',
      'ServiceQuotaExceededException',
      'AllocationQuota.FreeTierOnly',
    )
  )
    return to('quota_exhausted', 'elsewhere');
  // Gemini words its limit per minute as a quota too; it says when to come back.
  if (retryAfterMs === null && EXHAUSTED.test(message)) return to('quota_exhausted', 'elsewhere');
  if (
    (flagged && isRequestFault(status)) ||
    is(
      'content_filter',
      'content_policy_violation',
      'ResponsibleAIPolicyViolation',
      'data_inspection_failed',
      'DataInspectionFailed',
      'moderation_blocked',
      'invalid_prompt',
      'PROHIBITED_CONTENT',
      'SAFETY',
    ) ||
    (isRequestFault(status) && FILTERED.test(`${names} ${message}`) && !ACCOUNT.test(message))
  )
    return to('content_filter', 'give-up');
  const isRate = is(
    'rate_limit_error',
    'rate_limit_exceeded',
    'rate_limited',
    'too_many_requests',
    'RESOURCE_EXHAUSTED',
    'ThrottlingException',
    'TooManyRequestsException',
  );
  if (
    is(
      'context_length_exceeded',
      'string_above_max_length',
      'request_too_large',
      'exceed_context_size_error',
    ) ||
    // llama.cpp answers 500 to what is too long.
    ((isRequestFault(status) || status === 500) &&
      !isRate &&
      CONTEXT.test(message) &&
      !PER_TIME.test(message))
  )
    return to('context_length', 'elsewhere');
  if (is('model_not_found', 'DeploymentNotFound') || (isRequestFault(status) && NO_MODEL.test(message)))
    return to('model_not_found', 'elsewhere');
  if (
    is(
      'overloaded_error',
      'overloaded',
      'engine_overloaded',
      'engine_overloaded_error',
      'slow_down',
      'server_is_overloaded',
      'capacity_exceeded',
      'service_unavailable',
      'ServiceUnavailableException',
      'ModelNotReadyException',
      'ServiceUnavailable',
      'UNAVAILABLE',
    ) ||
    (mayBeRoom(status) && NO_ROOM.test(message))
  )
    return to('overloaded', 'retry');
  if (
    isRate ||
    status === 429 ||
    ((status === null || status === 400 || status === 403) && TOO_FAST.test(message))
  ) {
    // A single request above the limit per minute is refused for ever.
    return to('rate_limited', TOO_LARGE_FOR_LIMIT.test(message) ? 'elsewhere' : 'retry');
  }
  if (
    is(
      'authentication_error',
      'invalid_api_key',
      'UNAUTHENTICATED',
      'UnrecognizedClientException',
      'ExpiredTokenException',
    ) ||
    ((status === null || status === 400 || status === 403) && BAD_KEY.test(message))
  )
    return to('authentication', 'elsewhere');
  if (is('permission_error', 'PERMISSION_DENIED') || (status === 400 && ACCOUNT.test(message)))
    return to('permission', 'elsewhere');
  if (status === null) {
    if (/rate[ _-]?limit|too many requests/i.test(message)) return to('rate_limited', 'retry');
    if (/timeout|DEADLINE_EXCEEDED/.test(names))
      return { class: 'timeout', advice: 'elsewhere', billed: 'maybe' };
    if (/invalid|not_supported|unsupported|BadRequest/i.test(names))
      return { class: 'invalid_request', advice: 'elsewhere', billed: 'maybe' };
  }
  return undefined;
}

function isRequestFault(status: number | null): boolean {
  return (
    status === null ||
    status === 400 ||
    status === 403 ||
    status === 404 ||
    status === 413 ||
    status === 422 ||
    // Portkey: a guardrail said no.
    status === 446 ||
    status === 451
  );
}

/** Statuses that leave open whether it is the request or the room that is lacking. */
function mayBeRoom(status: number | null): boolean {
  return status === null || status === 400 || status === 424 || status === 498 || status === 500;
}

function byStatus({ status }: ReportedFailure): FailureClass {
  switch (status) {
    case null:
      return { class: 'server_error', advice: 'retry', billed: 'maybe' };
    case 400:
    case 405:
    case 415:
    case 422:
      return { class: 'invalid_request', advice: 'elsewhere', billed: 'no' };
    case 401:
    case 407:
      return { class: 'authentication', advice: 'elsewhere', billed: 'no' };
    case 402:
      return { class: 'quota_exhausted', advice: 'elsewhere', billed: 'no' };
    case 403:
    case 451:
      return { class: 'permission', advice: 'elsewhere', billed: 'no' };
    case 404:
    case 410:
      return { class: 'model_not_found', advice: 'elsewhere', billed: 'no' };
    case 408:
    case 504:
    case 522:
    case 524:
      // A gateway gave up; what stands behind it may have finished and billed. It has had its time once already.
      return { class: 'timeout', advice: 'elsewhere', billed: 'maybe' };
    case 409:
    case 424:
      return { class: 'server_error', advice: 'retry', billed: 'no' };
    case 413:
      return { class: 'context_length', advice: 'elsewhere', billed: 'no' };
    case 425:
    case 429:
      return { class: 'rate_limited', advice: 'retry', billed: 'no' };
    case 423:
    case 498:
    case 503:
    case 529:
      return { class: 'overloaded', advice: 'retry', billed: 'no' };
    case 499:
    case 502:
    case 520:
    case 521:
    case 523:
      return { class: 'server_error', advice: 'retry', billed: 'maybe' };
    default:
      if (status >= 500) return { class: 'server_error', advice: 'retry', billed: 'no' };
      if (status >= 400) return { class: 'invalid_request', advice: 'elsewhere', billed: 'no' };
      // A redirect: nothing stands there that could have answered.
      if (status >= 300) return { class: 'unknown', advice: 'elsewhere', billed: 'no' };
      return { class: 'unknown', advice: 'elsewhere', billed: 'maybe' };
  }
}
