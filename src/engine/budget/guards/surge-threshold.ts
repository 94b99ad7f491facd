// Surge threshold: what a scope may spend within the guard's window before it is strange for this scope at this hour.
import type { PlanSurgeGuard } from '../../../language/plan/types.ts';
import type { SpendSeries } from './spend-series.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_DAYS = 7;
/** Three deviations, as 3 × 1.4826 in ten-thousandths: the median absolute deviation of normal noise × 1.4826 is its standard deviation. */
const DEVIATIONS = 44_478n;
/** The busiest slot of past days, times this, is never a surge: for batches that run each night, at no fixed hour. */
const PEAK_FACTOR = 3n;
/** Nothing is known of what is usual, but the floor says what would be a surprise; `factor` times that would be found on the bill. */
const YOUNG_FACTOR = 2n;

/**
 * The highest of: the floor; `factor` × the level of the same hour last week, and of the same hour on the last days; three times the scope's
 * busiest slot of the last weeks. A scope whose past does not cover the baseline yet (a week at most) may spend twice the floor: so it is warned of at the floor.
 * Levels are peaks within an hour of the same time, so that neither a morning that starts early nor summer time is a surge.
 */
export function surgeThreshold(series: SpendSeries, guard: PlanSurgeGuard, nowMs: number): bigint {
  const factor = BigInt(Math.round(guard.factor * 1000));
  const scaled = (nanoUsd: bigint): bigint => (nanoUsd * factor) / 1000n;
  const days = dailyPeaks(series, nowMs, guard.baselineMs);
  const sameHourOfDay = median(days) + (spread(days) * DEVIATIONS) / 10_000n;
  const sameHourOfWeek = median(days.filter((_, index) => (index + 1) % WEEK_DAYS === 0));
  const isYoung = !(nowMs - series.firstAtMs >= Math.min(guard.baselineMs, WEEK_DAYS * DAY_MS));
  return largest([
    isYoung ? YOUNG_FACTOR * guard.floorNanoUsd : guard.floorNanoUsd,
    scaled(sameHourOfDay),
    scaled(sameHourOfWeek),
    PEAK_FACTOR * series.provenPeakNanoUsd,
  ]);
}

/** For each past day of the baseline, yesterday first: the busiest slot within an hour of this time of day. Days not remembered end the list. */
function dailyPeaks(series: SpendSeries, nowMs: number, baselineMs: number): bigint[] {
  const around = Math.ceil(HOUR_MS / series.slotMs);
  const peaks: bigint[] = [];
  for (let back = DAY_MS; back <= baselineMs; back += DAY_MS) {
    const middle = Math.floor((nowMs - back) / series.slotMs);
    let peak: bigint | undefined;
    for (let slot = middle - around; slot <= middle + around; slot += 1) {
      const spent = series.slot(slot);
      if (spent !== undefined && (peak === undefined || spent > peak)) peak = spent;
    }
    if (peak === undefined) break;
    peaks.push(peak);
  }
  return peaks;
}

/** 0 of nothing; the upper one of two middles. */
export function median(values: readonly bigint[]): bigint {
  const sorted = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return sorted[Math.floor(sorted.length / 2)] ?? 0n;
}

/** The median absolute deviation from the median. */
export function spread(values: readonly bigint[]): bigint {
  const middle = median(values);
  return median(values.map((value) => (value < middle ? middle - value : value - middle)));
}

function largest(values: readonly bigint[]): bigint {
  return values.reduce((most, value) => (value > most ? value : most), 0n);
}
