// What the expressions of each place can name.
import type { JsonSchema } from '../../common/json.ts';
import { callerSchema, envSchema, finishSchema, promptSchema } from '../expression/environment.ts';
import type { EnvironmentShape } from '../expression/types.ts';
import { everywhere, inputShape, stepOutputSchema, taskOutputSchema } from './schemas.ts';
import type { Tasks } from './schemas.ts';
import type { ModelStepDefinition, StepDefinition, TaskDefinition } from './types.ts';

/** `baseUrl` of a provider. */
export const providerShape: EnvironmentShape = { roots: { env: envSchema } };

/** `headers` of a provider: a secret stands alone in its `${{ }}`, and is read at the call. */
export const headerShape: EnvironmentShape = { roots: { env: envSchema, secrets: envSchema } };

/** `when` of a budget. */
export const budgetShape: EnvironmentShape = { roots: { caller: callerSchema } };

/** A default of the input. */
export const inputDefaultShape: EnvironmentShape = { roots: everywhere };

/** A route of the project: any task may take it, so neither `input` nor `steps` is known. */
export const projectRouteShape: EnvironmentShape = { roots: { ...everywhere, prompt: promptSchema } };

/** The body of a step: with `each`, its item too. */
export function bodyShape(shape: EnvironmentShape, step: StepDefinition, item: JsonSchema): EnvironmentShape {
  return step.each ? { roots: { ...shape.roots, [step.each.as]: item } } : shape;
}

/** A rule of a route that stands in the step. */
export function ruleShape(body: EnvironmentShape): EnvironmentShape {
  return { roots: { ...body.roots, prompt: promptSchema } };
}

export function acceptShape(
  body: EnvironmentShape,
  definition: Tasks,
  task: TaskDefinition,
  step: ModelStepDefinition,
): EnvironmentShape {
  return {
    roots: { ...body.roots, output: stepOutputSchema(definition, task, step), finish: finishSchema },
  };
}

/** `expect` of a test: what the run gave, and what it took. */
export function expectShape(definition: Tasks, task: TaskDefinition): EnvironmentShape {
  return { roots: { output: taskOutputSchema(definition, task), input: inputShape(task), run: runSchema } };
}

const runSchema: JsonSchema = {
  type: 'object',
  properties: {
    costUsd: {
      type: 'number',
      description: 'Dollars; for comparing only, accounts are kept in whole nano-dollars.',
    },
    attempts: { type: 'integer' },
    latencyMs: { type: 'number' },
    providers: { type: 'array', items: { type: 'string' } },
    models: { type: 'array', items: { type: 'string' } },
  },
  required: ['costUsd', 'attempts', 'latencyMs', 'providers', 'models'],
  additionalProperties: false,
};
