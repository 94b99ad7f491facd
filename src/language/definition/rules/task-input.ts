// What a step hands to another task.
import { nearest } from '../../../common/nearest.ts';
import { compileExpression } from '../../expression/compile.ts';
import { typeFromSchema } from '../../expression/from-schema.ts';
import { compileTemplate } from '../../expression/template.ts';
import { describe } from '../../expression/type.ts';
import type { ObjectType, Type } from '../../expression/type.ts';
import { bodyShape } from '../environments.ts';
import { memberPlace } from '../located.ts';
import type { TaskDefinition, TaskStepDefinition } from '../types.ts';
import { itemSchema } from '../workspace.ts';
import type { Workspace } from '../workspace.ts';
import type { Report, Rule } from './rule.ts';

export const taskInput: Rule = {
  diagnostics: [
    {
      code: 'task-input-mismatch',
      severity: 'error',
      title: 'An input that the called task does not take',
      why: 'The child run would end with INVALID_INPUT every time.',
      remedy: 'Hand over the fields that the called task asks for, with their types.',
    },
  ],
  check(workspace, report) {
    for (const task of workspace.taskList()) {
      for (const step of task.steps) {
        const called =
          step.kind === 'task' && Object.hasOwn(workspace.tasks, step.task)
            ? workspace.tasks[step.task]
            : undefined;
        if (step.kind === 'task' && called) checkCall(workspace, task, step, called, report);
      }
    }
  },
};

function checkCall(
  workspace: Workspace,
  task: TaskDefinition,
  step: TaskStepDefinition,
  called: TaskDefinition,
  report: Report,
): void {
  const given = givenType(workspace, task, step);
  const wanted = typeFromSchema(called.input.schema);
  if (given?.kind !== 'object' || wanted.kind !== 'object') return;
  for (const [name, type] of given.members) checkMember(name, type, wanted, step, report);
  const required = Array.isArray(called.input.schema['required'])
    ? (called.input.schema['required'] as readonly string[])
    : [];
  for (const name of required) {
    if (!given.members.has(name))
      report(
        'task-input-mismatch',
        step.input.at,
        `\`${called.name}\` needs \`${name}\`.`,
        `Add \`${name}: \${{ … }}\` to the input of the step.`,
      );
  }
}

function givenType(workspace: Workspace, task: TaskDefinition, step: TaskStepDefinition): Type | undefined {
  const shape = workspace.shape(task);
  const list = step.each ? compileExpression(step.each.list.source, workspace.environment(shape)) : undefined;
  const body = bodyShape(shape, step, list?.ok ? itemSchema(list.value.schema) : {});
  const given = compileTemplate(step.input.template, workspace.environment(body));
  return given.ok ? given.value.type : undefined;
}

function checkMember(
  name: string,
  type: Type,
  wanted: ObjectType,
  step: TaskStepDefinition,
  report: Report,
): void {
  const expected = wanted.members.get(name) ?? wanted.rest;
  if (!expected) {
    const near = nearest(name, wanted.members.keys());
    const known = [...wanted.members.keys()].map((other) => `\`${other}\``).join(', ');
    report(
      'task-input-mismatch',
      memberPlace(step.input, name, step.input.at),
      `\`${step.task}\` takes no \`${name}\`.`,
      near ? `Did you mean \`${near}\`?` : `It takes: ${known || 'nothing'}.`,
    );
  } else if (!fits(type, expected)) {
    report(
      'task-input-mismatch',
      memberPlace(step.input, name, step.input.at),
      `\`${name}\` of \`${step.task}\` is ${describe(expected)}; it is given ${describe(type)}.`,
      'Convert it, or say what to use where it is null: `default(x, y)`.',
    );
  }
}

export function fits(given: Type, wanted: Type): boolean {
  if (given.kind === 'any' || wanted.kind === 'any') return true;
  if (given.nullable && !wanted.nullable) return false;
  if (given.kind === 'null') return wanted.nullable;
  return given.kind === wanted.kind || (given.kind === 'integer' && wanted.kind === 'number');
}
