// normaliseInput: what counts as the same input.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseInput } from '../../../../src/engine/budget/guards/normalise.ts';
import { canonicalJson, type JsonObject } from '../../../../src/common/json.ts';

const text = (input: JsonObject, ignore: readonly string[] = []): string =>
  canonicalJson(normaliseInput(input, ignore));

describe('the normal form of an input', () => {
  it('folds white space, at the ends and inside, however it is written', () => {
    expect(normaliseInput({ text: '  Ship\t it,\r\n\r\nplease.\u00a0 ' }, [])).toEqual({
      text: 'Ship it, please.',
    });
  });

  it('has one space where there is white space, whatever it is made of', () => {
    const parts = fc.constantFrom(' ', '  ', '\t', '\n', '\r\n', '\u00a0', '\u3000', 'a', 'bc', '🙂');
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 30 }), (pieces) => {
        const written = pieces.join('');
        expect(normaliseInput({ written }, [])).toEqual({ written: written.replace(/\s+/gu, ' ').trim() });
      }),
    );
  });

  it('takes characters that look the same for the same', () => {
    expect(text({ name: 'Zoe\u0308' })).toBe(text({ name: 'Zo\u00eb' }));
  });

  it('keeps case, order of lists, numbers and types', () => {
    expect(text({ a: 'X' })).not.toBe(text({ a: 'x' }));
    expect(text({ a: [1, 2] })).not.toBe(text({ a: [2, 1] }));
    expect(text({ a: 1 })).not.toBe(text({ a: '1' }));
    expect(text({ a: null })).not.toBe(text({}));
  });

  it('leaves out the fields that are ignored, at the top and along paths, through lists', () => {
    const input = {
      today: '2026-03-01',
      meta: { sentAt: 1, from: 'ana' },
      items: [{ id: 1, at: 2 }, { at: 3 }],
    };
    expect(normaliseInput(input, ['today', 'meta.sentAt', 'items.at'])).toEqual({
      meta: { from: 'ana' },
      items: [{ id: 1 }, {}],
    });
    expect(normaliseInput(input, ['meta'])).not.toHaveProperty('meta');
    // A name is a path from the top, not any field of that name.
    expect(normaliseInput(input, ['at', 'from'])).toEqual(input);
  });

  it('does not lose a field called __proto__', () => {
    const hostile = JSON.parse('{"__proto__": "a", "x": 1}') as JsonObject;
    expect(text(hostile)).not.toBe(text({ x: 1 }));
  });

  it('is its own normal form, whatever the input', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (given) => {
        const input = given as JsonObject;
        expect(text(normaliseInput(input, []))).toBe(text(input));
        expect(
          text(
            input,
            Object.keys(input).filter((key) => !key.includes('.') && key !== ''),
          ),
        ).toBe(
          text(Object.fromEntries(Object.entries(input).filter(([key]) => key.includes('.') || key === ''))),
        );
      }),
    );
  });
});
