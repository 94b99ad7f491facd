// Which route a step takes.
import type {
  Definition,
  ExposedDefinition,
  ModelStepDefinition,
  ProjectDefinition,
  RouteDefinition,
  TaskDefinition,
} from './types.ts';

/** The route of a step that names none. */
const DEFAULT_ROUTE = 'default';

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

/** The routes that steps and exposed names have in place, in the order of tasks and steps. */
export function inlineRoutes({
  project,
  tasks,
}: {
  readonly project: ProjectDefinition | null;
  readonly tasks: Definition['tasks'];
}): readonly RouteDefinition[] {
  return [
    ...Object.values(tasks).flatMap((task) =>
      task.steps.flatMap((step) =>
        step.kind === 'model' && step.route?.kind === 'inline' ? [step.route.route] : [],
      ),
    ),
    ...Object.values(project?.exposed ?? {}).flatMap(({ serves }) =>
      serves.kind === 'route' && serves.route.kind === 'inline' ? [serves.route.route] : [],
    ),
  ];
}

/** The route of an exposed name; `undefined`: a task serves it, or there is no such route. */
export function exposedRoute(
  project: ProjectDefinition,
  { serves }: ExposedDefinition,
): RouteDefinition | undefined {
  if (serves.kind === 'task') return undefined;
  const { route } = serves;
  if (route.kind === 'inline') return route.route;
  return Object.hasOwn(project.routes, route.name) ? project.routes[route.name] : undefined;
}
