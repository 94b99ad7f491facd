// What a plan says where the workflow files say nothing: every default, with why it is safe to deploy.
import type {
  PlanAlertSink,
  PlanAllowance,
  PlanLoopGuard,
  PlanLoops,
  PlanPatience,
  PlanPolicy,
  PlanRateLimits,
  PlanTask,
} from './types.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * One attempt may take half a minute, which the slowest kept answers of hosted models stay below; a stream that is silent for ten seconds is
 * dead in practice. Two retries with a pause, then another candidate. A breaker needs ten calls before it judges, so that a quiet provider is
 * not cut off by one bad answer.
 */
export const DEFAULT_POLICY: PlanPolicy = {
  name: 'default',
  timeoutMs: 30_000,
  firstTokenMs: 10_000,
  stallMs: 10_000,
  retry: { attempts: 2, backoff: 'exponential', initialDelayMs: 250, maxDelayMs: 8_000 },
  circuitBreaker: {
    kind: 'sampling',
    threshold: 0.5,
    windowMs: 30_000,
    minimumCalls: 10,
    halfOpenAfterMs: 15_000,
  },
  bulkhead: { concurrent: 32, queue: 128 },
};

/** Parts of a breaker that counts failures in a row and does not say how long it stays open. */
export const DEFAULT_HALF_OPEN_AFTER_MS = 15_000;

/** A caller who waits longer than two minutes has gone; six calls cover two candidates with their retries. */
export const DEFAULT_ALLOWANCE: PlanAllowance = { deadlineMs: 120_000, attempts: 6, costNanoUsd: null };

/** Enough for a page of text. It sizes the hold, so a step that needs more says so. */
export const DEFAULT_MAX_OUTPUT_TOKENS = 1_024;

/** Low enough for a provider's limits, high enough that a list of ten is done in three rounds. */
export const DEFAULT_EACH_CONCURRENT = 4;

/** What is asked is kept a month: long enough to look into a bill. */
export const DEFAULT_RETAIN: PlanTask['retain'] = { content: 'full', forMs: 30 * DAY_MS };

/** A guard where only some of its members are written. What is nearly the same comes more often by chance, so more is let pass and the memory is longer. */
export const DEFAULT_LOOP_GUARDS: { readonly [Name in PlanLoopGuard['same']]: PlanLoopGuard } = {
  input: { same: 'input', ignore: [], repeats: 20, withinMs: MINUTE_MS, then: 'reject' },
  nearly: { same: 'nearly', ignore: [], repeats: 40, withinMs: 10 * MINUTE_MS, then: 'reject' },
  toolCall: { same: 'toolCall', ignore: [], repeats: 8, withinMs: 10 * MINUTE_MS, then: 'reject' },
};

export const DEFAULT_LOOPS: PlanLoops = { guards: [], depth: 8, fanOut: 200 };

/** An agent sends half a conversation and asks for pages: ten minutes are what its own client waits. */
export const DEFAULT_PATIENCE: PlanPatience = { timeoutMs: 600_000, firstTokenMs: 60_000, stallMs: 120_000 };

/** Long enough for a slow answer after a candidate that never gave its first token. */
export const EXPOSED_ALLOWANCE: PlanAllowance = { deadlineMs: 900_000, attempts: 6, costNanoUsd: null };

/** An agent sends a megabyte a call, and the same beginning each time. */
export const EXPOSED_RETAIN: PlanTask['retain'] = { content: 'hash', forMs: 30 * DAY_MS };

/** A person reads twenty messages in an hour; what was said an hour ago and still holds is worth saying again. */
export const DEFAULT_ALERTS: Pick<PlanAlertSink, 'dedupeMs' | 'rate'> = {
  dedupeMs: HOUR_MS,
  rate: { amount: 20, perMs: HOUR_MS },
};

export const NO_LIMITS: PlanRateLimits = { requests: null, tokens: null };
export const DEFAULT_QUALITY = 1;
export const DEFAULT_HEDGES = 1;
