// Shape: what GraphQL can say of a JSON Schema, as plain data; the same reading serves inputs, outputs and `check`.
import type { Json, JsonObject } from '../../../common/json.ts';
import type { JsonSchema } from '../../../language/plan/types.ts';
import { enumValueName, fieldName, pascalName } from '../names.ts';
import type { NameRegistry } from '../names.ts';

export type Shape =
  | { readonly kind: 'scalar'; readonly scalar: 'String' | 'Int' | 'Float' | 'Boolean' | 'BigInt' | 'JSON' }
  | {
      readonly kind: 'enum';
      readonly name: string;
      readonly description: string;
      readonly values: readonly EnumValue[];
    }
  | { readonly kind: 'list'; readonly item: Shape; readonly itemNullable: boolean }
  | {
      readonly kind: 'object';
      readonly name: string;
      readonly description: string;
      readonly fields: readonly ShapeField[];
    };

export interface EnumValue {
  readonly name: string;
  /** The value in JSON. */
  readonly value: string;
}

export interface ShapeField {
  readonly name: string;
  /** The property in JSON. */
  readonly property: string;
  readonly shape: Shape;
  /** The schema lets it be absent. */
  readonly optional: boolean;
  /** The schema lets it be null. */
  readonly nullable: boolean;
  /** undefined: none that can be written in a schema. */
  readonly defaultValue: Json | undefined;
  readonly description: string;
  readonly deprecated: string | null;
}

/** Where GraphQL could not say what the schema says. */
export interface ShapeNote {
  /** `summarize.input.options`. */
  readonly place: string;
  readonly reason: string;
}

export interface ShapeContext {
  readonly names: NameRegistry;
  readonly notes: ShapeNote[];
  /** `task "email-parse"`. */
  readonly claimer: string;
}

const JSON_VALUE: Shape = { kind: 'scalar', scalar: 'JSON' };
const INT_MAX = 2_147_483_647;
const INT_MIN = -2_147_483_648;
const UNSAYABLE = ['$ref', 'anyOf', 'oneOf', 'allOf', 'not', 'if'] as const;

/** Reads a schema; `name` is the type's name if it becomes one, `place` is for notes. */
export function shapeOf(schema: JsonSchema, name: string, place: string, context: ShapeContext): Shape {
  const asJson = (reason: string): Shape => {
    context.notes.push({ place, reason });
    return JSON_VALUE;
  };
  for (const keyword of UNSAYABLE) {
    if (schema[keyword] !== undefined) return asJson(`\`${keyword}\` has no counterpart in GraphQL`);
  }
  if (schema['const'] !== undefined)
    return enumShape([schema['const']], schema, name, context) ?? asJson('a constant that is not a text');
  if (Array.isArray(schema['enum'])) {
    const values = (schema['enum'] as readonly Json[]).filter((value) => value !== null);
    return (
      enumShape(values, schema, name, context) ??
      asJson('an enum whose values cannot be told apart as GraphQL names')
    );
  }
  const types = typesOf(schema);
  if (types.length === 0) return JSON_VALUE;
  if (types.length > 1) return asJson(`a value of several types (${types.join(', ')})`);
  switch (types[0]) {
    case 'string':
      return { kind: 'scalar', scalar: 'String' };
    case 'boolean':
      return { kind: 'scalar', scalar: 'Boolean' };
    case 'number':
      return { kind: 'scalar', scalar: 'Float' };
    case 'integer':
      return { kind: 'scalar', scalar: needsBigInt(schema) ? 'BigInt' : 'Int' };
    case 'array':
      return listShape(schema, name, place, context);
    case 'object':
      return objectShape(schema, name, place, context) ?? JSON_VALUE;
    default:
      return JSON_VALUE;
  }
}

/** Would `shapeOf` try to make an object type of it? */
export function looksLikeObject(schema: JsonSchema): boolean {
  const types = typesOf(schema);
  return (
    types.length === 1 &&
    types[0] === 'object' &&
    !['enum', 'const', ...UNSAYABLE].some((keyword) => schema[keyword] !== undefined)
  );
}

