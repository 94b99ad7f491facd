// Which route a step takes.
import type {
  Definition,
  ModelStepDefinition,
  ProjectDefinition,
  RouteDefinition,
  TaskDefinition,
} from './types.ts';

/** The route of a step that names none. */
export const DEFAULT_ROUTE = 'default';

/** In place, or by name; a step that says nothing takes the route `default`, or the project's only one. `undefined`: there is none. */
export function routeOf(
  definition: { readonly project: ProjectDefinition },
  _task: TaskDefinition,
  step: ModelStepDefinition,
): RouteDefinition | undefined {
  const { routes } = definition.project;
  if (step.route?.kind === 'inline') return step.route.route;
  if (step.route) return Object.hasOwn(routes, step.route.name) ? routes[step.route.name] : undefined;
  if (Object.hasOwn(routes, DEFAULT_ROUTE)) return routes[DEFAULT_ROUTE];
  const all = Object.values(routes);
  return all.length === 1 ? all[0] : undefined;
}

/** The routes that steps have in place, in the order of tasks and steps. */
export function inlineRoutes(definition: Pick<Definition, 'tasks'>): readonly RouteDefinition[] {
  return Object.values(definition.tasks).flatMap((task) =>
    task.steps.flatMap((step) =>
      step.kind === 'model' && step.route?.kind === 'inline' ? [step.route.route] : [],
    ),
  );
}
