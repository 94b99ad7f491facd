// Any span of time from the fewest sums: whole days, then whole hours and minutes at its edges, and the rows themselves for what is left.
import { DAYS, GRAIN_MS, HOURS, MINUTES } from './dimensions.ts';
import type { Grain } from './dimensions.ts';
import type { GroupedSums, Grouping, RollupSpan } from './group.ts';

/** From `fromMs` (inclusive) to `toMs` (exclusive). */
export interface TimeSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Since when the ledger has what it has. */
export interface Kept {
  readonly hoursFromMs: number;
  readonly minutesFromMs: number;
  /** Rows of what began before are gone. */
  readonly rowsFromMs: number;
}

export interface SpanRead extends TimeSpan {
  readonly grouping: Grouping;
  /** Durations too, which take longest to add up. */
  readonly latencies: boolean;
}

export interface SpanAnswer {
  /** `bucketMs` is 0. */
  readonly groups: readonly GroupedSums[];
  /** False: rows of an edge are gone, and the sums that are left do not tell it apart from its day; it is left out. */
  readonly complete: boolean;
}

export interface SpanParts {
  readonly sums: readonly RollupSpan[];
  readonly rows: readonly TimeSpan[];
}

/** The parts follow each other without gap or overlap, from coarse to fine. */
export function spanParts(span: TimeSpan, kept: Kept): SpanParts {
  const sums: RollupSpan[] = [];
  const rows: TimeSpan[] = [];
  const cover = ({ fromMs, toMs }: TimeSpan, grain: Grain | null): void => {
    if (fromMs >= toMs) return;
    if (grain === null) {
      rows.push({ fromMs, toMs });
      return;
    }
    const width = GRAIN_MS[grain];
    const keptMs = keptFromMs(grain, kept);
    const finer = FINER[grain];
    const firstMs = Math.max(Math.ceil(fromMs / width) * width, keptMs);
    const lastMs = Math.floor(toMs / width) * width;
    if (firstMs >= lastMs) {
      cover({ fromMs, toMs }, finer);
      return;
    }
    sums.push({ grain, fromMs: firstMs, toMs: lastMs });
    cover({ fromMs, toMs: firstMs }, finer);
    cover({ fromMs: lastMs, toMs }, finer);
  };
  cover(span, DAYS);
  return { sums, rows };
}

/** By grain: minutes, hours, days. */
const FINER: { readonly [grain in Grain]: Grain | null } = { 0: null, 1: MINUTES, 2: HOURS };

function keptFromMs(grain: Grain, { hoursFromMs, minutesFromMs }: Kept): number {
  if (grain === DAYS) return Number.NEGATIVE_INFINITY;
  return grain === HOURS ? hoursFromMs : minutesFromMs;
}
