// What the expressions of a task can name, by the schemas that its plan carries.
import { viewOf } from '../../common/json-schema.ts';
import type { JsonSchema } from '../../common/json.ts';
import {
  callerSchema,
  envSchema,
  finishSchema,
  nowSchema,
  presentSchema,
  promptSchema,
} from '../../language/expression/environment.ts';
import type { EnvironmentShape } from '../../language/expression/types.ts';
import type { PlanModelStep, PlanStep, PlanTask } from '../../language/plan/types.ts';

export function environmentOfTask(task: PlanTask): EnvironmentShape {
  return {
    roots: {
      // Defaults are filled in before anything reads it.
      input: presentSchema(task.inputSchema, Object.keys(task.inputDefaults)),
      steps: stepsSchema(task.steps),
      caller: callerSchema,
      prompt: promptSchema,
      env: envSchema,
      now: nowSchema,
    },
  };
}

/** Inside `each`: the item, under the name that the step gives it. */
export function itemEnvironment(task: PlanTask, as: string, list: JsonSchema): EnvironmentShape {
  const { roots } = environmentOfTask(task);
  return { roots: { ...roots, [as]: viewOf(list).items ?? {} } };
}

/** In `accept`: the answer that is judged, and how it ended. */
export function outputEnvironment(
  task: PlanTask,
  step: PlanModelStep,
  list: JsonSchema | null,
): EnvironmentShape {
  const { roots } =
    step.each !== null && list !== null ? itemEnvironment(task, step.each.as, list) : environmentOfTask(task);
  return { roots: { ...roots, output: step.outputSchema, finish: finishSchema } };
}

function stepsSchema(steps: readonly PlanStep[]): JsonSchema {
  const properties: { [key: string]: JsonSchema } = {};
  for (const step of steps) {
    const whole: JsonSchema =
      step.each === null ? step.outputSchema : { type: 'array', items: step.outputSchema };
    // A skipped step is null to those that read it.
    properties[step.key] = step.when === null ? whole : { anyOf: [whole, { type: 'null' }] };
  }
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}
