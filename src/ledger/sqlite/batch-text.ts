// A batch as text: JSON in which a long text is said once, and then its place in a list. Rates, postings, decisions and hashes are the same for
// most rows of a batch, and most of its length.
import type { Operation } from './operations.ts';
import type { Batch } from './writer.ts';

/** In UTF-16 code units: below, saying it again costs less than looking whether it was said. */
const SHORTEST_SHARED = 48;

/** `[7]`: the text at place 7. Operations and rows are objects of scalars and of further rows, so that no other value is an array. */
type Said = null | number | string | readonly [place: number] | SaidRow;
interface SaidRow {
  [key: string]: Said;
}

interface SaidBatch extends Omit<Batch, 'operations'> {
  readonly texts: readonly string[];
  readonly operations: readonly SaidRow[];
}

/** Uses the operations up: their long texts become places. A copy would cost more than all the rest of it. */
export function encodeBatch({ operations, ...batch }: Batch): string {
  const texts: string[] = [];
  const places = new Map<string, number>();
  const share = (row: SaidRow): void => {
    for (const key in row) {
      const value = row[key];
      if (typeof value === 'string') {
        if (value.length < SHORTEST_SHARED) continue;
        let place = places.get(value);
        if (place === undefined) {
          place = texts.push(value) - 1;
          places.set(value, place);
        }
        row[key] = [place];
      } else if (typeof value === 'object' && value !== null) share(value as SaidRow);
    }
  };
  const said = operations as unknown as readonly SaidRow[];
  for (const operation of said) share(operation);
  return JSON.stringify({ ...batch, texts, operations: said } satisfies SaidBatch);
}

export function decodeBatch(text: string): Batch {
  const { texts, operations, ...batch } = JSON.parse(text) as SaidBatch;
  const fill = (row: SaidRow): void => {
    for (const key in row) {
      const value = row[key];
      if (typeof value !== 'object' || value === null) continue;
      if (Array.isArray(value)) row[key] = texts[value[0] as number] ?? null;
      else fill(value as SaidRow);
    }
  };
  for (const operation of operations) fill(operation);
  return { ...batch, operations: operations as unknown as Operation[] };
}
