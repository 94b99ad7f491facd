// The JSON values in an answer's text: alone, in a code fence, or with words, drafts and other JSON around them.
import type { Json } from '../../../common/json.ts';

const FENCE = /```[A-Za-z]*[ \t]*\r?\n([\s\S]*?)\r?\n?[ \t]*```/g;

/** How often the text may be gone over again for brackets that belong together: prose with many brackets must not cost quadratic time. */
const MOST_WORK = 12;
/** More values than these are not looked at, counted from the end. */
const MOST_VALUES = 20;

/**
 * The likeliest first: the whole text where it is one value; else the last object or array, and so on back, since models show a schema or a draft before
 * they answer; then what stands in a code fence. Empty: there is none. A value among other words counts only if it is an object or an array.
 */
export function findJson(text: string): readonly Json[] {
  const trimmed = text.trim();
  if (trimmed === '') return [];
  const whole = parse(trimmed);
  if (whole !== undefined) return [whole];
  const found = composites(trimmed).reverse().slice(0, MOST_VALUES);
  if (found.length > 0) return found;
  const fenced = [...trimmed.matchAll(FENCE)].flatMap(([, inside = '']) => {
    const value = parse(inside);
    return value === undefined ? [] : [value];
  });
  return fenced.reverse().slice(0, MOST_VALUES);
}

/** The objects and arrays in a text that parse and lie in no other, in their order. */
function composites(text: string): Json[] {
  const found: Json[] = [];
  const starts = /[{[]/g;
  let work = MOST_WORK * text.length + 10_000;
  for (let match = starts.exec(text); match !== null && work > 0; match = starts.exec(text)) {
    const end = balancedEnd(text, match.index);
    work -= (end ?? text.length) - match.index;
    if (end === undefined) continue;
    const value = parse(text.slice(match.index, end));
    if (value === undefined) continue;
    found.push(value);
    starts.lastIndex = end;
  }
  return found;
}

/** The index after the bracket that closes the one at `start`; brackets inside strings do not count. */
function balancedEnd(text: string, start: number): number | undefined {
  let depth = 0;
  let inString = false;
  for (let index = start; index < text.length; index += 1) {
    const character = text[index];
    if (inString) {
      if (character === '\\') index += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') {
      depth -= 1;
      if (depth === 0) return index + 1;
    }
  }
  return undefined;
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
