// Objects and lists that a model wrote as texts of JSON inside its answer.
import { describe, expect, it } from 'vitest';
import { unquoted } from '../../../../src/engine/execution/steps/unquoted.ts';

const schema = {
  type: 'object',
  properties: {
    items: { type: 'array', items: { type: 'object', properties: { a: { type: 'integer' } } } },
    note: { type: 'string' },
    either: { type: ['string', 'object'] },
    maybe: { anyOf: [{ type: 'object', properties: {} }, { type: 'null' }] },
  },
};

describe('a text of JSON where the schema wants an object or a list', () => {
  it('is read, at any depth, and only there', () => {
    expect(
      unquoted(
        { items: '["{\\"a\\":1}"]', note: '[1]', either: '{}', maybe: ' {"b":2}', other: '[1]' },
        schema,
      ),
    ).toEqual({ items: [{ a: 1 }], note: '[1]', either: '{}', maybe: { b: 2 }, other: '[1]' });
  });

  it('stays a text where it is none, is of another kind, or holds a number that would be changed', () => {
    for (const items of ['[1', '{"a":1}', '[12345678901234567890]', 'none'])
      expect(unquoted({ items }, schema)).toEqual({ items });
  });
});
