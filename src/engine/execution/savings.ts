// What one attempt saved against the model that the team names as its baseline, from its own tokens and the rates of its plan.
import type { NanoUsd } from '../../common/money.ts';
import type { Plan, PlanModel } from '../../language/plan/types.ts';
import type { ErrorClass } from '../providers/port.ts';
import { costOf } from '../routing/cost.ts';
import type { RouteDecision } from '../routing/port.ts';
import type { AttemptRecord } from './records.ts';
import type { Settlement } from './usage.ts';

export type AttemptSavings = Required<
  Pick<AttemptRecord, 'savedBy' | 'baseline' | 'savedRouteNanoUsd' | 'savedPromptCacheNanoUsd'>
>;

export interface SettledAttempt {
  readonly plan: Plan;
  readonly task: string;
  readonly model: PlanModel;
  readonly settlement: Settlement;
  /** Its step tries cheap candidates first and checks their answers. */
  readonly cascade: boolean;
  /** Why its answer was not used; null: it was. `second`: another answer was there before it. */
  readonly unused: ErrorClass | 'second' | null;
}

/**
 * Both parts together are what the baseline would have cost for these tokens, without a prompt cache, less what was paid; so the parts of all attempts
 * add up to that difference, to the nano-dollar. An answer that was not used saved nothing: its cost counts against.
 */
export function savingsOf({
  plan,
  task,
  model,
  settlement,
  cascade,
  unused,
}: SettledAttempt): AttemptSavings {
  const { usage, costNanoUsd } = settlement;
  const baseline = plan.tasks[task]?.baseline ?? null;
  if (unused !== null) {
    const isRejected = cascade && (unused === 'not_accepted' || unused === 'invalid_output');
    return {
      savedBy: isRejected ? 'cascade' : 'failure',
      baseline,
      savedRouteNanoUsd: isRejected ? -costNanoUsd : 0n,
      savedPromptCacheNanoUsd: 0n,
    };
  }
  const uncached = { ...usage, cachedInputTokens: 0, cacheWriteTokens: 0 };
  const savedPromptCacheNanoUsd = costOf(model.price, uncached) - costOf(model.price, usage);
  const baselineModel = baseline === null ? undefined : plan.models[baseline];
  const savedRouteNanoUsd: NanoUsd =
    baselineModel === undefined
      ? 0n
      : costOf(baselineModel.price, uncached) - costNanoUsd - savedPromptCacheNanoUsd;
  return {
    savedBy: model.price.kind === 'free' ? 'local' : cascade ? 'cascade' : 'routing',
    baseline: baselineModel === undefined ? null : baseline,
    savedRouteNanoUsd,
    savedPromptCacheNanoUsd,
  };
}

/** Against the dearest candidate that could have served. */
export function savedAgainstDearest(
  plan: Plan,
  { usage, costNanoUsd }: Settlement,
  { candidates }: RouteDecision,
): NanoUsd {
  let dearest = costNanoUsd;
  for (const { model: key, skipped } of candidates) {
    const model = skipped === null ? plan.models[key] : undefined;
    if (model === undefined) continue;
    const cost = costOf(model.price, usage);
    if (cost > dearest) dearest = cost;
  }
  return dearest - costNanoUsd;
}
