// Whether a budget's `when` holds for a call: compiled once, evaluated on each hold.
import type { HoldRequest } from '../budget/port.ts';
import { compileExpression } from '../../language/expression/compile.ts';
import { callerSchema, createEnvironment } from '../../language/expression/environment.ts';
import type { CompiledExpression } from '../../language/expression/types.ts';
import type { PlanBudget } from '../../language/plan/types.ts';

const environment = createEnvironment({ roots: { caller: callerSchema } });

/** What cannot be told counts as true: a budget that might apply is kept to. */
export function createBudgetMatcher(): (budget: PlanBudget, request: HoldRequest) => boolean {
  const compiled = new WeakMap<PlanBudget, CompiledExpression | null>();
  return (budget, request) => {
    if (budget.when === null) return true;
    let condition = compiled.get(budget);
    if (condition === undefined) {
      const outcome = compileExpression(budget.when, environment);
      condition = outcome.ok ? outcome.value : null;
      compiled.set(budget, condition);
    }
    if (condition === null) return true;
    const { name, team, tier } = request.caller;
    const held = condition.evaluate({ caller: { name, team, tier, tags: request.tags } });
    return !held.ok || held.value !== false;
  };
}
