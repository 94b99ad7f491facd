// The most that one run of a task can cost: from prices, bounds of its texts, attempts and its allowance.
import { formatUsd, type NanoUsd } from '../../common/money.ts';
import type {
  Plan,
  PlanExchangeStep,
  PlanModel,
  PlanModelStep,
  PlanRoute,
  PlanTask,
} from '../../language/plan/types.ts';
import { worstCost } from '../../engine/routing/cost.ts';
import { compareBounds } from './direction.ts';
import { promptBound } from './prompt-bound.ts';
import type { Change, Concern } from './types.ts';

export interface WorstCost {
  readonly task: string;
  /** null: the task is not in that plan. */
  readonly beforeNanoUsd: NanoUsd | null;
  readonly afterNanoUsd: NanoUsd | null;
}

export function worstCosts(before: Plan, after: Plan): readonly WorstCost[] {
  const names = [...new Set([...Object.keys(before.tasks), ...Object.keys(after.tasks)])].sort();
  const of = (plan: Plan, name: string): NanoUsd | null =>
    plan.tasks[name] === undefined ? null : worstRunCost(plan, plan.tasks[name]);
  return names.map((task) => ({ task, beforeNanoUsd: of(before, task), afterNanoUsd: of(after, task) }));
}

export const costs: Concern = ({ before, after }) =>
  worstCosts(before, after).flatMap(({ task, beforeNanoUsd, afterNanoUsd }): readonly Change[] => {
    if (beforeNanoUsd === null || afterNanoUsd === null) return [];
    const direction = compareBounds(beforeNanoUsd, afterNanoUsd);
    if (direction === 'same' || isSlight(beforeNanoUsd, afterNanoUsd)) return [];
    return [
      {
        subject: `task ${task}`,
        message: `the worst case of one run goes from $${formatUsd(beforeNanoUsd)} to $${formatUsd(afterNanoUsd)}`,
        effects: [direction === 'more' ? 'cost-raised' : 'cost-lowered'],
        covers: [],
      },
    ];
  });

/** A hundredth or less: what a few more words in a prompt make. */
function isSlight(from: NanoUsd, to: NanoUsd): boolean {
  const by = to > from ? to - from : from - to;
  return by * 100n <= from;
}

/**
 * The dearest attempts that one run may make, as many as its allowance has, and never more than its allowance of cost: each failed and was billed in
 * full all the same. For a step, the candidates of a rule are tried one after the other, each with its retries, a hedge and a repair; which rule is
 * taken is not known beforehand, so the dearer counts place by place. A walk over a list repeats its step, a called task adds its own attempts.
 */
export function worstRunCost(plan: Plan, task: PlanTask): NanoUsd {
  const limit = task.allowance.attempts;
  const attempts = attemptsOf(plan, task, limit, []).slice(0, limit);
  const sum = attempts.reduce((total, cost) => total + cost, 0n);
  const { costNanoUsd } = task.allowance;
  return costNanoUsd !== null && costNanoUsd < sum ? costNanoUsd : sum;
}

/** Costs of attempts, dearest first; no more of them than `limit`. */
function attemptsOf(
  plan: Plan,
  task: PlanTask,
  limit: number,
  callers: readonly string[],
): readonly NanoUsd[] {
  const all = task.steps.flatMap((step): readonly NanoUsd[] => {
    const once =
      step.kind === 'model'
        ? stepAttempts(plan, task, step, limit)
        : step.kind === 'exchange'
          ? exchangeAttempts(plan, step, limit)
          : step.kind === 'task'
            ? childAttempts(plan, step.task, limit, [...callers, task.name])
            : [];
    return step.each === null ? once : repeated(once, limit);
  });
  return dearestFirst(all).slice(0, limit);
}

/** A task that calls itself again and again may spend all attempts on its dearest. */
function childAttempts(
  plan: Plan,
  name: string,
  limit: number,
  callers: readonly string[],
): readonly NanoUsd[] {
  const child = plan.tasks[name];
  if (child === undefined) return [];
  if (callers.includes(name))
    return repeated(
      attemptsOf(
        plan,
        { ...child, steps: child.steps.filter(({ kind }) => kind === 'model') },
        limit,
        callers,
      ),
      limit,
    );
  const attempts = attemptsOf(plan, child, Math.min(limit, child.allowance.attempts), callers);
  const { costNanoUsd } = child.allowance;
  return costNanoUsd === null ? attempts : capped(attempts, costNanoUsd);
}

/** As many of them as fit into the sum, and one attempt for what is left of it. */
function capped(attempts: readonly NanoUsd[], sumNanoUsd: NanoUsd): readonly NanoUsd[] {
  let left = sumNanoUsd;
  const result: NanoUsd[] = [];
  for (const cost of attempts) {
    const part = cost < left ? cost : left;
    result.push(part);
    left -= part;
  }
  return result;
}

function routedAttempts(
  plan: Plan,
  route: PlanRoute,
  costOf: (model: PlanModel) => NanoUsd,
  repairs: number,
  limit: number,
): readonly NanoUsd[] {
  const rules = route.rules.map((rule) => {
    const models = rule.candidates.flatMap(({ model }) => plan.models[model] ?? []);
    const each = models.flatMap((model) => {
      const tries = 1 + model.policy.retry.attempts + repairs;
      return Array.from({ length: Math.min(tries, limit) }, () => costOf(model));
    });
    const [dearest = 0n] = dearestFirst(each);
    return dearestFirst([...each, ...Array.from({ length: rule.hedge?.atMost ?? 0 }, () => dearest)]);
  });
  const length = Math.min(limit, Math.max(0, ...rules.map((costs) => costs.length)));
  return Array.from({ length }, (_, place) =>
    rules.reduce<NanoUsd>(
      (worst, costs) => ((costs[place] ?? 0n) > worst ? (costs[place] ?? 0n) : worst),
      0n,
    ),
  );
}

/** Of an exposed name the client writes the prompt: the window bounds it, and bounds the output where nothing else does. */
function exchangeAttempts(plan: Plan, step: PlanExchangeStep, limit: number): readonly NanoUsd[] {
  return routedAttempts(
    plan,
    step.route,
    (model) => {
      const most = model.maxOutputTokens ?? model.contextTokens;
      const output = Math.min(step.maxOutputTokens ?? most, most);
      return worstCost(model.price, model.contextTokens - output, output);
    },
    0,
    limit,
  );
}

function stepAttempts(plan: Plan, task: PlanTask, step: PlanModelStep, limit: number): readonly NanoUsd[] {
  const repairs = step.structured === null ? 0 : 1;
  return routedAttempts(plan, step.route, (model) => attemptCost(task, step, model), repairs, limit);
}

/** What would be held for it: the window less the answer bounds the prompt where nothing else does. */
function attemptCost(task: PlanTask, step: PlanModelStep, model: PlanModel): NanoUsd {
  const output = Math.min(step.maxOutputTokens, model.maxOutputTokens ?? step.maxOutputTokens);
  const room = Math.max(0, model.contextTokens - output);
  return worstCost(model.price, Math.min(room, promptBound(task, step)), output);
}

function repeated(costs: readonly NanoUsd[], limit: number): readonly NanoUsd[] {
  const [dearest] = costs;
  return dearest === undefined ? [] : Array.from({ length: limit }, () => dearest);
}

function dearestFirst(costs: readonly NanoUsd[]): readonly NanoUsd[] {
  return costs.toSorted((left, right) => (left < right ? 1 : left > right ? -1 : 0));
}
