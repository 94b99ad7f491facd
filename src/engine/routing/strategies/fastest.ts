// `fastest`: the better of two random candidates, by peak-sensitive latency times the calls in flight.
import { loads } from '../load.ts';
import type { Candidate, Scored, Strategy } from '../port.ts';

/**
 * The score is the estimated milliseconds to the first token (streaming) or to the whole answer. Two random choices: all callers taking the one
 * that looks best would flood it before its answers can tell; the better of two spreads the load and still avoids the slow
 * ones. The rest follow by score, as fallbacks. An unexplored candidate is taken first, one call at a time.
 *
 * Source: M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001; the latency is Finagle's Peak EWMA.
 */
export const fastest: Strategy = {
  pick: 'fastest',
  order(candidates, context) {
    const scored: Scored[] = [];
    const unexplored: Candidate[] = [];
    const estimates = loads(candidates, context);
    candidates.forEach((candidate, index) => {
      const load = estimates[index];
      if (load === undefined) return;
      if (load.unexplored) unexplored.push(candidate);
      scored.push({ candidate, score: load.expectedMs });
    });
    scored.sort((a, b) => a.score - b.score);
    if (scored.length < 2) return scored;
    const chosen =
      unexplored.length > 0
        ? scored.findIndex(
            ({ candidate }) => candidate === unexplored[below(unexplored.length, context.random)],
          )
        : betterOfTwo(scored.length, context.random);
    const [winner] = scored.splice(chosen, 1);
    if (winner !== undefined) scored.unshift(winner);
    return scored;
  },
};

/** Of two different places in a list that is sorted, the nearer to its head. */
function betterOfTwo(count: number, random: () => number): number {
  const one = below(count, random);
  const other = (one + 1 + below(count - 1, random)) % count;
  return Math.min(one, other);
}

function below(count: number, random: () => number): number {
  return Math.min(count - 1, Math.floor(random() * count));
}
