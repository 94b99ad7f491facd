// CostStats: what was spent in a window, in all and by any dimensions.
import type { Refs } from '../refs.ts';
import { visibleBudgets } from './budget.ts';
import type { Builder } from '../builder.ts';
import type { SpendQuery, StatsDimension } from '../../../ledger/stats/port.ts';
import type { Enums } from './enums.ts';

/** The sums that fields of `CostBucket` show, but for those that are always read: cost, runs and attempts. */
const SUMS_OF: { readonly [field: string]: NonNullable<SpendQuery['sums']>[number] } = {
  saved: 'savedNanoUsd',
  savedAgainstDearest: 'savedNanoUsd',
  errors: 'errors',
  errorRate: 'errors',
  inputTokens: 'inputTokens',
  cachedInputTokens: 'cachedInputTokens',
  outputTokens: 'outputTokens',
  cacheWriteTokens: 'cacheWriteTokens',
  reasoningTokens: 'reasoningTokens',
  estimated: 'estimatedNanoUsd',
  cachedRuns: 'cachedRuns',
};

/** What has to be read for the fields of these names. */
export function wantedOf(fields: ReadonlySet<string>): Required<Pick<SpendQuery, 'latencies' | 'sums'>> {
  const names = [...fields];
  return {
    latencies: names.some((name) => /^(?:latency|firstToken)P\d+Ms$/.test(name)),
    sums: names.flatMap((name) => SUMS_OF[name] ?? []),
  };
}

type GroupKeyRef = ReturnType<typeof defineGroupKey>;

function defineGroupKey(builder: Builder) {
  return builder.objectRef<{ readonly dimension: StatsDimension; readonly value: string }>('CostGroupKey');
}

export function defineCostStats(builder: Builder, refs: Refs, enums: Enums): GroupKeyRef {
  refs.costStats.implement({
    description: 'What was spent, over closed attempts only.',
    fields: (t) => ({
      at: t.expose('atMs', { type: 'DateTime' }),
      window: t.expose('window', { type: enums.statsWindow }),
      total: t.expose('total', { type: refs.costBucket }),
      groups: t.expose('groups', {
        type: [refs.costGroup],
        description: 'One for each combination of the dimensions asked for, dearest first.',
      }),
      budgets: t.field({
        type: [refs.budget],
        resolve: (_stats, _args, context) => [...visibleBudgets(context)],
      }),
    }),
  });

  const groupKey = defineGroupKey(builder);
  groupKey.implement({
    fields: (t) => ({
      dimension: t.expose('dimension', { type: enums.statsDimension }),
      value: t.exposeString('value'),
    }),
  });

  refs.costGroup.implement({
    fields: (t) => ({
      keys: t.expose('keys', { type: [groupKey] }),
      key: t.string({
        description: 'The values of its keys, joined with ` · `.',
        resolve: ({ keys }) => keys.map(({ value }) => value).join(' · '),
      }),
      bucket: t.expose('bucket', { type: refs.costBucket }),
    }),
  });

  refs.costBucket.implement({
    fields: (t) => ({
      cost: t.expose('costNanoUsd', { type: 'USD' }),
      saved: t.expose('savedNanoUsd', {
        type: 'USD',
        description: 'Against the dearest candidate; `savedAgainstDearest` by its older name.',
      }),
      savedAgainstDearest: t.expose('savedNanoUsd', {
        type: 'USD',
        description:
          'What the dearest candidate of each decision would have cost more, and the whole cost of answers from the cache. `savings` counts against the baseline.',
      }),
      runs: t.exposeInt('runs'),
      attempts: t.exposeInt('attempts'),
      errors: t.exposeInt('errors', { description: 'Attempts that failed.' }),
      errorRate: t.float({
        description: 'Share of the attempts that failed, 0 to 1.',
        resolve: ({ errors, attempts }) => (attempts === 0 ? 0 : errors / attempts),
      }),
      inputTokens: t.expose('inputTokens', { type: 'BigInt' }),
      cachedInputTokens: t.expose('cachedInputTokens', { type: 'BigInt' }),
      outputTokens: t.expose('outputTokens', { type: 'BigInt' }),
      cacheWriteTokens: t.expose('cacheWriteTokens', { type: 'BigInt' }),
      reasoningTokens: t.expose('reasoningTokens', { type: 'BigInt' }),
      estimated: t.expose('estimatedNanoUsd', {
        type: 'USD',
        description:
          "The part of the cost that was settled by what was seen, not by the provider's own count.",
      }),
      cachedRuns: t.exposeInt('cachedRuns', {
        description: 'Runs that were answered without a call: by the cache, or by the loop guard.',
      }),
      latencyP50Ms: t.exposeFloat('latencyP50Ms', { nullable: true }),
      latencyP95Ms: t.exposeFloat('latencyP95Ms', { nullable: true }),
      latencyP99Ms: t.exposeFloat('latencyP99Ms', { nullable: true }),
      firstTokenP50Ms: t.exposeFloat('firstTokenP50Ms', { nullable: true }),
      perMinute: t.expose('perMinute', {
        type: [refs.costPoint],
        description: 'Oldest first, at most 60 points; none of a `Spend`, which has its `series`.',
      }),
    }),
  });

  refs.costPoint.implement({
    fields: (t) => ({
      at: t.expose('atMs', { type: 'DateTime' }),
      cost: t.expose('costNanoUsd', { type: 'USD' }),
      runs: t.exposeInt('runs'),
    }),
  });
  return groupKey;
}
