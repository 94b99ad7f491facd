// Any span of time from the fewest sums: whole days, with hours and minutes added or taken away at its edges, and the rows themselves for what is left.
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

/** −1: what is in it is taken away again. */
export interface SignedSpan extends RollupSpan {
  readonly sign: 1 | -1;
}

export interface SpanParts {
  readonly sums: readonly SignedSpan[];
  /** Only ever added. */
  readonly rows: readonly TimeSpan[];
}

/**
 * The parts add up to the span, each moment of it once. Of a day that is mostly inside, the hours outside are taken away: a day in a time zone is a
 * day in UTC and a few hours, not 24 of them.
 */
export function spanParts(span: TimeSpan, kept: Kept): SpanParts {
  const sums: SignedSpan[] = [];
  const rows: TimeSpan[] = [];
  const take = (grain: Grain, fromMs: number, toMs: number, sign: 1 | -1): void => {
    if (fromMs < toMs) sums.push({ grain, fromMs, toMs, sign });
  };
  const cover = ({ fromMs, toMs }: TimeSpan, grain: Grain | null): void => {
    if (fromMs >= toMs) return;
    if (grain === null) {
      rows.push({ fromMs, toMs });
      return;
    }
    const width = GRAIN_MS[grain];
    const finer = FINER[grain];
    const keptMs = keptFromMs(grain, kept);
    let firstMs = Math.max(Math.ceil(fromMs / width) * width, keptMs);
    let lastMs = Math.floor(toMs / width) * width;
    // Where the finer sums begin and end that are added to the coarse ones, or taken from them.
    let [addedToMs, addedFromMs] = [firstMs, lastMs];
    if (finer !== null && toMs - fromMs > width / 2) {
      const finerWidth = GRAIN_MS[finer];
      const finerKeptMs = keptFromMs(finer, kept);
      if (firstMs - fromMs > width / 2 && firstMs - width >= Math.max(keptMs, finerKeptMs)) {
        firstMs -= width;
        addedToMs = Math.ceil(fromMs / finerWidth) * finerWidth;
      }
      if (toMs - lastMs > width / 2 && lastMs >= Math.max(keptMs, finerKeptMs)) {
        addedFromMs = Math.floor(toMs / finerWidth) * finerWidth;
        lastMs += width;
      }
    }
    if (firstMs >= lastMs) {
      cover({ fromMs, toMs }, finer);
      return;
    }
    take(grain, firstMs, lastMs, 1);
    if (finer !== null) {
      take(finer, firstMs, addedToMs, -1);
      take(finer, addedFromMs, lastMs, -1);
    }
    cover({ fromMs, toMs: addedToMs }, finer);
    cover({ fromMs: addedFromMs, toMs }, finer);
  };
  cover(span, DAYS);
  return { sums, rows };
}

/** What is taken from what is taken away is added. */
export function times(one: 1 | -1, other: 1 | -1): 1 | -1 {
  return one === other ? 1 : -1;
}

/** By grain: minutes, hours, days. */
const FINER: { readonly [grain in Grain]: Grain | null } = { 0: null, 1: MINUTES, 2: HOURS };

function keptFromMs(grain: Grain, { hoursFromMs, minutesFromMs }: Kept): number {
  if (grain === DAYS) return Number.NEGATIVE_INFINITY;
  return grain === HOURS ? hoursFromMs : minutesFromMs;
}
