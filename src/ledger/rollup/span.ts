// Any span of time from the fewest sums: whole days, with hours and minutes added or taken away at its edges, and the rows themselves for what is left.
import { DAYS, HOURS, MINUTES, QUARTERS, widthMs } from './dimensions.ts';
import { hasFilter } from './group.ts';
import type { GroupedSums, Grouping } from './group.ts';
import type { PackedGroups } from './packed-groups.ts';
import type { SumName } from './sums.ts';

/** From `fromMs` (inclusive) to `toMs` (exclusive). */
export interface TimeSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Since when the ledger has what it has. */
export interface Kept {
  readonly hoursFromMs: number;
  readonly minutesFromMs: number;
  /** Whole hours of them. */
  readonly quartersFromMs: number;
  /** Rows of what began before are gone. */
  readonly rowsFromMs: number;
}

export interface SpanRead extends TimeSpan {
  readonly grouping: Grouping;
  /** Durations too, which take longest to add up. */
  readonly latencies: boolean;
  /** The others may be left at 0; left out: all of them. To read and to send them is most of what a question takes. */
  readonly sums?: readonly SumName[] | undefined;
  /** At most so many groups, the dearest. */
  readonly first?: number | undefined;
}

export interface SpanAnswer {
  /** Dearest first; `bucketMs` is 0. */
  readonly groups: readonly GroupedSums[];
  /** How many there are. */
  readonly groupCount: number;
  /** False: rows of an edge are gone, and the sums that are left do not tell it apart from its day; it is left out. */
  readonly complete: boolean;
}

/** As a reader sends it. */
export interface PackedAnswer extends Omit<SpanAnswer, 'groups'> {
  readonly groups: PackedGroups;
}

/** −1: what is in it is taken away again. */
export interface SignedSpan extends TimeSpan {
  /** Of everything, or quarters. */
  readonly grain: number;
  readonly sign: 1 | -1;
}

export interface SignedRows extends TimeSpan {
  readonly sign: 1 | -1;
}

export interface SpanParts {
  readonly sums: readonly SignedSpan[];
  readonly rows: readonly SignedRows[];
}

/**
 * The parts add up to the span, each moment of it once. Of a day that is mostly inside, the hours outside are taken away: a day in a time zone is a
 * day in UTC and a few hours, not 24 of them. Two spans that follow each other are cut alike where they meet, so that what is read for the one is
 * read for the other.
 */
export function spanParts(
  span: TimeSpan & Partial<Pick<SpanRead, 'grouping' | 'latencies'>>,
  kept: Kept,
): SpanParts {
  const finerThan = isOfEverything(span) && span.fromMs >= kept.quartersFromMs ? FINER_OF_EVERYTHING : FINER;
  const sums: SignedSpan[] = [];
  const rows: SignedRows[] = [];
  const cover = ({ fromMs, toMs }: TimeSpan, grain: number | null, sign: 1 | -1): void => {
    if (fromMs >= toMs) return;
    if (grain === null) {
      rows.push({ fromMs, toMs, sign });
      return;
    }
    const width = widthMs(grain);
    const finer = finerThan[grain] ?? null;
    const keptMs = keptFromMs(grain, kept);
    let firstMs = Math.max(Math.ceil(fromMs / width) * width, keptMs);
    let lastMs = Math.floor(toMs / width) * width;
    if (toMs - fromMs > width / 2) {
      // What is taken away has to be there.
      const isThere = (atMs: number, edgeMs: number): boolean =>
        atMs >= Math.max(keptMs, tellsFromMs(finer, edgeMs, kept));
      if (firstMs - fromMs >= width / 2 && isThere(firstMs - width, fromMs)) firstMs -= width;
      if (toMs - lastMs > width / 2 && isThere(lastMs, toMs)) lastMs += width;
    }
    if (firstMs >= lastMs) {
      cover({ fromMs, toMs }, finer, sign);
      return;
    }
    sums.push({ grain, fromMs: firstMs, toMs: lastMs, sign });
    // An edge lies outside what was taken, or inside it; the other way round it is empty.
    for (const edge of [
      { fromMs, toMs: firstMs },
      { fromMs: lastMs, toMs },
    ]) {
      cover(edge, finer, sign);
      cover({ fromMs: edge.toMs, toMs: edge.fromMs }, finer, times(sign, -1));
    }
  };
  cover(span, DAYS, 1);
  return { sums, rows };
}

/** What is taken from what is taken away is added. */
export function times(one: 1 | -1, other: 1 | -1): 1 | -1 {
  return one === other ? 1 : -1;
}

/** By grain; of minutes there are only the rows. */
const FINER: { readonly [grain: number]: number } = { [DAYS]: HOURS, [HOURS]: MINUTES };
const FINER_OF_EVERYTHING: typeof FINER = { [DAYS]: QUARTERS, [QUARTERS]: MINUTES };

/** Of no group and without durations, which is what quarters have. */
function isOfEverything({ grouping, latencies }: Partial<Pick<SpanRead, 'grouping' | 'latencies'>>): boolean {
  return grouping?.by.length === 0 && !hasFilter(grouping.filter) && latencies !== true;
}

/** Since when it can be told what lies before a time, and what after it: by finer sums, where they end there, or by the rows. */
function tellsFromMs(finer: number | null, atMs: number, kept: Kept): number {
  if (finer === null || atMs % widthMs(finer) !== 0) return kept.rowsFromMs;
  return Math.min(kept.rowsFromMs, keptFromMs(finer, kept));
}

function keptFromMs(grain: number, { hoursFromMs, minutesFromMs, quartersFromMs }: Kept): number {
  if (grain === DAYS) return Number.NEGATIVE_INFINITY;
  if (grain === QUARTERS) return quartersFromMs;
  return grain === HOURS ? hoursFromMs : minutesFromMs;
}
