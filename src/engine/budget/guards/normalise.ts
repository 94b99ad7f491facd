// normaliseInput: one form for inputs that ask the same thing, so that a loop is seen through its white space and its timestamps.
import type { Json, JsonObject } from '../../../common/json.ts';

/**
 * A task's input without the fields named in `ignore`, its texts in Unicode NFC with runs of white space folded to one space and none
 * at the ends. A field is a top-level name, or a path with dots: `meta.sentAt`; a path goes through the items of a list. Hash the canonical JSON
 * of what it returns: the input itself where nothing of it changes.
 */
export function normaliseInput(input: JsonObject, ignore: readonly string[]): JsonObject {
  return fold(input, pathsOf(ignore), foldText) as JsonObject;
}

/** The input without the fields named in `ignore`, and its texts as they are. */
export function withoutFields(input: JsonObject, ignore: readonly string[]): JsonObject {
  return ignore.length === 0 ? input : (fold(input, pathsOf(ignore), (text) => text) as JsonObject);
}

type Paths = readonly (readonly string[])[];

function pathsOf(ignore: readonly string[]): Paths {
  return ignore.map((path) => path.split('.'));
}

/** Words of plain ASCII with one space between them are their own form: most inputs are, and need no copy. */
const MOST_TESTED = 10_000;
const PLAIN = /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/;

/** White space that is not one space alone: most of it is, and is left as it stands. */
const NOT_ONE_SPACE = /\s{2,}|[^\S ]/gu;

function foldText(text: string): string {
  return text.length <= MOST_TESTED && PLAIN.test(text)
    ? text
    : text.normalize('NFC').replace(NOT_ONE_SPACE, ' ').trim();
}

function fold(value: Json, ignore: Paths, text: (text: string) => string): Json {
  if (typeof value === 'string') return text(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) {
    const folded: Json[] = [];
    let isSame = true;
    for (const item of value as readonly Json[]) {
      const is = fold(item, ignore, text);
      if (is !== item) isSame = false;
      folded.push(is);
    }
    return isSame ? value : folded;
  }
  const members = value as JsonObject;
  const folded: [string, Json][] = [];
  let isSame = true;
  for (const key of Object.keys(members)) {
    const member = members[key] as Json;
    const is = foldMember(key, member, ignore, text);
    if (is !== member) isSame = false;
    if (is !== undefined) folded.push([key, is]);
  }
  // Not assigned one by one: `__proto__` is a key like any other in JSON, and would vanish, and two inputs would look the same.
  return isSame ? value : Object.fromEntries(folded);
}

/** undefined: it is ignored. */
function foldMember(
  key: string,
  member: Json,
  ignore: Paths,
  text: (text: string) => string,
): Json | undefined {
  if (ignore.length === 0) return fold(member, ignore, text);
  const within = ignore.filter(([first]) => first === key);
  return within.some((path) => path.length === 1)
    ? undefined
    : fold(
        member,
        within.map((path) => path.slice(1)),
        text,
      );
}
