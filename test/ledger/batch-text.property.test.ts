// A batch that is written as text is read as it was.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeBatch, encodeBatch } from '../../src/ledger/sqlite/batch-text.ts';
import type { Operation } from '../../src/ledger/sqlite/operations.ts';

const long = fc.string({ minLength: 40, maxLength: 60, unit: 'grapheme' });
/** Some are said again and again, as rates are. */
const value = fc.oneof(
  fc.constant(null),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
  fc.string(),
  long,
  fc.constantFrom('rates '.repeat(10), 'postings '.repeat(10), '[7]'),
);
const key = fc.constantFrom('id', 'rates', 'output', 'status', 'step', 'atMs');
const row = fc.dictionary(key, value, { noNullPrototype: true });
/** Rows within an operation, as a receipt is within the end of an attempt. */
const operation = fc
  .dictionary(key, fc.oneof(value, row, fc.dictionary(key, row, { noNullPrototype: true })), {
    noNullPrototype: true,
  })
  .map((fields) => fields as unknown as Operation);

it('INV-3: what the journal and the writer are given is what was asked to be written', () => {
  fc.assert(
    fc.property(fc.array(operation), fc.nat(), fc.boolean(), (operations, first, journaled) => {
      const batch = { first, last: first + 1, operations, journaled };
      expect(decodeBatch(encodeBatch(structuredClone(batch)))).toEqual(batch);
    }),
  );
});

it('says a long text once', () => {
  const postings = 'x'.repeat(1_000);
  const operations = [1, 2, 3].map((id): Operation => ({ kind: 'moveHold', attemptId: `${id}`, postings }));
  const text = encodeBatch({ first: 1, last: 3, operations, journaled: true });
  expect(text.length).toBeLessThan(1_300);
});
