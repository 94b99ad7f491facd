// Dead letters: started runs that failed, and that nobody waits for.
import type { Clock } from '../../common/clock.ts';
import type { RunRecord } from './records.ts';

/** An outage fails many runs of the same: of each task and error one is told of in so long, and how many there were beside it. */
const TELL_EVERY_MS = 60_000;
const MOST_KINDS = 1_000;

/** To be handed all runs that are over. `tell`: `more` others of its task failed of the same since the last that was told of. */
export function deadLetters(
  clock: Clock,
  tell: (run: RunRecord, more: number) => void,
): (run: RunRecord) => void {
  const told = new Map<string, { readonly atMs: number; more: number }>();
  return (run) => {
    const { durable, parentRunId, idempotencyKey, status, task, error } = run;
    // Who gave a key asks for it again.
    if (!durable || parentRunId !== null || idempotencyKey !== null || status !== 'failed') return;
    const kind = `${task}\n${error?.code ?? ''}`;
    const before = told.get(kind);
    const nowMs = clock.monotonicMs();
    if (before !== undefined && nowMs - before.atMs < TELL_EVERY_MS) {
      before.more += 1;
      return;
    }
    if (told.size >= MOST_KINDS) told.clear();
    told.set(kind, { atMs: nowMs, more: 0 });
    tell(run, before?.more ?? 0);
  };
}
