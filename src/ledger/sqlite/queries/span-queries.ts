// Reads exact spans of time: from roll-ups, and from rows at edges that no roll-up ends at.
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { allSums, isClosed, isFinished, ofAttempts, ofRuns } from '../../rollup/counted.ts';
import { BY_SESSION, decodeDimensions } from '../../rollup/dimensions.ts';
import type { Dimensions } from '../../rollup/dimensions.ts';
import { grainsOf, hasFilter, matchesFilter } from '../../rollup/group.ts';
import type { RollupFilter } from '../../rollup/group.ts';
import { spanParts } from '../../rollup/span.ts';
import type { Kept, SpanAnswer, SpanRead, TimeSpan } from '../../rollup/span.ts';
import { SpanGroups } from '../../rollup/span-groups.ts';
import type { CountedDurations, CountedSums } from '../../rollup/span-groups.ts';
import { SUM_COLUMNS } from '../../rollup/sums.ts';

type Row = { readonly [column: string]: unknown };
type Bounds = readonly [grain: number, fromMs: number, toMs: number];

/** Keys are written once and never changed: what they say is decoded once. */
const REMEMBERED_KEYS = 50_000;
const INSIDE = 'grain = ? and bucket_ms >= ? and bucket_ms < ?';
const OF_KEYS = `${INSIDE} and key_id in (select value from json_each(?))`;
const SUMS = SUM_COLUMNS.map((name) => `sum(${name}) as ${name}`).join(', ');
const BEGAN_INSIDE = 'rollup_key_id is not null and started_at_ms >= ? and started_at_ms < ?';

