// Limits that another limit around them forestalls.
import { amountOfLimit } from '../../../common/limit.ts';
import { formatUsd } from '../../../common/money.ts';
import { memberPlace } from '../located.ts';
import type {
  BudgetLimit,
  BudgetWindow,
  Place,
  ProjectDefinition,
  RateDefinition,
  TaskBudgetDefinition,
  TaskDefinition,
} from '../types.ts';
import type { Workspace } from '../workspace.ts';
import type { Report, Rule } from './rule.ts';
import { modelSteps, routeFor } from './walk.ts';

/** What the plan fills in; a test holds the two to each other. */
export const ASSUMED_OUTPUT_TOKENS = 1024;

export const limits: Rule = {
  diagnostics: [
    {
      code: 'limit-never-reached',
      severity: 'warning',
      title: 'A limit above the one that stands around it',
      why: 'The other refuses first, so this one never does anything: one of the two is likely not the number that was meant.',
      remedy: 'Lower it, or raise the limit around it.',
    },
    {
      code: 'rate-below-one-call',
      severity: 'warning',
      title: 'A limit of tokens below what one call may give',
      why: 'Each call alone is more than the whole window: one passes when the window is empty, and all others wait.',
      remedy: 'Raise the limit; `k` and `M` are thousands and millions.',
    },
  ],
  onlyWithoutErrors: true,
  check(workspace, report) {
    const { project } = workspace;
    if (!project) return;
    const all = budgetsOf(workspace, project);
    const byScope = Map.groupBy(all, ({ scope }) => scope);
    for (const inner of [...all, ...workspace.taskList().flatMap(allowanceOf), ...floorOf(project)]) {
      const around = [...(byScope.get('all') ?? []), ...(byScope.get(inner.scope) ?? [])];
      const outer = around.find((other) => other !== inner && covers(other, inner) && exceeds(inner, other));
      if (outer)
        report(
          'limit-never-reached',
          inner.at,
          `${printLimit(inner.limit)} is never reached by ${inner.what}: ${outer.what} refuses what is beyond ${printLimit(outer.limit)}.`,
          'Lower it, or raise the other.',
        );
    }
    checkRates(project, report);
    checkSmallest(workspace, project, report);
  },
};

interface Limit {
  /** `the budget "company"`. */
  readonly what: string;
  readonly at: Place;
  readonly limit: BudgetLimit;
  readonly per: BudgetWindow;
  /** Of which calls: the key of a scope; `all`. */
  readonly scope: string;
  readonly each: string | null;
  /** Whether it refuses anything, for every call of its scope. */
  readonly binds: boolean;
}

function budgetsOf(workspace: Workspace, project: ProjectDefinition): readonly Limit[] {
  const shared = Object.values(project.budgets).map((budget) => {
    const { scope } = budget;
    const key =
      scope.kind === 'all'
        ? 'all'
        : scope.kind === 'provider'
          ? `provider ${scope.provider.name}`
          : scope.kind === 'model'
            ? `model ${scope.model.name}`
            : `task ${scope.task.name}`;
    return limitOf(`the budget \`${budget.name}\``, budget, key);
  });
  const own = workspace
    .taskList()
    .flatMap(({ name, budget }) =>
      budget ? [limitOf(`the budget of \`${name}\``, budget, `task ${name}`)] : [],
    );
  return [...shared, ...own];
}

function limitOf(what: string, budget: TaskBudgetDefinition, scope: string): Limit {
  const { limit, per, each, when, then, at } = budget;
  return {
    what,
    at: memberPlace(budget, 'limit', at),
    limit,
    per,
    scope,
    each: each && (each.kind === 'tag' ? `tags.${each.tag}` : each.kind),
    binds: when === null && then !== 'warn',
  };
}

function allowanceOf({ name, allowance }: TaskDefinition): readonly Limit[] {
  if (allowance.costNanoUsd === null) return [];
  return [
    {
      what: `the allowance of \`${name}\``,
      at: memberPlace(allowance, 'cost', allowance.at),
      limit: { unit: 'usd', nanoUsd: allowance.costNanoUsd },
      per: { kind: 'run' },
      scope: `task ${name}`,
      each: null,
      binds: false,
    },
  ];
}

