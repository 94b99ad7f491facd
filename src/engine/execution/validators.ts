// JSON Schema validators: 2020-12, formats checked, patterns in linear time.
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import type { JsonSchema } from '../../common/json.ts';
import { linearTime } from '../../language/expression/pattern.ts';

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
  // The workflow's own check has judged the schemas; a keyword that is unknown here is an annotation.
  const options = {
    strict: false,
    validateSchema: false,
    meta: false,
    code: { regExp: linearTime },
  } as const;
  let forInput: Ajv2020 | undefined;
  let forOutput: Ajv2020 | undefined;
  let forTexts: Ajv2020 | undefined;
  const withFormats = (ajv: Ajv2020): Ajv2020 => {
    formats.default(ajv);
    return ajv;
  };
  return {
    input(schema) {
      forInput ??= withFormats(new Ajv2020({ ...options, allErrors: true, useDefaults: true }));
      return forInput.compile(schema);
    },
    output(schema) {
      forOutput ??= withFormats(new Ajv2020(options));
      return forOutput.compile(schema);
    },
    texts(schema) {
      forTexts ??= withFormats(new Ajv2020({ ...options, coerceTypes: true }));
      return forTexts.compile(schema);
    },
  };
}
