// Functions of texts. Lengths and positions count characters (code points), so that nothing is cut through the middle of an emoji.
import type { Json } from '../../../common/json.ts';
import { formatThousands } from '../../../common/units.ts';
import { EvaluationFailure, boundedText, spend } from '../context.ts';
import type { Context } from '../context.ts';
import { compilePattern, isFound } from '../pattern.ts';
import { BOOLEAN, INTEGER, STRING, listOf } from '../type.ts';
import type { FunctionEntry } from './entry.ts';

const text = (value: Json | undefined): string => value as string;
const whole = (value: Json | undefined): number => value as number;

export function characterCount(value: string): number {
  let count = value.length;
  for (let index = 0; index < value.length - 1; index += 1) {
    if (isPair(value, index)) {
      count -= 1;
      index += 1;
    }
  }
  return count;
}

function isPair(value: string, index: number): boolean {
  const high = value.charCodeAt(index);
  const low = value.charCodeAt(index + 1);
  return high >= 0xd800 && high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff;
}

/** The code-unit offset of a character's position; past the end: the length. */
function offsetOf(value: string, position: number): number {
  let offset = 0;
  for (let count = 0; count < position && offset < value.length; count += 1)
    offset += isPair(value, offset) ? 2 : 1;
  return offset;
}

/** What is searched for in a text. At worst each of its characters is compared at each of the text's, some 500 in the time of an item. */
function part(whole: Json | undefined, searched: Json | undefined, context: Context): string {
  spend(context, (text(whole).length * text(searched).length) / 512);
  return text(searched);
}

function slice(value: string, from: number, to: number | undefined): string {
  if (from < 0 || (to !== undefined && to < from))
    throw new EvaluationFailure('`substring` needs a start of 0 or more, and an end that is not before it.');
  const start = offsetOf(value, from);
  return to === undefined
    ? value.slice(start)
    : value.slice(start, start + offsetOf(value.slice(start), to - from));
}

function replaceAll(value: string, search: string, replacement: string): string {
  if (search === '') throw new EvaluationFailure('`replace` needs a text to search for.');
  const parts = value.split(search);
  boundedText(value.length + (parts.length - 1) * replacement.length);
  return parts.join(replacement);
}

function matches(value: string, pattern: string): boolean {
  const compiled = compilePattern(pattern);
  if (typeof compiled === 'string') throw new EvaluationFailure(`${compiled}.`);
  const found = isFound(compiled, value);
  if (found !== undefined) return found;
  throw new EvaluationFailure(
    `\`matches\` looks for a pattern of ${formatThousands(compiled.programSize())} steps in a text of ${formatThousands(value.length)} characters, which would hold up all others; give it less text, as with \`truncate\`, or a pattern that counts less.`,
    true,
  );
}

function split(value: string, separator: string, most: number | undefined): string[] {
  const parts = separator === '' ? Array.from(value) : value.split(separator);
  if (most === undefined || most < 0 || parts.length <= most) return parts;
  return most === 0 ? [] : [...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)];
}

function addDays(value: string, days: number): string {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(value) ? Date.parse(`${value}T00:00:00Z`) : Number.NaN;
  const moved = new Date(time + days * 86_400_000);
  if (Number.isNaN(moved.getTime()))
    throw new EvaluationFailure(
      `\`addDays\` needs a date such as 2026-11-22, not ${JSON.stringify(value.slice(0, 40))}.`,
    );
  return moved.toISOString().slice(0, 10);
}

const one = (name: string): FunctionEntry['params'] => [{ name, pattern: 'string' }];

