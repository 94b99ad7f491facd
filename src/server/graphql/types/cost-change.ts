// CostChange: why a cost changed, by cause and by revision, with the lines of the workflows that did it.
import { diffPlans } from '../../../revisions/diff/diff.ts';
import type { ChangedLine } from '../../../revisions/port.ts';
import { decodePlan } from '../../../language/plan/encode.ts';
import type { CostChange, RevisionEffect } from '../../../ledger/stats/port.ts';
import type { TimeSpan } from '../../../ledger/rollup/span.ts';
import { READ_COST } from '../builder.ts';
import type { Builder } from '../builder.ts';
import type { RequestContext } from '../context.ts';
import type { Refs, RevisionShape } from '../refs.ts';
import { hasScope, READ_STATS } from '../../../engine/execution/scopes.ts';
import type { defineCostStats } from './cost-stats.ts';
import type { Enums } from './enums.ts';

const MOST_LINES = 100;

export function defineCostChange(
  builder: Builder,
  refs: Refs,
  enums: Enums,
  groupKey: ReturnType<typeof defineCostStats>,
): void {
  const span = builder.objectRef<TimeSpan>('Span');
  span.implement({
    fields: (t) => ({
      from: t.expose('fromMs', { type: 'DateTime' }),
      to: t.expose('toMs', { type: 'DateTime' }),
    }),
  });
  const effect = builder.objectRef<CostChange['byCause'][number]>('CostEffect');
  effect.implement({
    fields: (t) => ({
      cause: t.expose('cause', { type: enums.costCause }),
      amount: t.expose('amountNanoUsd', { type: 'USD', description: 'Below 0: it made it cheaper.' }),
    }),
  });
  const line = builder.objectRef<ChangedLine>('ChangedLine');
  line.implement({
    description: 'A line of the workflows that a commit changed.',
    fields: (t) => ({
      file: t.exposeString('file'),
      line: t.exposeInt('line', { description: 'From 1, in the later commit.' }),
      before: t.exposeString('before', { nullable: true, description: 'Null: it was added.' }),
      after: t.exposeString('after', { nullable: true, description: 'Null: it was taken out.' }),
      commit: t.string({
        nullable: true,
        description: 'The commit that did it; null: it lies too far back.',
        resolve: ({ commit }) => commit?.hash ?? null,
      }),
      author: t.string({ nullable: true, resolve: ({ commit }) => commit?.author ?? null }),
      subject: t.string({
        nullable: true,
        description: "The commit message's first line.",
        resolve: ({ commit }) => commit?.subject ?? null,
      }),
    }),
  });
  const ofRevision = builder.objectRef<RevisionEffect>('RevisionEffect');
  ofRevision.implement({
    fields: (t) => ({
      revision: t.field({
        type: refs.revision,
        nullable: true,
        description: 'Null: the same workflows; what was asked of them was different.',
        resolve: ({ revision }, _args, context) => revisionOf(revision, context),
      }),
      before: t.field({
        type: refs.revision,
        nullable: true,
        description: 'The revision that it followed.',
        resolve: ({ before }, _args, context) => revisionOf(before, context),
      }),
      amount: t.expose('amountNanoUsd', { type: 'USD' }),
      byCause: t.expose('byCause', { type: [effect] }),
      changes: t.stringList({
        description: 'What the revision changed, in words. Needs the scope "read:stats".',
        complexity: READ_COST,
        resolve: (of, _args, context) => changesOf(of, context),
      }),
      lines: t.field({
        type: [line],
        description: `The lines of the workflows that differ from the revision before it, each with its commit, ${MOST_LINES} at the most; none where the workflows do not come from git. Needs the scope "read:stats".`,
        complexity: READ_COST,
        resolve: (of, _args, context) => linesOf(of, context),
      }),
    }),
  });
  const group = builder.objectRef<CostChange['groups'][number]>('CostChangeGroup');
  group.implement({
    fields: (t) => ({
      keys: t.expose('keys', { type: [groupKey] }),
      key: t.string({
        description: 'The values of its keys, joined with ` · `.',
        resolve: ({ keys }) => keys.map(({ value }) => value).join(' · '),
      }),
      fromCost: t.expose('fromNanoUsd', { type: 'USD' }),
      toCost: t.expose('toNanoUsd', { type: 'USD' }),
      change: t.expose('changeNanoUsd', { type: 'USD' }),
      byCause: t.expose('byCause', { type: [effect] }),
    }),
  });
  refs.costChange.implement({
    description:
      'The difference of two spans, split exactly: the causes add up to the change, and so do the revisions, and so do the groups.',
    fields: (t) => ({
      from: t.expose('from', {
        type: [span],
        description: 'One, or the weeks that the usual is the mean of; none: there was no week before.',
      }),
      to: t.expose('to', { type: span }),
      complete: t.exposeBoolean('complete', {
        description: 'False: rows at an edge of a span are deleted by now, and are not in the sums.',
      }),
      fromCost: t.expose('fromNanoUsd', { type: 'USD' }),
      toCost: t.expose('toNanoUsd', { type: 'USD' }),
      change: t.expose('changeNanoUsd', { type: 'USD' }),
      byCause: t.expose('byCause', { type: [effect], description: 'Largest first.' }),
      byRevision: t.expose('byRevision', { type: [ofRevision], description: 'Largest first.' }),
      groups: t.expose('groups', { type: [group], description: 'Largest first.' }),
    }),
  });
}

async function revisionOf(hash: string | null, context: RequestContext): Promise<RevisionShape | null> {
  return hash === null ? null : { hash, record: await context.loaders.revision.load(hash) };
}

async function changesOf(
  { revision, before }: RevisionEffect,
  { services, caller }: RequestContext,
): Promise<string[]> {
  if (revision === null || before === null || !hasScope(caller, READ_STATS)) return [];
  const { ledger } = services;
  const [from, to] = await Promise.all([ledger.planText(before), ledger.planText(revision)]);
  if (from === undefined || to === undefined) return [];
  return diffPlans(decodePlan(from), decodePlan(to)).changes.map(
    ({ subject, message }) => `${subject} ${message}`,
  );
}

async function linesOf(
  { revision, before }: RevisionEffect,
  { services, caller, loaders }: RequestContext,
): Promise<ChangedLine[]> {
  if (revision === null || before === null || !hasScope(caller, READ_STATS)) return [];
  const [from, to] = await Promise.all([loaders.revision.load(before), loaders.revision.load(revision)]);
  const [earlier, later] = [from?.commit ?? null, to?.commit ?? null];
  if (earlier === null || later === null || earlier === later) return [];
  return ((await services.revisions.changesBetween(earlier, later)) ?? []).slice(0, MOST_LINES);
}
