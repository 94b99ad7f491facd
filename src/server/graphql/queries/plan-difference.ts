// planDifference: what one revision means that another does not, as `headgate plan` says it.
import { GraphQLError } from 'graphql';
import { decodePlan } from '../../../language/plan/encode.ts';
import type { Plan } from '../../../language/plan/types.ts';
import type { PlanDiff } from '../../../revisions/diff/diff.ts';
import { needs, READ_COST } from '../builder.ts';
import type { Builder } from '../builder.ts';
import type { RequestContext } from '../context.ts';

export function definePlanDifference(builder: Builder): void {
  const change = builder.objectRef<PlanDiff['changes'][number]>('PlanChange').implement({
    description: 'One difference in meaning between two revisions.',
    fields: (t) => ({
      subject: t.exposeString('subject', { description: '`task summarize`, `budget company`.' }),
      message: t.exposeString('message'),
      effects: t.stringList({
        description: 'What it means for callers, money and safety: `limit-raised`, `breaking`.',
        resolve: ({ effects }) => [...effects],
      }),
    }),
  });
  const worst = builder.objectRef<PlanDiff['worstCosts'][number]>('WorstCost').implement({
    description: 'The most that one run of a task can cost.',
    fields: (t) => ({
      task: t.exposeString('task'),
      before: t.expose('beforeNanoUsd', {
        type: 'USD',
        nullable: true,
        description: 'Null: it has no such task.',
      }),
      after: t.expose('afterNanoUsd', { type: 'USD', nullable: true }),
    }),
  });
  const difference = builder.objectRef<PlanDiff>('PlanDifference').implement({
    description: 'What changes when one revision follows another; no change: both mean the same.',
    fields: (t) => ({
      before: t.exposeString('before', { description: "The revision's hash." }),
      after: t.exposeString('after', { description: "The revision's hash." }),
      changes: t.field({ type: [change], resolve: ({ changes }) => [...changes] }),
      worstCosts: t.field({ type: [worst], resolve: ({ worstCosts }) => [...worstCosts] }),
    }),
  });
  builder.queryField('planDifference', (t) =>
    t.field({
      type: difference,
      description: 'What changes when the revision `after` follows `before`, both named by their whole hash.',
      authScopes: needs.readStats,
      complexity: READ_COST,
      args: { before: t.arg.string({ required: true }), after: t.arg.string({ required: true }) },
      resolve: async (_root, { before, after }, context) => {
        const [{ diffPlans }, ...plans] = await Promise.all([
          import('../../../revisions/diff/diff.ts'),
          planOf(before, context),
          planOf(after, context),
        ]);
        return diffPlans(...plans);
      },
    }),
  );
}

async function planOf(hash: string, { services }: RequestContext): Promise<Plan> {
  const text = await services.ledger.planText(hash);
  if (text !== undefined && text !== null) return decodePlan(text);
  throw new GraphQLError(`There is no plan of the revision "${hash}".`, {
    extensions: {
      code: 'UNKNOWN_REVISION',
      remedy: 'Take the hash of one in `revisions`; a refused one has no plan.',
    },
  });
}
