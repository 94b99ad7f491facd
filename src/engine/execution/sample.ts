// A value that fits a schema, as far as an expression cares: what a step that was not run might have given.
import type { Json, JsonSchema } from '../../common/json.ts';

/** About a token. */
const WORD = 'word ';

/** The least that has every field; the text of a step without `output:` is `textTokens` words long. Schemas nest no deeper than they are written. */
export function sampleOf(schema: JsonSchema, textTokens: number): Json {
  const choices = schema['enum'];
  if (Array.isArray(choices)) return (choices[0] ?? null) as Json;
  if ('const' in schema) return schema['const'] ?? null;
  const branches = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(branches)) return sampleOf((branches[0] ?? {}) as JsonSchema, textTokens);
  const { type } = schema;
  switch (Array.isArray(type) ? type[0] : type) {
    case 'object':
      return Object.fromEntries(
        Object.entries((schema['properties'] ?? {}) as { readonly [name: string]: JsonSchema }).map(
          ([name, member]) => [name, sampleOf(member, textTokens)],
        ),
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
