// Rules over a built plan: what can only be judged once models, prices and policies are resolved.
import { divideUp, formatUsd } from '../../common/money.ts';
import type { Definition, ModelStepDefinition, Problem } from '../definition/types.ts';
import { problemAt } from './problems.ts';
import type { Plan, PlanBudget, PlanModel, PlanModelStep, PlanTask } from './types.ts';

export function planRules(definition: Definition, plan: Plan): readonly Problem[] {
  const found = stepProblems(definition, plan);
  return [
    ...found,
    ...(found.some(({ code }) => SAY_IT_OF_STEPS.has(code)) ? [] : smallModels(definition, plan)),
    ...exposedWithoutLimit(definition, plan),
  ];
}

/** What a client asks for without a limit of its own is held at the most that a model gives; embeddings have no output. */
function exposedWithoutLimit({ project }: Definition, plan: Plan): readonly Problem[] {
  return Object.values(project.exposed).flatMap(({ name, at, serves }) => {
    const step = plan.tasks[name]?.steps[0];
    if (serves.kind === 'task' || step?.kind !== 'exchange' || step.maxOutputTokens !== null) return [];
    const costly = candidatesOf(step, plan).find(
      (model) => leastHold(model, 1_000_000) > leastHold(model, 0),
    );
    if (costly === undefined) return [];
    return [
      problemAt(
        at,
        'exposed-without-limit',
        'note',
        `A request for "${name}" that sets no limit of output is held at the most that its model gives: each 10,000 tokens are $${formatUsd(leastHold(costly, 10_000))} of ${costly.key}.`,
        'Write `maxOutputTokens: 8k`, which lowers what is asked and held.',
      ),
    ];
  });
}

const SAY_IT_OF_STEPS = new Set(['output-beyond-context', 'rule-never-serves']);

/** Models that no step could ask, though a larger one stands beside them in each rule. */
function smallModels({ project }: Definition, plan: Plan): readonly Problem[] {
  const asked = Object.values(plan.tasks).flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === 'model' ? [{ step, models: candidatesOf(step, plan) }] : [])),
  );
  return Object.values(plan.models).flatMap((model) => {
    const steps = asked.flatMap(({ step, models }) => (models.includes(model) ? [step] : []));
    const written = project.models[model.key];
    if (!written || steps.length === 0 || steps.some((step) => fits(step.maxOutputTokens, model))) return [];
    const least = Math.min(...steps.map(({ maxOutputTokens }) => maxOutputTokens));
    return [
      problemAt(
        written.at,
        'candidate-never-serves',
        'warning',
        `"${model.key}" is passed over by every step that could ask it: they ask for ${least} tokens of output or more, and it has room for fewer.`,
        'Correct the size of its context, such as `context: 128k`, or lower maxOutputTokens of the steps.',
      ),
    ];
  });
}

function stepProblems(definition: Definition, plan: Plan): readonly Problem[] {
  return Object.values(plan.tasks).flatMap((task) =>
    task.steps.flatMap((step) => {
      const written = definition.tasks[task.name]?.steps.find(({ key }) => key === step.key);
      if (step.kind !== 'model' || written?.kind !== 'model') return [];
      return [
        ...structuredOutput(step, written, plan),
        ...rulesWithoutSchema(step, written, definition, plan),
        ...contextTooSmall(step, written, plan),
        ...holdNeverFits(task, step, written, plan),
        ...rulesThatNeverServe(task, step, written, definition, plan),
      ];
    }),
  );
}

