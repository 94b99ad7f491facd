// Every error is classified once; these are the words and codes of many servers.
import { describe, expect, it } from 'vitest';
import { classify } from '../../../../src/engine/providers/shared/classify.ts';
import type { ReportedFailure } from '../../../../src/engine/providers/shared/classify.ts';
import { classifyTransport } from '../../../../src/engine/providers/shared/transport-failure.ts';

function failure(fields: Partial<ReportedFailure>): ReportedFailure {
  return {
    status: 500,
    type: null,
    code: null,
    param: null,
    message: '',
    flagged: false,
    shouldRetry: null,
    retryAfterMs: null,
    fromVendor: true,
    ...fields,
  };
}

describe('the classification of an answer', () => {
  it.each<[Partial<ReportedFailure>, string, string, string]>([
    [{ status: 400, code: 'context_length_exceeded' }, 'context_length', 'elsewhere', 'no'],
    ...(
      [
        [500, 'Context size has been exceeded.', 'context_length'],
        [400, 'Range of input length should be [1, 129024]', 'context_length'],
        [422, '`inputs` tokens + `max_new_tokens` must be <= 4097. Given: 4076', 'context_length'],
        [400, 'The provided model identifier is invalid.', 'model_not_found'],
        [403, 'The free tier of the model has been exhausted.', 'quota_exhausted'],
        [400, 'Budget has been exceeded! Current cost: 12.3, Max budget: 10.0', 'quota_exhausted'],
        [403, '用户额度不足, 剩余额度: 0', 'quota_exhausted'],
        [403, 'Key limit exceeded (total limit).', 'quota_exhausted'],
        [400, 'Organization has been restricted. Please reach out to support', 'permission'],
        [400, 'This organization has been disabled.', 'permission'],
      ] as const
    ).map(([status, message, kind]): [Partial<ReportedFailure>, string, string, string] => [
      { status, message },
      kind,
      'elsewhere',
      'no',
    ]),
    [
      { status: 446, message: 'The guardrail checks defined in the config failed.' },
      'content_filter',
      'give-up',
      'no',
    ],
    [
      { status: 403, message: 'The security token included in the request is expired' },
      'authentication',
      'elsewhere',
      'no',
    ],
    [{ status: 400, type: 'ServiceQuotaExceededException' }, 'quota_exhausted', 'elsewhere', 'no'],
    ...[null, 400].map((status): [Partial<ReportedFailure>, string, string, string] => [
      { status, type: 'throttlingException', message: 'Too many tokens, please wait before trying again.' },
      'rate_limited',
      'retry',
      status === null ? 'maybe' : 'no',
    ]),
    [{ status: null, message: 'Open api daily request limit reached' }, 'rate_limited', 'retry', 'maybe'],
    [{ status: 403, message: 'Out of call volume quota.', retryAfterMs: 9 }, 'rate_limited', 'retry', 'no'],
    [
      { status: null, message: 'login fail: Please carry the API secret key' },
      'authentication',
      'elsewhere',
      'maybe',
    ],
    [{ status: 400, message: 'it was considered high risk' }, 'content_filter', 'give-up', 'no'],
    [
      { status: 451, type: 'censorship_blocked', message: 'machine outputted is blocked' },
      'content_filter',
      'give-up',
      'no',
    ],
    [{ status: 400, type: 'ThrottlingException', message: 'wait' }, 'rate_limited', 'retry', 'no'],
    [{ status: 403, message: 'API rate limit exceeded' }, 'rate_limited', 'retry', 'no'],
    [{ status: 403, message: 'your account was flagged and is suspended' }, 'permission', 'elsewhere', 'no'],
    [
      { status: 400, message: 'input length and `max_tokens` exceed context limit: 195000 + 8192 > 200000' },
      'context_length',
      'elsewhere',
      'no',
    ],
    [
      { status: 400, message: 'the request exceeds the available context size' },
      'context_length',
      'elsewhere',
      'no',
    ],
    [
      { status: 413, type: 'request_too_large', message: 'Request exceeds the maximum size' },
      'context_length',
      'elsewhere',
      'no',
    ],
    [
      {
        status: 429,
        message:
          'Request too large for gpt-4o: Limit 30000, Requested 41000. The input or output tokens must be reduced',
      },
      'rate_limited',
      'elsewhere',
      'no',
    ],
    [
      { status: 429, message: 'Rate limit reached. Your context window is fine.' },
      'rate_limited',
      'retry',
      'no',
    ],
    [{ status: 429, code: 'insufficient_quota' }, 'quota_exhausted', 'elsewhere', 'no'],
    [
      { status: 429, message: 'You exceeded your current quota', retryAfterMs: 37_000 },
      'rate_limited',
      'retry',
      'no',
    ],
    [{ status: 402, message: 'Insufficient credits' }, 'quota_exhausted', 'elsewhere', 'no'],
    [
      {
        status: 400,
        message: 'You have reached your specified API usage limits. You will regain access on 2026-02-01.',
      },
      'quota_exhausted',
      'elsewhere',
      'no',
    ],
    [{ status: 400, code: 'content_policy_violation' }, 'content_filter', 'give-up', 'no'],
    [
      { status: 404, message: 'model "llama3" not found, try pulling it first' },
      'model_not_found',
      'elsewhere',
      'no',
    ],
    [
      { status: 400, message: 'The model `gpt-4-32k` has been decommissioned' },
      'model_not_found',
      'elsewhere',
      'no',
    ],
    [
      { status: 400, message: "Unsupported parameter: 'temperature' is not supported with this model." },
      'invalid_request',
      'elsewhere',
      'no',
    ],
    [{ status: 529, type: 'overloaded_error' }, 'overloaded', 'retry', 'no'],
    [{ status: 503 }, 'overloaded', 'retry', 'no'],
    [{ status: 500 }, 'server_error', 'retry', 'no'],
    [{ status: 500, fromVendor: false, message: 'Internal Server Error' }, 'server_error', 'retry', 'maybe'],
    [{ status: 500, fromVendor: false, message: 'model overloaded' }, 'overloaded', 'retry', 'no'],
    [{ status: 501, fromVendor: false }, 'server_error', 'retry', 'maybe'],
    [{ status: 503, fromVendor: false, message: 'no healthy upstream' }, 'overloaded', 'retry', 'no'],
    [
      {
        status: 503,
        fromVendor: false,
        message:
          'upstream connect error or disconnect/reset before headers. reset reason: connection termination',
      },
      'overloaded',
      'retry',
      'maybe',
    ],
    [
      {
        status: 503,
        fromVendor: false,
        message:
          'upstream connect error or disconnect/reset before headers. reset reason: connection failure',
      },
      'overloaded',
      'retry',
      'no',
    ],
    [{ status: 502 }, 'server_error', 'retry', 'maybe'],
    [{ status: 504 }, 'timeout', 'elsewhere', 'maybe'],
    [{ status: 408 }, 'timeout', 'elsewhere', 'maybe'],
    [{ status: 409 }, 'server_error', 'retry', 'no'],
    [{ status: 418 }, 'invalid_request', 'elsewhere', 'no'],
    [{ status: 599 }, 'server_error', 'retry', 'no'],
    [{ status: 302 }, 'unknown', 'elsewhere', 'no'],
    [{ status: null, type: 'overloaded_error' }, 'overloaded', 'retry', 'maybe'],
    [{ status: null, code: 'rate_limit_exceeded' }, 'rate_limited', 'retry', 'maybe'],
    [{ status: null, code: 'server_error' }, 'server_error', 'retry', 'maybe'],
    [{ status: null, type: 'timeout_error' }, 'timeout', 'elsewhere', 'maybe'],
    [{ status: null, type: 'invalid_request_error' }, 'invalid_request', 'elsewhere', 'maybe'],
  ])('%j is %s: %s, billed %s', (fields, kind, advice, billed) => {
    expect(classify(failure(fields))).toEqual({ class: kind, advice, billed });
  });

  it('retries nothing that the vendor says not to retry', () => {
    for (const status of [429, 500, 503])
      expect(classify(failure({ status, shouldRetry: false })).advice).toBe('elsewhere');
  });

  it('does not let the vendor turn a refusal into a retry', () => {
    expect(classify(failure({ status: 401, shouldRetry: true })).advice).toBe('elsewhere');
  });
});

