// Makes records of runs, attempts and steps as an execution would write them; every field has a plain default.
import { canonicalPlanText } from '../../src/language/plan/encode.ts';
import type { PlanPrice } from '../../src/language/plan/types.ts';
import { costOf } from '../../src/engine/routing/cost.ts';
import type { AttemptRecord, RunRecord, StepRecord } from '../../src/engine/execution/records.ts';

/** $2 and $10 per million tokens: 900 tokens in and 120 out cost 3,000,000 nano-dollars. */
const PRICE: PlanPrice = {
  kind: 'rates',
  source: 'yaml',
  tiers: [
    {
      fromInputTokens: 0,
      input: 2_000_000_000n,
      cachedInput: 200_000_000n,
      cacheWrite: 2_000_000_000n,
      output: 10_000_000_000n,
      reasoning: 10_000_000_000n,
      request: 0n,
    },
  ],
};
export const RATES = canonicalPlanText(PRICE);

/** What these tokens cost at `RATES`. */
export function costAtRates(inputTokens: number, outputTokens: number): bigint {
  return costOf(PRICE, {
    inputTokens,
    outputTokens,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    reasoningTokens: 0,
  });
}

/** A Sunday morning. */
export const START_MS = Date.UTC(2026, 10, 22, 9, 0, 0);

export function makeRun(id: string, fields: Partial<RunRecord> = {}): RunRecord {
  return {
    id,
    task: 'summarize',
    revision: 'plan-1',
    taskRevision: 'task-1',
    status: 'running',
    caller: { name: 'ana', team: 'support', tier: null },
    tags: {},
    idempotencyKey: null,
    parentRunId: null,
    durable: false,
    priority: 0,
    begun: 1,
    continuation: null,
    input: { text: 'a text' },
    inputHash: 'a'.repeat(64),
    output: null,
    error: null,
    costNanoUsd: 0n,
    savedNanoUsd: 0n,
    cached: false,
    startedAtMs: START_MS,
    finishedAtMs: null,
    latencyMs: null,
    ...fields,
  };
}

export function finish(run: RunRecord, fields: Partial<RunRecord> = {}): RunRecord {
  return {
    ...run,
    status: 'succeeded',
    output: { text: 'short' },
    finishedAtMs: run.startedAtMs + 900,
    latencyMs: 900,
    ...fields,
  };
}

export function makeAttempt(id: string, run: RunRecord, fields: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    id,
    runId: run.id,
    step: 'summary',
    revision: run.revision,
    task: run.task,
    caller: run.caller.name,
    provider: 'openai',
    model: 'gpt-5.6-luna',
    requestedModel: 'gpt-5.6-luna',
    status: 'open',
    errorClass: null,
    errorMessage: null,
    inputTokens: 1_000,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 400,
    reasoningTokens: 0,
    costNanoUsd: 0n,
    heldNanoUsd: 5_000_000n,
    savedNanoUsd: 0n,
    estimated: false,
    rates: RATES,
    postings: [{ budgetId: 'company', account: '', windowStartMs: START_MS }],
    queueMs: 0,
    latencyMs: null,
    firstTokenMs: null,
    startedAtMs: run.startedAtMs,
    finishedAtMs: null,
    requestId: null,
    decision: { rule: 'cheap-first[1]', pick: 'cheapest', candidates: [] },
    ...fields,
  };
}

export function settle(attempt: AttemptRecord, fields: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    ...attempt,
    status: 'succeeded',
    inputTokens: 900,
    outputTokens: 120,
    costNanoUsd: 3_000_000n,
    latencyMs: 800,
    firstTokenMs: 200,
    finishedAtMs: attempt.startedAtMs + 800,
    requestId: 'req-1',
    ...fields,
  };
}

export function makeStep(runId: string, key: string, fields: Partial<StepRecord> = {}): StepRecord {
  return {
    runId,
    key,
    kind: 'model',
    status: 'succeeded',
    startedAtMs: START_MS,
    finishedAtMs: START_MS + 800,
    output: { text: 'short' },
    error: null,
    ...fields,
  };
}
