// Reads roll-ups: PostgreSQL adds up the numbers of each key over all nodes, and the histograms are added to what their group has.
import { decodeDimensions } from '../../rollup/dimensions.ts';
import type { Dimensions } from '../../rollup/dimensions.ts';
import { POSTGRES, allSums, isClosed, isFinished, ofAttempts, ofRuns } from '../../rollup/counted.ts';
import { grainsOf, hasFilter, matchesFilter, sharesOf } from '../../rollup/group.ts';
import type { GroupedSums, Grouping, RollupFilter, RollupRead } from '../../rollup/group.ts';
import { spanParts } from '../../rollup/span.ts';
import type { Kept, SpanAnswer, SpanRead } from '../../rollup/span.ts';
import { SpanGroups } from '../../rollup/span-groups.ts';
import { SUM_COLUMNS, emptySums, isNothing } from '../../rollup/sums.ts';
import type { Queryable, Row } from '../connection.ts';
import { hasSessionDays } from '../rollup-changes.ts';

const INSIDE = 'grain = $1 and bucket_ms >= $2 and bucket_ms < $3';
const NUMBERS = `select key_id, ${SUM_COLUMNS.map((name) => `sum(${name}) as ${name}`).join(', ')} from rollups where ${INSIDE} group by key_id`;
const HISTOGRAMS = `select key_id, latency, first_token from rollups where ${INSIDE}`;
const POINTS = `select key_id, bucket_ms, cost_nano_usd, runs, attempts, input_tokens, output_tokens from rollups
  where ${INSIDE} and (attempts > 0 or runs > 0)`;
const REMEMBERED_KEYS = 50_000;

