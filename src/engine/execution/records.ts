// The records of what happened: runs, steps and attempts, as they are written, read back and shown.
import type { Json } from '../../common/json.ts';
import type { NanoUsd } from '../../common/money.ts';
import type { Caller, Posting } from '../budget/port.ts';
import type { ErrorClass, Note, ProviderAnswer } from '../providers/port.ts';
import type { RouteDecision } from '../routing/port.ts';

export type RunStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';
export type StepStatus = 'running' | 'succeeded' | 'skipped' | 'failed';
/**
 * What an attempt's saving against the baseline is owed to: another model was chosen, a free one, or a cheap one whose answer was checked; `failure`:
 * its answer was not used, so that its cost counts against.
 */
export type SavedBy = 'routing' | 'local' | 'cascade' | 'failure';
export type AttemptStatus = 'open' | 'succeeded' | 'failed' | 'cancelled' | 'unreconciled';

/** Why a run did not succeed; code as in the errors catalogue. */
export interface RunError {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly retryAfterMs: number | null;
  readonly step: string | null;
  /** What the caller needs to act; JSON-safe. */
  readonly details: { readonly [key: string]: Json };
}

export interface RunRecord {
  readonly id: string;
  readonly task: string;
  /** Plan hash, and the task's own content hash (INV-8). */
  readonly revision: string;
  readonly taskRevision: string;
  readonly status: RunStatus;
  readonly caller: Pick<Caller, 'name' | 'team' | 'tier' | 'session'>;
  readonly tags: { readonly [key: string]: string };
  readonly idempotencyKey: string | null;
  readonly parentRunId: string | null;
  /** Accepted by startTask: continued after a restart. */
  readonly durable: boolean;
  /** Which of the runs that wait is begun first: the larger. */
  readonly priority: number;
  /** How often it was begun: once, and once more for each process that ended under it, or let go of it. 0: it waits for its first. */
  readonly begun: number;
  /** It is to be cancelled where it runs. */
  readonly cancelReason?: string;
  /** What a run needs, beside its input, to go on after a restart: the caller in full and the tightened allowance. null where it never will. */
  readonly continuation: Json | null;
  /** Its task keeps less of its texts than all: they are written to no file but the database, which reduces them. Left out: it keeps them. */
  readonly confidential?: true;
  /** null where `retain` says so; then only the hash is kept. */
  readonly input: Json | null;
  readonly inputHash: string;
  readonly output: Json | null;
  readonly error: RunError | null;
  /** The sum of its attempts' (INV-1), child runs not included. */
  readonly costNanoUsd: NanoUsd;
  /** Against the dearest eligible candidate of each decision; a cache hit saves the whole cost of what it reuses. */
  readonly savedNanoUsd: NanoUsd;
  /** Answered with the output of an earlier run, by the cache or by the loop guard. */
  readonly cached: boolean;
  /** The loop guard gave the earlier answer again: nobody was called, and nothing counts as saved. Left out: it did not. */
  readonly reusedBy?: 'loop_guard';
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  readonly latencyMs: number | null;
}

export interface StepRecord {
  readonly runId: string;
  /** `mail`, or `reviews[3]` for an item of `each`. */
  readonly key: string;
  readonly kind: 'model' | 'exchange' | 'parse' | 'chunk' | 'task' | 'each';
  readonly status: StepStatus;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  readonly output: Json | null;
  readonly error: RunError | null;
}

export interface AttemptRecord {
  readonly id: string;
  readonly runId: string;
  readonly step: string;
  readonly revision: string;
  readonly task: string;
  readonly caller: string;
  readonly provider: string;
  /** The model that answered, as the provider names it; the requested one until then. */
  readonly model: string;
  /** The wire name that was asked for. */
  readonly requestedModel: string;
  readonly status: AttemptStatus;
  readonly errorClass: ErrorClass | null;
  readonly errorMessage: string | null;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly costNanoUsd: NanoUsd;
  /** The hold, as placed. */
  readonly heldNanoUsd: NanoUsd;
  /** The hold's tokens: input counted, output at the maximum; left out: the record's own tokens, as opened. */
  readonly heldTokens?: number;
  readonly savedNanoUsd: NanoUsd;
  /** Against the baseline: what it was owed to. Left out, as the next three: it is not settled, or nobody worked it out. */
  readonly savedBy?: SavedBy | null;
  /** The `provider/model` it is counted against; null: none is named. */
  readonly baseline?: string | null;
  /** The baseline's price of the same tokens less this model's, both without a prompt cache; of a cascade's rejected answer its cost, negative. */
  readonly savedRouteNanoUsd?: NanoUsd;
  /** This model's price of the same tokens without a prompt cache, less the price with it. */
  readonly savedPromptCacheNanoUsd?: NanoUsd;
  /** Settled by what was seen, not by the provider's own count. */
  readonly estimated: boolean;
  /** Names the rates it was settled with: canonical JSON of the price, or 'free'. */
  readonly rates: string;
  readonly postings: readonly Posting[];
  readonly queueMs: number;
  readonly latencyMs: number | null;
  readonly firstTokenMs: number | null;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  readonly requestId: string | null;
  /** Why the provider ended its answer; left out or null, as the next two: it did not say. */
  readonly finishReason?: ProviderAnswer['finishReason'] | null;
  /** Under the provider's own name. */
  readonly serviceTier?: string | null;
  /** What the provider says that it charged, whether or not it was settled at that. */
  readonly reportedCostNanoUsd?: NanoUsd | null;
  /** What was out of order, and what was made of it; left out: nothing. */
  readonly notes?: readonly Note[];
  readonly decision: RouteDecision;
}
