// The JSON values in an answer's text: alone, in a code fence, or with words, drafts and other JSON around them.
import { inexactNumber } from '../../../common/exact-json.ts';
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
  return found(text).map(({ value }) => value);
}

/** As findJson; but nothing with a number that would be changed: where it is the likeliest value that has one, there is none, and `problem` says why. */
export function answeredJson(text: string): {
  readonly values: readonly Json[];
  readonly problem: string | undefined;
} {
  const all = found(text);
  const problem = all[0] && inexactNumber(all[0].written);
  if (problem !== undefined) return { values: [], problem: problem.reason };
  const exact = all.filter(({ written }) => inexactNumber(written) === undefined);
  return { values: exact.map(({ value }) => value), problem: undefined };
}

interface Found {
  readonly value: Json;
  readonly written: string;
}

function found(text: string): readonly Found[] {
  const trimmed = text.trim();
  if (trimmed === '') return [];
  const whole = parse(trimmed);
  if (whole !== undefined) return [whole, ...insideText(whole.value)];
  const inside = composites(trimmed).reverse().slice(0, MOST_VALUES);
  if (inside.length > 0) return inside;
  const fenced = [...trimmed.matchAll(FENCE)].flatMap(([, fence = '']) => {
    const value = parse(fence);
    return value === undefined ? [] : [value];
  });
  return fenced.reverse().slice(0, MOST_VALUES);
}

/** An object or an array that was written as JSON twice. */
function insideText(value: Json): readonly Found[] {
  const inside = typeof value === 'string' ? parse(value) : undefined;
  return typeof inside?.value === 'object' && inside.value !== null ? [inside] : [];
}

/** The objects and arrays in a text that parse and lie in no other, in their order. */
function composites(text: string): Found[] {
  const found: Found[] = [];
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

function parse(written: string): Found | undefined {
  try {
    return { value: JSON.parse(written) as Json, written };
  } catch {
    return undefined;
  }
}
