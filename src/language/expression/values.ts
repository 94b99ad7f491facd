// What can be done with JSON values at run time: comparing, ordering, rendering as text.
import type { Json, JsonObject } from '../../common/json.ts';
import { EvaluationFailure, MAX_TEXT, boundedText, spend } from './context.ts';
import type { Context } from './context.ts';

export function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

export function isJsonObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** For messages about a value of unknown type. */
export function kindOf(value: Json): string {
  if (value === null) return 'null';
  if (isList(value)) return 'a list';
  return { string: 'a text', number: 'a number', boolean: 'true or false', object: 'an object' }[
    typeof value as 'string' | 'number' | 'boolean' | 'object'
  ];
}

/** Own members only: neither a prototype nor a host function can be reached. */
export function member(value: Json, name: string): Json {
  if (value === null) return null;
  if (!isJsonObject(value))
    throw new EvaluationFailure(`\`${name}\` is asked of ${kindOf(value)}, which has no fields.`);
  return Object.hasOwn(value, name) ? (value[name] ?? null) : null;
}

export function equal(left: Json, right: Json, context: Context): boolean {
  if (left === right) return true;
  if (isList(left)) {
    if (!isList(right) || left.length !== right.length) return false;
    spend(context, left.length);
    return left.every((item, index) => equal(item, right[index] ?? null, context));
  }
  if (!isJsonObject(left) || !isJsonObject(right)) return false;
  const names = Object.keys(left);
  // Naming the fields is the larger part of it.
  spend(context, 1 + names.length);
  if (names.length !== Object.keys(right).length) return false;
  return names.every(
    (name) => Object.hasOwn(right, name) && equal(left[name] ?? null, right[name] ?? null, context),
  );
}

/** Numbers by size, texts by code unit (so ISO dates by time), false before true; anything else has no order. */
export function compare(left: Json, right: Json): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : left > right ? 1 : 0;
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right);
  throw new EvaluationFailure(`${kindOf(left)} cannot be compared with ${kindOf(right)}.`);
}

/** How a value reads inside a text: null is nothing, lists and objects are JSON. */
export function renderText(value: Json): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  if (typeof value === 'object') return toJsonText(value);
  return String(value);
}

export function toJsonText(value: Json, indent?: number): string {
  boundedText(measure(value, 0));
  return JSON.stringify(value, null, indent);
}

/** A lower bound of the length of the JSON text, counted no further than needed. */
function measure(value: Json, before: number): number {
  if (before > MAX_TEXT) return before;
  if (typeof value === 'string') return before + value.length + 2;
  if (typeof value !== 'object' || value === null) return before + 4;
  let total = before + 2;
  for (const [name, item] of Object.entries(value)) {
    total = measure(item, total + (isList(value) ? 1 : name.length + 4));
    if (total > MAX_TEXT) return total;
  }
  return total;
}

export function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new EvaluationFailure('The result is not a finite number.');
}

export function exactInteger(value: number): number {
  if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
  throw new EvaluationFailure('The result is too large to be an exact integer.');
}
