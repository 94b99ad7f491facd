// Scope: which budgets can apply to a task and a model, and which account of a budget a request is posted to.
import type { PlanBudget } from '../../language/plan/types.ts';
import { assertNever } from '../../common/assert-never.ts';
import type { HoldRequest } from './port.ts';

/** The scope alone; `when` is asked for each request. */
export function covers(scope: PlanBudget['scope'], task: string, provider: string, model: string): boolean {
  switch (scope.kind) {
    case 'all':
      return true;
    case 'provider':
      return scope.provider === provider;
    case 'model':
      return scope.model === model;
    case 'task':
      return scope.task === task;
    default:
      return assertNever(scope);
  }
}

/**
 * '' where the budget has one account in all, and for those without a value: callers without a team share one account, so that nobody
 * escapes a budget by having none. A budget `per: run` has one account a run, named by the run's id.
 */
export function accountOf(
  budget: PlanBudget,
  request: Pick<HoldRequest, 'runId' | 'caller' | 'tags'>,
): string {
  if (budget.per.kind === 'run') return request.runId;
  const { each } = budget;
  if (each === null) return '';
  switch (each.kind) {
    case 'caller':
      return request.caller.name;
    case 'team':
      return request.caller.team ?? '';
    case 'session':
      return sessionAccount(request.caller);
    case 'tag':
      return tagValue(request.tags, each.tag) ?? '';
    default:
      return assertNever(each);
  }
}

/** A tag may be called `constructor`, which every object has. */
export function tagValue(tags: { readonly [key: string]: string }, key: string): string | undefined {
  return Object.hasOwn(tags, key) ? tags[key] : undefined;
}

/** A session is the client's claim: it is one of its caller's, and never another's. A session has no slash, so the last one parts the two. */
export function sessionAccount({
  name,
  session = '',
}: Pick<HoldRequest['caller'], 'name' | 'session'>): string {
  return `${name}/${session}`;
}
