// The Strategy port, the Signals that strategies read, and the decision that is kept with each attempt.
import type { NanoUsd } from '../../common/money.ts';
import type { Random } from '../../common/random.ts';
import type { PlanModel, StrategyName } from '../../language/plan/types.ts';

/** What is known about how fast a model answers; milliseconds. */
export interface LearntLatency {
  /** Peak-sensitive moving average: up at once, down slowly. Failures since the last answer count as a slow one. */
  readonly totalMs: number;
  /** The same to the first token; null: never streamed. */
  readonly firstTokenMs: number | null;
  /** Of successes, to the whole answer. */
  readonly p95Ms: number;
  readonly samples: number;
  /** Since the last sample; strategies let old news count for less. */
  readonly ageMs?: number;
  /** The last attempt failed. */
  readonly failing?: boolean;
}

/** What is learnt from written attempts; declared here, implemented by stats. All are cheap look-ups in memory. */
export interface Signals {
  /** null until there is a sample. */
  latency(modelKey: string): LearntLatency | null;
  /** Mean output tokens of that task's step on that model; null until there is a sample. */
  outputTokens(task: string, step: string, modelKey: string): number | null;
  /** A percentile (0 to 100) of successes, to the whole answer or to the first token; null until there are enough samples to tell. */
  percentileMs(modelKey: string, percentile: number, of: 'total' | 'firstToken'): number | null;
}

export type SkipCode =
  | 'no_key'
  | 'capability_missing'
  | 'context_too_small'
  | 'circuit_open'
  | 'no_rate_headroom'
  | 'bulkhead_full'
  | 'hold_does_not_fit'
  | 'already_failed'
  | 'model_too_small'
  /** It does not speak the protocol of the client whose own body is sent. */
  | 'cannot_translate'
  /** The conversation belongs to another candidate. */
  | 'bound_elsewhere'
  /** Its vectors are another model's. */
  | 'other_vectors';

export interface Skip {
  readonly code: SkipCode;
  /** For people. */
  readonly detail: string;
  /** When it might serve again; null: not by waiting. */
  readonly retryAfterMs: number | null;
}

/** A candidate as a strategy sees it. */
export interface Candidate {
  readonly model: PlanModel;
  readonly weight: number;
  /** At the learnt output length, or the maximum where nothing is learnt. */
  readonly expectedCostNanoUsd: NanoUsd;
  /** The worst case: what is held. */
  readonly holdNanoUsd: NanoUsd;
  readonly inFlight: number;
}

export interface StrategyContext {
  readonly signals: Signals;
  readonly random: Random;
  readonly nowMs: number;
  /** Stable per caller: for weighted canaries. */
  readonly stickyKey: string;
  readonly streaming: boolean;
}

export interface Scored {
  readonly candidate: Candidate;
  /** Lower is better; what it means is the strategy's own. */
  readonly score: number;
}

export interface Strategy {
  readonly pick: StrategyName;
  /** All candidates given, best first. */
  order(candidates: readonly Candidate[], context: StrategyContext): readonly Scored[];
}

/** Why this provider was called: kept with the attempt, shown as RouteDecision. JSON-safe: money is decimal nano-dollar text. */
export interface RouteDecision {
  readonly rule: string;
  readonly pick: StrategyName;
  readonly candidates: readonly {
    readonly model: string;
    readonly score: number | null;
    readonly expectedCostNanoUsd: string;
    readonly chosen: boolean;
    readonly skipped: Skip | null;
  }[];
}
