// Functions of lists and objects.
import { formatThousands } from '../../../common/units.ts';
import { decimalSum } from '../../../common/decimal.ts';
import { canonicalJson } from '../../../common/json.ts';
import type { Json, JsonObject } from '../../../common/json.ts';
import { EvaluationFailure, boundedText, spend, weightOf } from '../context.ts';
import type { Context } from '../context.ts';
import { ANY, BOOLEAN, INTEGER, NUMBER, STRING, listOf, nullable, objectOf } from '../type.ts';
import type { Type } from '../type.ts';
import { compare, equal, finite } from '../values.ts';
import type { FunctionEntry } from './entry.ts';

const list = (value: Json | undefined): readonly Json[] => value as readonly Json[];
const whole = (value: Json | undefined): number => value as number;
const object = (value: Json | undefined): JsonObject => value as JsonObject;

const same = ([receiver]: readonly Type[]): Type => receiver ?? ANY;
const item = ([receiver]: readonly Type[]): Type => (receiver?.kind === 'list' ? receiver.items : ANY);
const itemOrNull = (types: readonly Type[]): Type => nullable(item(types));
const flat = (types: readonly Type[]): Type => {
  const inner = item(types);
  return listOf(inner.kind === 'list' ? inner.items : ANY);
};
const memberValues = ([receiver]: readonly Type[]): Type => {
  if (receiver?.kind !== 'object' || receiver.members.size > 0) return listOf(ANY);
  return listOf(receiver.rest ?? ANY);
};

function pairs([left, right]: readonly Type[]): Type {
  return listOf(
    objectOf(
      new Map([
        ['left', item(left ? [left] : [])],
        ['right', item(right ? [right] : [])],
      ]),
    ),
  );
}

function zip(left: readonly Json[], right: readonly Json[]): Json[] {
  return Array.from({ length: Math.min(left.length, right.length) }, (_, index) => ({
    left: left[index] ?? null,
    right: right[index] ?? null,
  }));
}

/** Lists and objects by their canonical JSON, so that it is linear whatever they hold. */
function distinct(values: readonly Json[], context: Context): Json[] {
  const seen = new Set<Json>();
  const seenValues = new Set<string>();
  return values.filter((value) => {
    const isScalar = typeof value !== 'object' || value === null;
    const kept: Set<unknown> = isScalar ? seen : seenValues;
    const key = isScalar ? value : canonicalJson(value);
    if (!isScalar) spend(context, weightOf(key));
    if (kept.has(key)) return false;
    kept.add(key);
    return true;
  });
}

function join(values: readonly Json[], separator: string): string {
  let length = 0;
  for (const value of values) length += (value as string).length + separator.length;
  boundedText(length);
  return (values as readonly string[]).join(separator);
}

const MAX_ITEMS = 1_000_000;

function flatten(lists: readonly (readonly Json[])[]): Json[] {
  const total = lists.reduce((sum, inner) => sum + inner.length, 0);
  if (total > MAX_ITEMS)
    throw new EvaluationFailure(`\`flatten\` builds at most ${formatThousands(MAX_ITEMS)} items.`, true);
  return lists.flat();
}

function least(values: readonly Json[], sign: 1 | -1): Json {
  let best: Json = null;
  for (const value of values) if (best === null || compare(value, best) * sign < 0) best = value;
  return best;
}

