// Where a `${{ … }}` in a text ends: the one scan that both the YAML reader and the template parser rely on.

export const PLACEHOLDER_START = '${{';

/**
 * The offset just after the `}}` that closes the placeholder opened at `start` (the offset of `${{`), or -1 when it is not closed.
 * Braces inside CEL strings and map literals do not close it.
 */
export function placeholderEnd(text: string, start: number): number {
  let depth = 0;
  let index = start + PLACEHOLDER_START.length;
  while (index < text.length) {
    const character = text.charAt(index);
    if (character === '"' || character === "'") {
      index = stringEnd(text, index);
      if (index === -1) return -1;
      continue;
    }
    if (character === '{') depth += 1;
    if (character === '}') {
      if (depth === 0 && text.charAt(index + 1) === '}') return index + 2;
      if (depth > 0) depth -= 1;
    }
    index += 1;
  }
  return -1;
}

function stringEnd(text: string, start: number): number {
  const quote = text.charAt(start);
  for (let index = start + 1; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === '\\') index += 1;
    else if (character === quote) return index + 1;
  }
  return -1;
}
