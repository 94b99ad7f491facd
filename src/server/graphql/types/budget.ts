// Budget: a limit over a time, what is spent of it and what is held.
import { NANO_PER_USD } from '../../../common/money.ts';
import type { BudgetView } from '../../../engine/budget/port.ts';
import type { PlanBudget, PlanWindow } from '../../../language/plan/types.ts';
import { READ_COST } from '../builder.ts';
import type { Builder } from '../builder.ts';
import type { RequestContext } from '../context.ts';
import type { Refs } from '../refs.ts';
import { maySeeSpendOf } from '../../../engine/execution/scopes.ts';
import type { Enums } from './enums.ts';

/** Parts a budget's id from its account's name: neither has it. */
const ACCOUNT_MARK = '#';

export function defineBudget(builder: Builder, refs: Refs, enums: Enums): void {
  builder.node(refs.budget, {
    description: 'One account of one budget: spent and held never exceed the limit, unless `then` is WARN.',
    id: { resolve: (view) => nodeId(view) },
    loadOne: (id, context) => {
      const found = visibleBudgets(context).find((view) => nodeId(view) === id);
      return found === undefined ? null : { ...found };
    },
    fields: (t) => ({
      name: t.string({ resolve: ({ budget }) => budget.name }),
      scope: t.string({
        description: '`all`, `provider:openai`, `model:openai/gpt…`, `task:summarize`.',
        resolve: ({ budget }) => scopeText(budget),
      }),
      account: t.exposeString('account', {
        description: "The caller, team or tag's value it is kept for; empty: one account in all.",
      }),
      each: t.string({
        nullable: true,
        description:
          'What it has an account for each of: `caller`, `team`, `session` or `tag:plan`; null: one account in all.',
        resolve: ({ budget: { each } }) => (each?.kind === 'tag' ? `tag:${each.tag}` : (each?.kind ?? null)),
      }),
      unit: t.field({
        type: enums.budgetUnit,
        description: 'What the amounts count.',
        resolve: ({ budget }) => budget.limit.unit,
      }),
      limit: t.field({
        type: 'USD',
        description: AMOUNT,
        resolve: ({ budget, limit }) => amount(budget.limit.unit, limit),
      }),
      spent: t.field({
        type: 'USD',
        description: AMOUNT,
        resolve: ({ budget, spent }) => amount(budget.limit.unit, spent),
      }),
      held: t.field({
        type: 'USD',
        description: AMOUNT,
        resolve: ({ budget, held }) => amount(budget.limit.unit, held),
      }),
      per: t.string({
        description: '`run`, `day`, `month`…, or the length of a rolling window: `15m`.',
        resolve: ({ budget }) => windowText(budget.per),
      }),
      windowStartedAt: t.expose('windowStartedAtMs', { type: 'DateTime' }),
      resetsAt: t.expose('resetsAtMs', { type: 'DateTime', nullable: true }),
      then: t.field({ type: enums.budgetAction, resolve: ({ budget }) => budget.then }),
      warnAt: t.floatList({
        description: 'Shares of the limit, 0 to 1.',
        resolve: ({ budget }) => [...budget.warnAt],
      }),
      forecast: t.field({
        type: refs.forecast,
        nullable: true,
        description:
          'How it will end, from its own past by hour and weekday. Null: it has no end to be reached (`per: run`, a rolling window), or a condition says which calls count.',
        complexity: READ_COST,
        resolve: async (view, _args, context) => {
          const forecast = await context.services.stats.forecast(view);
          return forecast && { ...forecast, unit: view.budget.limit.unit };
        },
      }),
      calls: t.exposeInt('calls', { description: 'Calls in the current window.' }),
    }),
  });
}

export function defineForecast(refs: Refs): void {
  const inUnit = (unit: 'usd' | 'tokens' | 'calls', value: bigint | null): bigint | null =>
    value === null ? null : amount(unit, value);
  refs.forecast.implement({
    description: 'What a budget will have spent when its window ends, and when it will be spent.',
    fields: (t) => ({
      endsAt: t.expose('endsAtMs', { type: 'DateTime', description: 'When the window ends.' }),
      exhaustedAt: t.expose('exhaustedAtMs', {
        type: 'DateTime',
        nullable: true,
        description: 'When it is expected to be spent; null: not before the window ends.',
      }),
      earliest: t.expose('earliestMs', {
        type: 'DateTime',
        nullable: true,
        description: 'The same if as much is spent as `high` says.',
      }),
      latest: t.expose('latestMs', {
        type: 'DateTime',
        nullable: true,
        description: 'The same if as little is spent as `low` says.',
      }),
      expected: t.field({
        type: 'USD',
        nullable: true,
        description: `Spent when the window ends; null: there is no past yet. ${AMOUNT}`,
        resolve: ({ unit, expected }) => inUnit(unit, expected),
      }),
      low: t.field({
        type: 'USD',
        nullable: true,
        description: `Four ends in five lie from here to \`high\`, where the days to come are like those that were; null: there are fewer than two. ${AMOUNT}`,
        resolve: ({ unit, low }) => inUnit(unit, low),
      }),
      high: t.field({
        type: 'USD',
        nullable: true,
        description: AMOUNT,
        resolve: ({ unit, high }) => inUnit(unit, high),
      }),
      pastDays: t.exposeInt('pastDays', {
        description: 'Whole days of its own past that this is from, 28 at the most.',
      }),
    }),
  });
}

export const AMOUNT = 'In dollars; where `unit` is TOKENS or CALLS, the plain number.';

/** The scalar writes nano-units: a count of tokens or calls is scaled so that it comes out as itself. */
export function amount(unit: 'usd' | 'tokens' | 'calls', value: bigint): bigint {
  return unit === 'usd' ? value : value * NANO_PER_USD;
}

function nodeId(view: BudgetView): string {
  return view.account === '' ? view.budget.id : `${view.budget.id}${ACCOUNT_MARK}${view.account}`;
}

/** All of them with `read:stats`; else only the accounts that are the viewer's own. */
export function visibleBudgets(context: RequestContext): readonly BudgetView[] {
  const views = context.services.budgets.views();
  return views.filter(({ budget, account }) => maySeeSpendOf(context.caller, ownerOf(budget, account)));
}

/** The caller whose account it is; '' where it is not one caller's. */
function ownerOf({ each }: PlanBudget, account: string): string {
  if (each?.kind === 'session') return account.slice(0, account.lastIndexOf('/'));
  return each?.kind === 'caller' ? account : '';
}

function scopeText({ scope }: PlanBudget): string {
  switch (scope.kind) {
    case 'all':
      return 'all';
    case 'provider':
      return `provider:${scope.provider}`;
    case 'model':
      return `model:${scope.model}`;
    case 'task':
      return `task:${scope.task}`;
  }
}

const UNITS: readonly (readonly [suffix: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

function windowText(window: PlanWindow): string {
  if (window.kind === 'run') return 'run';
  if (window.kind === 'calendar') return window.unit;
  const unit = UNITS.find(([, ms]) => window.ms % ms === 0);
  return unit === undefined ? `${window.ms}ms` : `${window.ms / unit[1]}${unit[0]}`;
}
