// Types: shapes made into Pothos input and output types.
import type { Json } from '../../../common/json.ts';
import type { Builder } from '../builder.ts';
import type { Shape, ShapeField } from './shape.ts';

// Pothos types a ref by its TypeScript shape; these are known only at run time, so the refs are typed by what is common to all.
type InputRefOf = ReturnType<Builder['inputType']>;
type OutputRefOf = ReturnType<Builder['objectRef']>;
type AnyEnumRef = ReturnType<Builder['enumType']>;
type ScalarName = Extract<Shape, { kind: 'scalar' }>['scalar'];
type InputLeaf = ScalarName | InputRefOf | AnyEnumRef;
type OutputLeaf = ScalarName | OutputRefOf | AnyEnumRef;

function defineEnum(builder: Builder, shape: Extract<Shape, { kind: 'enum' }>): AnyEnumRef {
  return builder.enumType(shape.name, {
    ...(shape.description === '' ? {} : { description: shape.description }),
    values: Object.fromEntries(shape.values.map(({ name, value }) => [name, { value }])),
  });
}

function inputLeaf(builder: Builder, shape: Shape): InputLeaf {
  switch (shape.kind) {
    case 'scalar':
      return shape.scalar;
    case 'enum':
      return defineEnum(builder, shape);
    case 'object':
      return defineInputObject(builder, shape);
    case 'list':
      return inputLeaf(builder, shape.item);
  }
}

export function defineInputObject(builder: Builder, shape: Extract<Shape, { kind: 'object' }>): InputRefOf {
  return builder.inputType(shape.name, {
    ...(shape.description === '' ? {} : { description: shape.description }),
    fields: (t) =>
      Object.fromEntries(
        shape.fields.map((field) => {
          const defaultValue = graphqlDefault(field);
          const options = {
            ...(field.description === '' ? {} : { description: field.description }),
            ...(field.deprecated === null ? {} : { deprecationReason: field.deprecated }),
            ...(defaultValue === undefined ? {} : { defaultValue: defaultValue as never }),
            required: !field.optional && !field.nullable && field.defaultValue === undefined,
          };
          return [field.name, inputField(t, builder, field.shape, options)];
        }),
      ),
  });
}

type InputFields = Parameters<Parameters<Builder['inputType']>[1]['fields']>[0];

function inputField(t: InputFields, builder: Builder, shape: Shape, options: { readonly required: boolean }) {
  if (shape.kind !== 'list') return t.field({ ...options, type: inputLeaf(builder, shape) });
  const required = { list: options.required, items: !shape.itemNullable };
  // A list of lists keeps its inner list as JSON: the engine's own check says what is wrong in it.
  if (shape.item.kind === 'list') return t.field({ ...options, type: ['JSON'], required });
  return t.field({ ...options, type: [inputLeaf(builder, shape.item)], required });
}

/** Only what a document could write as a literal of that type; objects keep their default to the engine. */
function graphqlDefault({ shape, defaultValue }: ShapeField): Json | bigint | undefined {
  if (defaultValue === undefined || defaultValue === null) return undefined;
  switch (shape.kind) {
    case 'scalar':
      return shape.scalar === 'BigInt' ? BigInt(defaultValue as number) : defaultValue;
    case 'enum':
      return shape.values.some(({ value }) => value === defaultValue) ? defaultValue : undefined;
    case 'list':
      return shape.item.kind === 'scalar' && shape.item.scalar !== 'BigInt' && Array.isArray(defaultValue)
        ? defaultValue
        : undefined;
    case 'object':
      return undefined;
  }
}

function outputLeaf(builder: Builder, shape: Shape): OutputLeaf {
  switch (shape.kind) {
    case 'scalar':
      return shape.scalar;
    case 'enum':
      return defineEnum(builder, shape);
    case 'object':
      return defineOutputObject(builder, shape, (parent) => parent as JsonMembers);
    case 'list':
      return outputLeaf(builder, shape.item);
  }
}

type JsonMembers = { readonly [property: string]: Json | undefined };

/** `membersOf` finds the JSON object in the parent value: itself, or inside the wrapper that names a union's member. */
export function defineOutputObject(
  builder: Builder,
  shape: Extract<Shape, { kind: 'object' }>,
  membersOf: (parent: unknown) => JsonMembers,
): OutputRefOf {
  const ref = builder.objectRef<unknown>(shape.name);
  builder.objectType(ref, {
    ...(shape.description === '' ? {} : { description: shape.description }),
    fields: (t) =>
      Object.fromEntries(
        shape.fields.map((field) => {
          const { property } = field;
          // The value was tested against the shape before it got here (`fits`), so its type is what the field says.
          const resolve = (parent: unknown): never => (membersOf(parent)[property] ?? null) as never;
          const options = {
            ...(field.description === '' ? {} : { description: field.description }),
            ...(field.deprecated === null ? {} : { deprecationReason: field.deprecated }),
            resolve,
          };
          const nullable = field.optional || field.nullable;
          if (field.shape.kind !== 'list')
            return [field.name, t.field({ ...options, type: outputLeaf(builder, field.shape), nullable })];
          const { item, itemNullable } = field.shape;
          const type: [OutputLeaf] = [item.kind === 'list' ? 'JSON' : outputLeaf(builder, item)];
          return [
            field.name,
            t.field({ ...options, type, nullable: { list: nullable, items: itemNullable } }),
          ];
        }),
      ),
  });
  return ref;
}
