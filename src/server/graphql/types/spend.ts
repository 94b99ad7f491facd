// Spend, Savings and Pace: any span of time, by any dimension; what it saved, and how fast it goes.
import type { Savings, SpendPart } from '../../../ledger/stats/port.ts';
import type { Builder } from '../builder.ts';
import type { Refs } from '../refs.ts';
import type { defineCostStats } from './cost-stats.ts';
import type { Enums } from './enums.ts';

const COMPLETE =
  'False: rows at an edge of the span are deleted by now, and are not in the sums; whole days always are.';

export function defineSpend(
  builder: Builder,
  refs: Refs,
  enums: Enums,
  groupKey: ReturnType<typeof defineCostStats>,
): void {
  const part = builder.objectRef<SpendPart>('SpendPart');
  part.implement({
    description: 'One calendar unit of a span, or what the span has of it.',
    fields: (t) => ({
      from: t.expose('fromMs', { type: 'DateTime' }),
      to: t.expose('toMs', { type: 'DateTime' }),
      bucket: t.expose('bucket', {
        type: refs.costBucket,
        description: 'Latencies are those of the whole span only: here they are null.',
      }),
    }),
  });
  refs.spend.implement({
    description: 'What was spent in a span of time, exactly, over closed attempts only.',
    fields: (t) => ({
      from: t.expose('fromMs', { type: 'DateTime' }),
      to: t.expose('toMs', { type: 'DateTime' }),
      complete: t.exposeBoolean('complete', { description: COMPLETE }),
      total: t.expose('total', { type: refs.costBucket }),
      groups: t.expose('groups', {
        type: [refs.costGroup],
        description: 'One for each combination of the dimensions asked for, dearest first.',
      }),
      groupCount: t.exposeInt('groupCount', {
        description: 'How many groups there are, also where `first` leaves some out.',
      }),
      series: t.expose('series', {
        type: [part],
        description: 'By `every`, oldest first; empty where it is not asked for.',
      }),
    }),
  });

  const saving = builder.objectRef<Savings['total']['parts'][number]>('Saving');
  saving.implement({
    fields: (t) => ({
      cause: t.expose('cause', { type: enums.savingCause }),
      amount: t.expose('amountNanoUsd', { type: 'USD', description: 'Below 0: it cost more.' }),
      estimated: t.exposeBoolean('estimated', {
        description: "The other side is another model's price of the same tokens; else both were measured.",
      }),
    }),
  });
  refs.savingsSum.implement({
    description: 'What was saved against the baseline that the workflows name.',
    fields: (t) => ({
      cost: t.expose('costNanoUsd', { type: 'USD', description: 'What was paid.' }),
      net: t.expose('netNanoUsd', { type: 'USD', description: 'The sum of the causes.' }),
      baselineCost: t.expose('baselineNanoUsd', {
        type: 'USD',
        description: 'What would have been paid: cost and net.',
      }),
      byCause: t.expose('parts', { type: [saving] }),
      withoutBaseline: t.expose('unbaselinedNanoUsd', {
        type: 'USD',
        description:
          'The part of the cost for which no baseline was named: routing saves nothing there that could be counted.',
      }),
    }),
  });
  const group = builder.objectRef<Savings['groups'][number]>('SavingsGroup');
  group.implement({
    fields: (t) => ({
      keys: t.expose('keys', { type: [groupKey] }),
      key: t.string({
        description: 'The values of its keys, joined with ` · `.',
        resolve: ({ keys }) => keys.map(({ value }) => value).join(' · '),
      }),
      savings: t.expose('sum', { type: refs.savingsSum }),
    }),
  });
  refs.savings.implement({
    fields: (t) => ({
      from: t.expose('fromMs', { type: 'DateTime' }),
      to: t.expose('toMs', { type: 'DateTime' }),
      complete: t.exposeBoolean('complete', { description: COMPLETE }),
      total: t.expose('total', { type: refs.savingsSum }),
      groups: t.expose('groups', { type: [group], description: 'What saved most first.' }),
    }),
  });

  refs.pace.implement({
    description: 'Dollars a minute.',
    fields: (t) => ({
      at: t.expose('atMs', { type: 'DateTime' }),
      perMinute: t.expose('nanoUsdPerMinute', {
        type: 'USD',
        description: 'Of the last five whole minutes.',
      }),
      usualPerMinute: t.expose('usualNanoUsdPerMinute', {
        type: 'USD',
        nullable: true,
        description: 'Of the same hour in up to four weeks before; null: nothing was counted a week ago.',
      }),
      weeks: t.exposeInt('weeks', { description: 'Weeks that the usual is the mean of.' }),
    }),
  });
}
