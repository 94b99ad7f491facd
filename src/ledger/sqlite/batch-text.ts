// A batch as text: JSON in which a text that was said before is a place in the list instead. Rates, postings, decisions and hashes are the same for
// most rows of a batch, and most of its length.
import type { Value } from './operations.ts';
import type { Batch } from './writer.ts';

/** In UTF-16 code units: below, saying it again costs less than looking whether it was said. */
const SHORTEST_SHARED = 48;

/** `[7]`: what stands at place 7. */
type Place = readonly [place: number];

export function encodeBatch({ first, last, values, journaled }: Batch): string {
  const places = new Map<string, number>();
  const said: (Value | Place)[] = [];
  for (const value of values) {
    if (typeof value === 'string' && value.length >= SHORTEST_SHARED) {
      const before = places.get(value);
      if (before !== undefined) {
        said.push([before]);
        continue;
      }
      places.set(value, said.length);
    }
    said.push(value);
  }
  return JSON.stringify({ first, last, values: said, journaled });
}

export function decodeBatch(text: string): Batch {
  const { values, ...batch } = JSON.parse(text) as Omit<Batch, 'values'> & {
    readonly values: (Value | Place)[];
  };
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index];
    if (typeof value === 'object' && value !== null) values[index] = values[value[0]] ?? null;
  }
  return { ...batch, values: values as Value[] };
}
