// What was spent by task and caller until now, from the roll-ups: the past that the surge guard compares with after a start.
import type { Clock } from '../../common/clock.ts';
import type { NanoUsd } from '../../common/money.ts';
import type { RollupReader } from '../open.ts';
import { GRAIN_MS, HOURS, MINUTES, bucketStartMs } from '../rollup/dimensions.ts';
import type { Grain } from '../rollup/dimensions.ts';

export interface PastSpend {
  readonly task: string;
  readonly caller: string;
  readonly atMs: number;
  readonly costNanoUsd: NanoUsd;
}

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
  const read = (grain: Grain, fromMs: number, toMs: number) =>
    ({
      spans: [{ grain, fromMs, toMs }],
      grouping: { by: ['TASK', 'CALLER'], filter: {} },
      as: 'points',
    }) as const;
  const { answers } = await ledger.rollups([
    read(HOURS, bucketStartMs(HOURS, sinceMs), minutesFromMs),
    read(MINUTES, minutesFromMs, nowMs),
  ]);
  const parts = Math.max(1, Math.ceil(GRAIN_MS[HOURS] / partMs));
  const spends = answers.flatMap((points, index) =>
    points.flatMap(({ bucketMs, values: [task = '', caller = ''], sums: { costNanoUsd } }) => {
      if (costNanoUsd <= 0n) return [];
      return index === 0
        ? spread({ task, caller, atMs: bucketMs, costNanoUsd }, parts)
        : [{ task, caller, atMs: bucketMs, costNanoUsd }];
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
