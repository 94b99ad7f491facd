// buildPlan: Definition → Plan. Defaults, policies, prices and the step graph are resolved here and nowhere else.
import { sha256Hex } from '../../common/json.ts';
import type { Definition, Problem, RouteDefinition } from '../definition/types.ts';
import { inlineRoutes } from '../definition/routes.ts';
import { routesWithoutKey } from './availability.ts';
import type { Catalogue } from './catalogue.ts';
import { canonicalPlanText, deepFreeze, planHash } from './encode.ts';
import { environmentNames } from './environment.ts';
import { exposedTask, resolveExposed } from './exposed.ts';
import { resolveModels, resolveProvider, type ModelMention } from './models.ts';
import { resolveBudget, resolveLoops, resolveSink, resolveTaskBudget } from './policies.ts';
import { pinsThatMove } from './pins.ts';
import { planRules } from './rules.ts';
import { resolveTask } from './tasks.ts';
import type { Plan, PlanGuards, PlanModel, PlanStep, PlanTask } from './types.ts';

export interface BuildOptions {
  readonly env: { readonly [name: string]: string | undefined };
  readonly catalogue: Catalogue;
  readonly nowMs: number;
}

/** The plan of a valid definition, and the problems that only a plan can have. With an error among them the plan is not to be run. */
export function buildPlan(
  definition: Definition,
  options: BuildOptions,
): { readonly plan: Plan; readonly problems: readonly Problem[] } {
  const { project } = definition;
  const { models, problems } = resolveModels(
    definition,
    mentionedModels(definition),
    options.catalogue,
    options.nowMs,
  );
  const loop = project.guards.loop === null ? null : resolveLoops(project.guards.loop);
  const { surge } = project.guards;
  const guards: PlanGuards = {
    loop,
    surge: surge && {
      factor: surge.factor,
      overMs: surge.overMs,
      baselineMs: surge.baselineMs,
      floorNanoUsd: surge.floorNanoUsd,
      then: surge.then,
    },
  };
  const providers = mapSorted(project.providers, resolveProvider);
  const exposedTasks = Object.values(project.exposed).flatMap(
    (exposed) => exposedTask(exposed, definition, loop) ?? [],
  );
  const drafts = mapSorted(
    {
      ...mapSorted(definition.tasks, (task) => resolveTask(task, definition, loop)),
      ...Object.fromEntries(exposedTasks.map((draft) => [draft.name, draft])),
    },
    (draft) => draft,
  );
  const tasks = mapSorted(drafts, (draft): PlanTask => ({
    ...draft,
    revision: taskRevision(draft, drafts, models, providers),
  }));
  const budgets = [
    ...Object.values(project.budgets).map(resolveBudget),
    ...Object.values(definition.tasks).flatMap((task) =>
      task.budget === null ? [] : [resolveTaskBudget(task.name, task.budget)],
    ),
  ].sort((left, right) => (left.id < right.id ? -1 : 1));
  const content = {
    language: 1 as const,
    providers,
    models: mapSorted(models, (model) => model),
    budgets,
    guards,
    tasks,
    ...(Object.keys(project.exposed).length === 0
      ? {}
      : { exposed: mapSorted(project.exposed, resolveExposed) }),
    ...(Object.keys(project.alerts).length === 0 ? {} : { alerts: mapSorted(project.alerts, resolveSink) }),
  };
  const environment: { [name: string]: string | null } = {};
  for (const name of environmentNames(content)) environment[name] = options.env[name] ?? null;
  const plan = deepFreeze<Plan>({ ...content, hash: planHash(content), environment });
  return {
    plan,
    problems: [
      ...problems,
      ...planRules(definition, plan),
      ...pinsThatMove(definition, options.catalogue, options.nowMs),
      ...routesWithoutKey(definition, options.env),
    ],
  };
}

/** Names in one order, so that the order of the files does not show. */
function mapSorted<From, To>(
  source: { readonly [name: string]: From },
  map: (value: From) => To,
): { readonly [name: string]: To } {
  const result: { [name: string]: To } = {};
  for (const name of Object.keys(source).sort()) {
    const value = source[name];
    if (value !== undefined) result[name] = map(value);
  }
  return result;
}

function mentionedModels(definition: Definition): readonly ModelMention[] {
  const routes: readonly RouteDefinition[] = [
    ...Object.values(definition.project.routes),
    ...inlineRoutes(definition),
  ];
  const baselines = [definition.project, ...Object.values(definition.tasks)].flatMap(
    ({ baseline }) => baseline ?? [],
  );
  return [
    ...routes.flatMap((route) =>
      route.rules.flatMap((rule) =>
        rule.from.map(({ model, provider, at }) => ({ key: model, provider, at })),
      ),
    ),
    ...baselines.map(({ name, at }) => ({ key: name, provider: name.slice(0, name.indexOf('/')), at })),
  ];
}

/** What its answer depends on. */
function answering(step: PlanStep): object {
  if (step.kind !== 'model') return step;
  const { promptCache: _, ...rest } = step;
  return rest;
}

export type TaskDraft = Omit<PlanTask, 'revision'>;

/** The hash of what a task's answer depends on: itself, the models and providers of its routes, and the tasks that it calls. */
function taskRevision(
  draft: TaskDraft,
  drafts: { readonly [name: string]: TaskDraft },
  models: { readonly [key: string]: PlanModel },
  providers: Plan['providers'],
): string {
  const seen = new Set<string>();
  const parts: unknown[] = [];
  const visit = (task: TaskDraft): void => {
    if (seen.has(task.name)) return;
    seen.add(task.name);
    parts.push({ ...task, file: null, baseline: null, steps: task.steps.map(answering) });
    for (const step of task.steps) {
      if (step.kind === 'task') {
        const called = drafts[step.task];
        if (called) visit(called);
      }
      if (step.kind !== 'model' && step.kind !== 'exchange') continue;
      for (const key of new Set(
        step.route.rules.flatMap((rule) => rule.candidates.map(({ model }) => model)),
      )) {
        const model = models[key];
        if (model)
          parts.push(
            { ...model, policy: null, price: null, limits: null },
            { ...providers[model.provider], limits: null },
          );
      }
    }
  };
  visit(draft);
  return sha256Hex(parts.map(canonicalPlanText).join('\n'));
}
