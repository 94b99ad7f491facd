// A batch that is written as text is read as it was.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeBatch, encodeBatch } from '../../src/ledger/sqlite/batch-text.ts';

const long = fc.string({ minLength: 40, maxLength: 60, unit: 'grapheme' });
/** Some are said again and again, as rates are. */
const value = fc.oneof(
  fc.constant(null),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
  fc.string(),
  long,
  fc.constantFrom('rates '.repeat(10), 'postings '.repeat(10), '[7]'),
);

it('INV-3: what the journal and the writer are given is what was asked to be written', () => {
  fc.assert(
    fc.property(fc.array(value), fc.nat(), fc.boolean(), (values, first, journaled) => {
      const batch = { first, last: first + 1, values, journaled };
      expect(decodeBatch(encodeBatch(batch))).toEqual(batch);
    }),
  );
});

it('says a long text once', () => {
  const rates = 'x'.repeat(1_000);
  const text = encodeBatch({ first: 1, last: 3, values: [rates, 1, rates, rates], journaled: true });
  expect(text.length).toBeLessThan(1_100);
});
