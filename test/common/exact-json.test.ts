// Numbers in JSON that a double would change: found, and kept where they are only passed on.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changes, inexactNumber, parseKeepingNumbers } from '../../src/common/exact-json.ts';
import { cpuTimeMs } from '../support/cpu-time.ts';

describe('a number', () => {
  it.each([
    '9007199254740993',
    '-9007199254740993',
    '9007199254740993e0',
    '900719925474099300e-2',
    '12345678901234567890.0',
    '1234567890123456789e1',
    '1e400',
    '1e-400',
  ])('%s is changed', (written) => expect(changes(written)).toBe(true));

  it.each([
    '9007199254740992',
    '1e21',
    '1e-300',
    '0e400',
    '-0',
    '3.141592653589793238',
    '123456789012345678.5',
    '12345678901234567000',
  ])('%s is not', (written) => expect(changes(written)).toBe(false));

  it('that a double wrote is never said to be changed', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => !changes(String(value))),
    );
  });

  it('beyond 2^53 is said to be changed exactly where BigInt shows it', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n }), (value) => {
        const kept = String(Number(value));
        return kept.includes('e') || changes(String(value)) === (kept !== String(value));
      }),
    );
  });

  it('of three million digits takes a moment', () => {
    const startMs = cpuTimeMs();
    changes(`1${'0'.repeat(3_000_000)}1`);
    expect(cpuTimeMs() - startMs).toBeLessThan(2_000);
  });
});

describe('JSON with such a number', () => {
  it('names its place; digits in texts and names are none', () => {
    expect(inexactNumber('{\n "id": 12345678901234567890}')).toMatchObject({ line: 2, column: 8 });
    expect(inexactNumber('{"12345678901234567890":"98765432109876543210 \\" 1"}')).toBeUndefined();
    expect(inexactNumber('["\\\\",12345678901234567890]')).toMatchObject({ column: 7 });
  });

  it('that is only passed on is written as it was', () => {
    const text = '{"a":[12345678901234567890,1,"x",0.5],"b":{"c":-9007199254740993}}';
    expect(JSON.stringify(parseKeepingNumbers(text))).toBe(text);
  });

  it('is found in any place, and nothing else is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), fc.boolean(), (value, name, has) => {
        const text = JSON.stringify({ [name]: [value, 'here'] }, null, 1);
        const written = has ? text.replace(/"here"(?=\s*\]\s*\}$)/, '9007199254740993') : text;
        expect(inexactNumber(written) !== undefined).toBe(has);
      }),
    );
  });
});
