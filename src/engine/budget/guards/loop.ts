// Loop guard: the same input of the same caller to the same task, more often than allowed within a window.
import { Recent } from '../../../common/recent.ts';
import type { PlanLoopGuard } from '../../../language/plan/types.ts';

/** So many inputs are remembered at least, and at most twice as many (INV-14): a loop would have to try so many others between two tries of one. */
const DEFAULT_INPUTS = 20_000;

export interface LoopRun {
  readonly runId: string;
  readonly task: string;
  readonly caller: string;
  readonly inputHash: string;
}

export type LoopVerdict =
  | { readonly kind: 'pass' }
  | {
      readonly kind: 'repeated';
      /** Tries within the window, this one included; counted up to one more than allowed. */
      readonly repeats: number;
      /** Until the input is let pass again, if nobody tries in between: each try counts. */
      readonly retryAfterMs: number;
      /** The newest run with an answer, or else one that is still going; undefined: none succeeded. */
      readonly answer: string | undefined;
      /** The first of this series of repeats. */
      readonly isNew: boolean;
    };

export interface LoopGuard {
  readonly tried: (run: LoopRun, guard: PlanLoopGuard, nowMs: number) => LoopVerdict;
  readonly ended: (run: LoopRun & { readonly succeeded: boolean }) => void;
}

interface Seen {
  /** A ring of the latest tries; as long as the guard allows repeats. */
  readonly triedAtMs: number[];
  size: number;
  next: number;
  runningId: string | undefined;
  succeededId: string | undefined;
  looping: boolean;
}

/**
 * Refused tries count as well. So a loop faster than the window gets its `repeats` runs once, and not again in every window: it must fall silent first.
 */
export function createLoopGuard(inputsKept: number = DEFAULT_INPUTS): LoopGuard {
  const inputs = new Recent<Seen>(inputsKept);

  function seenOf({ task, caller, inputHash }: LoopRun): Seen {
    let seen = inputs.get(task, caller, inputHash);
    if (seen === undefined) {
      seen = {
        triedAtMs: [],
        size: 0,
        next: 0,
        runningId: undefined,
        succeededId: undefined,
        looping: false,
      };
      inputs.add(task, caller, inputHash, seen);
    }
    return seen;
  }

  return {
    tried(run, guard, nowMs) {
      const seen = seenOf(run);
      resize(seen, guard.repeats);
      const oldestMs = seen.triedAtMs.length < guard.repeats ? undefined : seen.triedAtMs[seen.next];
      seen.triedAtMs[seen.next] = nowMs;
      seen.next = (seen.next + 1) % seen.size;
      if (guard.repeats > 0 && (oldestMs === undefined || nowMs - oldestMs >= guard.withinMs)) {
        seen.looping = false;
        seen.runningId = run.runId;
        return { kind: 'pass' };
      }
      const isNew = !seen.looping;
      seen.looping = true;
      const nextOldestMs = seen.triedAtMs[seen.next] ?? nowMs;
      return {
        kind: 'repeated',
        repeats: guard.repeats + 1,
        retryAfterMs: Math.max(1, nextOldestMs + guard.withinMs - nowMs),
        answer: seen.succeededId ?? seen.runningId,
        isNew,
      };
    },
    ended(run) {
      const seen = inputs.get(run.task, run.caller, run.inputHash);
      if (seen === undefined) return;
      if (seen.runningId === run.runId) seen.runningId = undefined;
      if (run.succeeded) seen.succeededId = run.runId;
    },
  };
}

/** After a reload with another `repeats`: the latest tries are kept, in order. */
function resize(seen: Seen, repeats: number): void {
  const size = Math.max(1, repeats);
  if (seen.size === size) return;
  const { triedAtMs } = seen;
  const ordered = [...triedAtMs.slice(seen.next), ...triedAtMs.slice(0, seen.next)].slice(-size);
  triedAtMs.splice(0, triedAtMs.length, ...ordered);
  seen.next = triedAtMs.length % size;
  seen.size = size;
}
