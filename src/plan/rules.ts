// Rules over a built plan: what can only be judged once models, prices and policies are resolved.
import { divideUp, formatUsd } from '../common/money.ts';
import type { Definition, ModelStepDefinition, Place, Problem } from '../definition/types.ts';
import { problemAt } from './problems.ts';
import type { Plan, PlanBudget, PlanModel, PlanModelStep, PlanTask } from './types.ts';

export function planRules(definition: Definition, plan: Plan): readonly Problem[] {
  return Object.values(plan.tasks).flatMap((task) =>
    task.steps.flatMap((step) => {
      const written = definition.tasks[task.name]?.steps.find(({ key }) => key === step.key);
      if (step.kind !== 'model' || written?.kind !== 'model') return [];
      return [
        ...structuredOutput(step, written, plan),
        ...rulesWithoutSchema(step, written, definition, plan),
        ...contextTooSmall(step, written, plan),
        ...holdNeverFits(task, step, written, plan),
      ];
    }),
  );
}

function candidatesOf(step: PlanModelStep, plan: Plan): readonly PlanModel[] {
  const keys = new Set(step.route.rules.flatMap((rule) => rule.candidates.map(({ model }) => model)));
  return [...keys].flatMap((key) => plan.models[key] ?? []);
}

/** A step with an output schema needs at least one candidate that can be asked for it. */
function structuredOutput(step: PlanModelStep, written: ModelStepDefinition, plan: Plan): readonly Problem[] {
  const candidates = candidatesOf(step, plan);
  if (
    step.structured === null ||
    candidates.length === 0 ||
    candidates.some(({ capabilities }) => capabilities.includes('structuredOutput'))
  )
    return [];
  return [
    problemAt(
      written.output?.at ?? written.at,
      'no-structured-output',
      'error',
      `None of the models of the route "${step.route.name}" can give structured output, which the step "${step.key}" asks for.`,
      'Add a model that can to the route, or leave out "output:" and take the text.',
    ),
  ];
}

/** A rule that is taken decides alone: the candidates of the rules after it are not asked. */
function rulesWithoutSchema(
  step: PlanModelStep,
  written: ModelStepDefinition,
  definition: Definition,
  plan: Plan,
): readonly Problem[] {
  const able = step.route.rules.map(({ candidates }) =>
    candidates.some(({ model }) => plan.models[model]?.capabilities.includes('structuredOutput')),
  );
  if (step.structured === null || !able.includes(true)) return []; // none at all is an error of its own
  const rules =
    (written.route?.kind === 'inline' ? written.route.route : definition.project.routes[step.route.name])
      ?.rules ?? [];
  return able.flatMap((can, index) => {
    const rule = rules[index];
    if (can || !rule) return [];
    return [
      problemAt(
        written.output?.at ?? written.at,
        'rule-without-structured-output',
        'warning',
        `The rule of the route "${step.route.name}" at ${rule.at.file}:${rule.at.line} has no model that can give structured output, which the step "${step.key}" asks for.`,
        'Add a model that can to that rule; a run that takes it ends with NO_PROVIDER_AVAILABLE.',
      ),
    ];
  });
}

/** Room for the answer alone must be in some candidate's window. */
function contextTooSmall(step: PlanModelStep, written: ModelStepDefinition, plan: Plan): readonly Problem[] {
  const candidates = candidatesOf(step, plan);
  if (candidates.length === 0 || candidates.some((model) => fits(step.maxOutputTokens, model))) return [];
  return [
    problemAt(
      written.at,
      'output-beyond-context',
      'error',
      `The step "${step.key}" may ask for ${step.maxOutputTokens} tokens of output, which no model of the route "${step.route.name}" can give.`,
      'Lower maxOutputTokens, or add a model with a larger context to the route.',
    ),
  ];
}

function fits(maxOutputTokens: number, model: PlanModel): boolean {
  return (
    maxOutputTokens < model.contextTokens &&
    (model.maxOutputTokens === null || maxOutputTokens <= model.maxOutputTokens)
  );
}

/** The least that a call could be held for, with an empty prompt on the cheapest candidate, must fit what limits it. */
function holdNeverFits(
  task: PlanTask,
  step: PlanModelStep,
  written: ModelStepDefinition,
  plan: Plan,
): readonly Problem[] {
  const all = candidatesOf(step, plan);
  // One that cannot give what the step asks for is passed over, however cheap it is.
  const candidates =
    step.structured === null
      ? all
      : all.filter(({ capabilities }) => capabilities.includes('structuredOutput'));
  if (candidates.length === 0) return [];
  const problems: Problem[] = [];
  const complain = (at: Place, what: string, hold: bigint, limit: bigint): void => {
    problems.push(
      problemAt(
        at,
        'hold-never-fits',
        'error',
        `The step "${step.key}" holds at least $${formatUsd(hold)} for ${step.maxOutputTokens} tokens of output, which can never fit ${what} of $${formatUsd(limit)}.`,
        'Raise the limit, lower maxOutputTokens, or add a cheaper model to the route.',
      ),
    );
  };
  const cheapest = (models: readonly PlanModel[]): bigint | null =>
    models.reduce<bigint | null>((least, model) => {
      const hold = leastHold(model, step.maxOutputTokens);
      return least === null || hold < least ? hold : least;
    }, null);
  const { costNanoUsd } = task.allowance;
  const least = cheapest(candidates);
  if (costNanoUsd !== null && least !== null && least > costNanoUsd)
    complain(written.at, "the task's allowance", least, costNanoUsd);
  for (const budget of plan.budgets) {
    if (budget.limit.unit === 'calls' || budget.then === 'warn' || budget.when !== null) continue;
    // A candidate outside the budget's scope is always a way out.
    const inScope = candidates.filter((model) => budgetCovers(budget, task, model));
    if (inScope.length < candidates.length) continue;
    if (budget.limit.unit === 'tokens') {
      if (inScope.length > 0 && step.maxOutputTokens > budget.limit.tokens)
        problems.push(tooManyTokens(step, written, budget.name, budget.limit.tokens));
      continue;
    }
    const hold = cheapest(inScope);
    if (hold !== null && hold > budget.limit.nanoUsd)
      complain(written.at, `the budget "${budget.name}"`, hold, budget.limit.nanoUsd);
  }
  return problems;
}

function tooManyTokens(
  step: PlanModelStep,
  written: ModelStepDefinition,
  budget: string,
  limit: number,
): Problem {
  return problemAt(
    written.at,
    'hold-never-fits',
    'error',
    `The step "${step.key}" holds ${step.maxOutputTokens} tokens of output and more, which can never fit the budget "${budget}" of ${limit} tokens.`,
    'Raise the limit, or lower maxOutputTokens.',
  );
}

function budgetCovers({ scope }: PlanBudget, task: PlanTask, model: PlanModel): boolean {
  switch (scope.kind) {
    case 'all':
      return true;
    case 'task':
      return scope.task === task.name;
    case 'provider':
      return scope.provider === model.provider;
    case 'model':
      return scope.model === model.key;
  }
}

function leastHold(model: PlanModel, maxOutputTokens: number): bigint {
  if (model.price.kind === 'free') return 0n;
  const [first] = model.price.tiers;
  return first ? divideUp(BigInt(maxOutputTokens) * first.output, 1_000_000n) + first.request : 0n;
}
