// The strict form of a schema: what a vendor accepts natively, and the way back for the answer.
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../../src/common/json.ts';
import type { JsonSchema } from '../../../../src/language/plan/types.ts';
import { toStrict } from '../../../../src/engine/providers/shared/strict-schema.ts';
import type { StrictDialect } from '../../../../src/engine/providers/shared/strict-schema.ts';
import { sized } from '../../../support/cases.ts';

const NULLABLE: StrictDialect = {
  optional: 'nullable',
  constraints: new Set(['minimum']),
  formats: new Set(['date']),
};
const KEEP: StrictDialect = { optional: 'keep', constraints: new Set(), formats: new Set(['date']) };

function strict(schema: JsonSchema, dialect = NULLABLE): JsonSchema {
  const result = toStrict(schema, dialect);
  if (result === undefined) throw new Error('not strict');
  return result.schema;
}

function undone(schema: JsonSchema, answer: Json): Json {
  const result = toStrict(schema, NULLABLE);
  if (result === undefined) throw new Error('not strict');
  return result.undo(answer);
}

describe('the strict form of a schema', () => {
  it('closes every object and requires every property, optional ones as nullable', () => {
    expect(
      strict({
        type: 'object',
        properties: { a: { type: 'string' }, b: { type: 'integer' } },
        required: ['a'],
      }),
    ).toEqual({
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: ['integer', 'null'] } },
      required: ['a', 'b'],
      additionalProperties: false,
    });
  });

  it('leaves optional properties optional where the vendor knows them', () => {
    expect(
      strict(
        { type: 'object', properties: { a: { type: 'string' }, b: { type: 'integer' } }, required: ['a'] },
        KEEP,
      ),
    ).toEqual({
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'integer' } },
      required: ['a'],
      additionalProperties: false,
    });
  });

  it('tells in the description what the vendor cannot check', () => {
    const text = { type: 'string', maxLength: 280, description: 'In one sentence.' };
    const date = { type: 'string', format: 'date' };
    const schema = strict({
      type: 'object',
      properties: { text, date, uri: { type: 'string', format: 'uri' } },
      required: ['text', 'date', 'uri'],
    });
    expect(schema['properties']).toEqual({
      text: { type: 'string', description: 'In one sentence. (maxLength: 280)' },
      date,
      uri: { type: 'string', description: '(format: uri)' },
    });
  });

  it('makes an optional choice nullable without touching the choice', () => {
    const schema = strict({
      type: 'object',
      properties: { level: { enum: ['low', 'high'], description: 'How bad.' } },
    });
    expect(schema['properties']).toEqual({
      level: {
        anyOf: [{ enum: ['low', 'high'], type: 'string' }, { type: 'null' }],
        description: 'How bad.',
      },
    });
  });

  it.each<[string, JsonSchema]>([
    ['a map with free keys', { type: 'object', additionalProperties: { type: 'string' } }],
    ['any object', { type: 'object' }],
    ['any value', { type: 'object', properties: { a: {} }, required: ['a'] }],
    ['a list of anything', { type: 'object', properties: { a: { type: 'array' } }, required: ['a'] }],
    ['a root that is no object', { type: 'array', items: { type: 'string' } }],
    ['allOf', { type: 'object', properties: { a: { allOf: [{ type: 'string' }] } }, required: ['a'] }],
  ])('cannot say %s', (_what, schema) => {
    expect(toStrict(schema, NULLABLE)).toBeUndefined();
  });

  it('takes out nulls that stand for "not given", and keeps those that were asked for', () => {
    const schema = {
      type: 'object',
      properties: {
        a: { type: 'string' },
        b: { type: ['string', 'null'] },
        list: { type: 'array', items: { $ref: '#/$defs/item' } },
      },
      required: ['b'],
      $defs: { item: { type: 'object', properties: { due: { type: 'string' } } } },
    };
    expect(undone(schema, { a: null, b: null, list: [{ due: null }, { due: 'x' }] })).toEqual({
      b: null,
      list: [{}, { due: 'x' }],
    });
  });

  it('any answer that fits the strict form fits the schema once it is undone', () => {
    const ajv = new Ajv2020({ strict: false });
    fc.assert(
      fc.property(objects(3), ({ schema, strictAnswer }) => {
        const form = toStrict(schema, NULLABLE);
        if (form === undefined) return false;
        return ajv.validate(form.schema, strictAnswer) && ajv.validate(schema, form.undo(strictAnswer));
      }),
      { numRuns: sized(50) },
    );
  });
});

/** A schema, and an answer that a vendor may give to its strict form. */
interface Pair {
  readonly schema: JsonSchema;
  readonly strictAnswer: Json;
}

const leaves: fc.Arbitrary<Pair> = fc.oneof(
  fc.string().map((strictAnswer) => ({ schema: { type: 'string' }, strictAnswer })),
  fc.integer().map((strictAnswer) => ({ schema: { type: 'integer' }, strictAnswer })),
  fc.boolean().map((strictAnswer) => ({ schema: { type: 'boolean' }, strictAnswer })),
  fc.constantFrom('low', 'high').map((strictAnswer) => ({ schema: { enum: ['low', 'high'] }, strictAnswer })),
  fc.option(fc.string()).map((strictAnswer) => ({ schema: { type: ['string', 'null'] }, strictAnswer })),
);

function pairs(depth: number): fc.Arbitrary<Pair> {
  return depth === 0 ? leaves : fc.oneof(leaves, objects(depth - 1), lists(depth - 1));
}

function lists(depth: number): fc.Arbitrary<Pair> {
  return fc.tuple(pairs(depth), fc.nat({ max: 3 })).map(([item, count]) => ({
    schema: { type: 'array', items: item.schema },
    strictAnswer: Array.from({ length: count }, () => item.strictAnswer),
  }));
}

function objects(depth: number): fc.Arbitrary<Pair> {
  const property = fc.record({ pair: pairs(depth), isOptional: fc.boolean(), isAbsent: fc.boolean() });
  return fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), property, { minKeys: 1 }).map((properties) => {
    const entries = Object.entries(properties);
    return {
      schema: {
        type: 'object',
        properties: Object.fromEntries(entries.map(([name, { pair }]) => [name, pair.schema])),
        required: entries.filter(([, { isOptional }]) => !isOptional).map(([name]) => name),
      },
      strictAnswer: Object.fromEntries(
        entries.map(([name, { pair, isOptional, isAbsent }]) => [
          name,
          isOptional && isAbsent ? null : pair.strictAnswer,
        ]),
      ),
    };
  });
}
