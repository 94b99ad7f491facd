// JSON Schema → the strict subset that a vendor accepts natively, and the way back for the answer.
import { follow, viewOf } from '../../../common/json-schema.ts';
import type { Json } from '../../../common/json.ts';
import type { JsonSchema } from '../../../language/plan/types.ts';

/** What a vendor's strict mode understands. */
export interface StrictDialect {
  /** nullable: every property must be required, so an optional one becomes nullable; keep: optional is understood. */
  readonly optional: 'nullable' | 'keep';
  /** Constraints that may stay; others are told in the description, since the answer is checked against the real schema later. */
  readonly constraints: ReadonlySet<string>;
  readonly formats: ReadonlySet<string>;
}

export interface StrictSchema {
  readonly schema: JsonSchema;
  /** Takes out of an answer the nulls that stand for "not given". */
  undo(answer: Json): Json;
}

/** Keywords that carry meaning which the subset cannot: leaving them out would change which answers are possible at all. */
const BEYOND = [
  'allOf',
  'patternProperties',
  'prefixItems',
  'unevaluatedProperties',
  '$dynamicRef',
  'dependentSchemas',
];
const ANNOTATIONS = new Set([
  '$schema',
  '$id',
  '$comment',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  'title',
]);
const HANDLED = new Set([
  'type',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'enum',
  'const',
  'anyOf',
  'oneOf',
  '$ref',
  '$defs',
  'description',
  'format',
]);
const MAX_DEPTH = 10;

class NotStrict extends Error {}

/** undefined: the schema cannot be put in strict terms (free-form maps, any values, …); it is then asked for in words. */
export function toStrict(schema: JsonSchema, dialect: StrictDialect): StrictSchema | undefined {
  try {
    if (schema['type'] !== 'object') return undefined;
    const strict = convert(schema, dialect, 0);
    return {
      schema: strict,
      undo:
        dialect.optional === 'nullable'
          ? (answer) => withoutStandIns(answer, schema, schema, 0)
          : (answer) => answer,
    };
  } catch (error) {
    if (error instanceof NotStrict) return undefined;
    throw error;
  }
}

function convert(schema: Json, dialect: StrictDialect, depth: number): JsonSchema {
  if (!isObject(schema) || depth > MAX_DEPTH || BEYOND.some((keyword) => keyword in schema))
    throw new NotStrict();
  const result: { [key: string]: Json } = {};
  const told: string[] = [];
  const defs = schema['$defs'];
  if (isObject(defs))
    result['$defs'] = mapValues(defs, (definition) => convert(definition, dialect, depth + 1));
  if (typeof schema['$ref'] === 'string') {
    if (!schema['$ref'].startsWith('#')) throw new NotStrict();
    return { ...result, $ref: schema['$ref'] };
  }
  const variants = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(variants))
    result['anyOf'] = variants.map((variant: Json) => convert(variant, dialect, depth + 1));
  if (Array.isArray(schema['enum'])) result['enum'] = schema['enum'];
  if (schema['const'] !== undefined) result['const'] = schema['const'];
  const type = schema['type'] ?? typeOfChoices(schema);
  if (type !== undefined) result['type'] = type;
  if (type === undefined && result['anyOf'] === undefined) throw new NotStrict();

  if (admits(type, 'object')) convertObject(schema, dialect, depth, result);
  if (admits(type, 'array')) {
    if (schema['items'] === undefined) throw new NotStrict();
    result['items'] = convert(schema['items'], dialect, depth + 1);
  }
  const format = schema['format'];
  if (typeof format === 'string') {
    if (dialect.formats.has(format)) result['format'] = format;
    else told.push(`format: ${format}`);
  }
  for (const [keyword, value] of Object.entries(schema)) {
    if (HANDLED.has(keyword) || ANNOTATIONS.has(keyword)) continue;
    if (dialect.constraints.has(keyword)) result[keyword] = value;
    else told.push(`${keyword}: ${JSON.stringify(value)}`);
  }
  const description = [schema['description'], told.length > 0 ? `(${told.join(', ')})` : undefined]
    .filter((part) => typeof part === 'string')
    .join(' ');
  if (description !== '') result['description'] = description;
  return result;
}

