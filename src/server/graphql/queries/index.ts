// The queries.
import { needs, READ_COST } from '../builder.ts';
import type { Builder } from '../builder.ts';
import { confine } from '../confine.ts';
import { selected } from '../selects.ts';
import { given, runFilterOf, spanOf, spendFilterOf } from '../inputs.ts';
import type { Inputs } from '../inputs.ts';
import { connectionOf, pageComplexity, pageRequest } from '../paging.ts';
import type { Refs } from '../refs.ts';
import { READ_ALL, READ_STATS } from '../../../engine/execution/scopes.ts';
import { ESTIMATES_LISTED_MS } from '../../../ledger/port.ts';
import type { TaskModel } from '../tasks.ts';
import { visibleBudgets } from '../types/budget.ts';
import { wantedOf } from '../types/cost-stats.ts';
import type { Enums } from '../types/enums.ts';
import { shapeOfRecord } from '../types/run-shape.ts';
import { visibleRun } from '../types/run.ts';

const TAG_KEY =
  'By TAG: the values of this tag alone, empty where a run has none, so that the groups add up to the total.';

const MOST_ESTIMATES = 1_000;

export function defineQueries(
  builder: Builder,
  refs: Refs,
  enums: Enums,
  inputs: Inputs,
  tasks: TaskModel,
): void {
  builder.queryFields((t) => ({
    taskTypes: t.field({
      type: [refs.taskType],
      description: 'The tasks of the active revision.',
      resolve: () => tasks.taskTypes,
    }),
    taskType: t.field({
      type: refs.taskType,
      nullable: true,
      args: { name: t.arg.string({ required: true }) },
      resolve: (_root, { name }) => {
        const found = tasks.taskType(name);
        return found.task === null ? null : found;
      },
    }),
    run: t.field({
      type: refs.run,
      nullable: true,
      description: 'Null: there is none, or it is not yours to see.',
      complexity: READ_COST,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_root, { id }, context) => visibleRun(id, context),
    }),
    runs: t.connection(
      {
        type: refs.run,
        description: 'Newest first. Your own; all with the scope "read:all".',
        complexity: pageComplexity,
        args: { filter: t.arg({ type: inputs.runFilter }) },
        resolve: async (_root, args, context) => {
          const request = pageRequest(args, 'run_');
          const filter = confine(runFilterOf(args.filter), READ_ALL, 'Query.runs', context);
          const page = await context.services.ledger.runs(filter, request);
          return connectionOf(page, request, ({ id }) => id, shapeOfRecord);
        },
      },
      { name: 'RunConnection' },
      { name: 'RunEdge' },
    ),
    costStats: t.field({
      type: refs.costStats,
      description: 'What was spent. By you; by all with the scope "read:stats".',
      complexity: 10,
      args: {
        window: t.arg({ type: enums.statsWindow, required: true, defaultValue: 'DAY' }),
        by: t.arg({ type: [enums.statsDimension] }),
        filter: t.arg({ type: inputs.runFilter }),
      },
      resolve: (_root, { window, by, filter }, context) =>
        context.services.stats.costStats({
          window,
          by: by ?? [],
          filter: confine(runFilterOf(filter), READ_STATS, 'Query.costStats', context),
        }),
    }),
    spend: t.field({
      type: refs.spend,
      description:
        'What was spent in any span of time, to the nano-dollar. By you; by all with the scope "read:stats".',
      complexity: 10,
      args: {
        span: t.arg({ type: inputs.span, required: true }),
        by: t.arg({ type: [enums.statsDimension] }),
        tagKey: t.arg.string({ description: TAG_KEY }),
        filter: t.arg({ type: inputs.spendFilter }),
        every: t.arg({ type: enums.calendarUnit, description: 'Also each hour, day, week or month of it.' }),
        first: t.arg.int({
          description:
            'At most so many groups, the dearest; left out: all of them. There may be a session for every few runs.',
        }),
      },
      resolve: (_root, { span, by, tagKey, filter, every, first }, context, info) =>
        context.services.stats.spend({
          span: spanOf(span),
          by: by ?? [],
          ...wantedOf(selected(info)),
          ...given('tagKey', tagKey),
          ...given('every', every),
          ...given('first', first),
          filter: confine(spendFilterOf(filter), READ_STATS, 'Query.spend', context),
        }),
    }),
    savings: t.field({
      type: refs.savings,
      description:
        'What was saved against the baseline that the workflows name, by cause; failures count against. Yours; everybody\'s with the scope "read:stats".',
      complexity: 10,
      args: {
        span: t.arg({ type: inputs.span, required: true }),
        by: t.arg({ type: [enums.statsDimension] }),
        tagKey: t.arg.string({ description: TAG_KEY }),
        filter: t.arg({ type: inputs.spendFilter }),
      },
      resolve: (_root, { span, by, tagKey, filter }, context) =>
        context.services.stats.savings({
          span: spanOf(span),
          by: by ?? [],
          ...given('tagKey', tagKey),
          filter: confine(spendFilterOf(filter), READ_STATS, 'Query.savings', context),
        }),
    }),
    costChange: t.field({
      type: refs.costChange,
      description:
        'Why a cost changed: the difference of two spans by cause and by revision, to the nano-dollar. Yours; everybody\'s with the scope "read:stats".',
      complexity: 20,
      args: {
        from: t.arg({
          type: inputs.span,
          description: 'Left out: the usual, which is the mean of the same hours of up to four weeks before.',
        }),
        to: t.arg({ type: inputs.span, required: true }),
        by: t.arg({ type: [enums.statsDimension] }),
        tagKey: t.arg.string({ description: 'By TAG: the values of this tag; needed with it.' }),
        filter: t.arg({ type: inputs.spendFilter }),
      },
      resolve: (_root, { from, to, by, tagKey, filter }, context) =>
        context.services.stats.costChange({
          ...given('from', from && spanOf(from)),
          to: spanOf(to),
          by: by ?? [],
          ...given('tagKey', tagKey),
          filter: confine(spendFilterOf(filter), READ_STATS, 'Query.costChange', context),
        }),
    }),
    pace: t.field({
      type: refs.pace,
      description: 'Dollars a minute now, and as usual at this hour of the week.',
      complexity: 10,
      args: { filter: t.arg({ type: inputs.spendFilter }) },
      resolve: (_root, { filter }, context) =>
        context.services.stats.pace(confine(spendFilterOf(filter), READ_STATS, 'Query.pace', context)),
    }),
    budgets: t.field({
      type: [refs.budget],
      description: 'Your own accounts; all with the scope "read:stats".',
      complexity: READ_COST,
      resolve: (_root, _args, context) => [...visibleBudgets(context)],
    }),
    providers: t.field({
      type: [refs.provider],
      resolve: (_root, _args, context) =>
        context.services.providers.list().map((status) => ({ name: status.name, status })),
    }),
    revisions: t.connection(
      {
        type: refs.revision,
        description: 'Newest first.',
        authScopes: needs.readStats,
        complexity: pageComplexity,
        resolve: async (_root, args, context) => {
          const request = pageRequest(args, '');
          const page = await context.services.ledger.revisions(request);
          return connectionOf(
            page,
            request,
            ({ hash }) => hash,
            (record) => ({ hash: record.hash, record }),
          );
        },
      },
      { name: 'RevisionConnection' },
      { name: 'RevisionEdge' },
    ),
    alerts: t.connection(
      {
        type: refs.alert,
        description: 'Newest first.',
        authScopes: needs.readStats,
        complexity: pageComplexity,
        resolve: async (_root, args, context) => {
          const request = pageRequest(args, 'alr_');
          const page = await context.services.ledger.alerts(request);
          return connectionOf(
            page,
            request,
            ({ id }) => id,
            (alert) => alert,
          );
        },
      },
      { name: 'AlertConnection' },
      { name: 'AlertEdge' },
    ),
    spendSwitches: t.field({
      type: [refs.spendSwitch],
      description: 'The scopes in which spending is stopped now.',
      authScopes: needs.readStats,
      resolve: (_root, _args, context) => context.services.guards.switches(),
    }),
    nodes: t.field({
      type: [refs.serverNode],
      description:
        'The processes that share the ledger and show signs of life; none where the ledger is a file.',
      authScopes: needs.readStats,
      resolve: (_root, _args, context) => [...context.services.nodes()],
    }),
    viewer: t.field({
      type: refs.caller,
      description: 'Who asks.',
      resolve: (_root, _args, { caller }) => ({
        name: caller.name,
        team: caller.team,
        tier: caller.tier,
        self: caller,
      }),
    }),
    apiKeys: t.field({
      type: [refs.apiKey],
      authScopes: needs.admin,
      resolve: (_root, _args, context) => context.services.keys.list(),
    }),
    unreconciled: t.field({
      type: [refs.attempt],
      description:
        'Attempts whose process died: they may have been billed, and are held at their worst case.',
      authScopes: needs.admin,
      complexity: READ_COST,
      resolve: (_root, _args, context) => context.services.ledger.unreconciled(),
    }),
    estimates: t.field({
      type: [refs.attempt],
      description:
        'Attempts of the last 31 days that were settled at an estimate, the dearest first: `reconcileAttempt` lowers each to what the bill says.',
      authScopes: needs.admin,
      args: { first: t.arg.int({ required: true, defaultValue: 100 }) },
      complexity: READ_COST,
      resolve: (_root, { first }, { services: { ledger, clock } }) =>
        ledger.estimates(clock.nowMs() - ESTIMATES_LISTED_MS, Math.min(Math.max(first, 1), MOST_ESTIMATES)),
    }),
  }));
}
