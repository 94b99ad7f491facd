// When to start a second candidate beside a first that is slow.
import type { PlanRule } from '../../language/plan/types.ts';
import type { Signals } from './port.ts';

/**
 * Milliseconds after the start of a call when a second candidate may be started; null: never, or not yet known.
 *
 * A percentile is the candidate's own: of its first token when streaming, else of its whole answer. Until there are enough answers to know it there is no
 * hedge, for a guess would pay twice for ordinary calls.
 *
 * Source: J. Dean, L. Barroso, "The Tail at Scale", 2013.
 */
export function hedgeDelayMs(
  hedge: PlanRule['hedge'],
  signals: Signals,
  modelKey: string,
  streaming: boolean,
): number | null {
  if (hedge === null || hedge.atMost < 1) return null;
  if (hedge.after.kind === 'delay') return hedge.after.ms;
  const { percentile } = hedge.after;
  return signals.percentileMs(modelKey, percentile, streaming ? 'firstToken' : 'total');
}

/** Who is started second: the next best that has not been called in this step; undefined: nobody is left. */
export function hedgeCandidate<
  Ranked extends { readonly candidate: { readonly model: { readonly key: string } } },
>(ranked: readonly Ranked[], called: ReadonlySet<string>): Ranked | undefined {
  return ranked.find(({ candidate }) => !called.has(candidate.model.key));
}
