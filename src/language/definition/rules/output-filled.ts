// Outputs that may stay empty.
import { compileExpression } from '../../expression/compile.ts';
import { constantCondition } from '../../expression/constant.ts';
import { expressionsIn } from '../located.ts';
import type { Expression, TaskDefinition } from '../types.ts';
import type { Workspace } from '../workspace.ts';
import type { Rule } from './rule.ts';

export const outputFilled: Rule = {
  diagnostics: [
    {
      code: 'output-never-filled',
      severity: 'error',
      title: 'An output that no path fills',
      why: 'The caller would get null every time.',
      remedy: 'Read a step that runs, or remove the field.',
    },
    {
      code: 'output-may-be-missing',
      severity: 'warning',
      title: 'A task whose output may be null',
      why: 'The last step can be skipped; the task then gives null.',
      remedy: 'Write `output:` and say what to give then: `${{ default(steps.a.text, "none") }}`.',
    },
  ],
  check(workspace, report) {
    for (const task of workspace.taskList()) {
      const last = task.steps.at(-1);
      if (!task.output && last?.when && workspace.brokenSteps(task).size === 0) {
        report(
          'output-may-be-missing',
          last.when.at,
          `The step \`${last.key}\` gives the output of the task, and may be skipped.`,
          'Write `output:`, and say what to give then.',
        );
      }
      for (const expression of task.output ? expressionsIn(task.output) : []) {
        if (isNeverFilled(expression, task, workspace))
          report(
            'output-never-filled',
            expression.at,
            'No path fills this output: it is null every time.',
            'Read a step that runs, or remove the field.',
          );
      }
    }
  },
};

function isNeverFilled(expression: Expression, task: TaskDefinition, workspace: Workspace): boolean {
  const compiled = compileExpression(expression.source, workspace.environment(workspace.shape(task)));
  if (!compiled.ok) return false;
  const { type, references } = compiled.value;
  if (type.kind === 'null') return true;
  const never = new Set(
    task.steps.filter(({ when }) => when && constantCondition(when.source) === false).map(({ key }) => key),
  );
  return type.nullable && references.steps.length > 0 && references.steps.every((key) => never.has(key));
}
