// `ignore` of a loop guard: fields that no input has.
import { nearest } from '../../../common/nearest.ts';
import { memberPlace } from '../located.ts';
import type { LoopGuardDefinition, TaskDefinition } from '../types.ts';
import type { Report, Rule } from './rule.ts';

export const ignoredFields: Rule = {
  diagnostics: [
    {
      code: 'ignore-unknown-field',
      severity: 'warning',
      title: 'A loop guard that leaves out a field which there is not',
      why: 'The field that is meant is compared: a time in it makes every input a new one, and the guard never trips.',
      remedy: 'Write the name of a field of the input.',
    },
  ],
  onlyWithoutErrors: true,
  check(workspace, report) {
    const tasks = workspace.taskList();
    if (tasks.length > 0)
      for (const guard of workspace.project?.guards.loop ?? [])
        checkFields(guard, tasks, 'No task has', report);
    for (const task of tasks)
      for (const guard of task.loop === 'off' ? [] : (task.loop ?? []))
        checkFields(guard, [task], 'The task does not have', report);
  },
};

function checkFields(
  guard: LoopGuardDefinition,
  tasks: readonly TaskDefinition[],
  nobody: string,
  report: Report,
): void {
  const names = new Set(tasks.flatMap(({ input }) => Object.keys(input.schema['properties'] ?? {})));
  // Arguments of tools are no fields of an input.
  if (guard.same === 'toolCall') return;
  for (const path of guard.ignore) {
    const [name = ''] = path.split('.');
    if (names.has(name)) continue;
    const near = nearest(name, names);
    report(
      'ignore-unknown-field',
      memberPlace(guard, 'ignore', guard.at),
      `${nobody} a field \`${name}\` in its input.`,
      near ? `Did you mean \`${near}\`?` : 'Write the name of a field of the input, or remove it.',
    );
  }
}
