// Reads roll-ups: PostgreSQL adds up the numbers of each key over all nodes, and the histograms are added to what their group has.
import { DAYS, SESSION_DAYS, SESSION_GRAINS, decodeDimensions } from '../../rollup/dimensions.ts';
import type { Dimensions } from '../../rollup/dimensions.ts';
import { isClosed, isFinished, ofAttempts, ofRuns, sumsAs } from '../../rollup/counted.ts';
import { grainsOf, hasFilter, matchesFilter } from '../../rollup/group.ts';
import type { GroupedPoint, GroupedSums, Grouping, RollupFilter, RollupRead } from '../../rollup/group.ts';
import { spanParts } from '../../rollup/span.ts';
import type { Kept, PackedAnswer, SpanRead, TimeSpan } from '../../rollup/span.ts';
import { NO_SHARE, PointGroups, RememberedShares, SpanGroups } from '../../rollup/span-groups.ts';
import { SUM_COLUMNS, columnsOf, sumsNamed } from '../../rollup/sums.ts';
import type { SpansAnswer } from '../../sqlite/queries/queries.ts';
import type { Queryable, Row } from '../connection.ts';
import { HAS_QUARTERS, HAS_SESSION_DAYS, isTrue } from '../rollup-changes.ts';

const INSIDE = 'grain = $1 and bucket_ms >= $2 and bucket_ms < $3';
const NUMBERS = `select key_id, ${SUM_COLUMNS.map((name) => `sum(${name}) as ${name}`).join(', ')} from rollups where ${INSIDE} group by key_id`;
const TOGETHER = "string_agg(latency, '') as latency, string_agg(first_token, '') as first_token";
const HISTOGRAMS = `select key_id, ${TOGETHER} from rollups where ${INSIDE} group by key_id`;
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
  readonly shares = new RememberedShares();

  async read(database: Queryable, ids: readonly bigint[]): Promise<void> {
    const missing = new Set(ids.filter((id) => !this.#known.has(id)));
    if (missing.size === 0) return;
    if (this.#known.size + missing.size > REMEMBERED_KEYS) {
      this.#known = new Map();
      for (const id of ids) missing.add(id);
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
  await keys.read(database, (rows as Row[]).map(keyOf));
  return rows as Row[];
}

/** By group, in no order; exact. */
export async function readRollups(
  database: Queryable,
  keys: RollupKeys,
  read: RollupRead,
): Promise<readonly GroupedPoint[]> {
  const bounds = boundsOf(read, await isTrue(database, HAS_SESSION_DAYS));
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
  const groups = new SpanGroups(keys.shares.of(grouping));
  const dimensionsOf = (key: unknown): Dimensions => keys.of(key);
  for (const one of bounds) {
    for (const row of await ask(database, keys, NUMBERS, one))
      groups.add(groups.shareOf(row['key_id'], dimensionsOf), row, 1);
    for (const row of await ask(database, keys, HISTOGRAMS, one))
      groups.addHistograms(groups.shareOf(row['key_id'], dimensionsOf), row, 1);
  }
  return groups.groups();
}

async function readPoints(
  database: Queryable,
  keys: RollupKeys,
  bounds: readonly Bounds[],
  grouping: Grouping,
): Promise<readonly GroupedPoint[]> {
  const points = new PointGroups(keys.shares.of(grouping));
  for (const one of bounds)
    for (const row of await ask(database, keys, POINTS, one))
      points.add(
        points.shareOf(row['key_id'], (key) => keys.of(key)),
        row,
      );
  return points.points();
}

/** Of which bounds sums are read; `sign`: added, or taken away. */
interface Piece {
  readonly grain: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly sign: 1 | -1;
}

/** How large a piece is, the database cannot guess: it would read the whole table for each. */
export const BY_INDEX =
  'set local enable_seqscan to off; set local enable_hashjoin to off; set local enable_mergejoin to off';

/** The pieces as a relation of their own; `p.read`: of which read each is. */
const PIECES = `unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) as p(g, f, t, s, read)
  join rollups on grain = p.g and bucket_ms >= p.f and bucket_ms < p.t`;
const signed = (columns: readonly string[]): string =>
  columns.map((name) => `sum(p.s * ${name}) as ${name}`).join(', ');
/** A key is looked up in the list, and not the list among the keys: that would be a search for each. */
const KEYS_OF_PIECES = `select distinct key_id from ${PIECES}`;
const totals = (columns: readonly string[]): string =>
  `select p.read as read, ${signed(columns)} from ${PIECES} where $6::bigint[] is null or key_id + 0 = any($6::bigint[]) group by p.read`;
const byKey = (columns: readonly string[]): string =>
  `select key_id, ${signed(columns)} from ${PIECES} where $6::bigint[] is null or key_id + 0 = any($6::bigint[]) group by key_id`;
const OF_SESSIONS: ReadonlySet<number> = new Set([...SESSION_GRAINS, SESSION_DAYS]);
/** Of sessions there are nearly as many keys as rows: to group them takes longer than to send them, and a row of the protocol for each longer than a text for each bucket. */
const linesOf = (columns: readonly string[]): string =>
  `select string_agg(concat_ws(' ', key_id, ${columns.map((name) => `p.s * ${name}`).join(', ')}), ',') as lines
   from ${PIECES} where $6::bigint[] is null or key_id + 0 = any($6::bigint[]) group by bucket_ms`;
const DURATIONS = `select p.s as sign, key_id, ${TOGETHER} from ${PIECES} where $6::bigint[] is null or key_id + 0 = any($6::bigint[]) group by p.s, key_id`;
const EDGES = 'unnest($1::bigint[], $2::bigint[]) with ordinality as e(f, t, edge)';
const BEGAN_INSIDE = 'rollup_key_id is not null and started_at_ms >= e.f and started_at_ms < e.t';
/** Of everything together, and by key: of attempts, whose dimensions carry the status that they were opened with, and of runs. */
const COUNTED_AT_EDGES = [
  {
    sums: ofAttempts,
    from: `attempts on ${BEGAN_INSIDE} where ${isClosed}`,
    key: ', rollup_key_id as key_id, status',
  },
  {
    sums: ofRuns,
    from: `runs on ${BEGAN_INSIDE} where ${isFinished}`,
    key: ', rollup_key_id as key_id',
  },
].map(({ sums, from, key }) => ({
  keys: `select distinct rollup_key_id as key_id from ${EDGES} join ${from}`,
  together: (columns: readonly string[]) =>
    `select e.edge as edge, ${sumsAs(columns, sums)} from ${EDGES} join ${from} and ($3::bigint[] is null or rollup_key_id + 0 = any($3::bigint[])) group by e.edge`,
  byKey: (columns: readonly string[]) =>
    `select e.edge as edge${key}, ${sumsAs(columns, sums)} from ${EDGES} join ${from} group by e.edge${key.replace(' as key_id', '')}`,
}));
const DURATIONS_AT_EDGES = `select e.edge as edge, rollup_key_id as key_id, status, latency_ms, first_token_ms
  from ${EDGES} join attempts on ${BEGAN_INSIDE} where ${isClosed}`;

/** Exact spans of time, all of one snapshot that was begun with `BY_INDEX`: from roll-ups, and from rows at edges that no roll-up ends at. */
export async function readSpans(
  database: Queryable,
  keys: RollupKeys,
  reads: readonly SpanRead[],
): Promise<SpansAnswer<PackedAnswer>> {
  const { firstMs, kept: there, hasSessionDays: isComplete } = await readState(database);
  // Spans that are asked for together are read together, and want the same.
  const wanted = reads.map(({ sums }) => sums);
  const names = sumsNamed(wanted.includes(undefined) ? undefined : wanted.flatMap((some) => some ?? []));
  const columns = columnsOf(names);
  const spans = reads.map((read) => {
    const { sums, rows } = spanParts(read, there);
    const pieces = sums.flatMap(({ grain, ...part }): Piece[] =>
      grainsOf(grain, read.grouping, isComplete).map((one) => ({ ...part, grain: one })),
    );
    const groups = new SpanGroups(keys.shares.of(read.grouping), names);
    return { ...read, pieces, rows, groups, keys: [] as readonly bigint[] };
  });
  const dimensionsOf = (key: unknown): Dimensions => keys.of(key);
  const askFor = async (text: string, values: readonly unknown[]): Promise<readonly Row[]> => {
    const { rows } = await database.query(text, [...values]);
    return rows as Row[];
  };
  const askKeyed: typeof askFor = async (text, values) => {
    const rows = await askFor(text, values);
    await keys.read(database, rows.map(keyOf));
    return rows;
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
  const keysFor = async (
    values: readonly unknown[],
    filter: RollupFilter,
    text = KEYS_OF_PIECES,
  ): Promise<string[] | null> => {
    if (!hasFilter(filter)) return null;
    const found = await askKeyed(text, values);
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
    for (const row of await askFor(totals(columns), [...pieces, only]))
      some[Number(row['read'])]?.groups.addAll(row, 1);
  }
  for (const span of spans) {
    const { grouping, latencies, groups } = span;
    if (grouping.by.length === 0 && !latencies) continue;
    const only = await keysFor(piecesOf([span]), grouping.filter);
    const { ofSessions = [], others = [] } = Object.groupBy(span.pieces, ({ grain }) =>
      OF_SESSIONS.has(grain) ? 'ofSessions' : 'others',
    );
    const valuesOf = (some: readonly Piece[]) => [...piecesOf([{ ...span, pieces: [...some] }]), only];
    const summed = others.length === 0 ? [] : await askFor(byKey(columns), valuesOf(others));
    const lines = ofSessions.length === 0 ? [] : await askFor(linesOf(columns), valuesOf(ofSessions));
    const ofKeys = partsOf(lines);
    span.keys = [...new Set([...summed.map(keyOf), ...ofKeys.map(({ key }) => key)])];
    await keys.read(database, span.keys);
    for (const row of summed) groups.add(groups.shareOf(keyOf(row), dimensionsOf), row, 1);
    for (const { key, sums } of ofKeys) groups.addValues(groups.shareOf(key, dimensionsOf), sums);
  }
  /** What is read where two spans meet is read once. */
  const atEdges = async (
    some: typeof spans,
    ask: typeof askFor,
    text: string,
    add: (groups: SpanGroups, row: Row, sign: 1 | -1) => void,
  ): Promise<void> => {
    const nameOf = (part: TimeSpan): string => `${part.fromMs} ${part.toMs}`;
    const edges = new Map(some.flatMap(({ rows }) => rows.map((part) => [nameOf(part), part])));
    if (edges.size === 0) return;
    const names = [...edges.keys()];
    const at = [...edges.values()];
    const bounds = [at.map(({ fromMs }) => String(fromMs)), at.map(({ toMs }) => String(toMs))];
    const byEdge = Map.groupBy(await ask(text, bounds), (row) => names[Number(row['edge']) - 1]);
    for (const { rows, groups } of some)
      for (const part of rows) for (const row of byEdge.get(nameOf(part)) ?? []) add(groups, row, part.sign);
  };
  const rowShareOf = (groups: SpanGroups, { key_id: key, status }: Row): number =>
    groups.rowShareOf(key, dimensionsOf, status as string | undefined);
  const ofNoGroup = Map.groupBy(
    spans.filter(({ grouping }) => grouping.by.length === 0),
    ({ grouping }) => JSON.stringify(grouping.filter),
  );
  for (const counted of COUNTED_AT_EDGES) {
    for (const some of ofNoGroup.values()) {
      const filter = some[0]?.grouping.filter ?? {};
      const ask: typeof askFor = async (text, bounds) =>
        askFor(text, [...bounds, await keysFor(bounds, filter, counted.keys)]);
      await atEdges(some, ask, counted.together(columns), (groups, row, sign) => groups.addAll(row, sign));
    }
    await atEdges(
      spans.filter(({ grouping }) => grouping.by.length > 0),
      askKeyed,
      counted.byKey(columns),
      (groups, row, sign) => groups.add(rowShareOf(groups, row), row, sign),
    );
  }
  for (const { first, groups } of spans) if (first !== undefined) groups.keepDearest(first);
  for (const span of spans.filter(({ latencies }) => latencies)) {
    const { groups } = span;
    const only = span.keys.filter((key) => groups.shareOf(key, dimensionsOf) !== NO_SHARE).map(String);
    for (const row of await askFor(DURATIONS, [...piecesOf([span]), only]))
      groups.addHistograms(groups.shareOf(row['key_id'], dimensionsOf), row, row['sign'] === 1n ? 1 : -1);
  }
  await atEdges(
    spans.filter(({ latencies }) => latencies),
    askKeyed,
    DURATIONS_AT_EDGES,
    (groups, row, sign) => groups.addDurations(rowShareOf(groups, row), row, sign),
  );
  const answers = spans.map(({ groups, rows }) => ({
    ...groups.answer(),
    complete: rows.every((part) => part.fromMs >= there.rowsFromMs),
  }));
  return { firstMs, answers };
}

const keyOf = (row: Row): bigint => row['key_id'] as bigint;

function partsOf(found: readonly Row[]): { readonly key: bigint; readonly sums: readonly string[] }[] {
  return found.flatMap(({ lines }) =>
    (lines as string).split(',').map((line) => {
      const [key = '', ...sums] = line.split(' ');
      return { key: BigInt(key), sums };
    }),
  );
}

/** All that has to be known before, in one message. */
async function readState(database: Queryable): Promise<{
  readonly firstMs: number | null;
  readonly kept: Kept;
  readonly hasSessionDays: boolean;
}> {
  const { rows } = await database.query(
    `select (select min(bucket_ms) from rollups where grain = ${DAYS}) as first,
       pruned_before_ms as rows_from, minutes_from_ms as minutes_from, hours_from_ms as hours_from,
       case when ${HAS_QUARTERS} then quarters_from_ms end as quarters_from, ${HAS_SESSION_DAYS} as has_session_days from ledger_state`,
  );
  const row = rows[0] as
    | ({
        [name in 'first' | 'rows_from' | 'minutes_from' | 'hours_from' | 'quarters_from']: bigint | null;
      } & {
        has_session_days: boolean;
      })
    | undefined;
  return {
    firstMs: typeof row?.first === 'bigint' ? Number(row.first) : null,
    kept: {
      rowsFromMs: Number(row?.rows_from ?? 0),
      minutesFromMs: Number(row?.minutes_from ?? 0),
      hoursFromMs: Number(row?.hours_from ?? 0),
      quartersFromMs: Number(row?.quarters_from ?? Number.POSITIVE_INFINITY),
    },
    hasSessionDays: row?.has_session_days ?? false,
  };
}
