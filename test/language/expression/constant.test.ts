// What a condition gives on every run, told from its text.
import { describe, expect, test } from 'vitest';
import { constantCondition, implies } from '../../../src/language/expression/constant.ts';

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
    'prompt.tokens < 0',
    'size(input.x) == -1',
    'prompt.tokens < 4000 && prompt.tokens > 8000',
    'input.x > 3 && input.x < 3',
    'size( input.x ) > 3 && size(input.x) < 4',
    'output.kind == "a" && output.kind == "b"',
    'output.kind == "a" && "a" != output.kind',
  ])('never holds: %s', (source) => {
    expect(constantCondition(source)).toBe(false);
  });

  test.each([
    'true',
    '1 < 2',
    'input.x || true',
    '!(1 > 2 && input.x)',
    'size("abc") == 3',
    'size(input.x) >= 0',
    '0 <= prompt.tokens',
    'output.kind != "a" || output.kind != "b"',
    'input.x < 5 || input.x > 3',
  ])('always holds: %s', (source) => {
    expect(constantCondition(source)).toBe(true);
  });

  test.each([
    'input.x',
    'input.x && true',
    'input.x || false',
    'input.x == input.x',
    'input.x >= 0',
    'input.x > 3 && input.x < 4',
    'input.x >= 3 && input.x <= 3',
    'input.x < 3 || input.x > 3',
    'output.kind == "a" || output.kind == "b"',
    'output.kind != "a" && output.kind != "b"',
    'output.a == "a" && output.b == "b"',
    'f(input.x) > 3 && f(input.y) < 3',
    'size(input.x) > 0',
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

describe('a condition that implies another', () => {
  test.each([
    ['prompt.tokens < 2000', 'prompt.tokens < 4000'],
    ['prompt.tokens < 2000', 'prompt.tokens <= 1999'],
    ['input.x == 3', 'input.x > 2'],
    ['input.x == "a"', 'input.x != "b"'],
    ['input.x > 5 && input.y < 3', 'input.x > 4'],
    ['input.x > 5 && input.y < 3', 'input.y < 4 && input.x > 5'],
  ])('%s → %s', (first, second) => {
    expect(implies(first, second)).toBe(true);
  });

  test.each([
    ['prompt.tokens < 4000', 'prompt.tokens < 2000'],
    ['input.x > 5', 'input.y > 4'],
    ['input.x > 5', 'input.x > 4 && input.y > 4'],
    ['input.x > 5 || input.y > 5', 'input.x > 4'],
    ['input.x > 5', 'input.x.startsWith("a")'],
  ])('%s does not: %s', (first, second) => {
    expect(implies(first, second)).toBe(false);
  });
});
