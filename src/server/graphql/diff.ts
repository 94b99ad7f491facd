// The difference of the GraphQL APIs of two plans, as clients see it.
import type { Plan } from '../../language/plan/types.ts';
import { buildSchema } from './schema.ts';

export interface ApiChange {
  /** breaking: a document that was valid is not, or gets something else. dangerous: one may be surprised. */
  readonly level: 'breaking' | 'dangerous' | 'safe';
  readonly message: string;
  /** `TaskInput.summarize`; null: of the whole schema. */
  readonly path: string | null;
}

const LEVELS = { BREAKING: 'breaking', DANGEROUS: 'dangerous', NON_BREAKING: 'safe' } as const;
const ORDER = ['breaking', 'dangerous', 'safe'];

/** Breaking ones first. A plan without tasks has no API of its own: then there is nothing to compare. */
export async function diffApis(before: Plan, after: Plan): Promise<readonly ApiChange[]> {
  if ([before, after].some(({ tasks }) => Object.keys(tasks).length === 0)) return [];
  const { diff } = await import('@graphql-inspector/core');
  const changes = await diff(buildSchema({ plan: before }), buildSchema({ plan: after }));
  return changes
    .map(({ criticality, message, path }) => ({
      level: LEVELS[criticality.level],
      message,
      path: path ?? null,
    }))
    .toSorted((left, right) => ORDER.indexOf(left.level) - ORDER.indexOf(right.level));
}
