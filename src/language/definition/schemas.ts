// What steps and tasks give, as JSON Schemas: written, known, or inferred from the expressions that make it.
import { withoutReferences } from '../../common/json-schema.ts';
import type { JsonSchema } from '../../common/json.ts';
import {
  callerSchema,
  createEnvironment,
  envSchema,
  nowSchema,
  presentSchema,
} from '../expression/environment.ts';
import { compileTemplate } from '../expression/template.ts';
import type { EnvironmentShape } from '../expression/types.ts';
import { answerTextSchema, chunkSchema, parseStepSchema } from './parse-schemas.ts';
import type { StepDefinition, TaskDefinition } from './types.ts';

/** The tasks that belong together; enough of a Definition for its schemas. */
export interface Tasks {
  readonly tasks: { readonly [name: string]: TaskDefinition };
}

/** By a Definition's tasks: what a step gives follows from them alone, and each rule asks again. */
const known = new WeakMap<Tasks['tasks'], Map<string, JsonSchema>>();

/** Of one item where the step has `each`; `{}` where it cannot be known. */
export function stepOutputSchema(definition: Tasks, _task: TaskDefinition, step: StepDefinition): JsonSchema {
  switch (step.kind) {
    case 'model':
      return step.output?.schema ?? answerTextSchema;
    case 'parse':
      return parseStepSchema(step);
    case 'chunk':
      return { type: 'array', items: chunkSchema };
    case 'task': {
      const called = Object.hasOwn(definition.tasks, step.task) ? definition.tasks[step.task] : undefined;
      return called ? taskOutputSchema(definition, called) : {};
    }
  }
}

/** What those who read the step see: a list where it has `each`, perhaps null where it has `when`. */
function stepValueSchema(definition: Tasks, task: TaskDefinition, step: StepDefinition): JsonSchema {
  const one = withoutReferences(stepOutputSchema(definition, task, step));
  const whole: JsonSchema = step.each ? { type: 'array', items: one } : one;
  return step.when ? { anyOf: [whole, { type: 'null' }] } : whole;
}

/** Of the task's output, as far as it can be inferred. Tasks that call each other in a circle give `{}`; a rule refuses them. */
export function taskOutputSchema(definition: Tasks, task: TaskDefinition): JsonSchema {
  let schemas = known.get(definition.tasks);
  if (!schemas) known.set(definition.tasks, (schemas = new Map()));
  const found = schemas.get(task.name);
  if (found) return found;
  schemas.set(task.name, {});
  const schema = inferOutput(definition, task);
  schemas.set(task.name, schema);
  return schema;
}

function inferOutput(definition: Tasks, task: TaskDefinition): JsonSchema {
  const last = task.steps.at(-1);
  if (!task.output) return last ? stepValueSchema(definition, task, last) : {};
  const compiled = compileTemplate(task.output.template, createEnvironment(taskShape(definition, task)));
  return compiled.ok ? compiled.value.schema : {};
}

/** Roots that every expression of a task can name. */
export const everywhere: EnvironmentShape['roots'] = { caller: callerSchema, env: envSchema, now: nowSchema };

/** `when` and `each` of a step, the task's output. `broken`: steps of unknown type. */
export function taskShape(
  definition: Tasks,
  task: TaskDefinition,
  broken: ReadonlySet<string> = new Set(),
): EnvironmentShape {
  const properties: Record<string, JsonSchema> = {};
  for (const step of task.steps) properties[step.key] = stepValueSchema(definition, task, step);
  for (const key of broken) properties[key] = {};
  const steps: JsonSchema = {
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  };
  return { roots: { input: inputShape(task), steps, ...everywhere } };
}

/** What the task sees of its input: defaults are filled in. */
export function inputShape(task: TaskDefinition): JsonSchema {
  return presentSchema(task.input.schema, Object.keys(task.input.defaults));
}
