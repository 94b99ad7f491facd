// What is large: worked on by the other thread.
import type { Json, JsonObject } from '../../../common/json.ts';

/** Above so many characters nothing is parsed, hashed, compared, cut or counted on the thread that answers: it would be held for more than some milliseconds. */
export const LARGE_CHARACTERS = 64 * 1024;

/** Whether its texts, names and values come to more than a small input has; looks no further than that. */
export function isLarge(input: JsonObject): boolean {
  let left = LARGE_CHARACTERS;
  const rest: Json[] = [input];
  for (let value = rest.pop(); value !== undefined; value = rest.pop()) {
    left -= 8;
    if (typeof value === 'string') left -= value.length;
    else if (Array.isArray(value)) {
      if (value.length * 8 > left) return true;
      rest.push(...(value as readonly Json[]));
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value as JsonObject)) {
        left -= name.length;
        rest.push(member);
        if (left < rest.length * 8) return true;
      }
    }
    if (left < 0) return true;
  }
  return false;
}
