// "Did you mean": the known name that is nearest to a misspelt one.

/** The candidate with the smallest edit distance, if it is near enough to be a slip; else `undefined`. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase().slice(0, 64);
  const bare = withoutDashes(wanted);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  let compared = 0;
  for (const candidate of candidates) {
    if (compared++ >= MAX_COMPARED || bestDistance === 0) break;
    const known = candidate.toLowerCase().slice(0, 64);
    if (withoutDashes(known) === bare) {
      best = candidate;
      bestDistance = 0;
    } else if (bestDistance > 1 && Math.abs(known.length - wanted.length) < bestDistance) {
      const distance = editDistance(wanted, known, bestDistance);
      if (distance < bestDistance) best = candidate;
      bestDistance = Math.min(bestDistance, distance);
    }
  }
  return best;
}

/** Enough for any list that a person wrote. */
const MAX_COMPARED = 1000;

function withoutDashes(name: string): string {
  return /[-_]/.test(name) ? name.replaceAll(/[-_]/g, '') : name;
}

/**
 * Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours each cost one.
 * `limit` when it is that or more: most names are given up after a row or two.
 */
function editDistance(left: string, right: string, limit: number): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = nextRow(left, right, row, previous, beforePrevious);
    // A swap reaches two rows back, so both have to be beyond the limit.
    if (Math.min(...current) >= limit && Math.min(...previous) >= limit) return limit;
    beforePrevious = previous;
    previous = current;
  }
  return previous[right.length] ?? 0;
}

function nextRow(
  left: string,
  right: string,
  row: number,
  previous: readonly number[],
  beforePrevious: readonly number[],
): number[] {
  const current = [row];
  for (let column = 1; column <= right.length; column += 1) {
    const same = left.charAt(row - 1) === right.charAt(column - 1);
    let cost = Math.min(
      (previous[column] ?? 0) + 1,
      (current[column - 1] ?? 0) + 1,
      (previous[column - 1] ?? 0) + (same ? 0 : 1),
    );
    const swapped =
      row > 1 &&
      column > 1 &&
      left.charAt(row - 1) === right.charAt(column - 2) &&
      left.charAt(row - 2) === right.charAt(column - 1);
    if (swapped) cost = Math.min(cost, (beforePrevious[column - 2] ?? 0) + 1);
    current.push(cost);
  }
  return current;
}
