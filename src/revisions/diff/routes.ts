// Routes: who may serve a step, in what order, under which conditions. A route that many steps share is told of once.
import { canonicalJson } from '../../common/json.ts';
import { printRule } from '../../language/plan/print.ts';
import type {
  PlanExchangeStep,
  PlanModelStep,
  PlanRoute,
  PlanRule,
  PlanStep,
} from '../../language/plan/types.ts';
import { stepsOfBoth, tasksOfBoth } from './both.ts';
import { pointer } from './keyed.ts';
import type { Change, Concern } from './types.ts';

export const routes: Concern = (comparison) => {
  const told = new Map<string, Change>();
  for (const [task, otherTask] of tasksOfBoth(comparison))
    for (const [step, other] of stepsOfBoth(task, otherTask)) {
      if (!isRouted(step) || !isRouted(other)) continue;
      if (canonicalJson(step.route) === canonicalJson(other.route)) continue;
      const place = pointer('tasks', task.name, 'steps', step.key, 'route');
      if (step.route.name !== other.route.name) {
        told.set(place, {
          subject: `task ${task.name}`,
          message: `step ${step.key} takes the route ${routeText(other.route)} instead of ${routeText(step.route)}`,
          effects: ['route-changed'],
          covers: [place],
        });
        continue;
      }
      for (const message of compare(step.route, other.route)) {
        const name = `${other.route.name}\n${message}`;
        const known = told.get(name);
        told.set(name, {
          subject: `route ${other.route.name}`,
          message,
          effects: ['route-changed'],
          covers: [...(known?.covers ?? []), place],
        });
      }
    }
  return [...told.values()];
};

function isRouted(step: PlanStep): step is PlanModelStep | PlanExchangeStep {
  return step.kind === 'model' || step.kind === 'exchange';
}

function routeText({ name, rules }: PlanRoute): string {
  return `${name} (${rules.map(printRule).join('; ')})`;
}

function compare(from: PlanRoute, to: PlanRoute): readonly string[] {
  const messages: string[] = [];
  if (from.pin !== to.pin) messages.push(to.pin ? 'is pinned to one exact model' : 'is no longer pinned');
  const count = Math.max(from.rules.length, to.rules.length);
  for (let index = 0; index < count; index += 1) {
    const [rule, other] = [from.rules[index], to.rules[index]];
    const number = `rule ${index + 1}`;
    if (rule === undefined || other === undefined) {
      if (other) messages.push(`${number} is new: ${printRule(other)}`);
      if (rule) messages.push(`${number} is gone: ${printRule(rule)}`);
    } else if (canonicalJson(rule) !== canonicalJson(other))
      messages.push(`${number}: ${compareRules(rule, other)}`);
  }
  return messages;
}

/** The candidates alone where only they differ, else the whole rule. */
function compareRules(from: PlanRule, to: PlanRule): string {
  const without = (rule: PlanRule): string => canonicalJson({ ...rule, candidates: null });
  if (without(from) !== without(to)) return `${printRule(to)} instead of ${printRule(from)}`;
  const [before, after] = [from, to].map((rule) => rule.candidates.map(({ model }) => model)) as [
    string[],
    string[],
  ];
  const gone = before.filter((model) => !after.includes(model));
  const added = after.filter((model) => !before.includes(model));
  const parts = [
    ...(added.length > 0 ? [`${added.join(', ')} may serve`] : []),
    ...(gone.length > 0 ? [`${gone.join(', ')} may no longer serve`] : []),
  ];
  const kept = after.filter((model) => before.includes(model));
  if (kept.join() !== before.filter((model) => after.includes(model)).join())
    parts.push(`the order is ${after.join(', ')}`);
  const weights = (rule: PlanRule): string =>
    rule.candidates
      .filter(({ model }) => kept.includes(model))
      .map(({ model, weight }) => `${model} ${weight}`)
      .sort()
      .join(', ');
  if (weights(from) !== weights(to)) parts.push(`the weights are ${weights(to)} instead of ${weights(from)}`);
  return parts.length > 0 ? parts.join('; ') : `${printRule(to)} instead of ${printRule(from)}`;
}
