// A histogram of latencies in buckets that grow by 8 %: percentiles within that error, in a fixed amount of memory, forgetting slowly.

const GROWTH = Math.log(1.08);
/** Up to 1.08^180 ms, about 17 minutes; what is longer counts in the last bucket. */
const BUCKETS = 180;
/** Then all counts are halved: the last thousand or so weigh more than all before them. */
const FULL = 1_000;

export interface LatencyHistogram {
  record(ms: number): void;
  /** `percentile` from 0 to 100; the upper edge of its bucket, in milliseconds. 0 when nothing was recorded. */
  percentileMs(percentile: number): number;
  /** How many counts are in it now. */
  count(): number;
}

export function createLatencyHistogram(): LatencyHistogram {
  const counts = new Float64Array(BUCKETS);
  let total = 0;
  return {
    record(ms) {
      const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.ceil(Math.log(Math.max(1, ms)) / GROWTH)));
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      total += 1;
      if (total < FULL) return;
      total = 0;
      for (let index = 0; index < BUCKETS; index += 1) {
        const half = (counts[index] ?? 0) / 2;
        counts[index] = half;
        total += half;
      }
    },
    percentileMs(percentile) {
      if (total === 0) return 0;
      let left = total * (Math.min(100, Math.max(0, percentile)) / 100);
      let last = 0;
      for (let index = 0; index < BUCKETS; index += 1) {
        const count = counts[index] ?? 0;
        if (count === 0) continue;
        last = index;
        left -= count;
        // Halved counts add up to the total only within rounding.
        if (left <= 1e-9) break;
      }
      return Math.exp(last * GROWTH);
    },
    count: () => total,
  };
}
