// Tasks and steps of a plan: routes resolved in place, the step graph made from references, schemas of every value known.
import { posix } from 'node:path';
import { references } from '../expression/references.ts';
import type { Definition, RouteDefinition, StepDefinition, TaskDefinition } from '../definition/types.ts';
import { routeOf } from '../definition/routes.ts';
import { stepOutputSchema, taskOutputSchema } from '../definition/schemas.ts';
import type { TaskDraft } from './build.ts';
import {
  DEFAULT_EACH_CONCURRENT,
  DEFAULT_HEDGES,
  DEFAULT_MAX_OUTPUT_TOKENS,
  DEFAULT_RETAIN,
} from './defaults.ts';
import { stepExpressions } from './environment.ts';
import { resolveAllowance, resolveLoops } from './policies.ts';
import type { PlanLoops, PlanRoute, PlanStep, Template } from './types.ts';

export function resolveTask(
  task: TaskDefinition,
  definition: Definition,
  projectLoop: PlanLoops | null,
): TaskDraft {
  const steps = inOrder(task.steps.map((step) => resolveStep(step, task, definition)));
  const last = task.steps.at(-1);
  return {
    name: task.name,
    description: task.description,
    deprecated: task.deprecated,
    // Where the workflows lie on this machine is no part of what they mean.
    file: posix.relative(posix.dirname(definition.project.file), task.file),
    inputSchema: task.input.schema,
    inputDefaults: Object.fromEntries(
      Object.entries(task.input.defaults).map(([name, value]) => [name, value.template]),
    ),
    outputSchema: taskOutputSchema(definition, task),
    allowance: resolveAllowance(task.allowance),
    ...(task.priority === 0 ? {} : { priority: task.priority }),
    cache: task.cache && { forMs: task.cache.forMs },
    retain: {
      content: task.retain?.content ?? DEFAULT_RETAIN.content,
      forMs: task.retain?.forMs ?? DEFAULT_RETAIN.forMs,
    },
    loop:
      task.loop === 'off'
        ? null
        : task.loop === null
          ? projectLoop
          : resolveLoops(task.loop, projectLoop ?? undefined),
    baseline: (task.baseline ?? definition.project.baseline)?.name ?? null,
    steps,
    output: task.output?.template ?? lastStepOutput(last),
  };
}

function lastStepOutput(last: StepDefinition | undefined): Template {
  return last ? { kind: 'expression', source: `steps.${last.key}` } : { kind: 'literal', value: null };
}

function resolveStep(step: StepDefinition, task: TaskDefinition, definition: Definition): PlanStep {
  const base = {
    key: step.key,
    after: [] as readonly string[],
    when: step.when?.source ?? null,
    each: step.each && {
      list: step.each.list.source,
      as: step.each.as,
      concurrent: step.each.concurrent ?? DEFAULT_EACH_CONCURRENT,
    },
    outputSchema: stepOutputSchema(definition, task, step),
  };
  return withAfter(resolveBody(step, base, task, definition));
}

type StepBase = Pick<PlanStep, 'key' | 'after' | 'when' | 'each' | 'outputSchema'>;

function resolveBody(
  step: StepDefinition,
  base: StepBase,
  task: TaskDefinition,
  definition: Definition,
): PlanStep {
  switch (step.kind) {
    case 'model':
      return {
        ...base,
        kind: 'model',
        route: resolveRoute(routeOf(definition, task, step), step.key),
        system: step.system?.template ?? null,
        prompt: step.prompt.template,
        maxOutputTokens: step.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS,
        temperature: step.temperature,
        structured: step.output?.schema ?? null,
        accept: step.accept?.source ?? null,
        ...((step.promptCache ?? task.promptCache ?? definition.project.promptCache) === 'off'
          ? { promptCache: 'off' as const }
          : {}),
      };
    case 'parse':
      return { ...base, kind: 'parse', format: step.format, from: step.from.template };
    case 'chunk':
      return {
        ...base,
        kind: 'chunk',
        from: step.from.template,
        tokens: step.tokens,
        overlapTokens: step.overlapTokens,
      };
    case 'task':
      return { ...base, kind: 'task', task: step.task, input: step.input.template };
  }
}

/** The definition's rules have made sure that the route exists. */
export function resolveRoute(route: RouteDefinition | undefined, otherwise: string): PlanRoute {
  if (!route) return { name: otherwise, pin: false, rules: [] };
  return {
    name: route.name,
    pin: route.pin,
    rules: route.rules.map((rule, index) => {
      const weighted = rule.from.some(({ weight }) => weight !== 1);
      return {
        name: `${route.name}[${index}]`,
        when: rule.when?.source ?? null,
        pick: rule.pick ?? (weighted ? 'weighted' : 'first'),
        candidates: rule.from.map(({ model, weight }) => ({ model, weight })),
        hedge: rule.hedge && { after: rule.hedge.after, atMost: rule.hedge.atMost ?? DEFAULT_HEDGES },
      };
    }),
  };
}

function withAfter(step: PlanStep): PlanStep {
  const read = new Set(stepExpressions(step).flatMap((source) => [...references(source).steps]));
  read.delete(step.key);
  return { ...step, after: [...read].sort() };
}

/** Each step after those that it reads; among free ones, the order of the file. A cycle has been refused before. */
function inOrder(steps: readonly PlanStep[]): readonly PlanStep[] {
  const keys = new Set(steps.map(({ key }) => key));
  const placed = new Set<string>();
  const ordered: PlanStep[] = [];
  while (ordered.length < steps.length) {
    const next = steps.find(
      (step) => !placed.has(step.key) && step.after.every((key) => placed.has(key) || !keys.has(key)),
    );
    if (!next) break;
    placed.add(next.key);
    ordered.push(next);
  }
  return ordered;
}
