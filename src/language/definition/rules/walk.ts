// Walking a definition: what most rules ask for.
import { references } from '../../expression/references.ts';
import { expressionsIn } from '../located.ts';
import { inlineRoutes, routeOf } from '../routes.ts';
import type {
  Expression,
  LocatedTemplate,
  ModelStepDefinition,
  RouteDefinition,
  StepDefinition,
  TaskDefinition,
} from '../types.ts';
import type { Workspace } from '../workspace.ts';

export function modelSteps(task: TaskDefinition): readonly ModelStepDefinition[] {
  return task.steps.filter((step): step is ModelStepDefinition => step.kind === 'model');
}

/** The project's routes, then those that stand in steps and under exposed names. */
export function allRoutes({ project, tasks }: Workspace): readonly RouteDefinition[] {
  return [...Object.values(project?.routes ?? {}), ...inlineRoutes({ project, tasks })];
}

export function routeFor(
  { project }: Workspace,
  task: TaskDefinition,
  step: ModelStepDefinition,
): RouteDefinition | undefined {
  if (step.route?.kind === 'inline') return step.route.route;
  return project ? routeOf({ project }, task, step) : undefined;
}

/** Every expression of a step, its route's in-place rules included. */
export function stepExpressions(step: StepDefinition): readonly Expression[] {
  const own = [step.when, step.each?.list ?? null];
  const templates = stepTemplates(step).flatMap(expressionsIn);
  const rules =
    step.kind === 'model' && step.route?.kind === 'inline'
      ? step.route.route.rules.map(({ when }) => when)
      : [];
  const accept = step.kind === 'model' ? [step.accept] : [];
  return [...own, ...rules, ...accept].filter((expression) => expression !== null).concat(templates);
}

function stepTemplates(step: StepDefinition): readonly LocatedTemplate[] {
  switch (step.kind) {
    case 'model':
      return step.system ? [step.system, step.prompt] : [step.prompt];
    case 'parse':
    case 'chunk':
      return [step.from];
    case 'task':
      return [step.input];
  }
}

/** Every expression of a task but those of its tests. */
export function taskExpressions(task: TaskDefinition): readonly Expression[] {
  const output = task.output ? expressionsIn(task.output) : [];
  const defaults = Object.values(task.input.defaults).flatMap(expressionsIn);
  return [...task.steps.flatMap(stepExpressions), ...output, ...defaults];
}

/** Keys of the steps that a step reads. */
export function stepsRead(step: StepDefinition): ReadonlySet<string> {
  return new Set(stepExpressions(step).flatMap(({ source }) => references(source).steps));
}

/** The first circle that starts and ends at a node, as the nodes on the way; each circle is found once, at its first node by name. */
export function circles(next: ReadonlyMap<string, Iterable<string>>): readonly (readonly string[])[] {
  const found: (readonly string[])[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): void => {
    const at = path.indexOf(node);
    if (at !== -1) {
      found.push(path.slice(at));
      return;
    }
    if (done.has(node)) return;
    path.push(node);
    for (const other of next.get(node) ?? []) visit(other);
    path.pop();
    done.add(node);
  };
  for (const node of [...next.keys()].sort()) visit(node);
  return found;
}
