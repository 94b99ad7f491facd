// The candidates of a rule.
import type { RouteDefinition, RuleDefinition } from '../types.ts';
import type { Report, Rule } from './rule.ts';
import { allRoutes } from './walk.ts';

export const candidates: Rule = {
  diagnostics: [
    {
      code: 'empty-route',
      severity: 'error',
      title: 'A route without a candidate',
      why: 'No model could ever answer.',
      remedy: 'Write at least one `provider/model` under `from`.',
    },
    {
      code: 'duplicate-candidate',
      severity: 'warning',
      title: 'A candidate that stands twice in one rule',
      why: 'It would be asked again after it has failed for good.',
      remedy: 'Remove one; `retry` in its policy asks the same candidate again.',
    },
    {
      code: 'weights-ignored',
      severity: 'error',
      title: 'Weights where the pick does not read them',
      why: 'The traffic would not be split as the weights say.',
      remedy: 'Write `pick: weighted`, or a list without weights.',
    },
    {
      code: 'hedge-without-second',
      severity: 'warning',
      title: 'A hedge without a second candidate',
      why: 'There is nobody else to ask.',
      remedy: 'Add a candidate, or remove `hedge`.',
    },
    {
      code: 'pin-not-single',
      severity: 'error',
      title: 'A pinned route with more than one candidate',
      why: '`pin` promises that exactly one model version answers.',
      remedy: 'Keep one candidate, or remove `pin`.',
    },
  ],
  check(workspace, report) {
    for (const route of allRoutes(workspace)) {
      if (route.rules.length === 0)
        report(
          'empty-route',
          route.at,
          `The route \`${route.name}\` has no rule.`,
          'Add `- from: [provider/model]`.',
        );
      for (const rule of route.rules) checkRule(route, rule, report);
      checkPin(route, report);
    }
  },
};

function checkPin(route: RouteDefinition, report: Report): void {
  const all = route.rules.flatMap(({ from }) => from);
  const models = new Set(all.map(({ model }) => model));
  if (!route.pin || models.size < 2) return;
  const second = all.find(({ model }) => model !== all[0]?.model);
  report(
    'pin-not-single',
    second?.at ?? route.at,
    `The pinned route \`${route.name}\` has ${models.size} candidates.`,
    'Keep exactly one candidate, with an exact model version, or remove `pin`.',
  );
}

function checkRule(route: RouteDefinition, rule: RuleDefinition, report: Report): void {
  const seen = new Set<string>();
  if (rule.from.length === 0)
    report(
      'empty-route',
      rule.at,
      `A rule of \`${route.name}\` has no candidate.`,
      'Write at least one `provider/model` under `from`.',
    );
  for (const { model, at } of rule.from) {
    if (seen.has(model))
      report('duplicate-candidate', at, `\`${model}\` stands twice in this rule.`, 'Remove one of the two.');
    seen.add(model);
  }
  const weighted = rule.from.some(({ weight }) => weight !== 1);
  if (weighted && rule.pick !== null && rule.pick !== 'weighted') {
    report(
      'weights-ignored',
      rule.from[0]?.at ?? rule.at,
      `\`pick: ${rule.pick}\` does not read weights.`,
      'Write `pick: weighted`, or a list without weights.',
    );
  }
  if (rule.hedge && seen.size < 2)
    report(
      'hedge-without-second',
      rule.hedge.at,
      'The hedge has no second candidate to ask.',
      'Add a candidate to `from`, or remove `hedge`.',
    );
}
