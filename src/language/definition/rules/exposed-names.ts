// Exposed names that are a task's already, and tasks that could not be served behind a name.
import { nearest } from '../../../common/nearest.ts';
import type { JsonSchema } from '../../../common/json.ts';
import type { ExposedDefinition, TaskDefinition } from '../types.ts';
import type { Report, Rule } from './rule.ts';

export const exposedNames: Rule = {
  diagnostics: [
    {
      code: 'exposed-name-taken',
      severity: 'error',
      title: 'An exposed name that is the name of a task',
      why: 'Budgets, guards, statistics and keys know runs by the name of their task: two of one name could not be told apart.',
      remedy:
        'Give one of them another name, or let the task serve the name: `triage: { task: triage, input: message }`.',
    },
    {
      code: 'exposed-input',
      severity: 'error',
      title: 'A task behind a name that cannot be given a message',
      why: 'A client sends a conversation; the last message of the user is all that the task is given, as a text.',
      remedy: 'Name a field of the input that is a text, and let the others have defaults.',
    },
  ],
  check({ project, tasks }, report) {
    if (!project) return;
    for (const exposed of Object.values(project.exposed)) {
      const { name, at, serves } = exposed;
      const same = Object.hasOwn(tasks, name) && !(serves.kind === 'task' && serves.task.name === name);
      if (same)
        report(
          'exposed-name-taken',
          at,
          `\`${name}\` is the name of a task.`,
          `Give it another name, or let the task serve it: \`${name}: { task: ${name}, input: FIELD }\`.`,
        );
      if (serves.kind !== 'task' || !Object.hasOwn(tasks, serves.task.name)) continue;
      const task = tasks[serves.task.name];
      if (task) checkInput(serves, task, report);
    }
  },
};

function checkInput(
  { input }: Extract<ExposedDefinition['serves'], { kind: 'task' }>,
  task: TaskDefinition,
  report: Report,
): void {
  const properties = task.input.schema['properties'] as { readonly [name: string]: JsonSchema } | undefined;
  // An input that could not be read has been reported.
  if (properties === undefined) return;
  const field = Object.hasOwn(properties, input.name) ? properties[input.name] : undefined;
  if (field === undefined) {
    const near = nearest(input.name, Object.keys(properties));
    const known = Object.keys(properties).map((name) => `\`${name}\``);
    report(
      'exposed-input',
      input.at,
      `The input of \`${task.name}\` has no field \`${input.name}\`.`,
      near ? `Did you mean \`${near}\`?` : `It has: ${known.join(', ') || 'none'}.`,
    );
    return;
  }
  if (!isText(field))
    report(
      'exposed-input',
      input.at,
      `The field \`${input.name}\` of \`${task.name}\` is no text.`,
      'Name a field that is a text: the last message of the user is given to it.',
    );
  const needed = Array.isArray(task.input.schema['required']) ? task.input.schema['required'] : [];
  const others = needed.filter((name) => name !== input.name).map((name) => `\`${String(name)}\``);
  if (others.length > 0)
    report(
      'exposed-input',
      input.at,
      `\`${task.name}\` needs ${others.join(' and ')} beside \`${input.name}\`, which a client of a model does not send.`,
      'Give the other fields defaults.',
    );
}

function isText({ type }: JsonSchema): boolean {
  return type === undefined || type === 'string' || (Array.isArray(type) && type.includes('string'));
}
