// JSON Schema → the type that expressions see.
import { resolveReferences, viewOf, withoutReferences } from '../../common/json-schema.ts';
import type { SchemaView } from '../../common/json-schema.ts';
import type { Json, JsonSchema } from '../../common/json.ts';
import { ANY, BOOLEAN, INTEGER, NULL, NUMBER, STRING, nullable, unify } from './type.ts';
import type { Type } from './type.ts';

/** By the schema object itself, which nobody changes: what it is as a type depends on nothing else. */
const cache = new WeakMap<object, Type>();
const MAX_DEPTH = 128;

/** What leads into itself is any value where it does; the schemas of the type stand for themselves, wherever they are put. */
export function typeFromSchema(schema: JsonSchema): Type {
  const known = cache.get(schema);
  if (known) return known;
  const resolved = resolveReferences(schema);
  const type = read(withoutReferences(resolved.ok ? resolved.value : schema), 0);
  cache.set(schema, type);
  return type;
}

function read(schema: Json | undefined, depth: number): Type {
  if (!isObject(schema) || depth > MAX_DEPTH) return ANY;
  const view = viewOf(schema);
  if (view.variants) return readVariants(view.variants, depth);
  const [kind] = view.types;
  const type = view.types.length > 1 ? ANY : readKind(kind, view, depth);
  return view.nullable ? nullable(type) : type;
}

function readKind(kind: string | undefined, view: SchemaView, depth: number): Type {
  const schema: JsonSchema =
    kind !== undefined && view.choices ? { type: kind, ...view.schema } : view.schema;
  switch (kind) {
    case 'string':
      return { ...STRING, schema };
    case 'integer':
      return { ...INTEGER, schema };
    case 'number':
      return { ...NUMBER, schema };
    case 'boolean':
      return { ...BOOLEAN, schema };
    case 'array':
      return { kind: 'list', nullable: false, items: read(view.items ?? {}, depth + 1), schema };
    case 'object':
      return readObject(view, depth);
    default:
      return [schema['type']].flat().includes('null') || view.choices?.length === 0
        ? NULL
        : { ...ANY, schema };
  }
}

/** An optional member is null when it is absent, unless it has a default. */
function readObject(view: SchemaView, depth: number): Type {
  const members = new Map<string, Type>();
  for (const [name, member] of Object.entries(view.properties)) {
    const type = read(member, depth + 1);
    members.set(name, view.required.has(name) || 'default' in member ? type : nullable(type));
  }
  return {
    kind: 'object',
    nullable: false,
    members,
    rest: readRest(view.schema, members.size, depth),
    schema: view.schema,
  };
}

/** Where the schema lists members and does not say that there are more, a member that it does not list is a slip. */
function readRest(schema: JsonSchema, listed: number, depth: number): Type | null {
  const more = schema['additionalProperties'];
  if (more === false) return null;
  if (more === true) return ANY;
  if (isObject(more)) return nullable(read(more, depth + 1));
  return listed > 0 ? null : ANY;
}

function readVariants(variants: readonly JsonSchema[], depth: number): Type {
  const [first, ...others] = variants.map((variant) => read(variant, depth + 1));
  return first === undefined ? ANY : others.reduce(unify, first);
}

function isObject(value: Json | undefined): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
