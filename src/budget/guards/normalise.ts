// normaliseInput: one form for inputs that ask the same thing, so that a loop is seen through its white space and its timestamps.
import type { Json, JsonObject } from '../../common/json.ts';

/**
 * A copy of a task's input without the fields named in `ignore`, its texts in Unicode NFC with runs of white space folded to one space and none
 * at the ends. A field is a top-level name, or a path with dots: `meta.sentAt`; a path goes through the items of a list. Hash the canonical JSON
 * of what it returns.
 */
export function normaliseInput(input: JsonObject, ignore: readonly string[]): JsonObject {
  return fold(
    input,
    ignore.map((path) => path.split('.')),
  ) as JsonObject;
}

/** Words of plain ASCII with one space between them are their own form: most inputs are, and need no copy. */
const MOST_TESTED = 10_000;
const PLAIN = /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/;

function fold(value: Json, ignore: readonly (readonly string[])[]): Json {
  if (typeof value === 'string')
    return value.length <= MOST_TESTED && PLAIN.test(value)
      ? value
      : value.normalize('NFC').replace(/\s+/gu, ' ').trim();
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => fold(item, ignore));
  const folded: { [key: string]: Json } = {};
  for (const [key, member] of Object.entries(value as JsonObject)) {
    const within = ignore.filter(([first]) => first === key);
    if (within.some((path) => path.length === 1)) continue;
    const kept = fold(
      member,
      within.map((path) => path.slice(1)),
    );
    // `__proto__` is a key like any other in JSON; assigned plainly it would vanish, and two inputs would look the same.
    Object.defineProperty(folded, key, { value: kept, enumerable: true, configurable: true, writable: true });
  }
  return folded;
}
