// `first`: in the order in which the route names them.
import type { Strategy } from '../port.ts';

/** The score is the place in the list. */
export const first: Strategy = {
  pick: 'first',
  order: (candidates) => candidates.map((candidate, index) => ({ candidate, score: index })),
};