function convertObject(
  schema: { readonly [key: string]: Json },
  dialect: StrictDialect,
  depth: number,
  result: { [key: string]: Json },
): void {
  if (!isObject(schema['properties']) || isObject(schema['additionalProperties'])) throw new NotStrict();
  const { properties, required } = viewOf(schema);
  result['properties'] = mapValues(properties, (property, name) => {
    const converted = convert(property, dialect, depth + 1);
    return dialect.optional === 'keep' || required.has(name) || (isObject(property) && admitsNull(property))
      ? converted
      : nullable(converted);
  });
  result['required'] =
    dialect.optional === 'nullable'
      ? Object.keys(properties)
      : [...required].filter((name) => name in properties);
  result['additionalProperties'] = false;
}

function nullable(schema: JsonSchema): JsonSchema {
  const { type, description, ...rest } = schema;
  const isPlain = typeof type === 'string' && schema['enum'] === undefined && schema['const'] === undefined;
  if (isPlain) return { ...schema, type: [type, 'null'] };
  const variants = Array.isArray(schema['anyOf']) ? schema['anyOf'] : undefined;
  if (variants) return { ...schema, anyOf: [...variants, { type: 'null' }] };
  const inner: JsonSchema = type === undefined ? rest : { type, ...rest };
  return { anyOf: [inner, { type: 'null' }], ...(description === undefined ? {} : { description }) };
}

/** Nulls at optional properties that did not allow null mean "not given". */
function withoutStandIns(value: Json, schema: Json | undefined, root: JsonSchema, depth: number): Json {
  if (!isObject(schema) || value === null || typeof value !== 'object' || depth > 64) return value;
  const said = target(schema, root);
  let result: Json = value;
  for (const variant of [said['anyOf'], said['oneOf']]) {
    if (Array.isArray(variant))
      for (const branch of variant as readonly Json[])
        result = withoutStandIns(result, branch, root, depth + 1);
  }
  if (Array.isArray(result)) {
    const items = said['items'];
    return items === undefined
      ? result
      : result.map((item: Json) => withoutStandIns(item, items, root, depth + 1));
  }
  if (!isObject(said['properties']) || !isObject(result)) return result;
  const { properties, required } = viewOf(said);
  const kept: { [key: string]: Json } = {};
  for (const [name, member] of Object.entries(result)) {
    const property = properties[name];
    if (member === null && property !== undefined && !required.has(name) && !admitsNull(property, root))
      continue;
    kept[name] = withoutStandIns(member, property, root, depth + 1);
  }
  return kept;
}

function admits(type: Json | undefined, wanted: string): boolean {
  return type === wanted || (Array.isArray(type) && type.includes(wanted));
}

/** Without `root`, a reference is not followed. */
function admitsNull(schema: JsonSchema, root: JsonSchema = {}): boolean {
  const { nullable, variants } = viewOf(target(schema, root));
  return nullable || variants?.some((variant) => admitsNull(variant, root)) === true;
}

/** What leads into itself is the only reference that is left in a plan. */
function target(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const { $ref: reference } = schema;
  return (typeof reference === 'string' ? follow(reference, root) : undefined) ?? schema;
}

/** Of the values that a schema without a type lists. */
function typeOfChoices(schema: JsonSchema): Json | undefined {
  const { types, nullable, choices } = viewOf(schema);
  const all = nullable ? [...types, 'null'] : types;
  if (!choices || all.length === 0 || all.includes('object') || all.includes('array')) return undefined;
  return all.length === 1 ? all[0] : all;
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mapValues(
  object: { readonly [key: string]: Json },
  map: (value: Json, key: string) => Json,
): JsonSchema {
  const result: { [key: string]: Json } = {};
  for (const [key, value] of Object.entries(object)) result[key] = map(value, key);
  return result;
}
