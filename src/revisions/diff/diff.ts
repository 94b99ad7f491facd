// diffPlans: what changes for callers, for money and for safety when one plan follows another. Empty exactly when both mean the same.
import type { Plan } from '../../language/plan/types.ts';
import { alerts } from './alerts.ts';
import { allowances } from './allowances.ts';
import { budgets } from './budgets.ts';
import { exposed } from './exposed.ts';
import { guards } from './guards.ts';
import { differences, isBelow, keyedPlan, pointer } from './keyed.ts';
import { models } from './models.ts';
import { policies } from './policies.ts';
import { providers } from './providers.ts';
import { rateLimits } from './rate-limits.ts';
import { retention } from './retention.ts';
import { routes } from './routes.ts';
import { schemas } from './schemas.ts';
import { steps } from './steps.ts';
import { tasks } from './tasks.ts';
import type { Change, Comparison, Concern, Effect } from './types.ts';
import { costs, worstCosts, type WorstCost } from './worst-cost.ts';

/** In the order in which people read it: callers first, then money, then safety, then how it is done. */
const CONCERNS: readonly Concern[] = [
  tasks,
  exposed,
  schemas,
  costs,
  budgets,
  allowances,
  rateLimits,
  models,
  guards,
  policies,
  routes,
  providers,
  steps,
  retention,
  alerts,
];

export interface PlanDiff {
  readonly before: string;
  readonly after: string;
  readonly changes: readonly Change[];
  /** Every effect of any change, each once. */
  readonly effects: readonly Effect[];
  /** Of one run of each task, before and after. */
  readonly worstCosts: readonly WorstCost[];
}

/**
 * The places that differ are found first, by walking both plans; each concern then tells of those that it knows, and what none of them told is told
 * by its place. So no difference is without a change, whatever a concern forgets, and plans without a difference have none.
 */
export function diffPlans(before: Plan, after: Plan): PlanDiff {
  const places = withoutDerived(differences(keyedPlan(before), keyedPlan(after)));
  const comparison: Comparison = {
    before,
    after,
    differs: (...path) => {
      const prefix = pointer(...path);
      return places.some((place) => isBelow(place, prefix));
    },
  };
  const told = places.length === 0 ? [] : CONCERNS.flatMap((concern) => concern(comparison));
  const covers = told.flatMap((change) => change.covers);
  const rest = places.filter((place) => !covers.some((prefix) => isBelow(place, prefix)));
  const changes = [...told, ...rest.map(untold)];
  return {
    before: before.hash,
    after: after.hash,
    changes,
    effects: [...new Set(changes.flatMap(({ effects }) => effects))].sort(),
    worstCosts: worstCosts(before, after),
  };
}

/** A task's own revision follows from the rest; it is told only where nothing else is. */
function withoutDerived(places: readonly string[]): readonly string[] {
  const rest = places.filter((place) => !/^\/tasks\/[^/]+\/revision$/.test(place));
  return rest.length > 0 ? rest : places;
}

function untold(place: string): Change {
  return {
    subject: place.slice(1).replaceAll('~1', '/'),
    message: 'is different',
    effects: [],
    covers: [place],
  };
}
