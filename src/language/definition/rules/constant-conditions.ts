// Conditions that are decided before any run: an answer that no candidate could give, a step or a budget that is switched off.
import { constantCondition } from '../../expression/constant.ts';
import { memberPlace } from '../located.ts';
import type { Expression, TaskDefinition } from '../types.ts';
import type { Workspace } from '../workspace.ts';
import type { Report, Rule } from './rule.ts';
import { modelSteps } from './walk.ts';

export const constantConditions: Rule = {
  diagnostics: [
    {
      code: 'accept-never-holds',
      severity: 'error',
      title: 'An `accept` that no answer can meet',
      why: 'Every candidate would be asked and paid for, and the run would fail all the same.',
      remedy: 'Say what a good answer is, over `output`; or remove `accept`.',
    },
    {
      code: 'step-never-runs',
      severity: 'warning',
      title: 'A step that is switched off',
      why: 'Its `when` never holds: what reads it gets null on every run.',
      remedy: 'Change the `when`, or remove the step.',
    },
    {
      code: 'budget-never-applies',
      severity: 'warning',
      title: 'A budget that limits nothing',
      why: 'Its `when` never holds, or what it counts costs nothing: money is spent as if it were not there.',
      remedy: 'Change the `when` or the unit of the limit, or remove the budget.',
    },
    {
      code: 'condition-always-holds',
      severity: 'warning',
      title: 'A condition that always holds',
      why: 'It asks nothing: what looks like a check lets everything pass.',
      remedy: 'Change it, or remove it. `size(x) >= 0` and `x != "a" || x != "b"` hold for every x.',
    },
  ],
  check(workspace, report) {
    for (const task of workspace.taskList()) checkTask(task, report);
    checkBudgets(workspace, report);
    checkFree(workspace, report);
    for (const condition of conditions(workspace)) checkAlways(condition, report);
  },
};

function checkTask(task: TaskDefinition, report: Report): void {
  for (const { key, when } of task.steps)
    if (neverHolds(when))
      report(
        'step-never-runs',
        when.at,
        `The step \`${key}\` never runs: its \`when\` never holds.`,
        'Change the `when`, or remove the step.',
      );
  for (const { accept } of modelSteps(task))
    if (neverHolds(accept))
      report(
        'accept-never-holds',
        accept.at,
        'No answer is ever accepted: this never holds.',
        'Say what a good answer is: `accept: size(output.text) > 0`; or remove `accept`.',
      );
}

function checkBudgets(workspace: Workspace, report: Report): void {
  const shared = Object.values(workspace.project?.budgets ?? {});
  const own = workspace
    .taskList()
    .flatMap(({ name, budget }) => (budget ? [{ name: `task:${name}`, when: budget.when }] : []));
  for (const { name, when } of [...shared, ...own])
    if (neverHolds(when))
      report(
        'budget-never-applies',
        when.at,
        `The budget \`${name}\` never applies: its \`when\` never holds.`,
        'Change the `when`, or remove the budget.',
      );
}

/** Those of routes are judged with their rules. */
function conditions(workspace: Workspace): readonly (Expression | null)[] {
  const tasks = workspace.taskList();
  return [
    ...Object.values(workspace.project?.budgets ?? {}).map(({ when }) => when),
    ...tasks.map(({ budget }) => budget?.when ?? null),
    ...tasks.flatMap(({ steps }) => steps.map(({ when }) => when)),
    ...tasks.flatMap(modelSteps).map(({ accept }) => accept),
    ...tasks.flatMap(({ tests }) => tests.flatMap(({ expect }) => expect)),
  ];
}

/** Whoever writes `true` means it. */
function checkAlways(condition: Expression | null, report: Report): void {
  if (condition === null || condition.source === 'true' || constantCondition(condition.source) !== true)
    return;
  report(
    'condition-always-holds',
    condition.at,
    'This always holds.',
    'Change it, or remove it; an `or` of two `!=` is likely meant as an `and`.',
  );
}

/** Dollars of a provider whose models cost nothing: the built-in one, or one whose price is free. */
function checkFree({ project }: Workspace, report: Report): void {
  for (const budget of Object.values(project?.budgets ?? {})) {
    const { name, limit, scope, at } = budget;
    if (limit.unit !== 'usd' || scope.kind !== 'provider' || !project) continue;
    const provider = project.providers[scope.provider.name];
    if (!provider || (provider.adapter !== 'builtin' && provider.price?.kind !== 'free')) continue;
    const priced = Object.values(project.models).some(
      (model) => model.provider === provider.name && model.price?.kind === 'rates',
    );
    if (priced) continue;
    report(
      'budget-never-applies',
      memberPlace(budget, 'limit', at),
      `The budget \`${name}\` never applies: the models of \`${provider.name}\` are free.`,
      'Limit calls or tokens, `500 calls` or `2M tokens`; or write the price of the provider.',
    );
  }
}

function neverHolds(condition: Expression | null): condition is Expression {
  return condition !== null && constantCondition(condition.source) === false;
}
