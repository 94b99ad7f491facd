// Nesting: bounds on tasks that call tasks. Pure; asked by the execution before each child.
import { type Outcome, fail, succeed } from '../../../common/outcome.ts';
import type { PlanLoops } from '../../../language/plan/types.ts';

export type NestingProblem =
  /** The task is among those that led to it: `path` is the way round, `a`, `b`, `a`. */
  | { readonly kind: 'cycle'; readonly path: readonly string[] }
  | { readonly kind: 'depth'; readonly depth: number; readonly limit: number };

/**
 * May `task` be called from inside these tasks? `parents` are the tasks on the way from the outermost run to the caller, outermost first; the
 * outermost run itself has none and is at depth 0.
 */
export function checkNesting(
  parents: readonly string[],
  task: string,
  limits: Pick<PlanLoops, 'depth'>,
): Outcome<null, NestingProblem> {
  const before = parents.lastIndexOf(task);
  if (before >= 0) return fail({ kind: 'cycle', path: [...parents.slice(before), task] });
  if (parents.length > limits.depth)
    return fail({ kind: 'depth', depth: parents.length, limit: limits.depth });
  return succeed(null);
}
