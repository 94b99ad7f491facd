// Reads roll-ups: PostgreSQL adds up the numbers of each key over all nodes, and the histograms are added to what their group has.
import { BY_SESSION, DAYS, MINUTES, decodeDimensions } from '../../rollup/dimensions.ts';
import type { Dimensions } from '../../rollup/dimensions.ts';
import { isClosed, isFinished, ofAttempts, ofRuns, sumsAs } from '../../rollup/counted.ts';
import { grainsOf, hasFilter, matchesFilter } from '../../rollup/group.ts';
import type { GroupedPoint, GroupedSums, Grouping, RollupFilter, RollupRead } from '../../rollup/group.ts';
import { spanParts } from '../../rollup/span.ts';
import type { Kept, PackedAnswer, SpanRead, TimeSpan } from '../../rollup/span.ts';
import { PointGroups, RememberedShares, SpanGroups } from '../../rollup/span-groups.ts';
import type { KeyShares } from '../../rollup/span-groups.ts';
import { SUM_COLUMNS, columnsOf, hasLine, sumsNamed } from '../../rollup/sums.ts';
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
  #known = new Map<number, Dimensions>();
  readonly shares = new RememberedShares();

  readonly known = (id: number): Dimensions | undefined => this.#known.get(id);

  /** What each of them says. */
  async read(database: Queryable, ids: Iterable<number>): Promise<ReadonlyMap<number, Dimensions>> {
    const found = new Map<number, Dimensions>();
    const missing: number[] = [];
    for (const id of ids) {
      const known = this.#known.get(id);
      if (known === undefined) missing.push(id);
      else found.set(id, known);
    }
    if (missing.length > 0) {
      const { rows } = await database.query(
        'select id, dimensions from rollup_keys where id = any($1::bigint[])',
        [missing],
      );
      if (this.#known.size + missing.length > REMEMBERED_KEYS) this.#known = new Map();
      for (const { id, dimensions } of rows as { id: bigint; dimensions: string }[]) {
        const decoded = decodeDimensions(dimensions);
        this.#known.set(Number(id), decoded);
        found.set(Number(id), decoded);
      }
    }
    for (const id of missing) if (!found.has(id)) throw new Error(`there is no roll-up key ${id}`);
    return found;
  }
}

