// Checks an input against its task's schema, with the defaults filled in; changes nothing but its own copy (INV-13).
import type { Json, JsonObject } from '../../common/json.ts';
import { fail, succeed } from '../../common/outcome.ts';
import type { Outcome } from '../../common/outcome.ts';
import { nowValues } from '../../language/expression/environment.ts';
import type { InputProblem } from './port.ts';
import { inputProblems } from './input-problems.ts';
import type { LinkedTask } from './link.ts';

export interface DefaultValues {
  readonly caller: Json;
  readonly env: Json;
  readonly nowMs: number;
}

export function checkInput(
  linked: LinkedTask,
  given: JsonObject,
  { caller, env, nowMs }: DefaultValues,
): Outcome<JsonObject, readonly InputProblem[]> {
  const input: { [property: string]: Json } = linked.deepDefaults
    ? structuredClone<{ [property: string]: Json }>(given)
    : { ...given };
  for (const { property, value } of linked.inputDefaults) {
    if (input[property] !== undefined) continue;
    const result = value.evaluate({ caller, env, now: nowValues(nowMs), input: {} });
    if (!result.ok)
      return fail([
        {
          path: `/${property}`,
          code: 'default',
          message: `its default could not be evaluated: ${result.error.message}`,
        },
      ]);
    input[property] = result.value;
  }
  const { validateInput } = linked;
  return validateInput(input) ? succeed(input) : fail(inputProblems(validateInput.errors));
}