describe('the classification of a failed connection', () => {
  const coded = (code: string): Error => Object.assign(new Error('failed'), { code });

  it.each([
    ['ECONNREFUSED', 'retry', 'no'],
    ['UND_ERR_CONNECT_TIMEOUT', 'retry', 'no'],
    ['EAI_AGAIN', 'retry', 'no'],
    ['ENOTFOUND', 'elsewhere', 'no'],
    ['CERT_HAS_EXPIRED', 'elsewhere', 'no'],
    ['ECONNRESET', 'retry', 'maybe'],
    ['UND_ERR_SOCKET', 'retry', 'maybe'],
  ])('%s: %s, billed %s', (code, advice, billed) => {
    const wrapped = new Error('Connection error.', {
      cause: new Error('fetch failed', { cause: coded(code) }),
    });
    expect(classifyTransport(wrapped)).toMatchObject({ class: 'connection', advice, billed });
    expect(classifyTransport(new AggregateError([coded(code)])).advice).toBe(advice);
  });

  it('an answer without end is malformed, and not asked for again here', () => {
    expect(classifyTransport(coded('UND_ERR_RES_EXCEEDED_MAX_SIZE'))).toMatchObject({
      class: 'malformed_stream',
      advice: 'elsewhere',
      billed: 'maybe',
    });
  });

  it('names the innermost cause', () => {
    const wrapped = new Error('Connection error.', { cause: coded('ECONNREFUSED') });
    expect(classifyTransport(wrapped).message).toBe('failed (ECONNREFUSED)');
  });

  it('survives causes that point at themselves, and what is no error', () => {
    const loop = new Error('loop');
    loop.cause = loop;
    expect(classifyTransport(loop)).toMatchObject({ class: 'unknown', advice: 'elsewhere', billed: 'maybe' });
    expect(classifyTransport(undefined).class).toBe('unknown');
  });
});
