// What a swap renames: the state of a provider is kept by its name, so a new name starts afresh, and somebody should know.
import { canonicalPlanText } from '../language/plan/encode.ts';
import type { Plan, PlanProvider } from '../language/plan/types.ts';

export interface Rename {
  readonly from: string;
  readonly to: string;
}

/** A provider that is gone and one that is new, with the same settings otherwise. A renamed budget counts what was spent before under its terms. */
export function renamedProviders(before: Plan, after: Plan): readonly Rename[] {
  const settings = (provider: PlanProvider): string => canonicalPlanText({ ...provider, name: null });
  const added = Object.values(after.providers).filter(({ name }) => !(name in before.providers));
  return Object.values(before.providers).flatMap((provider) => {
    if (provider.name in after.providers) return [];
    const index = added.findIndex((other) => settings(other) === settings(provider));
    const [other] = index < 0 ? [] : added.splice(index, 1);
    return other === undefined ? [] : [{ from: provider.name, to: other.name }];
  });
}