/** Beside `null`; empty where the schema does not say. */
function typesOf(schema: JsonSchema): readonly string[] {
  const type = schema['type'];
  if (type === undefined) return schema['properties'] === undefined ? [] : ['object'];
  const list = Array.isArray(type) ? (type as readonly string[]) : [type as string];
  return list.filter((one) => one !== 'null');
}

function isNullable(schema: JsonSchema): boolean {
  const type = schema['type'];
  if (Array.isArray(type) && type.includes('null')) return true;
  return Array.isArray(schema['enum']) && schema['enum'].includes(null);
}

/** GraphQL's Int has 32 bits: only bounds that say more ask for BigInt. */
function needsBigInt(schema: JsonSchema): boolean {
  const { maximum, minimum, format } = schema;
  return (
    format === 'int64' ||
    (typeof maximum === 'number' && maximum > INT_MAX) ||
    (typeof minimum === 'number' && minimum < INT_MIN)
  );
}

function enumShape(
  values: readonly Json[],
  schema: JsonSchema,
  name: string,
  context: ShapeContext,
): Shape | undefined {
  const named: EnumValue[] = [];
  for (const value of values) {
    const valueName = typeof value === 'string' ? enumValueName(value) : undefined;
    if (valueName === undefined || named.some((other) => other.name === valueName)) return undefined;
    named.push({ name: valueName, value: value as string });
  }
  if (named.length === 0 || !context.names.claim(name, context.claimer)) return undefined;
  return { kind: 'enum', name, description: textOf(schema['description']), values: named };
}

function listShape(schema: JsonSchema, name: string, place: string, context: ShapeContext): Shape {
  const items = schema['items'];
  if (!isSchema(items)) return { kind: 'list', item: JSON_VALUE, itemNullable: true };
  return {
    kind: 'list',
    item: shapeOf(items, `${name}Item`, `${place}[]`, context),
    itemNullable: isNullable(items),
  };
}

function objectShape(
  schema: JsonSchema,
  name: string,
  place: string,
  context: ShapeContext,
): Shape | undefined {
  const properties = isSchema(schema['properties']) ? Object.entries(schema['properties']) : [];
  if (properties.length === 0) return undefined;
  const taken = new Set<string>();
  for (const [property] of properties) {
    const field = fieldName(property);
    if (field === undefined || taken.has(field)) {
      context.notes.push({ place, reason: `the property "${property}" has no GraphQL name of its own` });
      return undefined;
    }
    taken.add(field);
  }
  if (!context.names.claim(name, context.claimer)) return undefined;
  const required = Array.isArray(schema['required']) ? (schema['required'] as readonly string[]) : [];
  const fields = properties.map(([property, value]): ShapeField => {
    const member: JsonObject = isSchema(value) ? value : {};
    return {
      name: fieldName(property) ?? property,
      property,
      shape: shapeOf(member, `${name}${pascalName(property)}`, `${place}.${property}`, context),
      optional: !required.includes(property),
      nullable: isNullable(member),
      defaultValue: member['default'],
      description: describe(member),
      deprecated: member['deprecated'] === true ? 'Deprecated by the task.' : null,
    };
  });
  return { kind: 'object', name, description: textOf(schema['description']), fields };
}

/** What the type alone does not say is put beside the description, as a reader of the schema would want it. */
function describe(schema: JsonSchema): string {
  const limits: string[] = [];
  if (typeof schema['format'] === 'string') limits.push(`format: ${schema['format']}`);
  if (typeof schema['contentMediaType'] === 'string') limits.push(schema['contentMediaType']);
  if (typeof schema['minLength'] === 'number') limits.push(`at least ${schema['minLength']} characters`);
  if (typeof schema['maxLength'] === 'number') limits.push(`at most ${schema['maxLength']} characters`);
  if (typeof schema['minimum'] === 'number') limits.push(`at least ${schema['minimum']}`);
  if (typeof schema['maximum'] === 'number') limits.push(`at most ${schema['maximum']}`);
  if (typeof schema['maxItems'] === 'number') limits.push(`at most ${schema['maxItems']} items`);
  const description = textOf(schema['description']);
  const tail = limits.length === 0 ? '' : `(${limits.join('; ')})`;
  return [description, tail].filter((part) => part !== '').join(' ');
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function isSchema(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
