// What a swap renames: state is kept by name, so a new name starts afresh, and somebody should know.
import { canonicalPlanText } from '../plan/encode.ts';
import type { Plan } from '../plan/types.ts';

export interface Rename {
  readonly what: 'provider' | 'budget';
  readonly from: string;
  readonly to: string;
}

/** A name that is gone and one that is new, with the same settings otherwise. */
export function renames(before: Plan, after: Plan): readonly Rename[] {
  const budgets = (plan: Plan): { readonly [id: string]: unknown } =>
    Object.fromEntries(plan.budgets.map((budget) => [budget.id, { ...budget, id: null, name: null }]));
  const providers = (plan: Plan): { readonly [name: string]: unknown } =>
    Object.fromEntries(
      Object.values(plan.providers).map((provider) => [provider.name, { ...provider, name: null }]),
    );
  return [
    ...pairs(providers(before), providers(after)).map((pair) => ({ what: 'provider' as const, ...pair })),
    ...pairs(budgets(before), budgets(after)).map((pair) => ({ what: 'budget' as const, ...pair })),
  ];
}

function pairs(
  before: { readonly [name: string]: unknown },
  after: { readonly [name: string]: unknown },
): readonly { readonly from: string; readonly to: string }[] {
  const added = new Map(
    Object.entries(after)
      .filter(([name]) => !(name in before))
      .map(([name, settings]) => [name, canonicalPlanText(settings)]),
  );
  return Object.entries(before).flatMap(([from, settings]) => {
    if (from in after) return [];
    const text = canonicalPlanText(settings);
    const to = [...added].find(([, other]) => other === text)?.[0];
    if (to === undefined) return [];
    added.delete(to);
    return [{ from, to }];
  });
}
