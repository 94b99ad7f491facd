// JSON size: how deep a text nests and how many values it holds, counted before it is parsed, since parsing and hashing cost far more than reading.
import type { ServerLimits } from '../options.ts';

export type JsonLimits = Pick<ServerLimits, 'maxJsonDepth' | 'maxJsonValues'>;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The limit that the text passes; undefined: none. A text that is no JSON is counted all the same, and refused by whoever parses it. */
export function passedJsonLimit(text: Uint8Array, limits: JsonLimits): keyof JsonLimits | undefined {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text[at]) {
      case QUOTE:
        at = endOfString(text, at + 1);
        break;
      case 0x7b: // {
      case 0x5b: // [
        depth += 1;
        values += 1;
        if (depth > limits.maxJsonDepth) return 'maxJsonDepth';
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth -= 1;
        break;
      case 0x2c: // ,
        values += 1;
        break;
      default:
    }
    if (values > limits.maxJsonValues) return 'maxJsonValues';
  }
  return undefined;
}

/** Of its closing quote, or the end of the text. Most of a large body is one long string: it is searched, not walked through. */
function endOfString(text: Uint8Array, from: number): number {
  for (let at = text.indexOf(QUOTE, from); at >= 0; at = text.indexOf(QUOTE, at + 1)) {
    let backslashes = 0;
    while (text[at - 1 - backslashes] === BACKSLASH && at - 1 - backslashes >= from) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}
