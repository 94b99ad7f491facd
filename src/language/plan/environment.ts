// The environment variables that a plan mentions, so that it can carry their values and nothing else of the environment.
import { references } from '../expression/references.ts';
import { placeholdersOf } from '../expression/template-parts.ts';
import type { ExpressionText, Plan, PlanStep } from './types.ts';

/** Sorted, each once. */
export function environmentNames(plan: Pick<Plan, 'providers' | 'tasks' | 'budgets'>): readonly string[] {
  const names = new Set<string>();
  for (const source of expressions(plan)) for (const name of references(source).env) names.add(name);
  return [...names].sort();
}

function expressions(plan: Pick<Plan, 'providers' | 'tasks' | 'budgets'>): readonly ExpressionText[] {
  return [
    ...Object.values(plan.providers).flatMap(({ baseUrl, headers }) => [
      ...(baseUrl ? placeholdersOf(baseUrl) : []),
      ...Object.values(headers).flatMap(placeholdersOf),
    ]),
    ...plan.budgets.flatMap(({ when }) => (when === null ? [] : [when])),
    ...Object.values(plan.tasks).flatMap((task) => [
      ...Object.values(task.inputDefaults).flatMap(placeholdersOf),
      ...placeholdersOf(task.output),
      ...task.steps.flatMap(stepExpressions),
    ]),
  ];
}

/** Every expression of a step: what its place in the graph follows from. */
export function stepExpressions(step: PlanStep): readonly ExpressionText[] {
  const own = [...(step.when === null ? [] : [step.when]), ...(step.each === null ? [] : [step.each.list])];
  switch (step.kind) {
    case 'model':
      return [
        ...own,
        ...(step.system === null ? [] : placeholdersOf(step.system)),
        ...placeholdersOf(step.prompt),
        ...(step.accept === null ? [] : [step.accept]),
        ...step.route.rules.flatMap(({ when }) => (when === null ? [] : [when])),
      ];
    case 'exchange':
      return step.route.rules.flatMap(({ when }) => (when === null ? [] : [when]));
    case 'parse':
    case 'chunk':
      return [...own, ...placeholdersOf(step.from)];
    case 'task':
      return [...own, ...placeholdersOf(step.input)];
  }
}
