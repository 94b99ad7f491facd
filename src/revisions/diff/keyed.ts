// A plan with everything under its stable key, and the places where two of them differ: what no change may forget to tell.
import { canonicalPlanText } from '../../language/plan/encode.ts';
import type { Plan, PlanLoopGuard, PlanLoops } from '../../language/plan/types.ts';

/** Steps by their key and budgets by their id, so that a new one in between does not make all after it look different. */
export function keyedPlan(plan: Plan): unknown {
  const { language, providers, models, guards, exposed = {}, alerts = {} } = plan;
  const budgets = Object.fromEntries(plan.budgets.map((budget) => [budget.id, budget]));
  const tasks = Object.fromEntries(
    Object.values(plan.tasks).map((task) => [
      task.name,
      {
        ...task,
        loop: keyedLoops(task.loop),
        steps: Object.fromEntries(task.steps.map((step) => [step.key, step])),
        stepOrder: task.steps.map(({ key }) => key),
      },
    ]),
  );
  return {
    language,
    providers,
    models,
    budgets,
    guards: { ...guards, loop: keyedLoops(guards.loop) },
    tasks,
    exposed,
    alerts,
  };
}

function keyedLoops(loops: PlanLoops | null): unknown {
  if (loops === null) return null;
  const named = namedLoopGuards(loops);
  return { ...loops, guards: Object.fromEntries(named), guardOrder: [...named.keys()] };
}

/** Each guard by its kind and its number among those of its kind: `input`, `nearly`, `input 2`. The order is that of the list. */
export function namedLoopGuards({ guards }: PlanLoops): ReadonlyMap<string, PlanLoopGuard> {
  const named = new Map<string, PlanLoopGuard>();
  for (const guard of guards) {
    let name: string = guard.same;
    for (let nth = 2; named.has(name); nth += 1) name = `${guard.same} ${nth}`;
    named.set(name, guard);
  }
  return named;
}

export function pointer(...path: readonly string[]): string {
  return path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

export function isBelow(place: string, prefix: string): boolean {
  return place === prefix || place.startsWith(`${prefix}/`);
}

/** JSON Pointers of all places where the values differ: objects are walked, anything else is compared as a whole. */
export function differences(before: unknown, after: unknown, at = ''): readonly string[] {
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) => differences(before[name], after[name], at + pointer(name)));
  }
  const same =
    before === undefined || after === undefined
      ? before === after
      : canonicalPlanText(before) === canonicalPlanText(after);
  return same ? [] : [at];
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