type Bounds = readonly [number, number, number];
/** Of each span, and of all that is read of its grain. */
const boundsOf = ({ spans, grouping }: RollupRead, isComplete: boolean): readonly Bounds[] =>
  spans.flatMap(({ grain, fromMs, toMs }) =>
    grainsOf(grain, grouping, isComplete).map((one) => [one, fromMs, toMs] as const),
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
export async function readRollups(
  database: Queryable,
  keys: RollupKeys,
  read: RollupRead,
): Promise<readonly GroupedSums[]> {
  const bounds = boundsOf(read, await hasSessionDays(database));
  return read.as === 'whole'
    ? readWhole(database, keys, bounds, read.grouping)
    : readPoints(database, keys, bounds, read.grouping);
}

async function readWhole(
  database: Queryable,
  keys: RollupKeys,
  bounds: readonly Bounds[],
  grouping: Grouping,
): Promise<readonly GroupedSums[]> {
  const groups = new SpanGroups(grouping);
  const dimensionsOf = (key: unknown): Dimensions => keys.of(key);
  for (const one of bounds) {
    for (const row of await ask(database, keys, NUMBERS, one))
      groups.addKey(row['key_id'], dimensionsOf, row, 1);
    for (const row of await ask(database, keys, HISTOGRAMS, one))
      groups.addHistograms(row['key_id'], dimensionsOf, row, 1);
  }
  return groups.groups();
}

async function readPoints(
  database: Queryable,
  keys: RollupKeys,
  bounds: readonly Bounds[],
  grouping: Grouping,
): Promise<GroupedSums[]> {
  const found = new Map<string, GroupedSums>();
  for (const one of bounds) {
    for (const row of await ask(database, keys, POINTS, one)) {
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

/** Of which bounds sums are read; `sign`: added, or taken away. */
interface Piece {
  readonly grain: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly sign: 1 | -1;
}

/** The pieces as a relation of their own; `p.read`: of which read each is. */
const PIECES = `unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) as p(g, f, t, s, read)
  join rollups on grain = p.g and bucket_ms >= p.f and bucket_ms < p.t`;
const SIGNED = SUM_COLUMNS.map((name) => `sum(p.s * ${name}) as ${name}`).join(', ');
const KEYS_OF_PIECES = `select distinct key_id from ${PIECES}`;
const TOTALS = `select p.read as read, ${SIGNED} from ${PIECES} where $6::bigint[] is null or key_id = any($6::bigint[]) group by p.read`;
const BY_KEY = `select key_id, ${SIGNED} from ${PIECES} where $6::bigint[] is null or key_id = any($6::bigint[]) group by key_id`;
const DURATIONS = `select p.s as sign, key_id, latency, first_token from ${PIECES} where $6::bigint[] is null or key_id = any($6::bigint[])`;
const EDGES = 'unnest($1::bigint[], $2::bigint[]) with ordinality as e(f, t, edge)';
const BEGAN_INSIDE = 'rollup_key_id is not null and started_at_ms >= e.f and started_at_ms < e.t';
const ATTEMPTS_AT_EDGES = `select e.edge as edge, rollup_key_id as key_id, status, ${allSums(ofAttempts(POSTGRES))}
  from ${EDGES} join attempts on ${BEGAN_INSIDE} where ${isClosed} group by 1, 2, 3`;
const RUNS_AT_EDGES = `select e.edge as edge, rollup_key_id as key_id, ${allSums(ofRuns(POSTGRES))}
  from ${EDGES} join runs on ${BEGAN_INSIDE} where ${isFinished} group by 1, 2`;
const DURATIONS_AT_EDGES = `select e.edge as edge, rollup_key_id as key_id, status, latency_ms, first_token_ms
  from ${EDGES} join attempts on ${BEGAN_INSIDE} where ${isClosed}`;

/** Exact spans of time, all of one snapshot: from roll-ups, and from rows at edges that no roll-up ends at. */
export async function readSpans(
  database: Queryable,
  keys: RollupKeys,
  reads: readonly SpanRead[],
): Promise<SpanAnswer[]> {
  const there = await readKept(database);
  const isComplete = await hasSessionDays(database);
  const spans = reads.map((read) => {
    const { sums, rows } = spanParts(read, there);
    const pieces = sums.flatMap(({ grain, ...part }): Piece[] =>
      grainsOf(grain, read.grouping, isComplete).map((one) => ({ ...part, grain: one })),
    );
    return { ...read, pieces, rows, groups: new SpanGroups(read.grouping) };
  });
  const dimensionsOf = (key: unknown): Dimensions => keys.of(key);
  const askFor = async (text: string, values: readonly unknown[]): Promise<readonly Row[]> => {
    const { rows } = await database.query(text, [...values]);
    if (text !== TOTALS) await keys.read(database, rows as Row[]);
    return rows as Row[];
  };
  const piecesOf = (some: readonly (typeof spans)[number][]): readonly unknown[] => {
    const all = some.flatMap(({ pieces }, read) => pieces.map((piece) => ({ ...piece, read })));
    const column = (of: (piece: (typeof all)[number]) => number): readonly string[] =>
      all.map((piece) => String(of(piece)));
    return [
      column(({ grain }) => grain),
      column(({ fromMs }) => fromMs),
      column(({ toMs }) => toMs),
      column(({ sign }) => sign),
      column(({ read }) => read),
    ];
  };
  /** null: all of them. */
  const keysFor = async (pieces: readonly unknown[], filter: RollupFilter): Promise<string[] | null> => {
    if (!hasFilter(filter)) return null;
    const found = await askFor(KEYS_OF_PIECES, pieces);
    return found
      .map((row) => row['key_id'])
      .filter((id) => matchesFilter(keys.of(id), filter))
      .map(String);
  };

  // The parts of a series are asked for in one question.
  const together = Map.groupBy(
    spans.filter(({ grouping, latencies }) => grouping.by.length === 0 && !latencies),
    ({ grouping }) => JSON.stringify(grouping.filter),
  );
  for (const some of together.values()) {
    const pieces = piecesOf(some);
    const only = await keysFor(pieces, some[0]?.grouping.filter ?? {});
    for (const row of await askFor(TOTALS, [...pieces, only]))
      some[Number(row['read'])]?.groups.addAll(row, 1);
  }
  for (const span of spans) {
    const { grouping, latencies, groups } = span;
    if (grouping.by.length === 0 && !latencies) continue;
    const pieces = piecesOf([span]);
    const only = await keysFor(pieces, grouping.filter);
    for (const row of await askFor(BY_KEY, [...pieces, only]))
      groups.addKey(row['key_id'], dimensionsOf, row, 1);
    if (!latencies) continue;
    for (const row of await askFor(DURATIONS, [...pieces, only]))
      groups.addHistograms(row['key_id'], dimensionsOf, row, row['sign'] === 1n ? 1 : -1);
  }
  const edges = new Map(
    spans.flatMap(({ rows }) => rows.map((part) => [`${part.fromMs} ${part.toMs}`, part])),
  );
  const numbered = [...edges.keys()];
  const at = [...edges.values()];
  const bounds = [at.map(({ fromMs }) => String(fromMs)), at.map(({ toMs }) => String(toMs))];
  const atEdges = async (
    text: string,
    add: (groups: SpanGroups, row: Row, dimensions: Dimensions, sign: 1 | -1) => void,
    some: readonly (typeof spans)[number][] = spans,
  ): Promise<void> => {
    if (at.length === 0) return;
    const byEdge = Map.groupBy(await askFor(text, bounds), (row) => numbered[Number(row['edge']) - 1]);
    for (const { rows, groups } of some)
      for (const part of rows)
        for (const row of byEdge.get(`${part.fromMs} ${part.toMs}`) ?? []) {
          // An attempt's own dimensions carry the status that it was opened with.
          const status = row['status'] as string | undefined;
          const dimensions = keys.of(row['key_id']);
          add(groups, row, status === undefined ? dimensions : { ...dimensions, status }, part.sign);
        }
  };
  for (const text of [ATTEMPTS_AT_EDGES, RUNS_AT_EDGES])
    await atEdges(text, (groups, row, dimensions, sign) => groups.addCounted({ dimensions, row }, sign));
  const timed = spans.filter(({ latencies, rows }) => latencies && rows.length > 0);
  if (timed.length > 0)
    await atEdges(
      DURATIONS_AT_EDGES,
      (groups, row, dimensions, sign) =>
        groups.addDurations(
          {
            dimensions,
            latencyMs: row['latency_ms'] as number | null,
            firstTokenMs: row['first_token_ms'] as number | null,
          },
          sign,
        ),
      timed,
    );
  return spans.map(({ groups, rows }) => ({
    groups: groups.groups(),
    complete: rows.every((part) => part.fromMs >= there.rowsFromMs),
  }));
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
