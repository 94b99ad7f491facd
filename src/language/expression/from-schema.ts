// JSON Schema → the type that expressions see.
import type { Json, JsonObject, JsonSchema } from '../../common/json.ts';
import { ANY, BOOLEAN, INTEGER, NULL, NUMBER, STRING, nullable, unify } from './type.ts';
import type { Type } from './type.ts';

const cache = new WeakMap<object, Type>();
const MAX_DEPTH = 32;

export function typeFromSchema(schema: JsonSchema): Type {
  const known = cache.get(schema);
  if (known) return known;
  const type = new SchemaReader(schema).read(schema, 0);
  cache.set(schema, type);
  return type;
}

class SchemaReader {
  readonly #root: JsonSchema;
  /** What a `$ref` points at → its type; `undefined` while it is being read, so that a recursive schema ends in "any". */
  readonly #resolved = new Map<unknown, Type | undefined>();

  constructor(root: JsonSchema) {
    this.#root = root;
  }

  read(schema: unknown, depth: number): Type {
    if (!isObject(schema) || depth > MAX_DEPTH) return ANY;
    const reference = schema['$ref'];
    if (typeof reference === 'string') return this.#readReference(reference, depth);
    const union = schema['anyOf'] ?? schema['oneOf'];
    if (Array.isArray(union)) return this.#readUnion(union as readonly unknown[], depth);
    if ('const' in schema) return ofValues([schema['const'] ?? null], schema);
    const names = typeNames(schema);
    const kinds = names.filter((name) => name !== 'null');
    const [kind] = kinds;
    if (names.length > 0 && kind === undefined) return NULL;
    const type = kinds.length > 1 ? ANY : this.#readKind(kind, schema, depth);
    return names.includes('null') || allowsNull(schema) ? nullable(type) : type;
  }

  #readReference(reference: string, depth: number): Type {
    const target = resolve(reference, this.#root);
    if (this.#resolved.has(target)) return this.#resolved.get(target) ?? ANY;
    this.#resolved.set(target, undefined);
    const type = this.read(target, depth + 1);
    this.#resolved.set(target, type);
    return type;
  }

  #readKind(kind: string | undefined, schema: JsonObject, depth: number): Type {
    const bare = withoutNull(schema);
    switch (kind) {
      case 'string':
        return { ...STRING, schema: bare };
      case 'integer':
        return { ...INTEGER, schema: bare };
      case 'number':
        return { ...NUMBER, schema: bare };
      case 'boolean':
        return { ...BOOLEAN, schema: bare };
      case 'array':
        return { kind: 'list', nullable: false, items: this.read(schema['items'], depth + 1), schema: bare };
      case 'object':
        return this.#readObject(schema, bare, depth);
      default:
        if (Array.isArray(schema['enum'])) return ofValues(schema['enum'] as readonly Json[], bare);
        if (isObject(schema['properties'])) return this.#readObject(schema, bare, depth);
        return { ...ANY, schema: bare };
    }
  }

  /** An optional member is null when it is absent, unless it has a default. */
  #readObject(schema: JsonObject, bare: JsonObject, depth: number): Type {
    const properties = isObject(schema['properties']) ? schema['properties'] : {};
    const required = Array.isArray(schema['required']) ? (schema['required'] as readonly unknown[]) : [];
    const members = new Map<string, Type>();
    for (const [name, member] of Object.entries(properties)) {
      const type = this.read(member, depth + 1);
      const present = required.includes(name) || (isObject(member) && 'default' in member);
      members.set(name, present ? type : nullable(type));
    }
    return {
      kind: 'object',
      nullable: false,
      members,
      rest: this.#readRest(schema, members.size, depth),
      schema: bare,
    };
  }

  /** Where the schema lists members and does not say that there are more, a member that it does not list is a slip. */
  #readRest(schema: JsonObject, listed: number, depth: number): Type | null {
    const more = schema['additionalProperties'];
    if (more === false) return null;
    if (more === true) return ANY;
    if (isObject(more)) return nullable(this.read(more, depth + 1));
    return listed > 0 ? null : ANY;
  }

  #readUnion(members: readonly unknown[], depth: number): Type {
    const [first, ...others] = members.map((member) => this.read(member, depth + 1));
    return first === undefined ? ANY : others.reduce(unify, first);
  }
}

function allowsNull(schema: JsonObject): boolean {
  const choices = schema['enum'];
  return Array.isArray(choices) && choices.includes(null);
}

function typeNames(schema: JsonObject): readonly string[] {
  const { type } = schema;
  if (typeof type === 'string') return [type];
  return Array.isArray(type) ? type.filter((name): name is string => typeof name === 'string') : [];
}

function ofValues(values: readonly Json[], schema: JsonObject): Type {
  const kinds = new Set(values.filter((value) => value !== null).map((value) => typeof value));
  const [kind] = kinds;
  if (kinds.size !== 1) return kinds.size === 0 ? NULL : { ...ANY, schema };
  if (kind === 'string') return { ...STRING, schema: { type: 'string', ...schema } };
  if (kind === 'boolean') return { ...BOOLEAN, schema: { type: 'boolean', ...schema } };
  if (kind !== 'number') return { ...ANY, schema };
  const integers = values.every((value) => value === null || Number.isInteger(value));
  return integers
    ? { ...INTEGER, schema: { type: 'integer', ...schema } }
    : { ...NUMBER, schema: { type: 'number', ...schema } };
}

function withoutNull(schema: JsonObject): JsonObject {
  const names = typeNames(schema);
  if (!names.includes('null') && !allowsNull(schema)) return schema;
  const kinds = names.filter((name) => name !== 'null');
  const choices = schema['enum'];
  return {
    ...schema,
    ...(kinds.length === 1 ? { type: kinds[0] ?? 'null' } : {}),
    ...(Array.isArray(choices) ? { enum: choices.filter((choice) => choice !== null) as Json[] } : {}),
  };
}

/** `#/$defs/name` within the same schema; anything else is unknown. */
function resolve(reference: string, root: JsonSchema): unknown {
  if (!reference.startsWith('#')) return {};
  let found: unknown = root;
  for (const part of reference.slice(1).split('/').filter(Boolean)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  }
  return found;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
