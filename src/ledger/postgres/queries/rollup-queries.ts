// Reads roll-ups: PostgreSQL adds up the numbers of each key over all nodes, and the histograms are added to what their group has.
import { DenseHistogram } from '../../../common/histogram.ts';
import { decodeDimensions } from '../../rollup/dimensions.ts';
import type { Dimensions } from '../../rollup/dimensions.ts';
import { familiesOf, groupsOf, matchesFilter, sharesOf } from '../../rollup/group.ts';
import type { GroupedSums, Grouping, RollupRead, RollupSpan } from '../../rollup/group.ts';
import { spanParts, times } from '../../rollup/span.ts';
import type { Kept, SpanAnswer, SpanRead } from '../../rollup/span.ts';
import { SUM_COLUMNS, addRow, addSums, emptySums, isNothing } from '../../rollup/sums.ts';
import type { Sums } from '../../rollup/sums.ts';
import type { Queryable, Row } from '../connection.ts';
import type { PostgresDatabase } from './read-database.ts';
import { countedRows } from './scan-queries.ts';

interface Group {
  readonly values: readonly string[];
  readonly sums: Sums;
  readonly latency: DenseHistogram;
  readonly firstToken: DenseHistogram;
}

const INSIDE = 'grain = $1 and bucket_ms >= $2 and bucket_ms < $3';
const NUMBERS = `select key_id, ${SUM_COLUMNS.map((name) => `sum(${name}) as ${name}`).join(', ')} from rollups where ${INSIDE} group by key_id`;
const HISTOGRAMS = `select key_id, latency, first_token from rollups where ${INSIDE}`;
const POINTS = `select key_id, bucket_ms, cost_nano_usd, runs, attempts, input_tokens, output_tokens from rollups
  where ${INSIDE} and (attempts > 0 or runs > 0)`;
const REMEMBERED_KEYS = 50_000;

type Bounds = readonly [number, number, number];
/** Of each span, and of each family of sums that the question needs. */
const boundsOf = (spans: readonly RollupSpan[], grouping: Grouping): readonly Bounds[] =>
  spans.flatMap(({ grain, fromMs, toMs }) =>
    familiesOf(grouping).map((family) => [grain + family, fromMs, toMs] as const),
  );

/** Keys are written once and never changed: what they say is read and decoded once. */
export class RollupKeys {
  #known = new Map<bigint, Dimensions>();

