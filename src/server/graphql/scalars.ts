// The scalars: USD, DateTime, BigInt and JSON, with their texts and their limits.
import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import type { ValueNode } from 'graphql';
import { formatUsd, parseUsd } from '../../common/money.ts';
import type { NanoUsd } from '../../common/money.ts';
import type { Json } from '../../common/json.ts';

/** A dollar amount: nano-dollars inside, decimal text outside. No float is ever made of it (INV-1). */
export const usdScalar = new GraphQLScalarType<NanoUsd, string>({
  name: 'USD',
  description: 'US dollars as a decimal text with at most nine places, exact: `"0.05"`, `"400"`.',
  serialize: (value) => {
    if (typeof value === 'bigint') return formatUsd(value);
    throw new TypeError(`USD cannot be made of ${typeof value}`);
  },
  parseValue: (value) => usdOf(typeof value === 'number' ? exactText(String(value)) : value),
  parseLiteral: (node) => {
    if (node.kind === Kind.INT || node.kind === Kind.FLOAT) return usdOf(exactText(node.value));
    return usdOf(node.kind === Kind.STRING ? node.value : undefined);
  },
});

/** Digits that a JSON number keeps, whoever reads it. */
const EXACT_DIGITS = 15;
const PLACES = 9;

/** A number's decimal text, where that is what was written; undefined: it has more places or digits than a number is sure to keep. */
function exactText(written: string): string | undefined {
  const [mantissa = ''] = written.toLowerCase().split('e');
  const digits = mantissa.replace(/^-?0*\.?0*/, '').replace('.', '');
  const value = Number(written);
  const text = value.toFixed(PLACES);
  return digits.length <= EXACT_DIGITS && Number(text) === value ? text : undefined;
}

const MOST_NANO_USD = 2n ** 63n - 1n;

function usdOf(value: unknown): NanoUsd {
  const nano = typeof value === 'string' ? parseUsd(value) : undefined;
  if (nano === undefined || nano < 0n) {
    throw new GraphQLError(
      'USD is a decimal text with at most nine places and no sign; a number is taken where it is exact.',
      { extensions: { code: 'BAD_USER_INPUT', remedy: 'Write it as text: "0.05".' } },
    );
  }
  // What a column of the ledger holds: nobody has more, and a filter beyond it would be the database's to refuse.
  if (nano > MOST_NANO_USD)
    throw new GraphQLError(`USD is at most ${formatUsd(MOST_NANO_USD)}.`, {
      extensions: { code: 'BAD_USER_INPUT', remedy: 'Write a smaller amount.' },
    });
  return nano;
}

/** An instant: milliseconds inside, RFC 3339 text in UTC outside. */
export const dateTimeScalar = new GraphQLScalarType<number, string>({
  name: 'DateTime',
  description: 'An instant as RFC 3339 text: `"2026-11-22T09:30:00.000Z"`.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time',
  serialize: (value) => {
    if (typeof value === 'number') return new Date(value).toISOString();
    throw new TypeError(`DateTime cannot be made of ${typeof value}`);
  },
  parseValue: instantOf,
  parseLiteral: (node) => instantOf(node.kind === Kind.STRING ? node.value : undefined),
});

const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

function instantOf(value: unknown): number {
  const atMs = typeof value === 'string' && RFC_3339.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(atMs)) {
    throw new GraphQLError(
      'DateTime is written as RFC 3339 with an offset, such as "2026-11-22T09:30:00Z".',
      {
        extensions: { code: 'BAD_USER_INPUT', remedy: 'Write it as text: "2026-11-22T09:30:00Z".' },
      },
    );
  }
  return atMs;
}

const INTEGER = /^-?\d{1,40}$/;

/** An integer of any size: a JSON number while every client can read it exactly, else decimal text. */
export const bigIntScalar = new GraphQLScalarType<bigint, number | string>({
  name: 'BigInt',
  description: 'An integer of any size: a JSON number up to 2^53 - 1, decimal text beyond it.',
  serialize: (value) => {
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
    if (typeof value !== 'bigint') throw new TypeError(`BigInt cannot be made of ${typeof value}`);
    const small = Number(value);
    return Number.isSafeInteger(small) ? small : value.toString();
  },
  parseValue: (value) =>
    integerOf(typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value),
  parseLiteral: (node) =>
    integerOf(node.kind === Kind.INT || node.kind === Kind.STRING ? node.value : undefined),
});

function integerOf(value: unknown): bigint {
  if (typeof value !== 'string' || !INTEGER.test(value))
    throw new GraphQLError('BigInt is written as an integer, or as its decimal text.', {
      extensions: { code: 'BAD_USER_INPUT', remedy: 'Write it as text: "12345".' },
    });
  return BigInt(value);
}

/** Any JSON value, as it is. */
export const jsonScalar = new GraphQLScalarType<Json, Json>({
  name: 'JSON',
  description: 'Any JSON value.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: (value) => value as Json,
  parseValue: (value) => value as Json,
  parseLiteral: (node, variables) => jsonOf(node, variables ?? {}),
});

function jsonOf(node: ValueNode, variables: { readonly [name: string]: unknown }): Json {
  switch (node.kind) {
    case Kind.STRING:
    case Kind.ENUM:
      return node.value;
    case Kind.BOOLEAN:
      return node.value;
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.NULL:
      return null;
    case Kind.LIST:
      return node.values.map((item) => jsonOf(item, variables));
    case Kind.OBJECT:
      return Object.fromEntries(
        node.fields.map((field) => [field.name.value, jsonOf(field.value, variables)]),
      );
    case Kind.VARIABLE:
      return (variables[node.name.value] ?? null) as Json;
  }
}
