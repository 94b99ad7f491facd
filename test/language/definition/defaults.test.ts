// What the reference page and the rules say of defaults is what the plan fills in.
import { describe, expect, test } from 'vitest';
import { formatDuration } from '../../../src/common/units.ts';
import { allRecords } from '../../../scripts/reference/language-pages.ts';
import { ASSUMED_RETENTION } from '../../../src/language/definition/rules/cache-content.ts';
import { ASSUMED_OUTPUT_TOKENS } from '../../../src/language/definition/rules/limits.ts';
import { ASSUMED } from '../../../src/language/definition/rules/policies.ts';
import {
  DEFAULT_ALLOWANCE,
  DEFAULT_EACH_CONCURRENT,
  DEFAULT_HEDGES,
  DEFAULT_LOOP_GUARDS,
  DEFAULT_LOOPS,
  DEFAULT_MAX_OUTPUT_TOKENS,
  DEFAULT_POLICY,
  DEFAULT_QUALITY,
  DEFAULT_RETAIN,
} from '../../../src/language/plan/defaults.ts';

const { retry, circuitBreaker, bulkhead } = DEFAULT_POLICY;
const { input: sameInput, nearly, toolCall } = DEFAULT_LOOP_GUARDS;

function whenAbsent(record: string, key: string): string | null | undefined {
  return allRecords()
    .find(({ name }) => name === record)
    ?.fields.find((field) => field.key === key)?.whenAbsent;
}

const inPlan: readonly (readonly [record: string, key: string, text: string])[] = [
  ['Policy', 'timeout', formatDuration(DEFAULT_POLICY.timeoutMs)],
  ['Policy', 'firstToken', formatDuration(DEFAULT_POLICY.firstTokenMs)],
  ['Policy', 'stall', formatDuration(DEFAULT_POLICY.stallMs)],
  ['Retry', 'attempts', String(retry.attempts)],
  ['Retry', 'backoff', retry.backoff],
  ['Retry', 'initialDelay', formatDuration(retry.initialDelayMs)],
  ['Retry', 'maxDelay', formatDuration(retry.maxDelayMs)],
  [
    'CircuitBreaker',
    'threshold',
    circuitBreaker.kind === 'sampling' ? `${circuitBreaker.threshold * 100}%` : '',
  ],
  [
    'CircuitBreaker',
    'window',
    circuitBreaker.kind === 'sampling' ? formatDuration(circuitBreaker.windowMs) : '',
  ],
  [
    'CircuitBreaker',
    'minimumCalls',
    circuitBreaker.kind === 'sampling' ? String(circuitBreaker.minimumCalls) : '',
  ],
  ['CircuitBreaker', 'halfOpenAfter', formatDuration(circuitBreaker.halfOpenAfterMs)],
  ['Bulkhead', 'concurrent', String(bulkhead.concurrent)],
  ['Bulkhead', 'queue', String(bulkhead.queue)],
  ['Allowance', 'deadline', formatDuration(DEFAULT_ALLOWANCE.deadlineMs)],
  ['Allowance', 'attempts', String(DEFAULT_ALLOWANCE.attempts)],
  ['Retain', 'content', DEFAULT_RETAIN.content],
  ['Retain', 'for', formatDuration(DEFAULT_RETAIN.forMs)],
  [
    'LoopGuard',
    'repeats',
    `${sameInput.repeats}; ${nearly.repeats} for nearly; ${toolCall.repeats} for toolCall`,
  ],
  [
    'LoopGuard',
    'within',
    `${formatDuration(sameInput.withinMs)}; ${formatDuration(nearly.withinMs)} for nearly`,
  ],
  ['LoopGuard', 'then', sameInput.then],
  ['LoopGuard', 'then', nearly.then],
  ['LoopGuard', 'depth', String(DEFAULT_LOOPS.depth)],
  ['LoopGuard', 'fanOut', String(DEFAULT_LOOPS.fanOut)],
  ['ModelStep', 'maxOutputTokens', String(DEFAULT_MAX_OUTPUT_TOKENS)],
  ['Step', 'concurrent', String(DEFAULT_EACH_CONCURRENT)],
  ['Hedge', 'atMost', String(DEFAULT_HEDGES)],
  ['Model', 'quality', String(DEFAULT_QUALITY)],
];

describe('what is said to hold when a key is left out', () => {
  test.each(inPlan)('%s.%s: %s', (record, key, text) => {
    expect(whenAbsent(record, key)?.replaceAll('`', '')).toBe(text);
  });

  test('is what the rules reckon with', () => {
    if (circuitBreaker.kind !== 'sampling') throw new Error('the default breaker samples');
    expect(ASSUMED).toEqual({
      attempts: retry.attempts,
      initialDelayMs: retry.initialDelayMs,
      maxDelayMs: retry.maxDelayMs,
      timeoutMs: DEFAULT_POLICY.timeoutMs,
      firstTokenMs: DEFAULT_POLICY.firstTokenMs,
      windowMs: circuitBreaker.windowMs,
      minimumCalls: circuitBreaker.minimumCalls,
      deadlineMs: DEFAULT_ALLOWANCE.deadlineMs,
    });
    expect(ASSUMED_RETENTION).toEqual(DEFAULT_RETAIN);
    expect(ASSUMED_OUTPUT_TOKENS).toBe(DEFAULT_MAX_OUTPUT_TOKENS);
  });
});
