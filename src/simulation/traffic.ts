// Traffic: what was asked of the gate and what came of it, as sizes, times and outcomes; no text of any request or answer.
import type { NanoUsd } from '../common/money.ts';
import type { ErrorClass } from '../engine/providers/port.ts';

export interface Traffic {
  /** From when to when it was recorded, milliseconds since 1970; `toMs` exclusive. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Names of callers, teams, tiers and tag values are hashes. */
  readonly hashed: boolean;
  /** In the order of their arrivals; can be gone through again. */
  runs(): AsyncIterable<TrafficRun>;
}

export interface TrafficRun {
  readonly atMs: number;
  readonly task: string;
  readonly who: TrafficCaller;
  /** Runs that were given an equal input have the same number; it says nothing else of the input. */
  readonly input: number;
  /** `succeeded`, `cached`, `cancelled`, or the code of the error that it ended with. */
  readonly outcome: string;
  readonly latencyMs: number;
  /** Those that call models, in the order in which they began; with those of its child runs. */
  readonly steps: readonly TrafficStep[];
}

export interface TrafficCaller {
  readonly name: string;
  readonly team: string | null;
  readonly tier: string | null;
  /** Of the run: the key's and the request's. */
  readonly tags: { readonly [key: string]: string };
}

export interface TrafficStep {
  /** `request`, `reviews[3]`, and of a child run `summary.request`. */
  readonly path: string;
  /** Its `when` did not hold. */
  readonly skipped: boolean;
  /** The rule of its route that was taken; null: nobody was called. */
  readonly rule: string | null;
  readonly attempts: readonly TrafficAttempt[];
}

export interface TrafficAttempt {
  /** `provider/model`, as it was asked for. */
  readonly model: string;
  /** Names the rates that it was settled with: the start of a hash. */
  readonly rates: string;
  readonly outcome: 'succeeded' | ErrorClass;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly costNanoUsd: NanoUsd;
  /** Held before the call, input and output together. */
  readonly heldTokens: number;
  readonly latencyMs: number;
  /** null: it was not streamed, or nothing came. */
  readonly firstTokenMs: number | null;
}

/** `reviews[3]` is one of the step `reviews`: what is learnt of an item is learnt of its step. */
export function stepOfPath(path: string): string {
  return path.includes('[') ? path.replaceAll(/\[\d+\]/g, '') : path;
}

/** The fixed rates as a traffic file names them. */
export const RATES_DIGITS = 10;