export function createSpanReader(connection: DatabaseSync): (reads: readonly SpanRead[]) => SpanAnswer[] {
  const state = connection.prepare(
    'select pruned_before_ms as rows_from, minutes_from_ms as minutes_from, hours_from_ms as hours_from from ledger_state',
  );
  const keyById = connection.prepare('select dimensions from rollup_keys where id = ?');
  const keysInside = connection.prepare(`select distinct key_id from rollups where ${INSIDE}`);
  /** Each statement for all keys, and for some. */
  const ofKeys = (
    statement: (inside: string) => string,
  ): ((bounds: Bounds, keys: string | null) => Iterable<Row>) => {
    const [all, some] = [INSIDE, OF_KEYS].map((inside) => connection.prepare(statement(inside)));
    return (bounds, keys) =>
      (keys === null ? all?.iterate(...bounds) : some?.iterate(...bounds, keys)) as Iterable<Row>;
  };
  // Of everything together no key has to be read: a fraction of the time, and the answer of each part of a series.
  const together = ofKeys((inside) => `select count(*) as n, ${SUMS} from rollups where ${inside}`);
  const byKey = ofKeys((inside) => `select key_id, ${SUMS} from rollups where ${inside} group by key_id`);
  // Most sessions have one row for each of their keys: to sort them would take longer than to add them up.
  const ofSessions = ofKeys(
    (inside) => `select key_id, ${SUM_COLUMNS.join(', ')} from rollups where ${inside}`,
  );
  const histograms = ofKeys((inside) => `select key_id, latency, first_token from rollups where ${inside}`);
  const attempts = `${allSums(ofAttempts)} from attempts where ${isClosed} and ${BEGAN_INSIDE}`;
  const runs = `${allSums(ofRuns)} from runs where ${isFinished} and ${BEGAN_INSIDE}`;
  const attemptsByKey = connection.prepare(`select rollup_key_id, status, ${attempts} group by 1, 2`);
  const runsByKey = connection.prepare(`select rollup_key_id, ${runs} group by 1`);
  const countedTogether = [attempts, runs].map((rows) => connection.prepare(`select count(*) as n, ${rows}`));
  const durations = connection.prepare(
    `select rollup_key_id, status, latency_ms, first_token_ms from attempts where ${isClosed} and ${BEGAN_INSIDE}`,
  );

  let dimensionsById = new Map<unknown, Dimensions>();
  const dimensionsOf = (key: unknown): Dimensions => {
    const known = dimensionsById.get(key);
    if (known !== undefined) return known;
    if (dimensionsById.size >= REMEMBERED_KEYS) dimensionsById = new Map();
    const dimensions = decodeDimensions(keyById.get(key as SQLInputValue)?.['dimensions'] as string);
    dimensionsById.set(key, dimensions);
    return dimensions;
  };
  /** An attempt's own dimensions carry the status that it was opened with. */
  const ofAttempt = (row: Row): Dimensions => ({
    ...dimensionsOf(row['rollup_key_id']),
    status: row['status'] as string,
  });

  const kept = (): Kept => {
    const row = state.get();
    return {
      rowsFromMs: Number(row?.['rows_from'] ?? 0),
      minutesFromMs: Number(row?.['minutes_from'] ?? 0),
      hoursFromMs: Number(row?.['hours_from'] ?? 0),
    };
  };
  const countedIn = (fromMs: number, toMs: number): readonly CountedSums[] => [
    ...attemptsByKey.all(fromMs, toMs).map((row) => ({ dimensions: ofAttempt(row), row })),
    ...runsByKey.all(fromMs, toMs).map((row) => ({ dimensions: dimensionsOf(row['rollup_key_id']), row })),
  ];
  const durationsIn = ({ fromMs, toMs }: TimeSpan): readonly CountedDurations[] =>
    durations.all(fromMs, toMs).map((row) => ({
      dimensions: ofAttempt(row),
      latencyMs: row['latency_ms'] as number | null,
      firstTokenMs: row['first_token_ms'] as number | null,
    }));
  /** As JSON; null: all of them. */
  const keysOf = (bounds: Bounds, filter: RollupFilter): string | null => {
    if (!hasFilter(filter)) return null;
    const ids = keysInside.all(...bounds).map((row) => row['key_id']);
    return JSON.stringify(ids.filter((id) => matchesFilter(dimensionsOf(id), filter)).map(Number));
  };

  return (reads) => {
    const there = kept();
    // Where two parts of a series meet, what is read for the one is read for the other.
    const totals = remembering((bounds: Bounds, filter: RollupFilter) => [
      ...together(bounds, keysOf(bounds, filter)),
    ]);
    const counted = remembering(countedIn);
    const countedTotals = remembering((fromMs: number, toMs: number) =>
      countedTogether.flatMap((rows) => rows.all(fromMs, toMs)),
    );
    return reads.map(({ fromMs, toMs, grouping, latencies }) => {
      const { by, filter } = grouping;
      const groups = new SpanGroups(grouping);
      const parts = spanParts({ fromMs, toMs }, there);
      for (const { grain, fromMs: from, toMs: to, sign } of parts.sums)
        for (const one of grainsOf(grain, grouping)) {
          const bounds = [one, from, to] as const;
          // What is of one group is added up there.
          const isOneGroup = by.length === 0 || (one < BY_SESSION && by.every((each) => each === 'SESSION'));
          if (isOneGroup)
            for (const row of totals(bounds, filter)) if (row['n'] !== 0n) groups.addAll(row, sign);
          if (isOneGroup && !latencies) continue;
          const keys = keysOf(bounds, filter);
          const read = one < BY_SESSION ? byKey : ofSessions;
          if (!isOneGroup)
            for (const row of read(bounds, keys)) groups.addKey(row['key_id'], dimensionsOf, row, sign);
          if (latencies)
            for (const row of histograms(bounds, keys))
              groups.addHistograms(row['key_id'], dimensionsOf, row, sign);
        }
      for (const part of parts.rows) {
        if (by.length === 0 && !hasFilter(filter)) {
          for (const row of countedTotals(part.fromMs, part.toMs))
            if (row['n'] !== 0n) groups.addAll(row, part.sign);
        } else for (const row of counted(part.fromMs, part.toMs)) groups.addCounted(row, part.sign);
        if (latencies) for (const row of durationsIn(part)) groups.addDurations(row, part.sign);
      }
      return {
        groups: groups.groups(),
        complete: parts.rows.every((part) => part.fromMs >= there.rowsFromMs),
      };
    });
  };
}

/** Each question is asked once. */
function remembering<Asked extends readonly unknown[], Answer>(
  ask: (...asked: Asked) => Answer,
): (...asked: Asked) => Answer {
  const known = new Map<string, Answer>();
  return (...asked) => {
    const name = JSON.stringify(asked);
    const found = known.get(name);
    if (found !== undefined) return found;
    const answer = ask(...asked);
    known.set(name, answer);
    return answer;
  };
}
