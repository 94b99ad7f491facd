// Reads exact spans of time: from roll-ups, and from rows at edges that no roll-up ends at.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isClosed, isFinished, ofAttempts, ofRuns, sumsAs } from '../../rollup/counted.ts';
import { BY_SESSION, MINUTES } from '../../rollup/dimensions.ts';
import { grainsOf, hasFilter } from '../../rollup/group.ts';
import { spanParts } from '../../rollup/span.ts';
import type { Kept, PackedAnswer, SpanRead } from '../../rollup/span.ts';
import { NO_SHARE, SpanGroups } from '../../rollup/span-groups.ts';
import { LINE, columnsOf, hasLine, sumsNamed } from '../../rollup/sums.ts';
import { HISTOGRAMS, KEYED_HISTOGRAMS } from './shares.ts';
import type { KeyedShares } from './shares.ts';

/** Of roll-ups a grain, then from when to when. */
type Bounds = readonly number[];

const ROLLUPS = 'rollups where grain = ? and bucket_ms >= ? and bucket_ms < ?';
const BEGAN_INSIDE = 'rollup_key_id is not null and started_at_ms >= ? and started_at_ms < ?';
const ATTEMPTS = `attempts where ${isClosed} and ${BEGAN_INSIDE}`;

/** Sums of the rows inside bounds: of all, of those that a filter lets through, and by share. Few rows leave the database, which is what takes time. */
interface Source {
  readonly name: string;
  readonly all: StatementSync;
  readonly some: StatementSync;
  readonly byShare: StatementSync;
}

interface Sources {
  readonly rollups: Source;
  /** Attempts, and runs. */
  readonly rows: readonly Source[];
}

/** What people and the page ask are a dozen sets of sums. */
const REMEMBERED_SETS = 50;

