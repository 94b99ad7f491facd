// Validators: in time linear to what is sent.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAjv } from '../../../src/language/definition/ajv.ts';

describe('a list whose items are all different', () => {
  const validate = createAjv().compile({ type: 'array', uniqueItems: true });

  it('is told from one that has an item twice, by value and whatever the order of its fields', () => {
    const withTwice = fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 8 });
    fc.assert(
      fc.property(withTwice, (items) => {
        const isUnique = items.every((one, at) =>
          items.slice(0, at).every((other) => {
            try {
              expect(other).toEqual(one);
              return false;
            } catch {
              return true;
            }
          }),
        );
        // Only vitest tells 0 from -0; JSON does not.
        fc.pre(!JSON.stringify(items).includes('-0') && !items.some((one) => Object.is(one, -0)));
        expect(validate(items)).toBe(isUnique);
      }),
    );
    expect(
      validate([
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ]),
    ).toBe(false);
    expect(validate(['__proto__', '__proto__'])).toBe(false);
    expect(validate([1, '1', [1], null])).toBe(true);
  });

  it('INV-14: is looked at once, not each item beside each', () => {
    let reads = 0;
    const items = Array.from({ length: 5000 }, (_, index) => ({
      get n(): number {
        reads += 1;
        return index;
      },
    }));
    expect(validate(items)).toBe(true);
    expect(reads).toBe(5000);
  });
});

describe('a pattern of a schema', () => {
  const validate = createAjv().compile({ type: 'string', pattern: '^(a|b)*a(a|b){300}c$' });

  it('INV-14: does not hold for a text for which looking would hold up all others', () => {
    const tail = `a${'b'.repeat(300)}c`;
    expect(validate(`b${tail}`)).toBe(true);
    expect(validate(`${'b'.repeat(100_000)}${tail}`)).toBe(false);
  });
});
