// Values: GraphQL's input objects turned into the task's JSON, and outputs tested before they are shown as typed.
import { GraphQLError } from 'graphql';
import type { Json } from '../../../common/json.ts';
import type { Shape } from './shape.ts';

/** Turns what GraphQL coerced into the JSON that the task's schema is about: property names, BigInt as number, `null` for "not given". */
export type ToJson = (value: unknown) => Json;

/** undefined: the value can be passed on as it is. Made once per type, so that a request pays only for what differs. */
export function toJsonFor(shape: Shape): ToJson | undefined {
  switch (shape.kind) {
    case 'scalar':
      return shape.scalar === 'BigInt' ? exactNumber : undefined;
    case 'enum':
      return undefined;
    case 'list': {
      const item = toJsonFor(shape.item);
      return item === undefined
        ? undefined
        : (value) => (value as readonly unknown[]).map((one) => (one === null ? null : item(one)));
    }
    case 'object': {
      const fields = shape.fields.map((field) => ({
        name: field.name,
        property: field.property,
        convert: toJsonFor(field.shape),
        keepNull: field.nullable,
      }));
      return (value) => {
        const given = value as { readonly [name: string]: unknown };
        const json: { [property: string]: Json } = {};
        for (const field of fields) {
          const member = given[field.name];
          if (member === undefined || (member === null && !field.keepNull)) continue;
          json[field.property] =
            member === null || field.convert === undefined ? (member as Json) : field.convert(member);
        }
        return json;
      };
    }
  }
}

/** JSON holds numbers as a double does. */
function exactNumber(value: unknown): number {
  const number = Number(value);
  if (typeof value === 'bigint' && BigInt(number) !== value)
    throw new GraphQLError(`The number ${value} cannot be kept exactly.`, {
      extensions: {
        code: 'BAD_USER_INPUT',
        remedy: 'Declare the field as a string where nobody counts with it, such as an identifier.',
      },
    });
  return number;
}

/** Can the value be shown as this type? An output of an older revision may not be; it is then shown as JSON alone. */
export function fits(shape: Shape, value: Json): boolean {
  switch (shape.kind) {
    case 'scalar':
      return fitsScalar(shape.scalar, value);
    case 'enum':
      return shape.values.some((one) => one.value === value);
    case 'list':
      return (
        Array.isArray(value) &&
        value.every((item: Json) => (item === null ? shape.itemNullable : fits(shape.item, item)))
      );
    case 'object': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
      const members = value as { readonly [property: string]: Json | undefined };
      return shape.fields.every((field) => {
        const member = members[field.property];
        if (member === undefined || member === null) return field.optional || field.nullable;
        return fits(field.shape, member);
      });
    }
  }
}

function fitsScalar(scalar: Extract<Shape, { kind: 'scalar' }>['scalar'], value: Json): boolean {
  switch (scalar) {
    case 'String':
      return typeof value === 'string';
    case 'Boolean':
      return typeof value === 'boolean';
    case 'Float':
      return typeof value === 'number';
    case 'Int':
      return typeof value === 'number' && (value | 0) === value;
    case 'BigInt':
      return Number.isSafeInteger(value);
    case 'JSON':
      return true;
  }
}
