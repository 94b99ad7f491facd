// `weighted`: by weight, and the same for the same caller: for canaries.
import type { Strategy } from '../port.ts';

/**
 * Weighted rendezvous hashing: each caller and candidate have a number of their own between 0 and 1, and the score is -ln(number) ÷ weight, lowest
 * first. Over many callers each candidate comes first in proportion to its weight; when one is skipped, its callers go to their own
 * next choice, in proportion again, and nobody else moves. A weight of 0 comes last.
 *
 * Source: D. Thaler, C. Ravishankar, "A Name-Based Mapping Scheme for Rendezvous", 1996; weights after J. Resch, "New Hashing Algorithms for Data Storage", 2015.
 */
export const weighted: Strategy = {
  pick: 'weighted',
  order(candidates, { stickyKey }) {
    const caller = hash(stickyKey, 0x811c9dc5);
    return candidates
      .map((candidate) => ({ candidate, score: score(hash(candidate.model.key, caller), candidate.weight) }))
      .sort((a, b) => (a.score === b.score ? 0 : a.score - b.score));
  },
};

/** Finite whatever the weight: it is kept with the attempt as JSON. */
function score(hashed: number, weight: number): number {
  const drawn = -Math.log((hashed + 0.5) / 4_294_967_296);
  return weight > 0 ? Math.min(drawn / weight, Number.MAX_VALUE) : Number.MAX_VALUE;
}

/** FNV-1a over UTF-16 code units, with murmur3's finish, without which similar names stay close. 32 bits, unsigned. */
function hash(text: string, seed: number): number {
  let value = seed;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
