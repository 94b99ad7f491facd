// Eligibility: who of a rule's candidates can serve this request now, and why each of the others cannot.
import type { NanoUsd } from '../../common/money.ts';
import type { Capability, PlanModel } from '../../language/plan/types.ts';
import type { Refusal } from '../resilience/port.ts';
import type { Skip } from './port.ts';

/** What a request asks of a model, whichever it is. */
export interface RequestNeeds {
  readonly capabilities: readonly Capability[];
  /** Counted with the model's tokenizer, or an upper bound. */
  inputTokens(model: PlanModel): number;
  /** The best guess at what any model will count, where `inputTokens` is only a bound: for context windows and rates. */
  readonly likelyInputTokens?: number;
  readonly maxOutputTokens: number;
  /** What is held for it, where that is more than its tokens at the bound: what was learnt of the model. */
  holdNanoUsd?(model: PlanModel): NanoUsd;
  /** Where it is another for each model: what is held for. */
  outputTokens?(model: PlanModel): number;
  /** Beside its tokens: of the vendor's own tools. */
  readonly feesNanoUsd?: NanoUsd;
  /** Of one answer, as it is asked of the model; left out: all of the output. */
  answerTokens?(model: PlanModel): number;
  /** Why it is no one to ask, whatever it can do; null: it is. */
  passOver?(model: PlanModel): Skip | null;
}

export function outputOf(needs: RequestNeeds, model: PlanModel): number {
  return needs.outputTokens?.(model) ?? needs.maxOutputTokens;
}

/** Why a hold does not fit; a budget's refusal has this shape. */
export interface HoldRefusal {
  readonly name: string;
  /** Wall time; null: not by waiting. */
  readonly resetsAtMs: number | null;
}

/** The state of the world that eligibility looks at; all are cheap looks that take nothing. */
export interface World {
  readonly nowMs: number;
  /** What is missing before its provider can be called; undefined: nothing. */
  unavailable(model: PlanModel): string | undefined;
  /** The breaker's or the bulkhead's refusal. */
  refusal(model: PlanModel): Refusal | undefined;
  /** Milliseconds until its rate gates let a request of that many tokens in; 0: now. */
  rateDelayMs(model: PlanModel, tokens: number): number;
  /** Would the hold fit every budget and the run's allowance? */
  fits(model: PlanModel, holdNanoUsd: NanoUsd): HoldRefusal | undefined;
  /** Models not to be tried again in this run's step. */
  readonly failed: ReadonlySet<string>;
  /** Milliseconds before one that has failed in this step is retried; 0: it does not rest. */
  restMs?(model: PlanModel): number;
  /** The tokens that this very prompt takes, as a model that refused it has counted; 0: none has said. */
  readonly neededTokens: number;
}

/**
 * The first reason why the model cannot serve, or null. What no waiting changes comes first, so that the reason kept is the one to
 * act on; the budgets come last, being the dearest to ask.
 */
export function skipReason(
  model: PlanModel,
  needs: RequestNeeds,
  holdNanoUsd: NanoUsd,
  world: World,
): Skip | null {
  return unfit(model, needs, world) ?? busy(model, needs, world) ?? unaffordable(model, holdNanoUsd, world);
}

/** This model will not serve this request, however long one waits. */
function unfit(model: PlanModel, needs: RequestNeeds, world: World): Skip | null {
  const passed = needs.passOver?.(model) ?? null;
  if (passed !== null) return passed;
  const missing = world.unavailable(model);
  if (missing !== undefined) return skip('no_key', `${model.provider} is not available: ${missing}`);
  if (world.failed.has(model.key)) return skip('already_failed', 'it has failed in this run');
  for (const capability of needs.capabilities) {
    if (!model.capabilities.includes(capability)) {
      return skip('capability_missing', `it has no ${CAPABILITY_NAMES[capability]}`);
    }
  }
  const input = needs.likelyInputTokens ?? needs.inputTokens(model);
  const answer = needs.answerTokens?.(model) ?? outputOf(needs, model);
  if (input + answer > model.contextTokens) {
    return skip(
      'context_too_small',
      `${input} input and ${answer} output tokens are more than its context of ${model.contextTokens}`,
    );
  }
  if (model.maxOutputTokens !== null && answer > model.maxOutputTokens) {
    return skip(
      'model_too_small',
      `the step asks for up to ${answer} output tokens, and it gives ${model.maxOutputTokens} at most`,
    );
  }
  // Windows that are declared may be wrong, so that a refusal alone says nothing of the others; a count does.
  if (model.contextTokens < world.neededTokens) {
    return skip(
      'model_too_small',
      `the prompt takes ${world.neededTokens} tokens, as another model has counted, and its context is ${model.contextTokens}`,
    );
  }
  return null;
}

/** It could serve, later. */
function busy(model: PlanModel, needs: RequestNeeds, world: World): Skip | null {
  const restMs = world.restMs?.(model) ?? 0;
  if (restMs > 0)
    return skip('already_failed', 'it has failed in this run, and rests before its retry', restMs);
  const refusal = world.refusal(model);
  if (refusal !== undefined) {
    switch (refusal.code) {
      case 'circuit_open':
        return skip('circuit_open', 'its circuit is open after failures', refusal.retryAfterMs);
      case 'bulkhead_full':
        return skip('bulkhead_full', 'as many calls as allowed are running and waiting');
      case 'rate_limited':
        return skip('no_rate_headroom', 'its rate limit is reached', refusal.retryAfterMs);
    }
  }
  const delayMs = world.rateDelayMs(
    model,
    (needs.likelyInputTokens ?? needs.inputTokens(model)) + outputOf(needs, model),
  );
  return delayMs > 0
    ? skip(
        'no_rate_headroom',
        'its rate limit is reached, or it has asked to be left alone for a while',
        delayMs,
      )
    : null;
}

function unaffordable(model: PlanModel, holdNanoUsd: NanoUsd, world: World): Skip | null {
  const refusal = world.fits(model, holdNanoUsd);
  if (refusal === undefined) return null;
  const waitMs = refusal.resetsAtMs === null ? null : Math.max(0, refusal.resetsAtMs - world.nowMs);
  return skip('hold_does_not_fit', `its worst case does not fit ${refusal.name}`, waitMs);
}

const CAPABILITY_NAMES: { readonly [C in Capability]: string } = {
  text: 'text output',
  structuredOutput: 'structured output',
  streaming: 'streaming',
};

function skip(code: Skip['code'], detail: string, retryAfterMs: number | null = null): Skip {
  return { code, detail, retryAfterMs };
}
