// Finding the JSON in what a model answers.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answeredJson, findJson } from '../../../../src/engine/providers/shared/json-answer.ts';

describe('the JSON in an answer', () => {
  it.each([
    ['{"a":1}', [{ a: 1 }]],
    ['  [1, 2]\n', [[1, 2]]],
    ['"text"', ['text']],
    [JSON.stringify('{"a":1}'), ['{"a":1}', { a: 1 }]],
    ['```\n"text"\n```', ['text']],
    ['```json\n{"a":1}\n```', [{ a: 1 }]],
    ['Here it is:\n```\n{"a":{"b":"}"}}\n```\nBye.', [{ a: { b: '}' } }]],
    ['Sure! {"a":"{not}"} is the answer.', [{ a: '{not}' }]],
    ['The set {x} is not it, but {"a":"\\"}"} is.', [{ a: '"}' }]],
    ['First {"a":1}, then [2] and at last {"a":{"b":3}}.', [{ a: { b: 3 } }, [2], { a: 1 }]],
    ['nothing here', []],
    ['{"cut": ', []],
    ['', []],
  ])('%j', (text, expected) => {
    expect(findJson(text)).toEqual(expected);
  });

  it('is found whatever words stand around it', () => {
    const prose = fc.string().map((text) => text.replace(/[[\]{}"\\`]/g, ''));
    fc.assert(
      fc.property(prose, fc.dictionary(fc.string(), fc.jsonValue()), prose, (before, value, after) => {
        const text = JSON.stringify(value);
        expect(findJson(`${before} ${text} ${after}`)).toEqual([JSON.parse(text)]);
      }),
    );
  });

  it('gives up on brackets without end in linear time', () => {
    expect(findJson(`${'['.repeat(200_000)} `)).toEqual([]);
  });
});

describe('a number in an answer that a double would change', () => {
  it('is never taken as another: the answer is refused with the number, and a draft is not taken in its place', () => {
    expect(answeredJson('Draft {"id":1}, answer {"id":12345678901234567890}')).toEqual({
      values: [],
      problem: expect.stringContaining('12345678901234567890 cannot be kept exactly'),
    });
    expect(answeredJson('Draft {"id":12345678901234567890}, answer {"id":"12345678901234567890"}')).toEqual({
      values: [{ id: '12345678901234567890' }],
      problem: undefined,
    });
  });
});
