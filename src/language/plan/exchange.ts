// Tasks that are exposed names: one exchange with a model, in the client's own words.
import type { PlanTask } from './types.ts';

/** The key of the one step. */
export const EXCHANGE_STEP = 'call';

/** Only a client of `/v1` can run it: it has no input of its own. */
export function isExposed({ steps }: PlanTask): boolean {
  return steps[0]?.kind === 'exchange';
}
