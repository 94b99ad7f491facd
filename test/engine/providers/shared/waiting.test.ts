// How long to wait, and how much is left: from headers and words of many servers.
import { describe, expect, it } from 'vitest';
import {
  exhaustedForMs,
  parseDurationMs,
  rateHeadroom,
} from '../../../../src/engine/providers/shared/rate-headers.ts';
import { retryAfterMs } from '../../../../src/engine/providers/shared/retry-after.ts';

const NOW = Date.UTC(2026, 0, 1, 12, 0, 0);
const headers = (given: { readonly [name: string]: string }) => ({
  get: (name: string) => given[name] ?? null,
});

describe('Retry-After', () => {
  it.each([
    [{ 'retry-after': '2' }, '', 2000],
    [{ 'retry-after': '1.5' }, '', 1500],
    [{ 'retry-after-ms': '1200' }, '', 1200],
    [{ 'x-ms-retry-after-ms': '1200' }, '', 1200],
    [{ 'retry-after-ms': '0', 'retry-after': '1' }, '', 1000],
    [{ 'retry-after-ms': '0' }, '', 0],
    [{ 'retry-after': 'Thu, 01 Jan 2026 12:00:03 GMT' }, '', 3000],
    [{ 'retry-after': 'Thu, 01 Jan 2026 11:00:00 GMT' }, '', 0],
    [{ 'retry-after': 'Thu, 01 Jan 2026 11:00:05 GMT', date: 'Thu, 01 Jan 2026 11:00:00 GMT' }, '', 5000],
    [{ 'retry-after': 'soon' }, '', null],
    [{ 'retry-after': '-5' }, 'Please try again in 4s.', 4000],
    [{}, 'Please try again in 6m0s.', 360_000],
    [{}, 'Please try again in 20ms. Visit …', 20],
    [{}, 'Please try again in 1.2s.', 1200],
    [{}, 'Try again in 26 seconds.', 26_000],
    [{}, 'Please retry after 1 minute.', 60_000],
    [{}, 'Please retry in 37.527s.', 37_527],
    [{}, '[{"@type":"RetryInfo","retryDelay":"37s"}]', 37_000],
    [{ 'retry-after': '"20"' }, '', 20_000],
    [{ 'retry-after': '+20' }, '', 20_000],
    [{ 'retry-after': '1 minute and 20 seconds' }, '', 80_000],
    [{}, 'Rate limited: retry_after=17s', 17_000],
    [{}, '{"Retry-After": "17"}', 17_000],
    [{ 'x-retry-after': '20' }, '', 20_000],
    [{}, 'Out of call volume quota. Quota will be replenished in 02:12:45.', 7_965_000],
    [{}, 'Try again later.', null],
  ])('%j with %j', (given, message, expected) => {
    expect(retryAfterMs(headers(given), message, NOW)).toBe(expected);
  });

  it.each([
    [{ error: { details: [{ retryDelay: { seconds: 37, nanos: 0 } }] } }, 37_000],
    [{ error: { metadata: { headers: { 'Retry-After': '17' } } } }, 17_000],
  ])('stands in a body: %j', (body, expected) => {
    expect(retryAfterMs(null, '', NOW, body)).toBe(expected);
  });

  it('reads the words alone where there are no headers, as inside a 200', () => {
    expect(retryAfterMs(null, 'try again in 2s', NOW)).toBe(2000);
  });
});

describe('durations as OpenAI writes them', () => {
  it.each([
    ['8.64s', 8640],
    ['132ms', 132],
    ['1m51.595s', 111_595],
    ['6m0s', 360_000],
    ['1h2m3s', 3_723_000],
    ['0s', 0],
    ['12', null],
    ['', null],
    ['s', null],
    ['1s2m', null],
  ])('%j', (text, expected) => {
    expect(parseDurationMs(text)).toBe(expected);
  });
});

describe('rate headers', () => {
  it('of two windows of a plan the one that is used up says when to come back', () => {
    const given = headers({
      'anthropic-ratelimit-unified-5h-status': 'rejected',
      'anthropic-ratelimit-unified-5h-reset': String(NOW / 1000 + 20),
      'anthropic-ratelimit-unified-7d-status': 'allowed',
      'anthropic-ratelimit-unified-7d-reset': String(NOW / 1000 + 90_000),
    });
    expect(exhaustedForMs([], given, NOW)).toBe(20_000);
  });

  it.each([
    [{ 'x-ratelimit-timeremaining': '45' }],
    [{ 'x-ratelimit-reset-after': '45' }],
    [{ 'ratelimitbysize-remaining': '0', 'ratelimitbysize-reset': '45' }],
    [{ 'x-ratelimit-remaining-project-tokens': '0', 'x-ratelimit-reset-project-tokens': '45s' }],
  ])('say when to come back under names of their own: %j', (given) => {
    expect(exhaustedForMs(rateHeadroom(headers(given), NOW), headers(given), NOW)).toBe(45_000);
  });

  it('say nothing where there are none', () => {
    expect(rateHeadroom(headers({}), NOW)).toEqual([]);
  });

  it.each([
    ['12ms', 12],
    ['30', 30_000],
    [String(NOW / 1000 + 5), 5000],
    [String(NOW + 7000), 7000],
    ['2026-01-01T12:00:09Z', 9000],
    ['whenever', null],
  ])('understand a reset of %j', (reset, resetsInMs) => {
    const given = headers({
      'x-ratelimit-remaining-tokens': '10',
      'x-ratelimit-limit-tokens': '100',
      'x-ratelimit-reset-tokens': reset,
    });
    expect(rateHeadroom(given, NOW)).toEqual([{ kind: 'tokens', limit: 100, remaining: 10, resetsInMs }]);
  });

  it('are reckoned by the clock of the server that gives them', () => {
    const given = headers({
      date: 'Thu, 01 Jan 2026 11:58:00 GMT',
      'anthropic-ratelimit-requests-remaining': '1',
      'anthropic-ratelimit-requests-reset': '2026-01-01T11:58:30Z',
    });
    expect(rateHeadroom(given, NOW)).toEqual([
      { kind: 'requests', limit: null, remaining: 1, resetsInMs: 30_000 },
    ]);
  });

  it('pass over what is no number, and never go below nothing', () => {
    expect(rateHeadroom(headers({ 'x-ratelimit-remaining-requests': 'many' }), NOW)).toEqual([]);
    expect(rateHeadroom(headers({ 'x-ratelimit-remaining-requests': '-1' }), NOW)).toEqual([
      { kind: 'requests', limit: null, remaining: 0, resetsInMs: null },
    ]);
  });
});