export const listFunctions: readonly FunctionEntry[] = [
  {
    name: 'zip',
    receiver: null,
    params: [
      { name: 'left', pattern: 'list' },
      { name: 'right', pattern: 'list' },
    ],
    result: pairs,
    call: ([a, b]) => zip(list(a), list(b)),
    summary:
      'The items of two lists side by side, as far as the shorter one goes: `each` gives its results in the order of its list.',
    examples: [['zip([1, 2], ["a", "b"]).map(p, string(p.left) + p.right)', ['1a', '2b']]],
  },
  {
    name: 'size',
    receiver: 'list',
    params: [],
    result: INTEGER,
    call: ([a]) => list(a).length,
    summary: 'How many items the list has.',
    examples: [['[1, 2].size()', 2]],
  },
  {
    name: 'contains',
    receiver: 'list',
    params: [{ name: 'item', pattern: 'any' }],
    result: BOOLEAN,
    call: ([a, b], context) => list(a).some((value) => equal(value, b ?? null, context)),
    summary: 'Whether the item is in the list; the same as `item in list`.',
    examples: [['["a", "b"].contains("b")', true]],
  },
  {
    name: 'join',
    receiver: 'list of texts',
    params: [{ name: 'separator', pattern: 'string', optional: true }],
    result: STRING,
    call: ([a, b]) => join(list(a), (b as string | undefined) ?? ''),
    summary: 'One text of all, with the separator between them.',
    examples: [
      ['["a", "b"].join(", ")', 'a, b'],
      ['["a", "b"].join()', 'ab'],
    ],
  },
  {
    name: 'flatten',
    receiver: 'list of lists',
    params: [],
    result: flat,
    call: ([a]) => flatten(list(a) as readonly (readonly Json[])[]),
    summary: 'One list of the items of all.',
    examples: [['[[1], [2, 3]].flatten()', [1, 2, 3]]],
  },
  {
    name: 'first',
    receiver: 'list',
    params: [],
    result: itemOrNull,
    call: ([a]) => list(a)[0] ?? null,
    summary: 'The first item; null of an empty list.',
    examples: [
      ['[7, 8].first()', 7],
      ['[].first()', null],
    ],
  },
  {
    name: 'last',
    receiver: 'list',
    params: [],
    result: itemOrNull,
    call: ([a]) => list(a).at(-1) ?? null,
    summary: 'The last item; null of an empty list.',
    examples: [['[7, 8].last()', 8]],
  },
  {
    name: 'take',
    receiver: 'list',
    params: [{ name: 'count', pattern: 'integer' }],
    result: same,
    call: ([a, n]) => list(a).slice(0, Math.max(0, whole(n))),
    summary: 'At most that many items from the start.',
    examples: [['[1, 2, 3].take(2)', [1, 2]]],
  },
  {
    name: 'skip',
    receiver: 'list',
    params: [{ name: 'count', pattern: 'integer' }],
    result: same,
    call: ([a, n]) => list(a).slice(Math.max(0, whole(n))),
    summary: 'Without that many items from the start.',
    examples: [['[1, 2, 3].skip(2)', [3]]],
  },
  {
    name: 'reverse',
    receiver: 'list',
    params: [],
    result: same,
    call: ([a]) => list(a).toReversed(),
    summary: 'From the last item to the first.',
    examples: [['[1, 2].reverse()', [2, 1]]],
  },
  {
    name: 'sort',
    receiver: 'list',
    params: [],
    result: same,
    call: ([a]) => list(a).toSorted(compare),
    summary: 'In ascending order. Numbers, texts or booleans, not mixed.',
    examples: [['[3, 1, 2].sort()', [1, 2, 3]]],
  },
  {
    name: 'distinct',
    receiver: 'list',
    params: [],
    result: same,
    call: ([a], context) => distinct(list(a), context),
    summary: 'Without repeated items; the first of each is kept.',
    examples: [['["a", "b", "a"].distinct()', ['a', 'b']]],
  },
  {
    name: 'sum',
    receiver: 'list of numbers',
    params: [],
    result: (types) => (item(types).kind === 'integer' ? INTEGER : NUMBER),
    call: ([a]) => finite(decimalSum(list(a) as readonly number[])),
    summary: 'The sum, exact as the numbers are written; 0 of an empty list.',
    examples: [
      ['[1, 2, 3].sum()', 6],
      ['[0.1, 0.2].sum() == 0.3', true],
    ],
  },
  {
    name: 'min',
    receiver: 'list',
    params: [],
    result: itemOrNull,
    call: ([a]) => least(list(a), 1),
    summary: 'The least item; null of an empty list.',
    examples: [['[3, 1, 2].min()', 1]],
  },
  {
    name: 'max',
    receiver: 'list',
    params: [],
    result: itemOrNull,
    call: ([a]) => least(list(a), -1),
    summary: 'The greatest item; null of an empty list.',
    examples: [['["a", "c", "b"].max()', 'c']],
  },
  {
    name: 'size',
    receiver: 'object',
    params: [],
    result: INTEGER,
    call: ([a]) => Object.keys(object(a)).length,
    summary: 'How many fields the object has.',
    examples: [['{"a": 1}.size()', 1]],
  },
  {
    name: 'keys',
    receiver: 'object',
    params: [],
    result: listOf(STRING),
    call: ([a]) => Object.keys(object(a)),
    summary: 'The names of the fields.',
    examples: [['{"a": 1, "b": 2}.keys()', ['a', 'b']]],
  },
  {
    name: 'values',
    receiver: 'object',
    params: [],
    result: memberValues,
    call: ([a]) => Object.values(object(a)),
    summary: 'The values of the fields.',
    examples: [['{"a": 1, "b": 2}.values()', [1, 2]]],
  },
];
