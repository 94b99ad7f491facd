// Shape: what GraphQL can say of a JSON Schema, as plain data; the same reading serves inputs, outputs and `check`.
import { viewOf } from '../../../common/json-schema.ts';
import type { SchemaView } from '../../../common/json-schema.ts';
import type { Json } from '../../../common/json.ts';
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
/** Of a reference there is left what leads into itself. */
const UNSAYABLE = ['$ref', 'anyOf', 'oneOf', 'allOf', 'not'] as const;

/** Reads a schema; `name` is the type's name if it becomes one, `place` is for notes. */
export function shapeOf(schema: JsonSchema, name: string, place: string, context: ShapeContext): Shape {
  return shapeOfView(viewOf(schema), name, place, context);
}

function shapeOfView(view: SchemaView, name: string, place: string, context: ShapeContext): Shape {
  const { schema, types, choices } = view;
  const asJson = (reason: string): Shape => {
    context.notes.push({ place, reason });
    return JSON_VALUE;
  };
  for (const keyword of UNSAYABLE) {
    if (schema[keyword] !== undefined) return asJson(`\`${keyword}\` has no counterpart in GraphQL`);
  }
  if (choices)
    return (
      enumShape(choices, schema, name, context) ??
      asJson(
        'const' in schema
          ? 'a constant that is not a text'
          : 'an enum whose values cannot be told apart as GraphQL names',
      )
    );
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
      return listShape(view, name, place, context);
    case 'object':
      return objectShape(view, name, place, context) ?? JSON_VALUE;
    default:
      return JSON_VALUE;
  }
}

/** Would `shapeOf` try to make an object type of it? */
export function looksLikeObject(schema: JsonSchema): boolean {
  const view = viewOf(schema);
  return (
    view.types.length === 1 &&
    view.types[0] === 'object' &&
    view.choices === null &&
    !UNSAYABLE.some((keyword) => view.schema[keyword] !== undefined)
  );
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

function listShape({ items }: SchemaView, name: string, place: string, context: ShapeContext): Shape {
  if (!items) return { kind: 'list', item: JSON_VALUE, itemNullable: true };
  const view = viewOf(items);
  return {
    kind: 'list',
    item: shapeOfView(view, `${name}Item`, `${place}[]`, context),
    itemNullable: view.nullable,
  };
}

function objectShape(
  view: SchemaView,
  name: string,
  place: string,
  context: ShapeContext,
): Shape | undefined {
  const properties = Object.entries(view.properties);
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
  const fields = properties.map(([property, schema]): ShapeField => {
    const member = viewOf(schema);
    return {
      name: fieldName(property) ?? property,
      property,
      shape: shapeOfView(member, `${name}${pascalName(property)}`, `${place}.${property}`, context),
      optional: !view.required.has(property),
      nullable: member.nullable,
      defaultValue: member.schema['default'],
      description: describe(member.schema),
      deprecated: member.schema['deprecated'] === true ? 'Deprecated by the task.' : null,
    };
  });
  return { kind: 'object', name, description: textOf(view.schema['description']), fields };
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
