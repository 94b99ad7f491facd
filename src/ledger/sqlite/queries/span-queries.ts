// Reads exact spans of time: from roll-ups, and from rows at edges that no roll-up ends at.
import type { DatabaseSync } from 'node:sqlite';
import { DenseHistogram } from '../../../common/histogram.ts';
import { decodeDimensions } from '../../rollup/dimensions.ts';
import type { Dimensions } from '../../rollup/dimensions.ts';
import { familiesOf, groupsOf, matchesFilter, sharesOf } from '../../rollup/group.ts';
import { spanParts, times } from '../../rollup/span.ts';
import type { Kept, SpanAnswer, SpanRead } from '../../rollup/span.ts';
import { SUM_COLUMNS, addRow, addSums, emptySums, isNothing } from '../../rollup/sums.ts';
import type { Sums } from '../../rollup/sums.ts';
import type { ReadDatabase } from './read-database.ts';
import { countedRows } from './scan-queries.ts';

interface Group {
  readonly values: readonly string[];
  readonly sums: Sums;
  readonly latency: DenseHistogram;
  readonly firstToken: DenseHistogram;
}

interface GroupShare {
  readonly group: Group;
  readonly sign: 1 | -1;
}

/** Keys are written once and never changed: what they say is decoded once. */
const REMEMBERED_KEYS = 50_000;
const INSIDE = 'grain = ? and bucket_ms >= ? and bucket_ms < ?';

export function createSpanReader(
  connection: DatabaseSync,
  database: ReadDatabase,
): (read: SpanRead) => SpanAnswer {
  const state = connection.prepare(
    'select pruned_before_ms as rows_from, minutes_from_ms as minutes_from, hours_from_ms as hours_from from ledger_state',
  );
  const key = connection.prepare('select dimensions from rollup_keys where id = ?');
  const numbers = connection.prepare(
    `select key_id, ${SUM_COLUMNS.map((name) => `sum(${name}) as ${name}`).join(', ')} from rollups where ${INSIDE} group by key_id`,
  );
  // Of everything together no key has to be read: a fraction of the time, and the answer of each part of a series.
  const total = connection.prepare(
    `select count(*) as n, ${SUM_COLUMNS.map((name) => `sum(${name}) as ${name}`).join(', ')} from rollups where ${INSIDE}`,
  );
  const histograms = connection.prepare(`select key_id, latency, first_token from rollups where ${INSIDE}`);
  histograms.setReturnArrays(true);
  let dimensionsById = new Map<bigint, Dimensions>();

  const dimensionsOf = (keyId: bigint): Dimensions => {
    const known = dimensionsById.get(keyId);
    if (known !== undefined) return known;
    if (dimensionsById.size >= REMEMBERED_KEYS) dimensionsById = new Map();
    const dimensions = decodeDimensions(key.get(keyId)?.['dimensions'] as string);
    dimensionsById.set(keyId, dimensions);
    return dimensions;
  };

  const kept = (): Kept => {
    const row = state.get();
    return {
      rowsFromMs: Number(row?.['rows_from'] ?? 0),
      minutesFromMs: Number(row?.['minutes_from'] ?? 0),
      hoursFromMs: Number(row?.['hours_from'] ?? 0),
    };
  };

  return ({ fromMs, toMs, grouping, latencies }) => {
    const found = new Map<string, Group>();
    const groupsOfDimensions = (dimensions: Dimensions): readonly Group[] =>
      matchesFilter(dimensions, grouping.filter)
        ? groupsOf(dimensions, grouping).map((values) => groupAt(found, values))
        : [];
    const sharesByKey = new Map<bigint, readonly GroupShare[]>();
    const sharesOfKey = (keyId: bigint): readonly GroupShare[] => {
      let shares = sharesByKey.get(keyId);
      if (shares === undefined) {
        shares = sharesOf(dimensionsOf(keyId), grouping).map(({ values, sign }) => ({
          group: groupAt(found, values),
          sign,
        }));
        sharesByKey.set(keyId, shares);
      }
      return shares;
    };
    const isTotal =
      grouping.by.length === 0 && Object.values(grouping.filter).every((part) => part === undefined);
    const there = kept();
    const parts = spanParts({ fromMs, toMs }, there);
    const bounds = parts.sums.flatMap(({ grain, fromMs: from, toMs: to, sign }) =>
      familiesOf(grouping).map((family) => ({ bound: [grain + family, from, to] as const, of: sign })),
    );
    for (const { bound, of } of bounds) {
      if (isTotal) {
        const row = total.get(...bound);
        if (row !== undefined && row['n'] !== 0n) addRow(groupAt(found, []).sums, row, of);
      } else
        for (const row of numbers.all(...bound))
          for (const { group, sign } of sharesOfKey(row['key_id'] as bigint))
            addRow(group.sums, row, times(of, sign));
      if (!latencies) continue;
      // As arrays: key, latency, first token.
      for (const row of histograms.iterate(...bound) as Iterable<unknown> as Iterable<
        [bigint, Uint8Array, Uint8Array]
      >)
        for (const { group, sign } of sharesOfKey(row[0])) {
          group.latency.add(row[1], times(of, sign));
          group.firstToken.add(row[2], times(of, sign));
        }
    }
    for (const part of parts.rows)
      for (const { dimensions, sums } of countedRows(database, {}, part.fromMs, part.toMs))
        for (const group of groupsOfDimensions(decodeDimensions(dimensions))) addSums(group.sums, sums);
    return {
      groups: [...found.values()]
        .filter(({ sums }) => !isNothing(sums))
        .map(({ values, sums, latency, firstToken }) => {
          latency.addTo(sums.latency);
          firstToken.addTo(sums.firstToken);
          return { bucketMs: 0, values, sums };
        }),
      complete: parts.rows.every((part) => part.fromMs >= there.rowsFromMs),
    };
  };
}

function groupAt(found: Map<string, Group>, values: readonly string[]): Group {
  const name = JSON.stringify(values);
  const known = found.get(name);
  if (known !== undefined) return known;
  const group = {
    values,
    sums: emptySums(),
    latency: new DenseHistogram(),
    firstToken: new DenseHistogram(),
  };
  found.set(name, group);
  return group;
}
