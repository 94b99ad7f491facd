// The difference in meaning between two plans: one change a sentence, with what it means for callers, money and safety.
import type { Plan } from '../../language/plan/types.ts';

/** What `headgate plan --fail-on` can stop at. Where a direction cannot be told, a change counts as the one to be careful about: raised, loosened. */
export const EFFECTS = {
  breaking:
    'a caller has to change: a task is gone, an input is narrower, an output is wider, the API lost something',
  'task-added': 'a task is new',
  'task-removed': 'a task is gone',
  'limit-raised': 'a budget, an allowance, a rate limit or maxOutputTokens lets more through',
  'limit-lowered': 'one of them lets less through',
  'policy-loosened': 'longer timeouts, more retries, a slower circuit breaker, more calls at once',
  'policy-tightened': 'the other way round',
  'guard-loosened': 'a guard against loops or surges notices less, or does less',
  'guard-tightened': 'it notices or does more',
  'price-raised': 'a model costs more',
  'price-lowered': 'a model costs less',
  'cost-raised': 'the worst case of one run costs more',
  'cost-lowered': 'it costs less',
  'route-changed': 'other candidates, another order, other conditions',
  'provider-changed': 'a provider is called elsewhere, with another key, or otherwise',
  'step-changed': 'what a step asks or does is another',
  'retention-raised': 'more of what is asked and answered is kept, or for longer',
  'retention-lowered': 'less is kept, or for a shorter time',
} as const;

export type Effect = keyof typeof EFFECTS;

export interface Change {
  /** What has changed: `task summarize`, `budget company`, `route cheap-first`. */
  readonly subject: string;
  /** What is different, in one line, without the subject. */
  readonly message: string;
  readonly effects: readonly Effect[];
  /** JSON Pointers into the keyed plan: the differences that this change tells of. A prefix tells of all below it. */
  readonly covers: readonly string[];
}

export interface Comparison {
  readonly before: Plan;
  readonly after: Plan;
  /** Is there any difference at this place or below it? */
  readonly differs: (...path: readonly string[]) => boolean;
}

/** One concern, one file: looks at its own part of the plans and tells what is different there. */
export type Concern = (comparison: Comparison) => readonly Change[];
