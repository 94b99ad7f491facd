// Inputs and outputs of tasks: callers send the one and read the other, so a narrower input and a wider output break them.
import type { JsonSchema } from '../../common/json.ts';
import { printTemplate } from '../../language/plan/print.ts';
import type { PlanTask } from '../../language/plan/types.ts';
import { tasksOfBoth } from './both.ts';
import { compareSchemas } from './json-schema.ts';
import { pointer } from './keyed.ts';
import type { Change, Concern } from './types.ts';

export const schemas: Concern = (comparison) =>
  tasksOfBoth(comparison).flatMap(([from, to]) => [
    ...compare(to.name, 'input', from.inputSchema, to.inputSchema),
    ...defaults(from, to),
    ...compare(to.name, 'output', from.outputSchema, to.outputSchema),
  ]);

function compare(
  task: string,
  side: 'input' | 'output',
  from: JsonSchema,
  to: JsonSchema,
): readonly Change[] {
  return compareSchemas(from, to).map(({ path, message, narrower, wider }): Change => ({
    subject: `task ${task}`,
    message: `${side}${path === '' ? '' : ` ${path}`} ${message}`,
    effects: (side === 'input' ? narrower : wider) ? ['breaking'] : [],
    covers: [pointer('tasks', task, `${side}Schema`)],
  }));
}

/** Defaults that are expressions. */
function defaults(from: PlanTask, to: PlanTask): readonly Change[] {
  const names = new Set([...Object.keys(from.inputDefaults), ...Object.keys(to.inputDefaults)]);
  return [...names].flatMap((name): readonly Change[] => {
    const [before, after] = [from.inputDefaults[name], to.inputDefaults[name]];
    const texts = [before, after].map((template) =>
      template === undefined ? 'none' : printTemplate(template),
    );
    if (texts[0] === texts[1]) return [];
    return [
      {
        subject: `task ${to.name}`,
        message: `input ${name} has the default ${texts[1]} instead of ${texts[0]}`,
        effects: [],
        covers: [pointer('tasks', to.name, 'inputDefaults', name)],
      },
    ];
  });
}
