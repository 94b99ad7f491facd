// Where CEL and this language mean the same, they give the same: held against cel-js's own evaluator.
import { Environment } from '@marcbachmann/cel-js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileExpression } from '../../../src/language/expression/compile.ts';
import { createEnvironment } from '../../../src/language/expression/environment.ts';

const ours = createEnvironment({
  roots: {
    n: { type: 'integer' },
    m: { type: 'integer' },
    s: { type: 'string' },
    t: { type: 'string' },
    p: { type: 'boolean' },
    xs: { type: 'array', items: { type: 'integer' } },
  },
});
const theirs = new Environment()
  .registerVariable('n', 'int')
  .registerVariable('m', 'int')
  .registerVariable('s', 'string')
  .registerVariable('t', 'string')
  .registerVariable('p', 'bool')
  .registerVariable('xs', 'list<int>');

/** One grammar for each type, so that most of what is made compiles. */
const grammar = fc.letrec<{ int: string; bool: string; text: string; list: string }>((tie) => {
  const depth = { maxDepth: 4, depthSize: 'small' } as const;
  const pair = (
    left: fc.Arbitrary<string>,
    operators: string[],
    right: fc.Arbitrary<string>,
  ): fc.Arbitrary<string> =>
    fc.tuple(left, fc.constantFrom(...operators), right).map(([a, operator, b]) => `(${a} ${operator} ${b})`);
  return {
    int: fc.oneof(
      depth,
      fc.constantFrom('n', 'm', '0', '1', '2', '7'),
      pair(tie('int'), ['+', '-', '*', '/', '%'], tie('int')),
      tie('int').map((a) => `(-${a})`),
      tie('text').map((a) => `size(${a})`),
      tie('list').map((a) => `size(${a})`),
      fc.tuple(tie('bool'), tie('int'), tie('int')).map(([c, a, b]) => `(${c} ? ${a} : ${b})`),
    ),
    bool: fc.oneof(
      depth,
      fc.constantFrom('p', 'true', 'false'),
      pair(tie('int'), ['==', '!=', '<', '<=', '>', '>='], tie('int')),
      pair(tie('text'), ['==', '!=', '<', '<=', '>', '>='], tie('text')),
      pair(tie('bool'), ['&&', '||', '=='], tie('bool')),
      pair(tie('int'), ['in'], tie('list')),
      tie('bool').map((a) => `!(${a})`),
      fc
        .tuple(tie('text'), fc.constantFrom('contains', 'startsWith', 'endsWith'), tie('text'))
        .map(([a, method, b]) => `${a}.${method}(${b})`),
      fc
        .tuple(
          tie('list'),
          fc.constantFrom('all', 'exists', 'exists_one'),
          fc.constantFrom('x > n', 'x == 1', 'x / n == 1'),
        )
        .map(([a, walk, body]) => `${a}.${walk}(x, ${body})`),
    ),
    text: fc.oneof(
      depth,
      fc.constantFrom('s', 't', '""', '"a"', '"é🎉"'),
      pair(tie('text'), ['+'], tie('text')),
      fc.tuple(tie('bool'), tie('text'), tie('text')).map(([c, a, b]) => `(${c} ? ${a} : ${b})`),
    ),
    list: fc.oneof(
      depth,
      fc.constantFrom('xs', '[1, 2, 3]', '[n]'),
      pair(tie('list'), ['+'], tie('list')),
      fc.tuple(tie('list'), fc.constantFrom('x > n', 'x != m')).map(([a, body]) => `${a}.filter(x, ${body})`),
      fc.tuple(tie('list'), fc.constantFrom('x + n', 'x * x')).map(([a, body]) => `${a}.map(x, ${body})`),
    ),
  };
});

const values = fc.record({
  n: fc.integer({ min: -3, max: 9 }),
  m: fc.integer({ min: -3, max: 9 }),
  s: fc.constantFrom('', 'a', 'ab', 'é🎉a'),
  t: fc.constantFrom('', 'b', 'ab'),
  p: fc.boolean(),
  xs: fc.array(fc.integer({ min: -3, max: 9 }), { maxLength: 4 }),
});
type Values = typeof values extends fc.Arbitrary<infer Value> ? Value : never;

/** Whole numbers are BigInt in cel-js. */
function evaluateTheirs(source: string, given: Values): unknown {
  try {
    const parsed = theirs.parse(source);
    if (!parsed.check().valid) return 'refused';
    const context = { ...given, n: BigInt(given.n), m: BigInt(given.m), xs: given.xs.map(BigInt) };
    return toNumbers(parsed(context));
  } catch {
    return 'failed';
  }
}

function toNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return Array.isArray(value) ? value.map(toNumbers) : value;
}

function evaluateOurs(source: string, given: Values): unknown {
  const compiled = compileExpression(source, ours);
  if (!compiled.ok) return compiled.error.message;
  const result = compiled.value.evaluate(given);
  return result.ok ? result.value : 'failed';
}

describe('what CEL and this language share', () => {
  test.each(['int', 'bool', 'text', 'list'] as const)('%s expressions give the same as cel-js', (kind) => {
    fc.assert(
      fc.property(grammar[kind], values, (source, given) => {
        const expected = evaluateTheirs(source, given);
        fc.pre(expected !== 'refused' && source.length < 3000);
        expect(evaluateOurs(source, given)).toEqual(expected);
      }),
      { numRuns: 800 },
    );
  });
});
