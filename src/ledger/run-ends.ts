// Waiting for the end of a run, wherever it runs: told by what is written here, and looked for where other nodes write too.
import type { Clock } from '../common/clock.ts';
import type { RunRecord } from '../engine/execution/records.ts';
import type { LedgerReader, WrittenFeed } from './port.ts';

/** What may have been missed of other nodes is looked for this often. */
const LOOK_EVERY_MS = 1_000;

/** `onOthersWrote`: of a ledger that several nodes share. */
export function createRunEnds(
  reader: Pick<LedgerReader, 'runsById'>,
  feed: WrittenFeed,
  clock: Clock,
  onOthersWrote?: (listener: () => void) => void,
): (id: string, signal?: AbortSignal) => Promise<RunRecord> {
  const waiting = new Map<string, Set<(run: RunRecord) => void>>();
  let isLooking = false;

  feed.onWritten((rows) => {
    if (waiting.size === 0) return;
    for (const row of rows) if (row.kind === 'run_finished') tell(row.run);
  });

  function tell(run: RunRecord): void {
    for (const resolve of waiting.get(run.id) ?? []) resolve(run);
    waiting.delete(run.id);
  }

  async function look(ids: readonly string[]): Promise<void> {
    const runs = await reader.runsById(ids);
    for (const run of runs.values()) if (run.finishedAtMs !== null) tell(run);
  }

  function lookAtAll(): void {
    if (isLooking || waiting.size === 0) return;
    isLooking = true;
    look([...waiting.keys()])
      .catch(() => undefined)
      .finally(() => {
        isLooking = false;
      });
  }

  function keepLooking(): void {
    if (waiting.size === 0) return;
    lookAtAll();
    clock.after(LOOK_EVERY_MS, keepLooking);
  }
  onOthersWrote?.(lookAtAll);

  return async (id, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<RunRecord>();
    const stop = (): void => reject(signal?.reason as Error);
    if (signal?.aborted === true) stop();
    signal?.addEventListener('abort', stop, { once: true });
    const others = waiting.get(id) ?? new Set();
    others.add(resolve);
    if (waiting.size === 0 && onOthersWrote !== undefined) clock.after(LOOK_EVERY_MS, keepLooking);
    waiting.set(id, others);
    try {
      // It may have ended before anybody listened.
      await Promise.race([look([id]), promise]);
      return await promise;
    } finally {
      signal?.removeEventListener('abort', stop);
      others.delete(resolve);
      if (others.size === 0 && waiting.get(id) === others) waiting.delete(id);
    }
  };
}
