// Applicable: the budgets whose scope covers a task and a model, worked out once for each pair that a plan has.
import type { Plan } from '../../language/plan/types.ts';
import type { BudgetState } from './budget-state.ts';
import type { HoldRequest } from './port.ts';
import { covers } from './scope.ts';

export type Applicable = (
  request: Pick<HoldRequest, 'task' | 'provider' | 'model'>,
) => readonly BudgetState[];

/** Keeps answers for the plan's own tasks and models only, so that no name from outside can fill the memory (INV-14). */
export function createApplicable(plan: Plan, states: readonly BudgetState[]): Applicable {
  const byTask = new Map<string, Map<string, readonly BudgetState[]>>();
  return ({ task, provider, model }) => {
    const known = byTask.get(task)?.get(model);
    if (known !== undefined) return known;
    const found = states.filter(({ budget }) => covers(budget.scope, task, provider, model));
    if (plan.tasks[task] !== undefined && plan.models[model]?.provider === provider) {
      const byModel = byTask.get(task) ?? new Map<string, readonly BudgetState[]>();
      byModel.set(model, found);
      byTask.set(task, byModel);
    }
    return found;
  };
}
