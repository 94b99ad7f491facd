// The plan that was active when the ledger was last written.
import type { Recorder } from '../engine/execution/recorder.ts';
import type { LedgerReader } from '../ledger/port.ts';
import { decodePlan } from '../language/plan/encode.ts';
import type { Plan } from '../language/plan/types.ts';

const LOOKED_AT = 100;

/** undefined: no revision was active yet. */
export async function lastPlan(
  ledger: Pick<LedgerReader, 'revisions'> & Pick<Recorder, 'planText'>,
): Promise<Plan | undefined> {
  const { rows } = await ledger.revisions({ limit: LOOKED_AT });
  const active = rows.find(({ activeFromMs, activeToMs }) => activeFromMs !== null && activeToMs === null);
  const text = active && (await ledger.planText(active.hash));
  return text === undefined ? undefined : decodePlan(text);
}
