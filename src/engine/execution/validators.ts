// JSON Schema validators of a task: for its input, its answers and its rows.
import type { ValidateFunction } from 'ajv';
import type { Ajv2020 } from 'ajv/dist/2020.js';
import type { JsonSchema } from '../../common/json.ts';
import { createAjv } from '../../language/definition/ajv.ts';

export interface Validators {
  /** Fills in defaults, and collects every problem. */
  input(schema: JsonSchema): ValidateFunction;
  /** Stops at the first problem: one is enough to try the next candidate. */
  output(schema: JsonSchema): ValidateFunction;
  /** As `output`, and makes numbers and booleans of texts that are written so: what a CSV file holds. */
  texts(schema: JsonSchema): ValidateFunction;
}

/** One for each task, so that a task that is gone takes its validators with it. */
export function createValidators(): Validators {
  let forInput: Ajv2020 | undefined;
  let forOutput: Ajv2020 | undefined;
  let forTexts: Ajv2020 | undefined;
  return {
    input(schema) {
      forInput ??= createAjv({ allErrors: true, useDefaults: true });
      return forInput.compile(schema);
    },
    output(schema) {
      forOutput ??= createAjv();
      return forOutput.compile(schema);
    },
    texts(schema) {
      forTexts ??= createAjv({ coerceTypes: true });
      return forTexts.compile(schema);
    },
  };
}
