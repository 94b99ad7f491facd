// An `accept` that judges something other than the answer.
import { constantCondition } from '../../expression/constant.ts';
import { references } from '../../expression/references.ts';
import type { Rule } from './rule.ts';
import { modelSteps } from './walk.ts';

/** What is of the answer alone. */
const ANSWER: ReadonlySet<string> = new Set(['output', 'finish']);

export const acceptIgnoresAnswer: Rule = {
  diagnostics: [
    {
      code: 'accept-ignores-answer',
      severity: 'warning',
      title: 'An `accept` that does not look at the answer',
      why: 'It is the same for every candidate: where it does not hold, all of them are asked and paid for in vain.',
      remedy:
        'Mention `output` or `finish` in it; what depends on the input alone belongs into the `when` of the step.',
    },
  ],
  onlyWithoutErrors: true,
  check(workspace, report) {
    for (const { accept } of workspace.taskList().flatMap(modelSteps)) {
      if (!accept || references(accept.source).roots.some((root) => ANSWER.has(root))) continue;
      // `accept: true` says what holds anyway; what never holds is an error of its own.
      if (constantCondition(accept.source) !== undefined) continue;
      report(
        'accept-ignores-answer',
        accept.at,
        'This mentions neither `output` nor `finish`: it is the same for every answer.',
        'Mention `output` or `finish` in it, or write it as the `when` of the step.',
      );
    }
  },
};
