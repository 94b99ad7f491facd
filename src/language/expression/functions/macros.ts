// Names that take an expression rather than a value: they are compiled by macros of their own; this is what the reference page says of them.
import type { Json } from '../../../common/json.ts';

export interface MacroEntry {
  readonly name: string;
  readonly isMethod: boolean;
  readonly signature: string;
  readonly summary: string;
  readonly examples: readonly (readonly [expression: string, gives: Json])[];
}

export const macroTable: readonly MacroEntry[] = [
  {
    name: 'default',
    isMethod: false,
    signature: 'default(value, otherwise, …)',
    summary: 'The first value that is there: not null, not absent, not of a skipped step.',
    examples: [
      ['default(null, "none")', 'none'],
      ['default("a", "b")', 'a'],
    ],
  },
  {
    name: 'has',
    isMethod: false,
    signature: 'has(object.field)',
    summary: 'Whether the field is there and not null.',
    examples: [['has({"a": 1}.a)', true]],
  },
  {
    name: 'all',
    isMethod: true,
    signature: 'list.all(item, condition)',
    summary: 'Whether the condition holds for every item.',
    examples: [['[1, 2].all(n, n > 0)', true]],
  },
  {
    name: 'exists',
    isMethod: true,
    signature: 'list.exists(item, condition)',
    summary: 'Whether the condition holds for some item.',
    examples: [['[1, 2].exists(n, n > 1)', true]],
  },
  {
    name: 'exists_one',
    isMethod: true,
    signature: 'list.exists_one(item, condition)',
    summary: 'Whether the condition holds for exactly one item.',
    examples: [['[1, 2].exists_one(n, n > 1)', true]],
  },
  {
    name: 'filter',
    isMethod: true,
    signature: 'list.filter(item, condition)',
    summary: 'The items for which the condition holds.',
    examples: [['[1, 2, 3].filter(n, n > 1)', [2, 3]]],
  },
  {
    name: 'map',
    isMethod: true,
    signature: 'list.map(item, value) or list.map(item, condition, value)',
    summary: 'The value for each item; with a condition, only for items for which it holds.',
    examples: [
      ['[1, 2].map(n, n * 2)', [2, 4]],
      ['[1, 2].map(n, n > 1, n * 2)', [4]],
    ],
  },
  {
    name: 'sortBy',
    isMethod: true,
    signature: 'list.sortBy(item, value)',
    summary: 'The items in ascending order of the value.',
    examples: [['[{"n": 2}, {"n": 1}].sortBy(x, x.n).map(x, x.n)', [1, 2]]],
  },
];
