// normaliseInput: one form for inputs that ask the same thing, so that a loop is seen through its white space and its timestamps.
import type { Json, JsonObject } from '../../../common/json.ts';

/**
 * A task's input without the fields named in `ignore`, its texts in Unicode NFC with runs of white space folded to one space and none
 * at the ends. A field is a top-level name, or a path with dots: `meta.sentAt`; a path goes through the items of a list. Hash the canonical JSON
 * of what it returns: the input itself where nothing of it changes.
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
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    const folded = items.map((item) => fold(item, ignore));
    return folded.some((item, index) => item !== items[index]) ? folded : items;
  }
  const kept: [string, Json][] = [];
  let isSame = true;
  for (const [key, member] of Object.entries(value as JsonObject)) {
    const within = ignore.filter(([first]) => first === key);
    const folded = within.some((path) => path.length === 1)
      ? undefined
      : fold(
          member,
          within.map((path) => path.slice(1)),
        );
    if (folded !== member) isSame = false;
    if (folded !== undefined) kept.push([key, folded]);
  }
  // Not assigned one by one: `__proto__` is a key like any other in JSON, and would vanish, and two inputs would look the same.
  return isSame ? value : Object.fromEntries(kept);
}
