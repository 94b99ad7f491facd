// What providers, gateways and web servers put in place of an answer, and what is told of it.
import { describe, expect, it } from 'vitest';
import { classify } from '../../../../src/engine/providers/shared/classify.ts';
import { errorInside, errorWords, htmlWords } from '../../../../src/engine/providers/shared/error-body.ts';

describe('the words of an error', () => {
  it('are looked at in bounded time, whatever a server sends back in them', () => {
    for (const words of ['model ', 'input token count ', '<', '<title>', 'try again in 1']) {
      const message = words.repeat(20_000);
      expect(errorWords({ error: { message } }).message.length).toBeLessThan(5_000);
      expect(htmlWords(`<html>${message}`).length).toBeLessThan(200);
    }
  });

  it.each<[string, unknown, object]>([
    [
      "OpenAI's",
      { error: { message: 'slow down', type: 'requests', param: null, code: 'rate_limit_exceeded' } },
      { message: 'slow down', type: 'requests', code: 'rate_limit_exceeded', status: null },
    ],
    [
      "Anthropic's",
      { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
      { message: 'Overloaded', type: 'overloaded_error', code: null },
    ],
    [
      "Google's, in an array",
      [{ error: { code: 429, message: 'Quota exceeded', status: 'RESOURCE_EXHAUSTED' } }],
      { message: 'Quota exceeded', type: 'RESOURCE_EXHAUSTED', status: 429 },
    ],
    [
      "OpenRouter's, with what the provider said",
      {
        error: {
          message: 'Provider returned error',
          code: 429,
          metadata: { raw: '{"error":{"message":"busy upstream"}}', provider_name: 'BaseTen' },
        },
      },
      { message: 'Provider returned error: busy upstream (BaseTen)', status: 429 },
    ],
    [
      "xAI's, beside a code",
      { code: 'Forbidden', error: 'no credits' },
      { message: 'no credits', code: 'Forbidden' },
    ],
    ['a text', { error: 'something broke' }, { message: 'something broke', code: null, type: null }],
    [
      "FastAPI's list",
      { detail: [{ type: 'extra_forbidden', loc: ['body', 'x'], msg: 'Extra inputs are not permitted' }] },
      { message: 'body.x: Extra inputs are not permitted' },
    ],
    ["vLLM's", { object: 'error', message: 'too long', code: 400 }, { message: 'too long', status: 400 }],
    [
      "AWS's",
      { __type: 'com.amazon.coral.service#ThrottlingException', message: 'wait' },
      { message: 'wait', type: 'ThrottlingException' },
    ],
    [
      'an object store’s XML',
      '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Not for &quot;you&quot;</Message></Error>',
      { message: 'Not for "you"' },
    ],
    [
      "MiniMax's",
      { base_resp: { status_code: 1004, status_msg: 'login fail' } },
      { message: 'login fail', code: '1004' },
    ],
    ['JSON in JSON', { message: '{"error":{"message":"inner"}}' }, { message: 'inner' }],
    [
      'a page',
      '<html><head><title>502 Bad Gateway</title></head></html>',
      { message: 'a web page: 502 Bad Gateway' },
    ],
    ['plain text', 'upstream connect error', { message: 'upstream connect error' }],
    ['nothing', '', { message: '' }],
  ])('%s', (_whose, body, expected) => {
    expect(errorWords(body)).toMatchObject(expected);
  });

  it('says a page in one sentence, whatever is in it', () => {
    expect(
      htmlWords('<html><head><style>a{}</style></head><body><h1>Not &amp; here</h1>…</body></html>'),
    ).toBe('a web page: Not & here');
    expect(htmlWords('<!doctype html><p>Sign <b>in</b></p><script>alert(1)</script>')).toBe(
      'a web page: Sign in',
    );
    expect(htmlWords('<html></html>')).toBe('a web page');
  });
});

describe('an error where an answer was expected', () => {
  it.each([
    [{ error: null, choices: [] }, true, false],
    [{ error: {}, choices: [] }, true, false],
    [{ error: { message: 'x' } }, true, true],
    [{ message: 'not found' }, false, true],
    [{ id: 'x', message: 'hello' }, false, false],
    [{ choices: [], message: 'hello' }, true, false],
    [{ type: 'ping' }, true, false],
    [{}, false, false],
    [[], false, false],
    ['text', false, false],
  ])('%j', (body, isAnswer, isError) => {
    expect(errorInside(body, isAnswer) !== undefined).toBe(isError);
  });
});

describe('what the words mean', () => {
  const meaning = (status: number | null, body: unknown): string => {
    const words = errorWords(body);
    return classify({
      ...words,
      status: status ?? words.status,
      shouldRetry: null,
      retryAfterMs: null,
      fromVendor: true,
    }).class;
  };

  it.each<[number | null, unknown, string]>([
    [400, { error: { message: 'Content Exists Risk', type: 'invalid_request_error' } }, 'content_filter'],
    [
      400,
      { error: { code: 'data_inspection_failed', message: 'Input data may contain…' } },
      'content_filter',
    ],
    [403, { error: 'Content violates usage guidelines.' }, 'content_filter'],
    [403, { error: { code: 403, message: 'x', metadata: { reasons: ['violence'] } } }, 'content_filter'],
    [
      403,
      { error: { message: 'Your account has been suspended for a violation of our usage policies' } },
      'permission',
    ],
    [403, { error: 'Your team has no more credits' }, 'quota_exhausted'],
    [400, { error: { message: 'API key not valid. Please pass a valid API key.' } }, 'authentication'],
    [429, { message: 'Tokens per minute limit exceeded - too many tokens processed.' }, 'rate_limited'],
    [498, { error: { message: 'Flex tier capacity exceeded', type: 'capacity_exceeded' } }, 'overloaded'],
    [null, { error: { code: 429, message: 'Provider returned error' } }, 'rate_limited'],
    [null, { error: { code: '503', message: 'Provider returned error' } }, 'overloaded'],
    [null, { error: { code: 400, message: 'maximum context length is 4096 tokens' } }, 'context_length'],
    [null, { error: { message: 'Rate limit reached' } }, 'rate_limited'],
    [410, { error: { message: 'gone' } }, 'model_not_found'],
    [451, {}, 'permission'],
    [308, {}, 'unknown'],
  ])('%s %j is %s', (status, body, kind) => {
    expect(meaning(status, body)).toBe(kind);
  });
});

describe('an error that stands where an answer has its parts', () => {
  it.each([
    { id: 'x', choices: null, base_resp: { status_code: 1026, status_msg: 'input new_sensitive' } },
    { id: 'x', error_code: 336104, error_msg: 'the content of message contains sensitive information' },
  ])('%j is that error, and moderation', (body) => {
    const words = errorInside(body, 'choices' in body);
    expect(words).toBeDefined();
    const failure = {
      ...errorWords(body),
      shouldRetry: null,
      retryAfterMs: null,
      fromVendor: true,
      status: null,
    };
    expect(classify(failure)).toMatchObject({ class: 'content_filter', advice: 'give-up' });
  });

  it('is none where its code says that all is well', () => {
    const fine = {
      choices: [{}],
      base_resp: { status_code: 0, status_msg: 'success' },
      error_code: 0,
      error_msg: '',
    };
    expect(errorInside(fine, true)).toBeUndefined();
  });
});
