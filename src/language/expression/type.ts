// The types of expressions: JSON Schemas, seen as far as an expression can tell them apart.
import { canonicalJson } from '../../common/json.ts';
import type { Json, JsonSchema } from '../../common/json.ts';

export type ScalarKind = 'any' | 'null' | 'boolean' | 'integer' | 'number' | 'string';

interface TypeBase {
  /** Whether the value can be null: an optional field that is absent, a step that was skipped. */
  readonly nullable: boolean;
  /** Without the null of `nullable`. */
  readonly schema: JsonSchema;
}
export interface ScalarType extends TypeBase {
  readonly kind: ScalarKind;
}
export interface ListType extends TypeBase {
  readonly kind: 'list';
  readonly items: Type;
}
export interface ObjectType extends TypeBase {
  readonly kind: 'object';
  readonly members: ReadonlyMap<string, Type>;
  /** Of members that are not declared; null: there are none. */
  readonly rest: Type | null;
}
export type Type = ScalarType | ListType | ObjectType;

export const ANY: Type = { kind: 'any', nullable: true, schema: {} };
export const NULL: Type = { kind: 'null', nullable: true, schema: { type: 'null' } };
export const BOOLEAN: Type = { kind: 'boolean', nullable: false, schema: { type: 'boolean' } };
export const INTEGER: Type = { kind: 'integer', nullable: false, schema: { type: 'integer' } };
export const NUMBER: Type = { kind: 'number', nullable: false, schema: { type: 'number' } };
export const STRING: Type = { kind: 'string', nullable: false, schema: { type: 'string' } };

export function listOf(items: Type): ListType {
  return { kind: 'list', nullable: false, items, schema: { type: 'array', items: schemaOf(items) } };
}

export function objectOf(members: ReadonlyMap<string, Type>): ObjectType {
  const properties: Record<string, JsonSchema> = {};
  for (const [name, type] of members) properties[name] = schemaOf(type);
  const schema: JsonSchema = {
    type: 'object',
    properties,
    required: [...members.keys()],
    additionalProperties: false,
  };
  return { kind: 'object', nullable: false, members, rest: null, schema };
}

export function nullable(type: Type): Type {
  return type.nullable ? type : { ...type, nullable: true };
}

export function nonNull(type: Type): Type {
  return type.nullable && type.kind !== 'any' && type.kind !== 'null' ? { ...type, nullable: false } : type;
}

/** The JSON Schema of a type, null included. */
export function schemaOf(type: Type): JsonSchema {
  return !type.nullable || type.kind === 'any' || type.kind === 'null'
    ? type.schema
    : nullableSchema(type.schema);
}

/** What the schema takes, and null. */
export function nullableSchema(schema: JsonSchema): JsonSchema {
  const { type, enum: choices } = schema;
  if (Object.keys(schema).length === 0 || takesNull(schema)) return schema;
  if (typeof type !== 'string') return { anyOf: [schema, { type: 'null' }] };
  return {
    ...schema,
    type: [type, 'null'],
    ...(Array.isArray(choices) ? { enum: [...(choices as readonly Json[]), null] } : {}),
  };
}

function takesNull({ type, anyOf }: JsonSchema): boolean {
  if (Array.isArray(type)) return type.includes('null');
  return (
    type === 'null' ||
    (Array.isArray(anyOf) && (anyOf as readonly JsonSchema[]).some((member) => member['type'] === 'null'))
  );
}

/** What both can be: the type of `c ? a : b`, of a list's items. */
export function unify(left: Type, right: Type): Type {
  if (left.kind === 'null') return nullable(right);
  if (right.kind === 'null') return nullable(left);
  const either = left.nullable || right.nullable;
  const withNull = (type: Type): Type => (either ? nullable(type) : type);
  if (canonicalJson(left.schema) === canonicalJson(right.schema)) return withNull(left);
  if (left.kind === 'list' && right.kind === 'list') {
    if (isEmptyList(left)) return withNull(right);
    if (isEmptyList(right)) return withNull(left);
    return withNull(listOf(unify(left.items, right.items)));
  }
  if (isNumeric(left) && isNumeric(right)) return withNull(left.kind === right.kind ? left : NUMBER);
  if (left.kind === 'string' && right.kind === 'string') return withNull(STRING);
  if (left.kind === 'boolean' && right.kind === 'boolean') return withNull(BOOLEAN);
  return ANY;
}

export function isNumeric(type: Type): boolean {
  return type.kind === 'integer' || type.kind === 'number';
}

/** The type of `[]`: it goes with every list. */
export const EMPTY_LIST: ListType = {
  kind: 'list',
  nullable: false,
  items: ANY,
  schema: { type: 'array', items: {}, maxItems: 0 },
};

function isEmptyList(type: ListType): boolean {
  return type.schema['maxItems'] === 0;
}

/** For messages: `a text`, `a list of integers`. */
export function describe(type: Type): string {
  const or = type.nullable && type.kind !== 'any' && type.kind !== 'null' ? ' or null' : '';
  return `${type.kind === 'list' ? describeList(type) : NAMES[type.kind]}${or}`;
}

const NAMES: Record<Exclude<Type['kind'], 'list'>, string> = {
  any: 'a value of unknown type',
  null: 'null',
  boolean: 'true or false',
  integer: 'an integer',
  number: 'a number',
  string: 'a text',
  object: 'an object',
};
const PLURALS: Record<Type['kind'], string> = {
  any: '',
  null: ' of nulls',
  boolean: ' of booleans',
  integer: ' of integers',
  number: ' of numbers',
  string: ' of texts',
  object: ' of objects',
  list: ' of lists',
};
function describeList(type: ListType): string {
  return `a list${PLURALS[type.items.kind]}`;
}
