// References of JSON Schemas: read as if what they lead to were written where they stand.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveReferences, viewOf, withoutReferences } from '../../src/common/json-schema.ts';
import { canonicalJson } from '../../src/common/json.ts';
import type { Json, JsonSchema } from '../../src/common/json.ts';
import { createAjv } from '../../src/language/definition/ajv.ts';
import { typeFromSchema } from '../../src/language/expression/from-schema.ts';

function resolved(schema: JsonSchema): JsonSchema {
  const outcome = resolveReferences(schema);
  if (!outcome.ok) throw new Error(`${outcome.error.reference} leads ${outcome.error.leads}`);
  return outcome.value;
}

const leaf = fc.constantFrom<JsonSchema>(
  { type: 'string' },
  { type: 'string', maxLength: 5, description: 'Short.' },
  { type: 'integer', minimum: 0 },
  { type: ['number', 'null'] },
  { enum: ['low', 'high'] },
  { const: 'one' },
  {},
);
const { tree } = fc.letrec<{ tree: JsonSchema }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    tie('tree').map((items): JsonSchema => ({ type: 'array', items })),
    tie('tree').map((one): JsonSchema => ({ anyOf: [one, { type: 'null' }] })),
    fc
      .dictionary(fc.constantFrom('a', 'b', 'c'), tie('tree'), { minKeys: 1 })
      .map((properties): JsonSchema => ({
        type: 'object',
        properties,
        required: Object.keys(properties).slice(1),
        additionalProperties: false,
      })),
  ),
}));

/** The same schema with some of its parts in `$defs`, where parts of theirs are too. */
function written(schema: JsonSchema, choose: () => boolean): JsonSchema {
  const $defs: Record<string, JsonSchema> = {};
  const part = (one: Json): Json => {
    const inner = below(one as JsonSchema);
    if (!choose()) return inner;
    const name = `part ${Object.keys($defs).length}/~`;
    $defs[name] = inner;
    return { $ref: `#/$defs/${encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))}` };
  };
  const below = ({ items, anyOf, properties, ...rest }: JsonSchema): JsonSchema => ({
    ...rest,
    ...(items === undefined ? {} : { items: part(items) }),
    ...(Array.isArray(anyOf) ? { anyOf: anyOf.map(part) } : {}),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties as JsonSchema).map(([name, one]) => [name, part(one)]),
          ),
        }),
  });
  const root = part(schema) as JsonSchema;
  return Object.keys($defs).length === 0 ? root : { ...root, $defs };
}

