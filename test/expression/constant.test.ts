// What a condition gives on every run, told from its text.
import { describe, expect, test } from 'vitest';
import { constantCondition } from '../../src/expression/constant.ts';

describe('a condition', () => {
  test.each([
    'false',
    '!true',
    '1 > 2',
    '"a" == "b"',
    'false && input.x',
    'input.x && false',
    '[1, 2].all(n, n > 5)',
    'true ? false : input.x',
  ])('never holds: %s', (source) => {
    expect(constantCondition(source)).toBe(false);
  });

  test.each(['true', '1 < 2', 'input.x || true', '!(1 > 2 && input.x)', 'size("abc") == 3'])(
    'always holds: %s',
    (source) => {
      expect(constantCondition(source)).toBe(true);
    },
  );

  test.each([
    'input.x',
    'input.x && true',
    'input.x || false',
    'input.x == input.x',
    'now.weekday == "Monday"',
    'env.X == null',
    '"a text"',
    '1 / 0 > 1',
    'not CEL (',
    '',
  ])('depends on the run, or is none: %s', (source) => {
    expect(constantCondition(source)).toBeUndefined();
  });
});