async function ask(database: Queryable, text: string, bounds: Bounds): Promise<readonly Row[]> {
  const { rows } = await database.query(text, [...bounds]);
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
  for (const one of bounds) {
    const numbers = await ask(database, NUMBERS, one);
    const read = await keys.read(database, numbers.map(keyOf));
    const dimensionsOf = (key: number): Dimensions | undefined => read.get(key);
    for (const row of numbers) groups.add(groups.shareOf(keyOf(row), dimensionsOf), row, 1);
    for (const row of await ask(database, HISTOGRAMS, one))
      groups.addHistograms(groups.shareOf(keyOf(row), dimensionsOf), row, 1);
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
  for (const one of bounds) {
    const rows = await ask(database, POINTS, one);
    const read = await keys.read(database, rows.map(keyOf));
    for (const row of rows)
      points.add(
        points.shareOf(keyOf(row), (key) => read.get(key)),
        row,
      );
  }
  return points.points();
}

/** Sums between two times, of one grain. */
interface Piece {
  readonly grain: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** How large a piece is, the database cannot guess: it would read the whole table for each. */
export const BY_INDEX =
  'set local enable_seqscan to off; set local enable_hashjoin to off; set local enable_mergejoin to off';

const PIECES = 'unnest($1::bigint[], $2::bigint[], $3::bigint[]) with ordinality as p(g, f, t, piece)';
const OF_PIECE = 'grain = p.g and bucket_ms >= p.f and bucket_ms < p.t';
/** A row for each bucket of a piece: by index they lie together, and no text grows past what PostgreSQL and a client can hold, however long the span. */
const byBucket = (columns: string, only = ''): string => `select piece, found.* from ${PIECES}
  cross join lateral (select ${columns} from rollups where ${OF_PIECE}${only} group by bucket_ms) as found`;
const LINES = byBucket("string_agg(line, ',') as lines");
const summed = (columns: readonly string[]): string =>
  columns.map((name) => `sum(${name}) as ${name}`).join(', ');
const togetherOf = (columns: readonly string[]): string =>
  `select piece, ${summed(columns)} from ${PIECES} join rollups on ${OF_PIECE}
   where $4::bigint[] is null or key_id + 0 = any($4::bigint[]) group by piece`;
const KEYS_OF_PIECES = `select distinct key_id from ${PIECES} join rollups on ${OF_PIECE}`;
const byKey = (columns: readonly string[]): string =>
  `select piece, key_id, ${summed(columns)} from ${PIECES} join rollups on ${OF_PIECE} group by piece, key_id`;
const DURATIONS = byBucket(TOGETHER);
/** A key is looked up in the list, and not the list among the keys: that would be a search for each. */
const KEYED_HISTOGRAMS = byBucket(
  `string_agg(key_id::text, ',') as keys, string_agg(length(latency)::text, ',') as latency_lengths,
   string_agg(length(first_token)::text, ',') as first_token_lengths, ${TOGETHER}`,
  ' and ($4::bigint[] is null or key_id + 0 = any($4::bigint[]))',
);
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
  together: (columns: readonly string[]) =>
    `select e.edge as edge, ${sumsAs(columns, sums)} from ${EDGES} join ${from} and ($3::bigint[] is null or rollup_key_id + 0 = any($3::bigint[])) group by e.edge`,
  keys: `select distinct rollup_key_id as key_id from ${EDGES} join ${from}`,
  byKey: (columns: readonly string[]) =>
    `select e.edge as edge${key}, ${sumsAs(columns, sums)} from ${EDGES} join ${from} group by e.edge${key.replace(' as key_id', '')}`,
}));
const DURATIONS_AT_EDGES = `select e.edge as edge, rollup_key_id as key_id, status, latency_ms, first_token_ms
  from ${EDGES} join attempts on ${BEGAN_INSIDE} where ${isClosed}`;

/** One of the spans that are read together. */
interface Reading extends SpanRead {
  readonly keys: KeyShares;
  /** By their names. */
  readonly pieces: readonly Part[];
  readonly edges: readonly Part[];
  readonly isOneGroup: boolean;
  readonly complete: boolean;
}

