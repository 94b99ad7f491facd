// Which of the settings that plans bring along are in force for a key that outlives them all.
import type { Clock } from '../../common/clock.ts';

/** Longer than a run in steady traffic goes without asking; short enough that a rollback is felt. */
const QUIET_MS = 5_000;

/**
 * While a plan takes over from another, runs of both ask. Settings that were never seen are the newer ones: they are put in force at once, and
 * the older plan's runs do not bring theirs back. Settings that were seen before (plans may share an object, and a rollback may bring back
 * a whole plan) are put in force when those that are have not been asked for in a while. So the settings that stay in use win, whatever the order.
 */
export interface InForce<Settings extends object> {
  /** A run asks with its plan's settings. */
  asked(settings: Settings): void;
}

export function createInForce<Settings extends object>(
  clock: Clock,
  apply: (settings: Settings) => void,
): InForce<Settings> {
  const seen = new WeakSet<Settings>();
  let current: Settings | undefined;
  let lastAskedMs = 0;
  return {
    asked(settings) {
      const nowMs = clock.monotonicMs();
      if (settings !== current) {
        if (seen.has(settings) && nowMs - lastAskedMs < QUIET_MS) return;
        seen.add(settings);
        current = settings;
        apply(settings);
      }
      lastAskedMs = nowMs;
    },
  };
}
