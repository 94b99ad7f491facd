// What was spent by task, by caller and in all until now, from the roll-ups: the past that the surge guard compares with after a start.
import type { Clock } from '../../common/clock.ts';
import type { NanoUsd } from '../../common/money.ts';
import type { RollupReader } from '../open.ts';
import { GRAIN_MS, HOURS, MINUTES, bucketStartMs } from '../rollup/dimensions.ts';

export interface PastSpend {
  /** `all`, `task:NAME` or `caller:NAME`. */
  readonly scope: string;
  readonly atMs: number;
  readonly costNanoUsd: NanoUsd;
}

/** A sum for each of them, and not for each task of each caller: that would be as many again for every task. */
const SCOPES = [
  { by: [], name: () => 'all' },
  { by: ['TASK'], name: (task: string) => `task:${task}` },
  { by: ['CALLER'], name: (caller: string) => `caller:${caller}` },
] as const;

/** The ledger keeps minutes for two days; before that there are hours. */
const MINUTES_KEPT_MS = 36 * 3_600_000;

/**
 * Oldest first. An hour's sum is given in parts no longer than `partMs`, evenly, since one sum of an hour would look like a peak; what lies
 * within the last day and a half is as it was, to the minute.
 */
export async function pastSpend(
  ledger: RollupReader,
  clock: Clock,
  { sinceMs, partMs }: { readonly sinceMs: number; readonly partMs: number },
): Promise<readonly PastSpend[]> {
  const nowMs = clock.nowMs();
  const minutesFromMs = bucketStartMs(HOURS, nowMs - MINUTES_KEPT_MS);
  const reads = SCOPES.flatMap(({ by, name }) => [
    { name, grain: HOURS, by, fromMs: bucketStartMs(HOURS, sinceMs), toMs: minutesFromMs },
    { name, grain: MINUTES, by, fromMs: minutesFromMs, toMs: nowMs },
  ]);
  const { answers } = await ledger.rollups(
    reads.map(({ grain, by, fromMs, toMs }) => ({
      spans: [{ grain, fromMs, toMs }],
      grouping: { by, filter: {} },
      as: 'points' as const,
    })),
  );
  const parts = Math.max(1, Math.ceil(GRAIN_MS[HOURS] / partMs));
  const spends = reads.flatMap(({ name, grain }, index) =>
    (answers[index] ?? []).flatMap(({ bucketMs, values: [value = ''], sums: { costNanoUsd } }) => {
      if (costNanoUsd <= 0n) return [];
      const spend = { scope: name(value), atMs: bucketMs, costNanoUsd };
      return grain === HOURS ? spread(spend, parts) : [spend];
    }),
  );
  return spends.sort((a, b) => a.atMs - b.atMs);
}

/** The same sum to the nano-dollar, in parts over the hour. */
function spread(spend: PastSpend, parts: number): PastSpend[] {
  const count = BigInt(parts);
  return Array.from({ length: parts }, (_, index) => ({
    ...spend,
    atMs: spend.atMs + (index * GRAIN_MS[HOURS]) / parts,
    costNanoUsd: spend.costNanoUsd / count + (BigInt(index) < spend.costNanoUsd % count ? 1n : 0n),
  })).filter(({ costNanoUsd }) => costNanoUsd > 0n);
}
