// A bulkhead: so many calls at a time, so many waiting in order. A waiter that is aborted leaves at once; its size may change while in use.

export interface BulkheadSettings {
  readonly concurrent: number;
  readonly queue: number;
}

export type Entry = 'entered' | 'aborted';

/**
 * cockatiel's BulkheadPolicy is not used: an aborted waiter keeps its place in the queue until a slot frees (so callers that gave up lock out those
 * that did not), and its size is fixed (see docs/decisions/resilience-cockatiel.md).
 */
export interface Bulkhead {
  active(): number;
  queued(): number;
  isFull(): boolean;
  /** Takes a slot when one is free and nobody waits for it. */
  tryEnter(): boolean;
  /** Waits for a slot, in order. The promise never rejects. */
  enter(signal: AbortSignal): Promise<Entry>;
  /** Gives the slot back, to the first who waits. */
  leave(): void;
  configure(settings: BulkheadSettings): void;
}

export function createBulkhead(initial: BulkheadSettings): Bulkhead {
  let { concurrent, queue } = initial;
  let active = 0;
  /** A Set keeps the order of arrival and lets go from the middle in constant time. */
  const waiting = new Set<(entry: Entry) => void>();

  const admit = (): void => {
    for (const answer of waiting) {
      if (active >= concurrent) return;
      active += 1;
      answer('entered');
    }
  };

  return {
    active: () => active,
    queued: () => waiting.size,
    isFull: () => active >= concurrent && waiting.size >= queue,
    tryEnter() {
      if (active >= concurrent || waiting.size > 0) return false;
      active += 1;
      return true;
    },
    enter(signal) {
      return new Promise((resolve) => {
        const answer = (entry: Entry): void => {
          waiting.delete(answer);
          signal.removeEventListener('abort', onAbort);
          resolve(entry);
        };
        const onAbort = (): void => answer('aborted');
        signal.addEventListener('abort', onAbort);
        waiting.add(answer);
      });
    },
    leave() {
      active -= 1;
      admit();
    },
    configure(next) {
      ({ concurrent, queue } = next);
      admit();
    },
  };
}
