// Functions of any value: sizes, conversions, JSON text.
import type { Json } from '../../../common/json.ts';
import { EvaluationFailure } from '../context.ts';
import { ANY, BOOLEAN, INTEGER, NUMBER, STRING } from '../type.ts';
import { exactInteger, finite, kindOf, renderText, toJsonText } from '../values.ts';
import type { FunctionEntry, Pattern } from './entry.ts';
import { characterCount } from './texts.ts';

const only = (name: string, pattern: Pattern = 'any'): FunctionEntry['params'] => [{ name, pattern }];

function size(value: Json): number {
  if (typeof value === 'string') return characterCount(value);
  if (Array.isArray(value)) return value.length;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length;
  throw new EvaluationFailure(`${kindOf(value)} has no size.`);
}

function toNumber(value: Json): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value.trim()))
    return finite(Number(value));
  throw new EvaluationFailure(
    `${typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : kindOf(value)} is not a number.`,
  );
}

function toBoolean(value: Json): boolean {
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === 'false') return value === 'true';
  throw new EvaluationFailure(
    `${typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : kindOf(value)} is neither true nor false.`,
  );
}

function asNumbers(args: readonly Json[]): readonly number[] {
  return args.map(toNumber);
}

const numeric = { name: 'b', pattern: 'number' } as const;

export const generalFunctions: readonly FunctionEntry[] = [
  {
    name: 'size',
    receiver: null,
    params: only('value', 'text, list or object'),
    result: INTEGER,
    call: ([a = null]) => size(a),
    summary: 'Characters of a text, items of a list, fields of an object.',
    examples: [
      ['size([1, 2])', 2],
      ['size("ab")', 2],
    ],
  },
  {
    name: 'string',
    receiver: null,
    params: only('value'),
    result: STRING,
    call: ([a = null]) => renderText(a),
    summary:
      'The value as a text, as a template would render it: nothing for null, JSON for lists and objects.',
    examples: [
      ['string(7)', '7'],
      ['string(null)', ''],
    ],
  },
  {
    name: 'int',
    receiver: null,
    params: only('value', 'number or text'),
    result: INTEGER,
    call: ([a = null]) => exactInteger(Math.trunc(toNumber(a))),
    summary: 'A whole number, from a number (cut towards zero) or a text.',
    examples: [
      ['int("42")', 42],
      ['int(2.9)', 2],
    ],
  },
  {
    name: 'double',
    receiver: null,
    params: only('value', 'number or text'),
    result: NUMBER,
    call: ([a = null]) => toNumber(a),
    summary: 'A number, from a text or a number.',
    examples: [['double("2.5")', 2.5]],
  },
  {
    name: 'bool',
    receiver: null,
    params: only('value', 'boolean or text'),
    result: BOOLEAN,
    call: ([a = null]) => toBoolean(a),
    summary: 'True or false, from `"true"` or `"false"`.',
    examples: [['bool("true")', true]],
  },
  {
    name: 'dyn',
    receiver: null,
    params: only('value'),
    result: ANY,
    call: ([a = null]) => a,
    summary: 'The same value, of unknown type: nothing is checked about it before the run.',
    examples: [['dyn(1)', 1]],
  },
  {
    name: 'toJson',
    receiver: 'any',
    params: [{ name: 'indent', pattern: 'integer', optional: true }],
    result: STRING,
    call: ([a = null, indent]) =>
      toJsonText(a, indent === undefined ? undefined : Math.min(10, Math.max(0, indent as number))),
    summary: 'The value as JSON text.',
    examples: [['{"a": [1]}.toJson()', '{"a":[1]}']],
  },
  {
    name: 'min',
    receiver: null,
    params: [{ name: 'a', pattern: 'number' }, numeric],
    result: leastType,
    call: (args) => Math.min(...asNumbers(args)),
    summary: 'The smaller number.',
    examples: [['min(2, 3)', 2]],
  },
  {
    name: 'max',
    receiver: null,
    params: [{ name: 'a', pattern: 'number' }, numeric],
    result: leastType,
    call: (args) => Math.max(...asNumbers(args)),
    summary: 'The greater number.',
    examples: [['max(2, 3)', 3]],
  },
  {
    name: 'abs',
    receiver: null,
    params: [{ name: 'number', pattern: 'number' }],
    result: leastType,
    call: ([a]) => Math.abs(a as number),
    summary: 'Without its sign.',
    examples: [['abs(-2)', 2]],
  },
  {
    name: 'round',
    receiver: null,
    params: [{ name: 'number', pattern: 'number' }],
    result: INTEGER,
    call: ([a]) => exactInteger(Math.sign(a as number) * Math.round(Math.abs(a as number))),
    summary: 'The nearest whole number; halves away from zero.',
    examples: [
      ['round(2.5)', 3],
      ['round(-2.5)', -3],
    ],
  },
  {
    name: 'ceil',
    receiver: null,
    params: [{ name: 'number', pattern: 'number' }],
    result: INTEGER,
    call: ([a]) => exactInteger(Math.ceil(a as number)),
    summary: 'The next whole number up.',
    examples: [['ceil(2.1)', 3]],
  },
  {
    name: 'floor',
    receiver: null,
    params: [{ name: 'number', pattern: 'number' }],
    result: INTEGER,
    call: ([a]) => exactInteger(Math.floor(a as number)),
    summary: 'The next whole number down.',
    examples: [['floor(2.9)', 2]],
  },
];

function leastType(types: readonly { readonly kind: string }[]): typeof INTEGER {
  return types.every((type) => type.kind === 'integer') ? INTEGER : NUMBER;
}
