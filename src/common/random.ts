// Randomness as a port, and a seeded generator for simulations.

/** A number in [0, 1). */
export type Random = () => number;

export const systemRandom: Random = Math.random;

/** mulberry32: a small generator with 32 bits of state; the same seed gives the same sequence. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
