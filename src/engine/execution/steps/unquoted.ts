// Objects and lists that a model has written as texts of JSON inside its answer, where the schema wants the objects and lists themselves.
import { inexactNumber } from '../../../common/exact-json.ts';
import { viewOf } from '../../../common/json-schema.ts';
import type { Json, JsonSchema } from '../../../common/json.ts';

/** The value with such texts read; itself where there are none. */
export function unquoted(value: Json, schema: JsonSchema): Json {
  const { types, properties, items } = viewOf(schema);
  if (typeof value === 'string') {
    const read = /^\s*[[{]/.test(value) && !types.includes('string') ? parsed(value) : undefined;
    const wanted = Array.isArray(read) ? 'array' : 'object';
    return read === undefined || !types.includes(wanted) ? value : unquoted(read, schema);
  }
  if (Array.isArray(value)) return items === null ? value : value.map((item) => unquoted(item, items));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const of = Object.hasOwn(properties, name) ? properties[name] : undefined;
      return [name, of === undefined ? member : unquoted(member, of)];
    }),
  );
}

function parsed(text: string): Json | undefined {
  try {
    return inexactNumber(text) === undefined ? (JSON.parse(text) as Json) : undefined;
  } catch {
    return undefined;
  }
}
