// Asking for JSON in words, where a server cannot be asked natively.
import type { JsonSchema } from '../../../language/plan/types.ts';

/** By the schema object itself: a plan's schemas are frozen, and what is said of one depends on nothing else. */
const texts = new WeakMap<JsonSchema, string>();

/** The system text with the request for JSON after it; made once per schema. */
export function withJsonInstruction(system: string | null, schema: JsonSchema): string {
  let instruction = texts.get(schema);
  if (instruction === undefined) {
    instruction =
      'Answer with one JSON value and nothing else: no words around it, no code fence. ' +
      `It must be valid against this JSON Schema:\n${JSON.stringify(schema)}`;
    texts.set(schema, instruction);
  }
  return system === null || system === '' ? instruction : `${system}\n\n${instruction}`;
}
