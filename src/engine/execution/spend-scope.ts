// Scopes of spending: those whose switch stops a call, and how the mutations take one, so that a remedy can be pasted.
import type { SpendScope } from '../budget/guards/port.ts';
import type { PlanModel } from '../../language/plan/types.ts';

/** `task:summarize` → `{task: "summarize"}`; `all` → `{all: true}`. */
export function graphqlScope(scope: string): string {
  const colon = scope.indexOf(':');
  return colon < 0
    ? `{${scope}: true}`
    : `{${scope.slice(0, colon)}: ${JSON.stringify(scope.slice(colon + 1))}}`;
}

/** Those whose switch stops a run, and with `model` a call of it. */
export function spendScopes(task: string, caller: string, model?: PlanModel): readonly SpendScope[] {
  const ofModel = model === undefined ? [] : [`provider:${model.provider}`, `model:${model.key}`];
  return ['all', ...ofModel, `task:${task}`, `caller:${caller}`];
}
