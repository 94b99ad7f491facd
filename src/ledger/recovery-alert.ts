// The alert about attempts that a dead process left behind.
import type { Clock } from '../common/clock.ts';
import { newId } from '../common/ids.ts';
import { formatUsd } from '../common/money.ts';
import type { Random } from '../common/random.ts';
import type { AlertRecord } from '../engine/execution/ports.ts';
import type { Recovered } from './sqlite/recovery.ts';

/** undefined: nothing was left behind. */
export function recoveryAlert(recovered: Recovered, clock: Clock, random: Random): AlertRecord | undefined {
  const { unreconciled, heldNanoUsd } = recovered;
  if (unreconciled === 0) return undefined;
  const attempts = unreconciled === 1 ? 'One attempt was' : `${unreconciled} attempts were`;
  return {
    id: newId('alr', clock, random),
    kind: 'unreconciled',
    severity: 'warning',
    message: `${attempts} under way when the last process ended; $${formatUsd(heldNanoUsd)} stays held until it is known what was billed.`,
    remedy:
      'Look at the bill and decide with the mutation reconcileAttempt, or, while no server runs, with `headgate ledger reconcile`; what is not decided within a day is taken for billed.',
    scope: 'all',
    atMs: clock.nowMs(),
    runId: null,
    details: { attempts: unreconciled, heldNanoUsd: String(heldNanoUsd) },
  };
}
