// A value that fits a schema, as far as an expression cares: what a step that was not run might have given.
import { viewOf } from '../../common/json-schema.ts';
import type { Json, JsonSchema } from '../../common/json.ts';

/** About a token. */
const WORD = 'word ';

/** The least that has every field; the text of a step without `output:` is `textTokens` words long. Schemas nest no deeper than they are written. */
export function sampleOf(schema: JsonSchema, textTokens: number): Json {
  const { types, choices, variants, properties } = viewOf(schema);
  if (choices) return choices[0] ?? null;
  const [first] = variants ?? [];
  if (first) return sampleOf(first, textTokens);
  switch (types[0]) {
    case 'object':
      return Object.fromEntries(
        Object.entries(properties).map(([name, member]) => [name, sampleOf(member, textTokens)]),
      );
    case 'array':
      return [];
    case 'string':
      return WORD.repeat(textTokens);
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    default:
      return null;
  }
}