export function createSpanReader(
  connection: DatabaseSync,
  { ask, dimensionsOf }: KeyedShares,
): (reads: readonly SpanRead[]) => PackedAnswer[] {
  const state = connection.prepare(
    'select pruned_before_ms as rows_from, minutes_from_ms as minutes_from, hours_from_ms as hours_from, quarters_from_ms as quarters_from from ledger_state',
  );
  const sourceOf = (name: string, columns: string, share: string, rows: string): Source => ({
    name,
    all: connection.prepare(`select count(*) as n, ${columns} from ${rows}`),
    some: connection.prepare(`select count(*) as n, ${columns} from ${rows} and ${share} <> ${NO_SHARE}`),
    byShare: connection.prepare(`select ${share} as share, ${columns} from ${rows} group by 1`),
  });
  const histograms = connection.prepare(`select ${HISTOGRAMS} from ${ROLLUPS} group by bucket_ms`);
  const keyedHistograms = connection.prepare(`select ${KEYED_HISTOGRAMS} from ${ROLLUPS} group by bucket_ms`);
  const lines = connection.prepare(
    `select group_concat(coalesce(line, ${LINE})) as lines from ${ROLLUPS} group by bucket_ms`,
  );
  const shareOfAttempt = 'share_of_attempt(rollup_key_id, status)';
  const prepared = new Map<string, Sources>();
  const sourcesOf = (columns: readonly string[]): Sources => {
    const name = columns.join();
    const known = prepared.get(name);
    if (known !== undefined) return known;
    if (prepared.size >= REMEMBERED_SETS) prepared.clear();
    const sums = columns.map((column) => `sum(${column}) as ${column}`).join(', ');
    const runs = `runs where ${isFinished} and ${BEGAN_INSIDE}`;
    const sources = {
      rollups: sourceOf(`rollups ${name}`, sums, 'share_of(key_id)', ROLLUPS),
      rows: [
        sourceOf(`attempts ${name}`, sumsAs(columns, ofAttempts), shareOfAttempt, ATTEMPTS),
        sourceOf(`runs ${name}`, sumsAs(columns, ofRuns), 'share_of_run(rollup_key_id)', runs),
      ],
    };
    prepared.set(name, sources);
    return sources;
  };
  const durations = connection.prepare(
    `select ${shareOfAttempt} as share, latency_ms, first_token_ms from ${ATTEMPTS}`,
  );

  const kept = (): Kept => {
    const row = state.get();
    return {
      rowsFromMs: Number(row?.['rows_from'] ?? 0),
      minutesFromMs: Number(row?.['minutes_from'] ?? 0),
      hoursFromMs: Number(row?.['hours_from'] ?? 0),
      quartersFromMs: Number(row?.['quarters_from'] ?? Number.POSITIVE_INFINITY),
    };
  };

  return (reads) => {
    const there = kept();
    // Where two parts of a series meet, what is read for the one is read for the other.
    const totals = new Map<string, SpanGroups>();
    return reads.map(({ fromMs, toMs, grouping, latencies, sums: wanted, first }) => {
      const { by, filter } = grouping;
      const names = sumsNamed(wanted);
      const { rollups, rows } = sourcesOf(columnsOf(names));
      const newGroups = (): SpanGroups => ask(grouping, (keys) => new SpanGroups(keys, names));
      const groups = newGroups();
      const addSource = (
        into: SpanGroups,
        source: Source,
        bounds: Bounds,
        sign: 1 | -1,
        isTogether: boolean,
      ): void => {
        if (isTogether) {
          const row = (hasFilter(filter) ? source.some : source.all).get(...bounds);
          if (row !== undefined && row['n'] !== 0n) into.addAll(row, sign);
        } else for (const row of source.byShare.all(...bounds)) into.add(Number(row['share']), row, sign);
      };
      // What says a session is all of one group where it is counted under none.
      const isOneGroup = ([grain = MINUTES]: Bounds): boolean =>
        grain < BY_SESSION ? by.every((each) => each === 'SESSION') : by.length === 0;
      /** No key has to be asked about. */
      const isInOneGroup = (bounds: Bounds): boolean => isOneGroup(bounds) && !hasFilter(filter);
      const addSums = (into: SpanGroups, bounds: Bounds, sign: 1 | -1): void => {
        if (!hasLine(bounds[0] ?? MINUTES)) {
          addSource(into, rollups, bounds, sign, isOneGroup(bounds));
          return;
        }
        for (const row of lines.all(...bounds)) {
          const text = row['lines'] as string;
          if (isInOneGroup(bounds)) into.addAllLines(text, sign);
          else into.addLines(text, sign, dimensionsOf);
        }
      };
      const add = (
        what: string,
        bounds: Bounds,
        sign: 1 | -1,
        addTo: (into: SpanGroups, sign: 1 | -1) => void,
      ): void => {
        if (by.length > 0) {
          addTo(groups, sign);
          return;
        }
        const name = JSON.stringify([what, bounds, filter, names]);
        let total = totals.get(name);
        if (total === undefined) {
          totals.set(name, (total = newGroups()));
          addTo(total, 1);
        }
        groups.addGroups(total, sign);
      };
      const parts = spanParts({ fromMs, toMs, grouping, latencies }, there);
      const sums = parts.sums.flatMap(({ grain, fromMs: from, toMs: to, sign }) =>
        grainsOf(grain, grouping).map((one) => ({ bounds: [one, from, to], sign })),
      );
      for (const { bounds, sign } of sums)
        add('rollups', bounds, sign, (into, times) => addSums(into, bounds, times));
      for (const { fromMs: from, toMs: to, sign } of parts.rows)
        for (const source of rows)
          add(source.name, [from, to], sign, (into, times) =>
            addSource(into, source, [from, to], times, by.length === 0),
          );
      if (first !== undefined) groups.keepDearest(first);
      if (latencies) {
        for (const { bounds, sign } of sums)
          if (isInOneGroup(bounds)) {
            if (groups.isAsked(groups.shareOfAll()))
              for (const row of histograms.all(...bounds))
                groups.addHistograms(groups.shareOfAll(), row, sign);
          } else
            for (const row of keyedHistograms.all(...bounds))
              groups.addKeyedHistograms(row, sign, dimensionsOf);
        for (const { fromMs: from, toMs: to, sign } of parts.rows)
          for (const row of durations.all(from, to)) groups.addDurations(Number(row['share']), row, sign);
      }
      return {
        ...groups.answer(),
        complete: parts.rows.every((part) => part.fromMs >= there.rowsFromMs),
      };
    });
  };
}
