// decide: a rule and a request → its candidates in the order in which to try them, and the record of why.
import type { PlanModel, PlanRule } from '../../language/plan/types.ts';
import type { Random } from '../../common/random.ts';
import { expectedCost, worstCost } from './cost.ts';
import { outputOf, type RequestNeeds, skipReason, type World } from './eligibility.ts';
import type { Candidate, RouteDecision, Scored, Signals, Skip } from './port.ts';
import { strategies } from './strategies/registry.ts';

export interface DecideOptions {
  readonly rule: PlanRule;
  /** `Plan.models`. */
  readonly models: { readonly [key: string]: PlanModel };
  readonly task: string;
  readonly step: string;
  readonly needs: RequestNeeds;
  readonly world: World;
  readonly signals: Signals;
  readonly random: Random;
  /** Calls of the model that run or wait, in this process. */
  inFlight(modelKey: string): number;
  /** Stable per caller: for weighted canaries. */
  readonly stickyKey: string;
  readonly streaming: boolean;
}

export interface Decided {
  /** Best first; empty when nobody can serve now. */
  readonly ranked: readonly Scored[];
  /** In the order of the rule. */
  readonly skipped: readonly { readonly candidate: Candidate; readonly skip: Skip }[];
  /** With the first of `ranked` as the chosen one; `withChosen` for another. */
  readonly decision: RouteDecision;
  /** When the first of those that were skipped may serve again; null: not by waiting. */
  readonly retryAfterMs: number | null;
}

/** Pure but for `random`: looks, and takes nothing. */
export function decide(options: DecideOptions): Decided {
  const { rule, needs, world, signals, random, stickyKey, streaming } = options;
  const eligible: Candidate[] = [];
  const skipped: { candidate: Candidate; skip: Skip }[] = [];
  for (const candidate of candidatesOf(options)) {
    const skip = skipReason(candidate.model, needs, candidate.holdNanoUsd, world);
    if (skip === null) eligible.push(candidate);
    else skipped.push({ candidate, skip });
  }
  const ranked = strategies[rule.pick].order(eligible, {
    signals,
    random,
    nowMs: world.nowMs,
    stickyKey,
    streaming,
  });
  return {
    ranked,
    skipped,
    decision: record(rule, ranked, skipped),
    retryAfterMs: soonest(skipped),
  };
}

/** The same decision, with another of its candidates as the chosen one: for a fallback or a hedge. */
export function withChosen(decision: RouteDecision, modelKey: string): RouteDecision {
  return {
    ...decision,
    candidates: decision.candidates.map((candidate) => ({
      ...candidate,
      chosen: candidate.model === modelKey,
    })),
  };
}

function candidatesOf(options: DecideOptions): Candidate[] {
  const { rule, models, needs } = options;
  const lengths = expectedLengths(options);
  const candidates: Candidate[] = [];
  for (const { model: key, weight } of rule.candidates) {
    const model = models[key];
    if (model === undefined) throw new Error(`rule ${rule.name} names ${key}, which is not in the plan`);
    const inputTokens = needs.inputTokens(model);
    const length = lengths[candidates.length] ?? outputOf(needs, model);
    candidates.push({
      model,
      weight,
      expectedCostNanoUsd: expectedCost(model.price, needs.likelyInputTokens ?? inputTokens, length),
      holdNanoUsd: needs.holdNanoUsd?.(model) ?? worstCost(model.price, inputTokens, outputOf(needs, model)),
      inFlight: options.inFlight(key),
    });
  }
  return candidates;
}

/**
 * The learnt output length of each candidate. One that nothing is learnt about is given the mean of the others: held to be as long as the maximum,
 * it would look dearer than all that have been tried, and never be.
 */
function expectedLengths({ rule, models, task, step, signals, needs }: DecideOptions): number[] {
  const learnt: (number | null)[] = [];
  let sum = 0;
  let known = 0;
  for (const { model } of rule.candidates) {
    const length = signals.outputTokens(task, step, model);
    learnt.push(length);
    if (length === null) continue;
    sum += length;
    known += 1;
  }
  const lengths: number[] = [];
  for (const { model: key } of rule.candidates) {
    const model = models[key];
    const most = model === undefined ? needs.maxOutputTokens : outputOf(needs, model);
    lengths.push(Math.min(learnt[lengths.length] ?? (known === 0 ? most : sum / known), most));
  }
  return lengths;
}

function record(
  rule: PlanRule,
  ranked: readonly Scored[],
  skipped: readonly { readonly candidate: Candidate; readonly skip: Skip }[],
): RouteDecision {
  const candidates: RouteDecision['candidates'][number][] = [];
  for (const { candidate, score } of ranked)
    candidates.push({
      model: candidate.model.key,
      score,
      expectedCostNanoUsd: candidate.expectedCostNanoUsd.toString(),
      chosen: candidates.length === 0,
      skipped: null,
    });
  for (const { candidate, skip } of skipped)
    candidates.push({
      model: candidate.model.key,
      score: null,
      expectedCostNanoUsd: candidate.expectedCostNanoUsd.toString(),
      chosen: false,
      skipped: skip,
    });
  return { rule: rule.name, pick: rule.pick, candidates };
}

function soonest(skipped: readonly { readonly skip: Skip }[]): number | null {
  let least: number | null = null;
  for (const { skip } of skipped) {
    if (skip.retryAfterMs !== null && (least === null || skip.retryAfterMs < least))
      least = skip.retryAfterMs;
  }
  return least;
}