function candidatesOf(step: Pick<PlanModelStep, 'route'>, plan: Plan): readonly PlanModel[] {
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

/** Only what can give what the step asks for: a candidate that cannot is passed over, however cheap it is. */
function ableCandidates(step: PlanModelStep, models: readonly PlanModel[]): readonly PlanModel[] {
  return step.structured === null
    ? models
    : models.filter(({ capabilities }) => capabilities.includes('structuredOutput'));
}

/** What limits a call: the least that it could be held for, with an empty prompt, must fit it. */
interface Ceiling {
  /** `the budget "company"`. */
  readonly what: string;
  readonly limit: PlanBudget['limit'];
  readonly covers: (model: PlanModel) => boolean;
}

function ceilings(task: PlanTask, plan: Plan): readonly Ceiling[] {
  const { costNanoUsd } = task.allowance;
  const allowance: readonly Ceiling[] =
    costNanoUsd === null
      ? []
      : [
          {
            what: "the task's allowance",
            limit: { unit: 'usd', nanoUsd: costNanoUsd },
            covers: () => true,
          },
        ];
  const budgets = plan.budgets
    .filter(({ limit, then, when }) => limit.unit !== 'calls' && then !== 'warn' && when === null)
    .map((budget): Ceiling => ({
      what: `the budget "${budget.name}"`,
      limit: budget.limit,
      covers: (model) => budgetCovers(budget, task, model),
    }));
  return [...allowance, ...budgets];
}

/** What the model's least hold can never fit; `undefined`: it fits all. */
function ceilingOf(step: PlanModelStep, model: PlanModel, all: readonly Ceiling[]): Ceiling | undefined {
  return all.find(({ limit, covers }) => {
    if (!covers(model)) return false;
    if (limit.unit === 'tokens') return step.maxOutputTokens > limit.tokens;
    return limit.unit === 'usd' && leastHold(model, step.maxOutputTokens) > limit.nanoUsd;
  });
}

/** The least that a call could be held for, with an empty prompt on the cheapest candidate, must fit what limits it. */
function holdNeverFits(
  task: PlanTask,
  step: PlanModelStep,
  written: ModelStepDefinition,
  plan: Plan,
): readonly Problem[] {
  const candidates = ableCandidates(step, candidatesOf(step, plan));
  return ceilings(task, plan).flatMap((ceiling) => {
    const { what, limit } = ceiling;
    if (
      candidates.length === 0 ||
      // A candidate outside the budget's scope, or a cheaper one, is always a way out.
      candidates.some((model) => ceilingOf(step, model, [ceiling]) === undefined)
    )
      return [];
    if (limit.unit === 'tokens') return [tooManyTokens(step, written, what, limit.tokens)];
    if (limit.unit !== 'usd') return [];
    const holds = candidates.map((model) => leastHold(model, step.maxOutputTokens));
    const least = holds.reduce((one, other) => (other < one ? other : one));
    return [
      problemAt(
        written.at,
        'hold-never-fits',
        'error',
        `The step "${step.key}" holds at least $${formatUsd(least)} for ${step.maxOutputTokens} tokens of output, which can never fit ${what} of $${formatUsd(limit.nanoUsd)}.`,
        'Raise the limit, lower maxOutputTokens, or add a cheaper model to the route.',
      ),
    ];
  });
}

/** A rule that is taken decides alone: that another rule's candidates would fit does not help. */
function rulesThatNeverServe(
  task: PlanTask,
  step: PlanModelStep,
  written: ModelStepDefinition,
  definition: Definition,
  plan: Plan,
): readonly Problem[] {
  const limits = ceilings(task, plan);
  const rules =
    (written.route?.kind === 'inline' ? written.route.route : definition.project.routes[step.route.name])
      ?.rules ?? [];
  const reasons = step.route.rules.map(({ candidates }) => {
    const models = ableCandidates(
      step,
      candidates.flatMap(({ model }) => plan.models[model] ?? []),
    );
    const found = models.map((model) =>
      fits(step.maxOutputTokens, model) ? ceilingOf(step, model, limits)?.what : 'their context',
    );
    return found.length > 0 && !found.includes(undefined) ? [...new Set(found)] : [];
  });
  if (reasons.every((reason) => reason.length > 0)) return []; // all of them is an error of its own
  return reasons.flatMap((reason, index) => {
    const rule = rules[index];
    if (reason.length === 0 || !rule) return [];
    return [
      problemAt(
        written.at,
        'rule-never-serves',
        'warning',
        `The rule of the route "${step.route.name}" at ${rule.at.file}:${rule.at.line} has no model that can serve the step "${step.key}": the worst case of a call, ${step.maxOutputTokens} tokens of output, is beyond ${reason.join(' or ')}.`,
        'Raise the limit, lower maxOutputTokens, or add another model to that rule.',
      ),
    ];
  });
}

function tooManyTokens(
  step: PlanModelStep,
  written: ModelStepDefinition,
  what: string,
  limit: number,
): Problem {
  return problemAt(
    written.at,
    'hold-never-fits',
    'error',
    `The step "${step.key}" holds ${step.maxOutputTokens} tokens of output and more, which can never fit ${what} of ${limit} tokens.`,
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
