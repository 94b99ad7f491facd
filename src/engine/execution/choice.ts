// ModelChoice: a model of the plan with everything that a call of it needs: its provider, policy, rate gates, price and hold.
import { canonicalPlanText } from '../../language/plan/encode.ts';
import type { Plan, PlanModel, PlanPrice } from '../../language/plan/types.ts';
import type { ModelRequest, Provider } from '../providers/port.ts';
import { foreseenFees } from '../providers/shared/surcharges.ts';
import type { AttemptPolicy, RateGate } from '../resilience/port.ts';
import type { RequestNeeds } from '../routing/eligibility.ts';
import type { ExchangeAsk } from './exchange/call.ts';
import type { Asked, LearntBounds, WorstCase } from './learnt-bounds.ts';
import type { EngineParts } from './engine-parts.ts';
import type { PromptSize } from './tokens.ts';

/** What belongs to a model in a plan, whoever calls it. */
export interface ModelParts {
  readonly model: PlanModel;
  readonly provider: Provider;
  readonly policy: AttemptPolicy;
  /** Of the provider, then of the model. */
  readonly gates: readonly [RateGate, RateGate];
  /** What providers say of their limits, they say of the model that was called. */
  readonly modelGate: RateGate;
  /** Names the rates: canonical JSON of the price, or `free`. */
  readonly rates: string;
  /** The provider's own figure is the cost. */
  readonly costIsReported: boolean;
  /** It can stream, and counts its tokens when it does. */
  readonly streams: boolean;
  /** The provider cannot be asked for a schema; it is asked in words. */
  readonly structuredByWords: boolean;
}

export interface ModelChoice {
  readonly parts: ModelParts;
  /** The best guess; for an estimate of what a cut call cost. */
  readonly inputTokens: number;
  readonly asked: Asked;
  /** What is held, by what was learnt of the model. */
  readonly worst: WorstCase;
  /** What its rate gates are asked for. */
  readonly rateTokens: number;
}

/** By the price object itself: a plan's prices are frozen. */
const ratesOf = new WeakMap<PlanPrice, string>();

function ratesText(price: PlanPrice): string {
  if (price.kind === 'free') return 'free';
  let text = ratesOf.get(price);
  if (text === undefined) {
    text = canonicalPlanText(price);
    ratesOf.set(price, text);
  }
  return text;
}

/** Looked up once a plan and model; the provider each time, since a registry may have closed and remade it. */
export function modelParts(parts: EngineParts, plan: Plan, model: PlanModel): ModelParts {
  const { rateGates } = parts;
  const settings = plan.providers[model.provider];
  if (settings === undefined)
    throw new Error(`the plan has no provider ${model.provider}, which ${model.key} belongs to`);
  const modelGate = rateGates.get(model.key, model.limits);
  return {
    model,
    provider: parts.providers.get(plan, model.provider),
    policy: parts.policies.get(model.key, model.policy),
    gates: [rateGates.get(model.provider, settings.limits), modelGate],
    modelGate,
    rates: ratesText(model.price),
    costIsReported: settings.cost === 'reported',
    streams:
      settings.adapter !== 'builtin' &&
      model.capabilities.includes('streaming') &&
      !settings.lacks.includes('streamUsage'),
    structuredByWords: settings.lacks.includes('structuredOutput'),
  };
}

/** What a candidate has to be able to do for a request, and how much of it. */
export function requestNeeds(
  plan: Plan,
  request: ModelRequest,
  size: PromptSize,
  bounds: LearntBounds,
): RequestNeeds {
  const { maxOutputTokens } = request;
  const inputTokens: RequestNeeds['inputTokens'] = ({ provider, model }) =>
    size.bound({ adapter: plan.providers[provider]?.adapter ?? '', model });
  return {
    capabilities: request.structured === null ? ['text'] : ['structuredOutput'],
    inputTokens,
    likelyInputTokens: size.tokens,
    maxOutputTokens,
    holdNanoUsd: (model) =>
      bounds.worst({ model, inputTokens: inputTokens(model), maxOutputTokens }).costNanoUsd,
  };
}

/** The same of a client's own request, which each candidate is asked in its own way. */
export function exchangeNeeds(
  { providers, bounds }: EngineParts,
  plan: Plan,
  { exchange, step }: ExchangeAsk,
  size: PromptSize,
): RequestNeeds {
  const isMany = exchange.protocol === 'embeddings';
  // No more goes into a model than its context, however large what is not in the body may be; but each text of many has its own.
  const inputTokens: RequestNeeds['inputTokens'] = ({ provider, model, contextTokens }) =>
    Math.min(
      size.bound({ adapter: plan.providers[provider]?.adapter ?? '', model }),
      isMany ? Number.POSITIVE_INFINITY : contextTokens,
    );
  const outputTokens = (model: PlanModel): number => exchange.outputTokens(step, model);
  const feesNanoUsd = foreseenFees(exchange.body.value);
  return {
    capabilities: isMany ? [] : ['text'],
    inputTokens,
    likelyInputTokens: isMany ? 0 : size.tokens,
    maxOutputTokens: 0,
    outputTokens,
    feesNanoUsd,
    answerTokens: (model) => exchange.answerTokens(step, model) ?? 0,
    holdNanoUsd: (model) =>
      bounds.worst({
        model,
        inputTokens: inputTokens(model),
        maxOutputTokens: outputTokens(model),
        feesNanoUsd,
      }).costNanoUsd,
    passOver: (model) =>
      exchange.passOver(step, model, providers.get(plan, model.provider).exchanger?.speaks ?? []),
  };
}
