// The JSON value in an answer's text: alone, in a code fence, or with words around it.
import type { Json } from '../../../common/json.ts';

const FENCE = /```(?:json|JSON)?\s*\n([\s\S]*?)\n?\s*```/;

/** undefined: there is none. A value inside other words counts only if it is an object or an array. */
export function findJson(text: string): Json | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const whole = parse(trimmed);
  if (whole !== undefined) return whole;
  const fenced = FENCE.exec(trimmed)?.[1];
  const inFence = fenced === undefined ? undefined : parse(fenced);
  if (inFence !== undefined) return inFence;
  return firstComposite(trimmed);
}

/** The first balanced object or array that parses. A few starts are tried: prose with many brackets must not cost quadratic time. */
function firstComposite(text: string): Json | undefined {
  const starts = /[{[]/g;
  for (let tries = 0; tries < 8; tries += 1) {
    const start = starts.exec(text)?.index;
    if (start === undefined) return undefined;
    const end = balancedEnd(text, start);
    if (end === undefined) continue;
    const value = parse(text.slice(start, end));
    if (value !== undefined) return value;
  }
  return undefined;
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