describe('references', () => {
  it('a schema whose parts stand in `$defs` is the schema with its parts written out', () => {
    fc.assert(
      fc.property(tree, fc.infiniteStream(fc.boolean()), (schema, choices) => {
        const parts = written(schema, () => choices.next().value);
        expect(canonicalJson(resolved(parts))).toBe(canonicalJson(schema));
        expect(typeFromSchema(parts)).toEqual(typeFromSchema(schema));
      }),
      { numRuns: 200 },
    );
  });

  const names = ['a', 'b', 'c'];
  const reference = fc.constantFrom(...names).map((name): JsonSchema => ({ $ref: `#/$defs/${name}` }));
  const member = fc.oneof(leaf, reference, fc.constant<JsonSchema>({ $ref: '#' }));
  const definition = fc.oneof(
    leaf,
    member.map((items): JsonSchema => ({ type: 'array', items, maxItems: 2 })),
    fc.record({ x: member, y: member }).map((properties): JsonSchema => ({
      type: 'object',
      properties,
      required: ['x'],
    })),
    fc.tuple(reference, leaf).map(([one, beside]): JsonSchema => ({ ...beside, ...one, title: 'near' })),
    fc.tuple(member, member).map((allOf): JsonSchema => ({ allOf, description: 'both' })),
    fc.tuple(member, member).map((anyOf): JsonSchema => ({ anyOf })),
  );
  const value = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<Json>('low', 'one', 'much too long', 3, -1, 0.5, null, true),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.record({ x: tie('value'), y: tie('value') }, { requiredKeys: [] }),
    ),
  })).value;

  it('takes the values that it took with its references, also where it leads into itself', () => {
    let compared = 0;
    fc.assert(
      fc.property(
        fc.record({ a: definition, b: definition, c: definition }),
        member,
        fc.array(value, { minLength: 10, maxLength: 10 }),
        ($defs, items, values) => {
          const schema: JsonSchema = { type: 'array', items, $defs };
          const outcome = resolveReferences(schema);
          if (!outcome.ok) return;
          const [before, after] = [createAjv().compile(schema), createAjv().compile(outcome.value)];
          for (const one of values) {
            expect([one, after([one])]).toEqual([one, before([one])]);
            compared += 1;
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(compared).toBeGreaterThan(500);
  });

  it.each<[string, JsonSchema, unknown]>([
    ['#/$defs/b', { items: { $ref: '#/$defs/b' }, $defs: { a: {} } }, 'nowhere'],
    ['https://other.test/schema', { items: { $ref: 'https://other.test/schema' } }, 'nowhere'],
    ['#/required/0', { items: { $ref: '#/required/0' }, required: ['a'] }, 'nowhere'],
    ['#/$defs/a', { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/a' } } }, 'circle'],
    ['#', { anyOf: [{ type: 'string' }, { $ref: '#' }] }, 'circle'],
  ])('%s leads from %j to no end', (reference, schema, leads) => {
    expect(resolveReferences(schema)).toEqual({ ok: false, error: { reference, leads } });
  });

  it('what leads into itself is written out once, and a reference after that', () => {
    const tree: JsonSchema = {
      type: 'object',
      properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/tree' } } },
    };
    expect(
      resolved({ type: 'object', properties: { root: { $ref: '#/$defs/tree' } }, $defs: { tree } }),
    ).toEqual({ type: 'object', properties: { root: tree }, $defs: { tree } });
    expect(withoutReferences({ ...tree, $defs: { tree } })).toEqual({
      type: 'object',
      properties: { name: { type: 'string' }, children: { type: 'array', items: {} } },
    });
  });

  it('`allOf`, and what stands beside a reference, are one schema where one can say it', () => {
    const base: JsonSchema = { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] };
    const named: JsonSchema = { properties: { name: { type: 'string', maxLength: 9 } }, required: ['name'] };
    expect(resolved({ allOf: [{ $ref: '#/$defs/base' }, named], title: 'Both', $defs: { base } })).toEqual({
      type: 'object',
      properties: { id: { type: 'string' }, name: { type: 'string', maxLength: 9 } },
      required: ['id', 'name'],
      title: 'Both',
    });
    const closed: JsonSchema = { ...base, additionalProperties: false };
    expect(resolved({ allOf: [closed, named] })).toEqual({ allOf: [closed, named] });
  });

  it('INV-14: a few lines that ask for a million schemas get some thousands, and 100 kB are read at once', () => {
    const $defs: Record<string, JsonSchema> = { d20: { type: 'string' } };
    for (let at = 0; at < 20; at += 1) {
      const next = { $ref: `#/$defs/d${at + 1}` };
      $defs[`d${at}`] = { type: 'object', properties: { a: next, b: next } };
    }
    expect(canonicalJson(resolved({ items: { $ref: '#/$defs/d0' }, $defs })).length).toBeLessThan(200_000);

    const wide: Record<string, JsonSchema> = {};
    for (let at = 0; at < 1_500; at += 1)
      wide[`w${at}`] = { type: 'array', items: { $ref: `#/$defs/w${(at + 1) % 1_500}` } };
    const schema: JsonSchema = { type: 'object', properties: { a: { $ref: '#/$defs/w0' } }, $defs: wide };
    const before = process.cpuUsage().user;
    typeFromSchema(resolved(schema));
    expect(process.cpuUsage().user - before).toBeLessThan(250_000);
  });
});

describe('a view', () => {
  it.each<[JsonSchema, object]>([
    [{ type: ['null', 'integer'] }, { types: ['integer'], nullable: true }],
    [{ enum: ['a', null] }, { types: ['string'], nullable: true, choices: ['a'] }],
    [{ const: 3 }, { types: ['integer'], nullable: false, choices: [3] }],
    [{ properties: { a: {} } }, { types: ['object'], nullable: false }],
    [
      { anyOf: [{ type: 'string' }, { type: 'null' }] },
      { types: ['string'], nullable: true, variants: null },
    ],
    [{ oneOf: [{ type: 'string' }, { type: 'integer' }] }, { types: [], nullable: false }],
    [{}, { types: [], nullable: false, choices: null, variants: null, items: null }],
  ])('of %j', (schema, expected) => {
    expect(viewOf(schema)).toMatchObject(expected);
  });
});