/** What the surge guard leaves alone. */
function floorOf({ guards: { surge } }: ProjectDefinition): readonly Limit[] {
  if (!surge) return [];
  return [
    {
      what: 'the floor of the surge guard',
      at: memberPlace(surge, 'floor', surge.at),
      limit: { unit: 'usd', nanoUsd: surge.floorNanoUsd },
      per: { kind: 'rolling', ms: surge.overMs },
      scope: 'all',
      each: null,
      binds: false,
    },
  ];
}

/** Of a scope that takes in the inner one: whether all that the inner limit counts in one of its windows is counted by the outer in one account, in one window or two. */
function covers(outer: Limit, inner: Limit): boolean {
  // A run has one caller, so an account for each caller holds all of it.
  const sameAccount =
    outer.each === null || outer.each === inner.each || (inner.per.kind === 'run' && outer.each === 'caller');
  return outer.binds && sameAccount && windowMs(outer.per) >= windowMs(inner.per);
}

/** A window that begins at any time may lie in two of the calendar's. */
function exceeds(inner: Limit, outer: Limit): boolean {
  const windows = outer.per.kind === 'calendar' && !nests(inner.per, outer.per) ? 2n : 1n;
  const [least, most] = [amountOfLimit(inner.limit), amountOfLimit(outer.limit)];
  return inner.limit.unit === outer.limit.unit && least > most * windows;
}

function nests(inner: BudgetWindow, outer: BudgetWindow): boolean {
  if (inner.kind === 'run') return true;
  if (inner.kind === 'rolling' || outer.kind !== 'calendar') return false;
  return inner.timeZone === outer.timeZone && !(inner.unit === 'week' && outer.unit === 'month');
}

const HOUR_MS = 3_600_000;
const CALENDAR_MS = {
  minute: 60_000,
  hour: HOUR_MS,
  day: 24 * HOUR_MS,
  week: 7 * 24 * HOUR_MS,
  month: 28 * 24 * HOUR_MS,
};

function windowMs(window: BudgetWindow): number {
  if (window.kind === 'run') return 0;
  return window.kind === 'rolling' ? window.ms : CALENDAR_MS[window.unit];
}

/** A model's own rate within its provider's. */
function checkRates({ models, providers }: ProjectDefinition, report: Report): void {
  for (const model of Object.values(models))
    for (const what of ['requests', 'tokens'] as const) {
      const [own, around] = [model.limits[what], providers[model.provider]?.limits[what]];
      if (!own || !around || !isAbove(own, around)) continue;
      report(
        'limit-never-reached',
        memberPlace(model, 'limits', model.at),
        `\`${what}\` of \`${model.key}\` is more than all of \`${model.provider}\` allows.`,
        'Lower it, or raise the limit of the provider.',
      );
    }
}

/** In windows of one length; others can each be the first to be full. */
function isAbove(own: RateDefinition, around: RateDefinition): boolean {
  return own.perMs === around.perMs && own.amount > around.amount;
}

/** Said only where no step at all asks for less. */
function checkSmallest(workspace: Workspace, { providers }: ProjectDefinition, report: Report): void {
  const asked = workspace.taskList().flatMap((task) =>
    modelSteps(task).flatMap((step) => {
      const rules = routeFor(workspace, task, step)?.rules ?? [];
      const names = rules.flatMap(({ from }) => from.map(({ provider }) => provider));
      return names.map((name) => ({ name, tokens: step.maxOutputTokens ?? ASSUMED_OUTPUT_TOKENS }));
    }),
  );
  for (const provider of Object.values(providers)) {
    const sizes = asked.flatMap(({ name, tokens }) => (name === provider.name ? [tokens] : []));
    const most = provider.limits.tokens?.amount;
    if (most === undefined || sizes.length === 0 || sizes.some((size) => size <= most)) continue;
    report(
      'rate-below-one-call',
      memberPlace(provider, 'limits', provider.at),
      `No call fits: the window takes ${most} tokens, and a call may give ${Math.min(...sizes)}.`,
      `Write a limit of tokens such as \`200k/min\`, or a smaller \`maxOutputTokens\`.`,
    );
  }
}

export function printLimit(limit: BudgetLimit): string {
  switch (limit.unit) {
    case 'usd':
      return `$${formatUsd(limit.nanoUsd)}`;
    case 'tokens':
      return `${limit.tokens} tokens`;
    case 'calls':
      return `${limit.calls} calls`;
  }
}
