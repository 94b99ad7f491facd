// `policies:`: how failures of a provider are met.
import type { CircuitBreakerDefinition, PolicyDefinition, RetryDefinition } from '../types.ts';
import { keepMemberPlaces } from '../located.ts';
import type { Kind } from './kind.ts';
import { mapped, optional, record } from './record.ts';
import { choice, integer } from './scalars.ts';
import { duration, percent } from './units.ts';

const HOUR_MS = 3_600_000;
const upToAnHour = duration({ most: HOUR_MS });

export type UnnamedPolicy = Omit<PolicyDefinition, 'name'>;

const retry: Kind<RetryDefinition> = mapped(
  record(
    {
      name: 'Retry',
      noun: 'A retry',
      inPlace: (text) => `{ attempts: ${text} }`,
      summary: 'Asking the same candidate again after a failure that may pass.',
    },
    {
      attempts: optional(
        integer(0, 10),
        'How often the same candidate is asked again after its first attempt; 0: never.',
        '2',
      ),
      backoff: optional(
        choice('exponential', 'constant'),
        'How the pause grows. Exponential pauses are spread at random, so that callers do not come back together.',
        '`exponential`',
      ),
      initialDelay: optional(upToAnHour, 'The first pause. A Retry-After of the provider wins.', '`250ms`'),
      maxDelay: optional(upToAnHour, 'The longest pause.', '`8s`'),
    },
  ),
  ({ attempts, backoff, initialDelay, maxDelay, at }) => ({
    attempts,
    backoff,
    initialDelayMs: initialDelay,
    maxDelayMs: maxDelay,
    at,
  }),
);

const circuitBreaker: Kind<CircuitBreakerDefinition> = mapped(
  record(
    {
      name: 'CircuitBreaker',
      noun: 'A circuit breaker',
      summary:
        'Leaving a provider alone for a while when its calls fail. Either a share of calls in a window (`threshold`), or so many failures in a row (`failures`).',
    },
    {
      threshold: optional(
        percent,
        'The share of failed calls in the window that opens the breaker.',
        '`50%`',
      ),
      window: optional(upToAnHour, 'How far back calls are looked at.', '`30s`'),
      minimumCalls: optional(
        integer(1, 100_000),
        'So many calls have to be in the window before the breaker may open.',
        '10',
      ),
      failures: optional(
        integer(1, 10_000),
        'So many failures in a row open the breaker, in place of a share.',
      ),
      halfOpenAfter: optional(
        upToAnHour,
        'How long the breaker stays open before one call may probe.',
        '`15s`',
      ),
    },
  ),
  ({ threshold, window, minimumCalls, failures, halfOpenAfter, at }, _node, reader) => {
    if (failures === null)
      return {
        kind: 'sampling',
        threshold,
        windowMs: window,
        minimumCalls,
        halfOpenAfterMs: halfOpenAfter,
        at,
      };
    if (threshold !== null || window !== null || minimumCalls !== null) {
      reader.report(
        'conflicting-keys',
        at,
        'A breaker counts either a share of calls or failures in a row.',
        'Keep `failures`, or keep `threshold`, `window` and `minimumCalls`.',
      );
    }
    return { kind: 'consecutive', failures, halfOpenAfterMs: halfOpenAfter, at };
  },
);

const bulkhead = record(
  {
    name: 'Bulkhead',
    noun: 'A bulkhead',
    summary: 'How many calls may be under way at once, so that one slow provider cannot take up everything.',
  },
  {
    concurrent: optional(integer(1, 10_000), 'Calls under way at once.', '32'),
    queue: optional(
      integer(0, 100_000),
      'Calls that may wait for a place; the next one goes to another candidate.',
      '128',
    ),
  },
);

export const policy: Kind<UnnamedPolicy> = mapped(
  record(
    {
      name: 'Policy',
      noun: 'A policy',
      summary:
        'How failures of a provider are met. A provider or a model names its policy; each model has a breaker and a bulkhead of its own, which outlive a reload.',
    },
    {
      timeout: optional(upToAnHour, 'One attempt, from the call to the whole answer.', '`30s`'),
      firstToken: optional(upToAnHour, 'Streams: the longest silence before the first token.', '`10s`'),
      stall: optional(upToAnHour, 'Streams: the longest silence between tokens.', '`10s`'),
      watch: optional(
        choice('streams', 'fallback'),
        'Which calls `firstToken` and `stall` hold for. `streams`: those that are streamed to their caller. `fallback`: all of them while another candidate can serve (the provider is asked for a stream, so that its silence shows), and `firstToken` for none where nobody else can.',
        '`streams`',
      ),
      retry: optional(retry, 'Asking the same candidate again.', '2 times'),
      circuitBreaker: optional(
        circuitBreaker,
        'Leaving a failing provider alone.',
        'at 50% of 10 calls in 30s',
      ),
      bulkhead: optional(bulkhead, 'How many calls at once.', '32, and 128 waiting'),
    },
  ),
  ({ timeout, firstToken, stall, ...rest }, node) =>
    keepMemberPlaces({ timeoutMs: timeout, firstTokenMs: firstToken, stallMs: stall, ...rest }, node),
);
