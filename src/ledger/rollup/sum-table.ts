// Sums of many groups as rows of numbers, which are added up and sent without an object for each; exact, as sums of bigints are.
import { COLUMN_OF, SUM_COLUMNS, columnsOf, noSums } from './sums.ts';
import type { PackedSums, SumName, SumNames } from './sums.ts';

/** Up to here a sum and what is added to it are exact. */
const LARGEST_NUMBER = 2 ** 52;
/** So many digits are less than that. */
const MOST_DIGITS = 15;
const FIRST_ROWS = 64;
const SPACE = 32;
const MINUS = 45;
const ZERO = 48;

/** Rows of sums on their way from thread to thread. */
export interface PackedTable {
  readonly numbers: Float64Array;
  /** By place: what is beside the number there. */
  readonly beyond: ReadonlyMap<number, bigint>;
}

export class SumTable {
  readonly names: SumNames;
  readonly #columns: readonly string[];
  /** Of each sum of a line its column; −1: nobody asked for it. */
  readonly #columnOf: Int8Array;
  #numbers: Float64Array;
  readonly #beyond = new Map<number, bigint>();
  #rows = 0;

  constructor(names: SumNames) {
    this.names = names;
    this.#columns = columnsOf(names);
    this.#columnOf = Int8Array.from(SUM_COLUMNS, (column) => this.#columns.indexOf(column));
    this.#numbers = new Float64Array(FIRST_ROWS * this.#columns.length);
  }

  /** Its number. */
  newRow(): number {
    const row = this.#rows;
    this.#rows += 1;
    const wanted = this.#rows * this.#columns.length;
    if (wanted > this.#numbers.length) {
      const larger = new Float64Array(2 * wanted);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    return row;
  }

  /** As a database gives it, by column, with bigints. */
  add(row: number, values: { readonly [column: string]: unknown }, sign: 1 | -1): void {
    let place = row * this.#columns.length;
    for (const column of this.#columns) {
      this.#addAt(place, values[column] as bigint, sign);
      place += 1;
    }
  }

  /** The row of another table of the same sums. */
  addFrom(row: number, other: SumTable, from: number, sign: 1 | -1): void {
    const width = this.#columns.length;
    for (let column = 0; column < width; column += 1) {
      const place = from * width + column;
      const number = other.#numbers[place] ?? 0;
      if (number !== 0) this.#addNumber(row * width + column, sign * number);
    }
    if (other.#beyond.size === 0) return;
    for (let column = 0; column < width; column += 1)
      this.#addAt(row * width + column, other.#beyond.get(from * width + column) ?? 0n, sign);
  }

  /** Lines of `LINE`. `rowOf`: the row that a key is added to; −1: none. */
  addLines(lines: string, sign: 1 | -1, rowOf: (key: number) => number): void {
    const columnOf = this.#columnOf;
    const sums = columnOf.length;
    const end = lines.length;
    for (let at = 0; at < end;) {
      let key = 0;
      let code = lines.charCodeAt(at);
      for (; code !== SPACE; code = lines.charCodeAt(at)) {
        key = key * 10 + code - ZERO;
        at += 1;
      }
      const row = rowOf(key);
      if (row < 0) {
        const next = lines.indexOf(',', at);
        at = next === -1 ? end : next + 1;
        continue;
      }
      const place = row * this.#columns.length;
      for (let index = 0; index < sums; index += 1) {
        at += 1;
        code = lines.charCodeAt(at);
        const isLess = code === MINUS;
        if (isLess) {
          at += 1;
          code = lines.charCodeAt(at);
        }
        const from = at;
        let number = 0;
        // Beyond the end it is NaN.
        for (; code >= ZERO; code = lines.charCodeAt(at)) {
          number = number * 10 + code - ZERO;
          at += 1;
        }
        const column = columnOf[index] ?? -1;
        if (number === 0 || column < 0) continue;
        if (at - from > MOST_DIGITS)
          this.#addAt(place + column, BigInt(lines.slice(from, at)), isLess === (sign === 1) ? -1 : 1);
        else this.#addNumber(place + column, isLess ? -sign * number : sign * number);
      }
      at += 1;
    }
  }

  /** Whether nothing was counted in it: what was in it was all of sessions. */
  isNothing(row: number): boolean {
    const width = this.#columns.length;
    for (let place = row * width; place < (row + 1) * width; place += 1)
      if (this.#beyond.size === 0 ? this.#numbers[place] !== 0 : this.#valueAt(place) !== 0n) return false;
    return true;
  }

  /** Of these rows, in this order. */
  packed(rows: readonly number[]): PackedTable {
    const width = this.#columns.length;
    const numbers = new Float64Array(rows.length * width);
    const beyond = new Map<number, bigint>();
    rows.forEach((row, index) => {
      numbers.set(this.#numbers.subarray(row * width, (row + 1) * width), index * width);
      if (this.#beyond.size === 0) return;
      for (let column = 0; column < width; column += 1) {
        const more = this.#beyond.get(row * width + column);
        if (more !== undefined) beyond.set(index * width + column, more);
      }
    });
    return { numbers, beyond };
  }

  /** Below 0: `a` has more; above: `b` has. */
  compare(a: number, b: number, name: SumName): number {
    const column = this.#columns.indexOf(COLUMN_OF[name]);
    const [left, right] = [a, b].map((row) => row * this.#columns.length + column) as [number, number];
    if (this.#beyond.size === 0) return (this.#numbers[right] ?? 0) - (this.#numbers[left] ?? 0);
    const [more, less] = [this.#valueAt(left), this.#valueAt(right)];
    if (more === less) return 0;
    return more > less ? -1 : 1;
  }

  #valueAt(place: number): bigint {
    return valueAt(this.#numbers, this.#beyond, place);
  }

  #addAt(place: number, value: bigint, sign: 1 | -1): void {
    // As most are.
    if (value === 0n) return;
    const number = Number(value);
    if (Math.abs(number) <= LARGEST_NUMBER) this.#addNumber(place, sign * number);
    else this.#addBeyond(place, sign === 1 ? value : -value);
  }

  #addNumber(place: number, number: number): void {
    const sum = (this.#numbers[place] ?? 0) + number;
    if (sum <= LARGEST_NUMBER && sum >= -LARGEST_NUMBER) this.#numbers[place] = sum;
    else {
      this.#numbers[place] = 0;
      this.#addBeyond(place, BigInt(sum));
    }
  }

  #addBeyond(place: number, value: bigint): void {
    this.#beyond.set(place, (this.#beyond.get(place) ?? 0n) + value);
  }
}

function valueAt(numbers: Float64Array, beyond: ReadonlyMap<number, bigint>, place: number): bigint {
  const number = numbers[place] ?? 0;
  const more = beyond.size === 0 ? undefined : beyond.get(place);
  if (more !== undefined) return BigInt(number) + more;
  return number === 0 ? 0n : BigInt(number);
}

/** Each row of what was packed; the sums that it has none of are 0. */
export function* unpackedRows(
  { numbers, beyond }: PackedTable,
  { amounts, counts }: SumNames,
): Generator<PackedSums> {
  for (let place = 0; place < numbers.length;) {
    const sums = noSums();
    for (const name of amounts) sums[name] = valueAt(numbers, beyond, place++);
    for (const name of counts) sums[name] = Number(valueAt(numbers, beyond, place++));
    yield sums;
  }
}
