// Rules of a route that are never taken, and routes that may take none.
import { constantCondition, implies } from '../../expression/constant.ts';
import type { RouteDefinition, RuleDefinition } from '../types.ts';
import type { Report, Rule } from './rule.ts';
import { allRoutes } from './walk.ts';

export const unreachableRule: Rule = {
  diagnostics: [
    {
      code: 'unreachable-rule',
      severity: 'warning',
      title: 'A rule that is never taken',
      why: 'The first rule that holds is taken; one before it always holds.',
      remedy: 'Move the rule up, give the one before it a `when`, or remove it.',
    },
    {
      code: 'route-may-not-match',
      severity: 'warning',
      title: 'A route whose rules may all fail to hold',
      why: 'A run for which no rule holds ends with NO_PROVIDER_AVAILABLE.',
      remedy: 'Add a last rule without `when`.',
    },
  ],
  // A `when` that cannot be read is no rule that always holds.
  onlyWithoutErrors: true,
  check(workspace, report) {
    for (const route of allRoutes(workspace)) checkRoute(route, report);
  },
};

function checkRoute(route: RouteDefinition, report: Report): void {
  const before: RuleDefinition[] = [];
  let always: RuleDefinition | undefined;
  for (const rule of route.rules) {
    const source = rule.when?.source ?? 'true';
    const holds = constantCondition(source);
    const wider = before.find(({ when }) => when && (when.source === source || implies(source, when.source)));
    if (always) {
      report(
        'unreachable-rule',
        rule.at,
        `This rule of \`${route.name}\` is never taken: the one in line ${always.at.line} always holds.`,
        'Move it up, give the rule before it a `when`, or remove it.',
      );
    } else if (holds === false)
      report(
        'unreachable-rule',
        rule.when?.at ?? rule.at,
        'This rule never holds.',
        'Change the `when`, or remove the rule.',
      );
    else if (wider)
      report(
        'unreachable-rule',
        rule.when?.at ?? rule.at,
        wider.when?.source === source
          ? 'A rule before this one has the same `when`.'
          : `This rule is never taken: whenever it holds, the one in line ${wider.at.line} does.`,
        'Move it up, change the `when`, or remove the rule.',
      );
    if (holds === true) always ??= rule;
    before.push(rule);
  }
  const last = route.rules.at(-1);
  if (last && !always)
    report(
      'route-may-not-match',
      last.at,
      `It may be that no rule of \`${route.name}\` holds.`,
      'Add a last rule without `when`: `- from: [provider/model]`.',
    );
}
