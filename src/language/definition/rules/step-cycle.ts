// Steps that wait for each other.
import type { Place } from '../../../errors/place.ts';
import { references } from '../../expression/references.ts';
import type { StepDefinition } from '../types.ts';
import type { Rule } from './rule.ts';
import { circles, stepExpressions, stepsRead } from './walk.ts';

export const stepCycle: Rule = {
  diagnostics: [
    {
      code: 'step-cycle',
      severity: 'error',
      title: 'Steps that read each other in a circle',
      why: 'Each would wait for the other; none could start.',
      remedy: 'Let one of them read something else.',
    },
  ],
  check(workspace, report) {
    for (const task of workspace.taskList()) {
      const keys = new Set(task.steps.map(({ key }) => key));
      const reads = new Map(
        task.steps.map((step) => [step.key, [...stepsRead(step)].filter((key) => keys.has(key))]),
      );
      for (const circle of circles(reads)) {
        const step = task.steps.find(({ key }) => key === circle[0]);
        if (!step) continue;
        const way = [...circle, step.key].map((key) => `\`${key}\``).join(' → ');
        const message =
          circle.length === 1
            ? `The step \`${step.key}\` reads itself.`
            : `These steps read each other in a circle: ${way}.`;
        report(
          'step-cycle',
          placeOfReading(step, circle[1] ?? step.key),
          message,
          'Remove one of the references; `accept` sees the answer itself as `output`.',
        );
      }
    }
  },
};

function placeOfReading(step: StepDefinition, key: string): Place {
  return stepExpressions(step).find(({ source }) => references(source).steps.includes(key))?.at ?? step.at;
}
