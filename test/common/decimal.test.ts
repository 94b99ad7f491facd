import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decimalProduct, decimalSum } from '../../src/common/decimal.ts';

describe('sums and products of numbers as they are written', () => {
  test('an invoice adds up', () => {
    expect(decimalSum([0.1, 0.2])).toBe(0.3);
    expect(decimalSum([19.99, 5.01, -25])).toBe(0);
    expect(decimalSum([0.3, -0.1])).toBe(0.2);
    expect(decimalProduct(3, 0.1)).toBe(0.3);
    expect(decimalProduct(1.15, 100)).toBe(115);
    expect(decimalSum([])).toBe(0);
  });

  test('cents sum to the cents that whole numbers give, in any order', () => {
    const cents = fc.array(fc.integer({ min: -10_000_000, max: 10_000_000 }), { maxLength: 50 });
    fc.assert(
      fc.property(cents, (all) => {
        const total = all.reduce((sum, one) => sum + one, 0) / 100;
        expect(decimalSum(all.map((one) => one / 100))).toBe(total === 0 ? 0 : total);
      }),
    );
  });

  test('whatever the numbers are, the result is a number close to the one of doubles', () => {
    fc.assert(
      fc.property(fc.double(), fc.double(), (a, b) => {
        const sum = decimalSum([a, b]);
        if (Number.isFinite(a + b))
          expect(Math.abs(sum - (a + b))).toBeLessThanOrEqual(
            Math.abs(a + b) * 1e-12 + (Math.abs(a) + Math.abs(b)) * 1e-15,
          );
        else expect(Number.isFinite(sum)).toBe(false);
        const product = decimalProduct(a, b);
        if (Number.isFinite(a * b))
          expect(Math.abs(product - a * b)).toBeLessThanOrEqual(Math.abs(a * b) * 1e-12 + 5e-324);
        else expect(Number.isFinite(product)).toBe(false);
      }),
    );
  });
});
