// "Did you mean", and where a placeholder ends.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nearest } from '../../src/common/nearest.ts';
import { placeholderEnd } from '../../src/common/placeholder.ts';

describe('the nearest name', () => {
  test.each([
    ['promt', ['prompt', 'parse', 'output'], 'prompt'],
    ['maxOutputToken', ['maxOutputTokens', 'temperature'], 'maxOutputTokens'],
    ['max_output_tokens', ['maxOutputTokens'], 'maxOutputTokens'],
    ['frist', ['first', 'last'], 'first'],
    ['OPENAI', ['openai', 'anthropic'], 'openai'],
    ['nmae', ['name', 'note'], 'name'],
    ['Ana', ['env', 'now'], undefined],
    ['something', ['else'], undefined],
    ['x', [], undefined],
  ])('to %s', (name, candidates, expected) => {
    expect(nearest(name, candidates)).toBe(expected);
  });

  test('of a name that is there is the name itself', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 8 }),
        (names) => {
          for (const name of names) expect(nearest(name, names)).toBe(name);
        },
      ),
    );
  });
});

describe('the end of a placeholder', () => {
  test.each([
    ['${{ a }}', 8],
    ['${{ {"a": {"b": 1}} }} rest', 22],
    ['${{ "}}" }}', 11],
    ["${{ '\\'}}' }}", 13],
    ['${{ a }', -1],
    ['${{ "a }}', -1],
    ['${{}}', 5],
  ])('of %s is %d', (text, end) => {
    expect(placeholderEnd(text, 0)).toBe(end);
  });
});
