// Directions of a change: more or less of a number, with null for "no bound".

export type Direction = 'more' | 'less' | 'same';

/** null: no bound, which is more than any. */
export function compareBounds(from: number | bigint | null, to: number | bigint | null): Direction {
  if (from === to) return 'same';
  if (from === null || to === null) return to === null ? 'more' : 'less';
  return to > from ? 'more' : 'less';
}

export function reverse(direction: Direction): Direction {
  return direction === 'same' ? 'same' : direction === 'more' ? 'less' : 'more';
}

/** An order from the most lenient to the strictest: is the new one stricter? */
export function compareStrictness<Value>(order: readonly Value[], from: Value, to: Value): Direction {
  return compareBounds(order.indexOf(from), order.indexOf(to));
}
