// Hedging: a second candidate beside a slow first; the first good answer wins, the other is aborted and settled.
import type { Clock } from '../../common/clock.ts';
import type { AttemptEnd } from './attempt.ts';

/** The reason of a loser's aborted signal. */
class HedgeLost extends Error {
  override readonly name = 'HedgeLost';
}

export interface Runner {
  readonly modelKey: string;
  readonly start: (signal: AbortSignal) => Promise<Finished>;
}

export interface Finished {
  readonly modelKey: string;
  readonly end: AttemptEnd;
}

export interface Hedging {
  /** After the first candidate's start. */
  readonly delayMs: number;
  readonly atMost: number;
  /** The next candidate to start beside those that run, and how long to wait for it in turn; undefined: nobody can serve. */
  readonly next: (
    called: ReadonlySet<string>,
  ) => { readonly runner: Runner; readonly delayMs: number | null } | undefined;
}

/**
 * Ends when one has answered, or when all that were started have failed; always with every attempt settled, so that a run's cost is complete.
 * The one that answered, if any, comes last.
 */
export async function race(
  clock: Clock,
  first: Runner,
  hedging: Hedging,
  signal: AbortSignal,
): Promise<readonly Finished[]> {
  const finished: Finished[] = [];
  const controllers = new Set<AbortController>();
  const running = new Map<string, Promise<Finished>>();
  const called = new Set<string>();
  const abortAll = (reason: unknown): void => {
    for (const controller of controllers) controller.abort(reason);
  };
  const onAbort = (): void => abortAll(signal.reason);
  signal.addEventListener('abort', onAbort);

  const begin = ({ modelKey, start }: Runner): void => {
    const controller = new AbortController();
    if (signal.aborted) controller.abort(signal.reason);
    controllers.add(controller);
    called.add(modelKey);
    running.set(modelKey, start(controller.signal));
  };

  let hedges = 0;
  let timer = startTimer(clock, hedging.delayMs);
  try {
    begin(first);
    while (running.size > 0) {
      const winner = await Promise.race([...running.values(), timer.over]);
      if (winner === 'late') {
        hedges += 1;
        const next = hedges <= hedging.atMost ? hedging.next(called) : undefined;
        timer = next === undefined || next.delayMs === null ? NEVER : startTimer(clock, next.delayMs);
        if (next !== undefined) begin(next.runner);
        continue;
      }
      finished.push(winner);
      running.delete(winner.modelKey);
      // What failed is judged by the caller, which knows what to try next; who is still running may yet answer.
      if (winner.end.kind !== 'answered') {
        timer.cancel();
        timer = NEVER;
        continue;
      }
      abortAll(new HedgeLost('another candidate answered first'));
      const losers = await Promise.all(running.values());
      running.clear();
      return [...finished.slice(0, -1), ...losers, winner];
    }
    return finished;
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', onAbort);
    if (running.size > 0) {
      abortAll(new HedgeLost('the step has failed'));
      await Promise.allSettled(running.values());
    }
  }
}

interface Timer {
  readonly over: Promise<'late'>;
  readonly cancel: () => void;
}

const NEVER: Timer = { over: new Promise(() => undefined), cancel: () => undefined };

function startTimer(clock: Clock, delayMs: number): Timer {
  let cancel = (): void => undefined;
  const over = new Promise<'late'>((resolve) => {
    cancel = clock.after(delayMs, () => resolve('late'));
  });
  return { over, cancel: () => cancel() };
}