export const textFunctions: readonly FunctionEntry[] = [
  {
    name: 'size',
    receiver: 'string',
    params: [],
    result: INTEGER,
    call: ([a]) => characterCount(text(a)),
    summary: 'How many characters the text has.',
    examples: [['"héllo".size()', 5]],
  },
  {
    name: 'contains',
    receiver: 'string',
    params: one('part'),
    result: BOOLEAN,
    call: ([a, b], context) => text(a).includes(part(a, b, context)),
    summary: 'Whether `part` stands in the text.',
    examples: [['"invoice 7".contains("voice")', true]],
  },
  {
    name: 'startsWith',
    receiver: 'string',
    params: one('start'),
    result: BOOLEAN,
    call: ([a, b]) => text(a).startsWith(text(b)),
    summary: 'Whether the text starts with `start`.',
    examples: [['"Re: hi".startsWith("Re:")', true]],
  },
  {
    name: 'endsWith',
    receiver: 'string',
    params: one('end'),
    result: BOOLEAN,
    call: ([a, b]) => text(a).endsWith(text(b)),
    summary: 'Whether the text ends with `end`.',
    examples: [['"a.ts".endsWith(".ts")', true]],
  },
  {
    name: 'matches',
    receiver: 'string',
    params: one('pattern'),
    result: BOOLEAN,
    call: ([a, b]) => matches(text(a), text(b)),
    summary:
      "Whether the RE2 pattern is found in the text. Linear in the text's length, whatever the pattern; no look-around, no back-references.",
    examples: [
      ['"order 1234".matches("[0-9]{4}$")', true],
      ['"abc".matches("^b")', false],
    ],
  },
  {
    name: 'lower',
    receiver: 'string',
    params: [],
    result: STRING,
    call: ([a]) => text(a).toLowerCase(),
    summary: 'In lower case.',
    examples: [['"ÀB".lower()', 'àb']],
  },
  {
    name: 'upper',
    receiver: 'string',
    params: [],
    result: STRING,
    call: ([a]) => text(a).toUpperCase(),
    summary: 'In upper case.',
    examples: [['"ab".upper()', 'AB']],
  },
  {
    name: 'lowerAscii',
    receiver: 'string',
    params: [],
    result: STRING,
    call: ([a]) => text(a).replaceAll(/[A-Z]+/g, (run) => run.toLowerCase()),
    summary: "CEL's own name; only A to Z change.",
    examples: [['"ÀB".lowerAscii()', 'Àb']],
  },
  {
    name: 'upperAscii',
    receiver: 'string',
    params: [],
    result: STRING,
    call: ([a]) => text(a).replaceAll(/[a-z]+/g, (run) => run.toUpperCase()),
    summary: "CEL's own name; only a to z change.",
    examples: [['"àb".upperAscii()', 'àB']],
  },
  {
    name: 'trim',
    receiver: 'string',
    params: [],
    result: STRING,
    call: ([a]) => text(a).trim(),
    summary: 'Without white space at both ends.',
    examples: [['"  a b ".trim()', 'a b']],
  },
  {
    name: 'truncate',
    receiver: 'string',
    params: [{ name: 'characters', pattern: 'integer' }],
    result: STRING,
    call: ([a, n]) => slice(text(a), 0, Math.max(0, whole(n))),
    summary: 'At most that many characters from the start.',
    examples: [
      ['"abcdef".truncate(3)', 'abc'],
      ['"ab".truncate(9)', 'ab'],
    ],
  },
  {
    name: 'replace',
    receiver: 'string',
    params: [
      { name: 'search', pattern: 'string' },
      { name: 'replacement', pattern: 'string' },
    ],
    result: STRING,
    call: ([a, b, c], context) => replaceAll(text(a), part(a, b, context), text(c)),
    summary: 'With every `search` replaced.',
    examples: [['"a-b-c".replace("-", "+")', 'a+b+c']],
  },
  {
    name: 'split',
    receiver: 'string',
    params: [
      { name: 'separator', pattern: 'string' },
      { name: 'atMost', pattern: 'integer', optional: true },
    ],
    result: listOf(STRING),
    call: ([a, b, n], context) => split(text(a), part(a, b, context), n === undefined ? undefined : whole(n)),
    summary: 'The parts between separators; with `atMost`, the last part keeps the rest.',
    examples: [
      ['"a,b,c".split(",")', ['a', 'b', 'c']],
      ['"a,b,c".split(",", 2)', ['a', 'b,c']],
    ],
  },
  {
    name: 'lines',
    receiver: 'string',
    params: [],
    result: listOf(STRING),
    call: ([a]) => text(a).split(/\r\n|\n|\r/),
    summary: 'The lines of the text.',
    examples: [['"a\\nb".lines()', ['a', 'b']]],
  },
  {
    name: 'substring',
    receiver: 'string',
    params: [
      { name: 'from', pattern: 'integer' },
      { name: 'to', pattern: 'integer', optional: true },
    ],
    result: STRING,
    call: ([a, from, to]) => slice(text(a), whole(from), to === undefined ? undefined : whole(to)),
    summary: 'From position `from` (the first is 0) up to, not including, `to`.',
    examples: [
      ['"abcdef".substring(2)', 'cdef'],
      ['"abcdef".substring(2, 4)', 'cd'],
    ],
  },
  {
    name: 'indexOf',
    receiver: 'string',
    params: one('part'),
    result: INTEGER,
    call: ([a, b], context) => positionOf(text(a), text(a).indexOf(part(a, b, context))),
    summary: 'The position of the first `part`, or -1.',
    examples: [
      ['"abcb".indexOf("b")', 1],
      ['"abc".indexOf("x")', -1],
    ],
  },
  {
    name: 'lastIndexOf',
    receiver: 'string',
    params: one('part'),
    result: INTEGER,
    call: ([a, b], context) => positionOf(text(a), text(a).lastIndexOf(part(a, b, context))),
    summary: 'The position of the last `part`, or -1.',
    examples: [['"abcb".lastIndexOf("b")', 3]],
  },
  {
    name: 'addDays',
    receiver: 'string',
    params: [{ name: 'days', pattern: 'integer' }],
    result: { ...STRING, schema: { type: 'string', format: 'date' } },
    call: ([a, n]) => addDays(text(a), whole(n)),
    summary: 'A date (`2026-11-22`) so many days later; earlier when negative.',
    examples: [['"2026-12-30".addDays(3)', '2027-01-02']],
  },
];

function positionOf(value: string, offset: number): number {
  return offset < 0 ? -1 : characterCount(value.slice(0, offset));
}
