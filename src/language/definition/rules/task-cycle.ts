// Tasks that call each other without end.
import type { Rule } from './rule.ts';
import { circles } from './walk.ts';

export const taskCycle: Rule = {
  diagnostics: [
    {
      code: 'task-cycle',
      severity: 'error',
      title: 'Tasks that call each other in a circle',
      why: 'Every run would go on until its allowance is used up.',
      remedy: 'Let one of them call something else.',
    },
  ],
  check(workspace, report) {
    const called = (name: string): boolean => Object.hasOwn(workspace.tasks, name);
    const calls = new Map(
      workspace
        .taskList()
        .map((task) => [
          task.name,
          task.steps.flatMap((step) => (step.kind === 'task' && called(step.task) ? [step.task] : [])),
        ]),
    );
    for (const circle of circles(calls)) {
      const [first = '', second = first] = circle;
      const step = workspace.tasks[first]?.steps.find(
        (candidate) => candidate.kind === 'task' && candidate.task === second,
      );
      if (step?.kind !== 'task') continue;
      const way = [...circle, first].map((name) => `\`${name}\``).join(' → ');
      report(
        'task-cycle',
        step.taskAt,
        circle.length === 1
          ? `The task \`${first}\` calls itself.`
          : `These tasks call each other in a circle: ${way}.`,
        'Remove one of the calls.',
      );
    }
  },
};
