// What both plans have: walking tasks, steps and models that are in each of them.
import type { PlanModel, PlanStep, PlanTask } from '../../language/plan/types.ts';
import type { Comparison } from './types.ts';

export function tasksOfBoth({ before, after }: Comparison): readonly (readonly [PlanTask, PlanTask])[] {
  return Object.values(before.tasks).flatMap((task) => {
    const other = after.tasks[task.name];
    return other === undefined ? [] : [[task, other] as const];
  });
}

export function stepsOfBoth(before: PlanTask, after: PlanTask): readonly (readonly [PlanStep, PlanStep])[] {
  return before.steps.flatMap((step) => {
    const other = after.steps.find(({ key }) => key === step.key);
    return other === undefined ? [] : [[step, other] as const];
  });
}

export function modelsOfBoth({ before, after }: Comparison): readonly (readonly [PlanModel, PlanModel])[] {
  return Object.values(before.models).flatMap((model) => {
    const other = after.models[model.key];
    return other === undefined ? [] : [[model, other] as const];
  });
}

/** Names that only the one has. */
export function missing(
  from: { readonly [name: string]: unknown },
  other: { readonly [name: string]: unknown },
): readonly string[] {
  return Object.keys(from).filter((name) => !(name in other));
}