  async read(database: Queryable, rows: readonly Row[]): Promise<void> {
    const missing = new Set(rows.map((row) => row['key_id'] as bigint).filter((id) => !this.#known.has(id)));
    if (missing.size === 0) return;
    if (this.#known.size + missing.size > REMEMBERED_KEYS) {
      this.#known = new Map();
      for (const row of rows) missing.add(row['key_id'] as bigint);
    }
    const found = await database.query(
      'select id, dimensions from rollup_keys where id = any($1::bigint[])',
      [[...missing].map(String)],
    );
    for (const { id, dimensions } of found.rows as { id: bigint; dimensions: string }[])
      this.#known.set(id, decodeDimensions(dimensions));
  }

  of(id: unknown): Dimensions {
    const dimensions = this.#known.get(id as bigint);
    if (dimensions === undefined) throw new Error(`there is no roll-up key ${String(id)}`);
    return dimensions;
  }
}

async function ask(
  database: Queryable,
  keys: RollupKeys,
  text: string,
  bounds: Bounds,
): Promise<readonly Row[]> {
  const { rows } = await database.query(text, [...bounds]);
  await keys.read(database, rows as Row[]);
  return rows as Row[];
}

/** By group, in no order; exact. */
export function readRollups(database: Queryable, keys: RollupKeys, read: RollupRead): Promise<GroupedSums[]> {
  return read.as === 'whole' ? readWhole(database, keys, read) : readPoints(database, keys, read);
}

async function readWhole(
  database: Queryable,
  keys: RollupKeys,
  { spans, grouping }: RollupRead,
): Promise<GroupedSums[]> {
  const found = new Map<string, Group>();
  for (const bounds of boundsOf(spans, grouping)) {
    for (const row of await ask(database, keys, NUMBERS, bounds))
      for (const { values, sign } of sharesOf(keys.of(row['key_id']), grouping))
        addRow(groupAt(found, values).sums, row, sign);
    for (const row of await ask(database, keys, HISTOGRAMS, bounds))
      for (const { values, sign } of sharesOf(keys.of(row['key_id']), grouping)) {
        const group = groupAt(found, values);
        group.latency.add(row['latency'] as Uint8Array, sign);
        group.firstToken.add(row['first_token'] as Uint8Array, sign);
      }
  }
  return [...found.values()]
    .filter(({ sums }) => !isNothing(sums))
    .map(({ values, sums, latency, firstToken }) => ({
      bucketMs: 0,
      values,
      sums: { ...sums, latency: latency.toHistogram(), firstToken: firstToken.toHistogram() },
    }));
}

async function readPoints(
  database: Queryable,
  keys: RollupKeys,
  { spans, grouping }: RollupRead,
): Promise<GroupedSums[]> {
  const found = new Map<string, GroupedSums>();
  for (const bounds of boundsOf(spans, grouping)) {
    for (const row of await ask(database, keys, POINTS, bounds)) {
      const bucketMs = Number(row['bucket_ms']);
      for (const { values, sign } of sharesOf(keys.of(row['key_id']), grouping)) {
        const name = `${bucketMs}${JSON.stringify(values)}`;
        const point = found.get(name) ?? { bucketMs, values, sums: emptySums() };
        found.set(name, point);
        const times = BigInt(sign);
        point.sums.costNanoUsd += times * (row['cost_nano_usd'] as bigint);
        point.sums.inputTokens += times * (row['input_tokens'] as bigint);
        point.sums.outputTokens += times * (row['output_tokens'] as bigint);
        point.sums.attempts += sign * Number(row['attempts']);
        point.sums.runs += sign * Number(row['runs']);
      }
    }
  }
  return [...found.values()].filter(({ sums }) => !isNothing(sums));
}

/** An exact span of time: from roll-ups, and from rows at edges that no roll-up ends at. */
export async function readSpan(
  database: Queryable,
  rows: PostgresDatabase,
  keys: RollupKeys,
  { fromMs, toMs, grouping, latencies }: SpanRead,
): Promise<SpanAnswer> {
  const found = new Map<string, Group>();
  const there = await readKept(database);
  const parts = spanParts({ fromMs, toMs }, there);
  const bounds = parts.sums.flatMap(({ grain, fromMs: from, toMs: to, sign }) =>
    familiesOf(grouping).map((family) => ({ bound: [grain + family, from, to] as const, of: sign })),
  );
  for (const { bound, of } of bounds) {
    for (const row of await ask(database, keys, NUMBERS, bound))
      for (const { values, sign } of sharesOf(keys.of(row['key_id']), grouping))
        addRow(groupAt(found, values).sums, row, times(of, sign));
    if (!latencies) continue;
    for (const row of await ask(database, keys, HISTOGRAMS, bound))
      for (const { values, sign } of sharesOf(keys.of(row['key_id']), grouping)) {
        const group = groupAt(found, values);
        group.latency.add(row['latency'] as Uint8Array, times(of, sign));
        group.firstToken.add(row['first_token'] as Uint8Array, times(of, sign));
      }
  }
  for (const part of parts.rows)
    for (const { dimensions, sums } of await countedRows(rows, {}, part.fromMs, part.toMs)) {
      const decoded = decodeDimensions(dimensions);
      if (matchesFilter(decoded, grouping.filter))
        for (const values of groupsOf(decoded, grouping)) addSums(groupAt(found, values).sums, sums);
    }
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
}

async function readKept(database: Queryable): Promise<Kept> {
  const { rows } = await database.query(
    'select pruned_before_ms as rows_from, minutes_from_ms as minutes_from, hours_from_ms as hours_from from ledger_state',
  );
  const row = rows[0] as { rows_from: bigint; minutes_from: bigint; hours_from: bigint } | undefined;
  return {
    rowsFromMs: Number(row?.rows_from ?? 0),
    minutesFromMs: Number(row?.minutes_from ?? 0),
    hoursFromMs: Number(row?.hours_from ?? 0),
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