interface Part {
  readonly name: string;
  readonly sign: 1 | -1;
}

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
  // What is read where two spans meet is read once.
  const pieces = new Map<string, Piece>();
  const edges = new Map<string, TimeSpan>();
  const spans = reads.map((read): Reading => {
    const { sums, rows } = spanParts(read, there);
    return {
      ...read,
      pieces: sums.flatMap(({ sign, grain: of, fromMs, toMs }) =>
        grainsOf(of, read.grouping, isComplete).map((grain) => {
          const name = `${grain} ${fromMs} ${toMs}`;
          pieces.set(name, { grain, fromMs, toMs });
          return { name, sign };
        }),
      ),
      edges: rows.map(({ sign, fromMs, toMs }) => {
        const name = `${fromMs} ${toMs}`;
        edges.set(name, { fromMs, toMs });
        return { name, sign };
      }),
      keys: keys.shares.of(read.grouping),
      isOneGroup: read.grouping.by.length === 0 && !hasFilter(read.grouping.filter),
      complete: rows.every((part) => part.fromMs >= there.rowsFromMs),
    };
  });

  const ask = async (text: string, values: readonly unknown[]): Promise<readonly Row[]> => {
    const { rows } = await database.query(text, [...values]);
    return rows as Row[];
  };
  const askPieces = async (
    some: readonly string[],
    text: string,
    ...more: readonly unknown[]
  ): Promise<Found> => {
    if (some.length === 0) return NOTHING_FOUND;
    const list = some.flatMap((name) => pieces.get(name) ?? []);
    const bounds = [
      list.map(({ grain }) => grain),
      list.map(({ fromMs }) => fromMs),
      list.map(({ toMs }) => toMs),
    ];
    return Map.groupBy(await ask(text, [...bounds, ...more]), (row) => some[Number(row['piece']) - 1] ?? '');
  };
  const askEdges = async (
    some: readonly string[],
    text: string,
    ...more: readonly unknown[]
  ): Promise<Found> => {
    if (some.length === 0) return NOTHING_FOUND;
    const list = some.flatMap((name) => edges.get(name) ?? []);
    const bounds = [list.map(({ fromMs }) => fromMs), list.map(({ toMs }) => toMs)];
    return Map.groupBy(await ask(text, [...bounds, ...more]), (row) => some[Number(row['edge']) - 1] ?? '');
  };
  const namesOf = (of: 'pieces' | 'edges', some: readonly Reading[]): readonly string[] => [
    ...new Set(some.flatMap((span) => span[of].map(({ name }) => name))),
  ];
  const isOfLines = (name: string): boolean => hasLine(pieces.get(name)?.grain ?? MINUTES);
  const isNotOfLines = (name: string): boolean => !isOfLines(name);
  const unknown = new Set<number>();
  const read = new Map<number, Dimensions>();
  const dimensionsOf = (key: number): Dimensions | undefined => {
    const known = read.get(key) ?? keys.known(key);
    if (known === undefined) unknown.add(key);
    return known;
  };
  /** Those that a filter lets through; null: all of them. */
  const keysFor = async (
    filter: RollupFilter,
    found: () => Promise<Found>,
  ): Promise<readonly number[] | null> => {
    if (!hasFilter(filter)) return null;
    const all = [...(await found()).values()].flatMap((rows) => rows.map(keyOf));
    const dimensions = await keys.read(database, all);
    for (const [key, each] of dimensions) read.set(key, each);
    return [...dimensions].flatMap(([key, each]) => (matchesFilter(each, filter) ? [key] : []));
  };

  const lines = await askPieces([...pieces.keys()].filter(isOfLines), LINES);
  const others = new Map<string, Found>();
  const atEdges = new Map<string, readonly Found[]>();
  /** Of filters; by kind. */
  const letThrough = new Map<string, readonly number[]>();
  for (const [kind, some] of Map.groupBy(spans, kindOf)) {
    const filter = some[0]?.grouping.filter ?? {};
    const finer = namesOf('pieces', some).filter(isNotOfLines);
    const ends = namesOf('edges', some);
    if (kind === KEYED) {
      others.set(kind, await askPieces(finer, byKey(columns)));
      atEdges.set(
        kind,
        await Array.fromAsync(COUNTED_AT_EDGES, (counted) => askEdges(ends, counted.byKey(columns))),
      );
      continue;
    }
    // Few rows leave the database: of the days of a series there are thousands of hours.
    const only = await keysFor(filter, () => askPieces(finer, KEYS_OF_PIECES));
    if (only !== null) letThrough.set(kind, only);
    others.set(kind, await askPieces(finer, togetherOf(columns), only));
    atEdges.set(
      kind,
      await Array.fromAsync(COUNTED_AT_EDGES, async (counted) => {
        const some = await keysFor(filter, () => askEdges(ends, counted.keys));
        return askEdges(ends, counted.together(columns), some);
      }),
    );
  }

  const addPiece = (span: Reading, name: string, into: SpanGroups, sign: 1 | -1): void => {
    for (const { lines: text } of lines.get(name) ?? [])
      if (isInOneGroup(span, pieces.get(name))) into.addAllLines(text as string, sign);
      else into.addLines(text as string, sign, dimensionsOf);
    for (const row of others.get(kindOf(span))?.get(name) ?? [])
      if (kindOf(span) !== KEYED) into.addAll(row, sign);
      else into.add(into.shareOf(keyOf(row), dimensionsOf), row, sign);
  };
  const addEdge = (span: Reading, name: string, into: SpanGroups, sign: 1 | -1): void => {
    for (const found of atEdges.get(kindOf(span)) ?? [])
      for (const row of found.get(name) ?? [])
        if (kindOf(span) !== KEYED) into.addAll(row, sign);
        else into.add(rowShareOf(into, row, dimensionsOf), row, sign);
  };
  const addUp = (): SpanGroups[] => {
    const totals = new Map<string, SpanGroups>();
    return spans.map((span) => {
      const into = new SpanGroups(span.keys, names);
      const { by, filter } = span.grouping;
      for (const [parts, add] of [
        [span.pieces, addPiece],
        [span.edges, addEdge],
      ] as const)
        for (const { name, sign } of parts) {
          if (by.length > 0) {
            add(span, name, into, sign);
            continue;
          }
          // What is of one group is added up once for all spans that have it.
          const part = `${name} ${JSON.stringify(filter)}`;
          let total = totals.get(part);
          if (total === undefined) {
            totals.set(part, (total = new SpanGroups(span.keys, names)));
            add(span, name, total, 1);
          }
          into.addGroups(total, sign);
        }
      return into;
    });
  };
  let groups = addUp();
  // When a question comes again, all of its keys are known.
  while (unknown.size > 0) {
    for (const [key, dimensions] of await keys.read(database, unknown)) read.set(key, dimensions);
    unknown.clear();
    groups = addUp();
  }

  for (const [index, span] of spans.entries()) {
    const into = groups[index];
    if (into === undefined) continue;
    const { first, latencies, grouping } = span;
    if (first !== undefined) into.keepDearest(first);
    if (!latencies) continue;
    const { inOne = [], keyed: own = [] } = Object.groupBy(span.pieces, ({ name }) =>
      isInOneGroup(span, pieces.get(name)) ? 'inOne' : 'keyed',
    );
    if (into.isAsked(into.shareOfAll())) {
      const found = await askPieces(
        inOne.map(({ name }) => name),
        DURATIONS,
      );
      for (const { name, sign } of inOne)
        for (const row of found.get(name) ?? []) into.addHistograms(into.shareOfAll(), row, sign);
    }
    const only = new Set<number>();
    for (const key of letThrough.get(kindOf(span)) ?? []) only.add(key);
    const isAll = !into.leavesOut && !hasFilter(grouping.filter);
    for (const { name } of isAll ? [] : own) {
      for (const { lines: text } of lines.get(name) ?? []) into.wantedOf(text as string, only);
      if (kindOf(span) === KEYED) for (const row of others.get(KEYED)?.get(name) ?? []) only.add(keyOf(row));
    }
    const found = await askPieces(
      own.map(({ name }) => name),
      KEYED_HISTOGRAMS,
      isAll ? null : [...only],
    );
    for (const { name, sign } of own)
      for (const row of found.get(name) ?? []) into.addKeyedHistograms(row, sign, dimensionsOf);
    const atEdge = await askEdges(namesOf('edges', [span]), DURATIONS_AT_EDGES);
    for (const { name, sign } of span.edges)
      for (const row of atEdge.get(name) ?? [])
        into.addDurations(
          span.isOneGroup ? into.shareOfAll() : rowShareOf(into, row, dimensionsOf),
          row,
          sign,
        );
  }
  return {
    firstMs,
    answers: groups.map((into, index) => ({ ...into.answer(), complete: spans[index]?.complete === true })),
  };
}

const keyOf = (row: Row): number => Number(row['key_id']);

type DimensionsOf = (key: number) => Dimensions | undefined;
const rowShareOf = (groups: SpanGroups, row: Row, dimensionsOf: DimensionsOf): number =>
  groups.rowShareOf(keyOf(row), dimensionsOf, row['status'] as string | undefined);

/** What is read by key; else it is read in one, of the keys that a filter lets through. */
const KEYED = 'keyed';
const kindOf = ({ grouping: { by, filter } }: Reading): string =>
  by.length > 0 ? KEYED : JSON.stringify(filter);

type Found = ReadonlyMap<string, readonly Row[]>;
const NOTHING_FOUND: Found = new Map();

/** No key has to be asked about: what says a session is all of one group where it is counted under none. */
function isInOneGroup({ isOneGroup, grouping: { by, filter } }: Reading, piece: Piece | undefined): boolean {
  return (
    isOneGroup ||
    (!hasFilter(filter) &&
      (piece?.grain ?? BY_SESSION) < BY_SESSION &&
      by.every((dimension) => dimension === 'SESSION'))
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
