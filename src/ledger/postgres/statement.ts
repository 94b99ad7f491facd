// The one statement that writes a turn of a node: all that it changes, or nothing, in one round trip. It is made from the tables, so that two
// versions of the code can write into the same database while nodes are brought up to date one after the other.
import { getColumns } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { LARGEST_SUM } from '../sqlite/written-values.ts';
import { attempts, budgetWindows, callers, rollups, runs, steps } from './tables.ts';
import { OPENED_ATTEMPT_COLUMNS } from '../sqlite/rows.ts';

export interface Column {
  /** As the row has it in JSON. */
  readonly key: string;
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
}

type AnyTable = Parameters<typeof getColumns>[0];

export function columnsOf(table: AnyTable, without: readonly string[] = ['seq']): readonly Column[] {
  return (
    Object.entries(getColumns(table) as { [key: string]: PgColumn })
      // What the database makes of others, nobody writes.
      .filter(([key, { generated }]) => !without.includes(key) && generated === undefined)
      .map(([key, column]) => ({
        key,
        name: column.name,
        type: column.getSQLType(),
        notNull: column.notNull,
      }))
  );
}

/** Columns that may be blank, each with what it holds then, in SQL. */
type Blanks = ReadonlyMap<string, string>;

function blanks(columns: readonly Column[], keysOfBlanks: readonly string[]): Blanks {
  return new Map(
    columns.flatMap(({ key, type, notNull }) => {
      if (!keysOfBlanks.includes(key)) return [];
      return [[key, notNull ? (type === 'boolean' ? 'false' : '0') : `null::${type}`] as const];
    }),
  );
}

const NO_BLANKS: Blanks = new Map();

export const names = (columns: readonly Column[]): string => columns.map(({ name }) => name).join(', ');
export const keys = (columns: readonly Column[], of: string): string =>
  columns.map(({ key }) => `${of}."${key}"`).join(', ');
export const recordset = (
  place: number,
  of: string,
  columns: readonly Column[],
  further = '',
  without = NO_BLANKS,
): string => {
  const said = columns.filter(({ key }) => !without.has(key));
  return `json_to_recordset($${place}::json) as ${of}(${said.map(({ key, type }) => `"${key}" ${type}`).join(', ')}${further})`;
};
const assignments = (columns: readonly Column[], of: string, without = NO_BLANKS): string =>
  columns.map(({ key, name }) => `${name} = ${without.get(key) ?? `${of}."${key}"`}`).join(', ');

/** Not past 64 bits, where PostgreSQL would refuse the whole turn. */
const sum = (table: string, column: string): string =>
  `least(${LARGEST_SUM}, greatest(-${LARGEST_SUM}, ${table}.${column}::numeric + excluded.${column}))::bigint`;

const RUN = columnsOf(runs);
const FINISHED = columnsOf(runs).filter(({ key }) =>
  [
    'status',
    'outputText',
    'outputContent',
    'error',
    'costNanoUsd',
    'savedNanoUsd',
    'cached',
    'finishedAtMs',
    'latencyMs',
    'rollupKeyId',
  ].includes(key),
);
const ATTEMPT = columnsOf(attempts);
const PROGRESS = columnsOf(attempts, ['seq', 'node', ...OPENED_ATTEMPT_COLUMNS]);
const STEP = columnsOf(steps);

/** What says nothing in most rows of a kind; rows in which none of it says anything are sent and read without it: PostgreSQL reads JSON for as long as it writes. */
const NEW_RUN_BLANKS = blanks(RUN, [
  ...FINISHED.map(({ key }) => key).filter((key) => key !== 'status'),
  'cancelReason',
  'inputContent',
  'parentRunId',
  'priority',
  'session',
]);
const OPENED_BLANKS = blanks(
  ATTEMPT,
  PROGRESS.map(({ key }) => key).filter((key) => !['status', 'model', 'queueMs'].includes(key)),
);
const CLOSED_BLANKS = blanks(PROGRESS, [
  'cacheWriteTokens',
  'errorClass',
  'errorMessage',
  'estimated',
  'notes',
  'reasoningTokens',
  'reconciled',
  'reportedCostNanoUsd',
  'savedPromptCacheNanoUsd',
  'serviceTier',
]);
const STEP_BLANKS = blanks(STEP, ['outputContent', 'error']);
const WINDOW = columnsOf(budgetWindows, ['seeded']);
const ROLLUP = columnsOf(rollups);
const CALLER = columnsOf(callers);

/** What a turn changes: rows as JSON says them. */
interface TurnRows {
  /** Runs that surely have no row yet, and those that may have one. */
  readonly newRuns: readonly object[];
  readonly runs: readonly object[];
  /** Of runs that were opened in an earlier turn; with what their rows say of the cost, which another node may have changed. */
  readonly finished: readonly object[];
  readonly attempts: readonly object[];
  /** Of attempts that were opened in an earlier turn; those that are settled at less are given as they were. */
  readonly closed: readonly object[];
  readonly moved: readonly object[];
  /** Steps that surely have no row yet, and those that may have one. */
  readonly newSteps: readonly object[];
  readonly steps: readonly object[];
  /** What attempts add to what their run cost where its end is written, or is another node's to write. */
  readonly costs: readonly object[];
  readonly windows: readonly object[];
  readonly rollups: readonly object[];
  readonly callers: readonly object[];
}

/** What is left out is nothing. */
export interface Turn extends Partial<TurnRows> {
  readonly node: number;
  readonly first: number;
  readonly last: number;
}

/** Why a turn is refused, in the error's message; its code is this. */
export const REFUSED = 'HG001';
/** The node is fenced, or the turn is written already. */
export const NOT_ITS_TURN = 'not its turn';
/** Something is not as the node remembered it. */
export const STALE = 'stale';

/**
 * The rows that have an id of those given, and meet a condition; one that another transaction changes meanwhile may be left out. As a join, a plan that was
 * made while there were few rows would read the whole table for each turn, or the index of what is under way, which has all in it that was since the
 * last vacuum.
 */
const foundById = (table: string, of: string, given: string, condition: string): string =>
  `from (select ${of}.*, (select ctid from ${table} where id = ${of}.id) as place from ${given} offset 0) as ${of}
  where ${table}.ctid = ${of}.place and (${condition}) is true returning 1`;

const writeRollups = (place: number): string => `
  insert into rollups (${names(ROLLUP)}) select ${keys(ROLLUP, 'u')} from ${recordset(place, 'u', ROLLUP)}
  on conflict (grain, bucket_ms, key_id, node) do update set
    ${ROLLUP.slice(4)
      .map(({ name }) => `${name} = excluded.${name}`)
      .join(', ')}`;
/** Its one value: the rows as JSON says them. */
export const WRITE_ROLLUPS = writeRollups(1);

/** The place of the texts that rows share, after the numbers of the turn. */
const TEXTS = 4;

interface Section {
  readonly rows: keyof TurnRows;
  readonly write: (place: number) => string;
  /** Why a turn is refused whose rows it does not write all. Default: it writes them all, or fails. */
  readonly otherwise?: string;
  /** It writes the rows that say no more than this; the others are the rows of `orElse`. Default: all. */
  readonly plain?: Plain;
}

interface Plain {
  /** What is sent. */
  readonly keys: readonly string[];
  /** Of that, long texts which most rows have in common: each is sent once in a turn, and a row has its place. */
  readonly shared: readonly string[];
  /** What has to be blank: nothing where nothing is another thing than 0, and 0 where a column cannot be without a value. */
  readonly nulls: readonly string[];
  readonly zeros: readonly string[];
  readonly orElse: keyof TurnRows;
}

function plain(
  columns: readonly Column[],
  without: Blanks,
  orElse: keyof TurnRows,
  shared: readonly string[] = [],
): Plain {
  const said = columns.map(({ key }) => key).filter((key) => !without.has(key));
  const { nulls = [], zeros = [] } = Object.groupBy(without.keys(), (key) =>
    without.get(key)?.startsWith('null') === true ? 'nulls' : 'zeros',
  );
  return { keys: said, shared, nulls, zeros, orElse };
}

/** The section that inserts plain rows. */
function inserted(
  rows: keyof TurnRows,
  table: string,
  columns: readonly Column[],
  without: Blanks,
  orElse: keyof TurnRows,
  shared: readonly string[] = [],
): Section {
  const sent = columns.map((column) => (shared.includes(column.key) ? { ...column, type: 'int' } : column));
  const values = columns.map(({ key }) =>
    shared.includes(key) ? `($${TEXTS}::text[])[r."${key}"]` : (without.get(key) ?? `r."${key}"`),
  );
  return {
    rows,
    plain: plain(columns, without, orElse, shared),
    write: (place) =>
      `insert into ${table} (${names(columns)}) select ${values.join(', ')} from ${recordset(place, 'r', sent, '', without)}`,
  };
}

const PLAIN_END = plain(PROGRESS, CLOSED_BLANKS, 'closed');

const closed = (
  place: number,
  further: string,
  condition: string,
  postings: string,
  without?: Blanks,
): string => `
  update attempts set ${assignments(PROGRESS, 'c', without)}${postings}
  ${foundById('attempts', 'c', recordset(place, 'c', PROGRESS, `, id text${further}`, without), condition)}`;

const SECTIONS: readonly Section[] = [
  {
    rows: 'callers',
    write: (place) => `
  insert into callers (${names(CALLER)}) select ${keys(CALLER, 'c')} from ${recordset(place, 'c', CALLER)} order by 1
  on conflict (name) do update set team = excluded.team, tier = excluded.tier,
    last_seen_ms = greatest(callers.last_seen_ms, excluded.last_seen_ms)`,
  },
  inserted('newRuns', 'runs', RUN, NEW_RUN_BLANKS, 'runs', ['revision', 'taskRevision']),
  {
    rows: 'runs',
    write: (place) => `
  insert into runs (${names(RUN)}) select ${keys(RUN, 'r')} from ${recordset(place, 'r', RUN)}
  on conflict (id) do update set status = case when runs.finished_at_ms is null then excluded.status else runs.status end, node = excluded.node,
    begun = excluded.begun
  where runs.durable returning 1`,
    otherwise: 'a run of this id is there',
  },
  {
    rows: 'finished',
    write: (place) => `
  update runs set ${assignments(FINISHED, 'f')}, continuation = null
  ${foundById(
    'runs',
    'f',
    recordset(place, 'f', FINISHED, ', id text, "fromCost" bigint'),
    'runs.finished_at_ms is null and runs.cost_nano_usd = f."fromCost"',
  )}`,
    otherwise: STALE,
  },
  inserted('attempts', 'attempts', ATTEMPT, OPENED_BLANKS, 'attempts', ['decision', 'postings', 'revision']),
  {
    rows: 'attempts',
    write: (place) =>
      `insert into attempts (${names(ATTEMPT)}) select ${keys(ATTEMPT, 'a')} from ${recordset(place, 'a', ATTEMPT)}`,
  },
  {
    rows: 'closed',
    plain: {
      ...PLAIN_END,
      keys: ['id', ...PLAIN_END.keys],
      nulls: [...PLAIN_END.nulls, 'moved', 'fromStatus'],
    },
    write: (place) => closed(place, '', "attempts.status in ('open', 'unreconciled')", '', CLOSED_BLANKS),
    otherwise: STALE,
  },
  {
    rows: 'closed',
    write: (place) =>
      closed(
        place,
        ', moved text, "fromStatus" text, "fromCost" bigint',
        `case when c."fromStatus" is null then attempts.status in ('open', 'unreconciled')
    else attempts.status = c."fromStatus" and attempts.cost_nano_usd = c."fromCost" and not attempts.reconciled end`,
        ', postings = coalesce(c.moved, attempts.postings)',
      ),
    otherwise: STALE,
  },
  {
    rows: 'moved',
    write: (place) => `
  update attempts set postings = m.postings
  ${foundById(
    'attempts',
    'm',
    `json_to_recordset($${place}::json) as m(id text, postings text)`,
    "attempts.status in ('open', 'unreconciled')",
  )}`,
    otherwise: STALE,
  },
  inserted('newSteps', 'steps', STEP, STEP_BLANKS, 'steps'),
  {
    rows: 'steps',
    write: (place) => `
  insert into steps (${names(STEP)}) select ${keys(STEP, 's')} from ${recordset(place, 's', STEP)}
  on conflict (run_id, key) do update set ${STEP.filter(({ key }) => !['runId', 'key', 'kind'].includes(key))
    .map(({ name }) => `${name} = excluded.${name}`)
    .join(', ')} where steps.status <> 'succeeded'`,
  },
  {
    rows: 'costs',
    write: (place) => `
  update runs set cost_nano_usd = least(${LARGEST_SUM}, runs.cost_nano_usd::numeric + c.cost)::bigint
  from json_to_recordset($${place}::json) as c(id text, cost bigint) where runs.id = c.id`,
  },
  {
    rows: 'windows',
    write: (place) => `
  insert into budget_windows (${names(WINDOW)}, seeded)
  select ${keys(WINDOW, 'w')}, false from ${recordset(place, 'w', WINDOW)} order by 1, 2, 3, 4
  on conflict (budget_id, account, window_start_ms, node) do update set
    ${WINDOW.filter(({ name }) => /^(?:spent|held)_/.test(name))
      .map(({ name }) => `${name} = ${sum('budget_windows', name)}`)
      .join(', ')}`,
  },
  { rows: 'rollups', write: writeRollups },
];

const IN_ITS_TURN = 'last_operation = $3 where seq = $1 and alive and last_operation < $2';
/**
 * Of a node that is fenced: what it has paid for is booked, whatever the others have made of it meanwhile. Nobody else writes its rows, and its
 * operations have no numbers any more.
 */
const LATE = 'last_operation = greatest(last_operation, $3) where seq = $1 and not alive and $2 > 0';

/** The rows of a turn that one section writes. */
interface Part {
  readonly section: Section;
  readonly rows: readonly object[];
}

/** Of each section that writes something, in their order. */
function partsOf(turn: Turn, shares: SharedTexts): readonly Part[] {
  const left: { -readonly [Rows in keyof TurnRows]?: TurnRows[Rows] } = { ...turn };
  return SECTIONS.flatMap((section) => {
    const given = left[section.rows] ?? [];
    if (given.length === 0) return [];
    const { plain: only } = section;
    if (only === undefined) return [{ section, rows: given }];
    const rows: object[] = [];
    const others: object[] = [];
    for (const row of given as readonly Row[])
      if (isPlain(row, only)) rows.push(saying(row, only, shares));
      else others.push(row);
    left[only.orElse] = only.orElse === section.rows ? others : [...(left[only.orElse] ?? []), ...others];
    return rows.length === 0 ? [] : [{ section, rows }];
  });
}

type Row = { readonly [key: string]: unknown };

function isPlain(row: Row, { nulls, zeros }: Plain): boolean {
  return (
    nulls.every((key) => (row[key] ?? null) === null) &&
    zeros.every((key) => row[key] === 0 || row[key] === '0' || (row[key] ?? null) === null)
  );
}

function saying(row: Row, { keys: said, shared }: Plain, shares: SharedTexts): object {
  const sent: { [key: string]: unknown } = {};
  for (const key of said) sent[key] = row[key];
  for (const key of shared) sent[key] = shares.placeOf(row[key] as string);
  return sent;
}

/** The long texts of a turn, each once. */
class SharedTexts {
  readonly #places = new Map<string, number>();

  /** From 1 on, as PostgreSQL counts. */
  placeOf(text: string): number {
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    this.#places.set(text, this.#places.size + 1);
    return this.#places.size;
  }

  get all(): readonly string[] {
    return [...this.#places.keys()];
  }
}

/** The places of values: of the turn's numbers and its texts, and of each part its rows and, where it has to write them all, their number. */
function textOf(parts: readonly Part[], condition: string): string {
  let last = TEXTS;
  const writes: string[] = [];
  const checks: string[] = [];
  for (const { section } of parts) {
    const name = `written_${SECTIONS.indexOf(section)}`;
    writes.push(`, ${name} as (${section.write((last += 1))})`);
    if (section.otherwise !== undefined)
      checks.push(
        `when (select count(*) from ${name}) <> $${(last += 1)} then refuse('${section.otherwise}')`,
      );
  }
  return `
with turn as (update nodes set ${condition} and $${TEXTS}::text[] is not null returning 1)
${writes.join('\n')}
select case when not exists (select 1 from turn) then refuse('${NOT_ITS_TURN}') ${checks.join('\n')} end`;
}

/** Prepared, a statement takes half a megabyte of each connection: one that comes now and then is sent as it is. */
const PREPARED_FROM = 10;

interface KindOfTurn {
  readonly text: string;
  turns: number;
}

/** By which parts a turn has. */
const known = new Map<string, KindOfTurn>();

/**
 * All that a turn changes. A part that writes nothing costs PostgreSQL nearly as much as one that writes a row, and most turns have a few of them: each
 * combination is a statement of its own. `isLate`: of a node that is fenced.
 */
export function turnStatement(
  turn: Turn,
  isLate = false,
): { readonly name?: string; readonly text: string; readonly values: unknown[] } {
  const shared = new SharedTexts();
  const parts = partsOf(turn, shared);
  const written = new Set(parts.map(({ section }) => section));
  const name = `headgate_${isLate ? 'late' : 'turn'}_${SECTIONS.map((section) => Number(written.has(section))).join('')}`;
  let kind = known.get(name);
  if (kind === undefined)
    known.set(name, (kind = { text: textOf(parts, isLate ? LATE : IN_ITS_TURN), turns: 0 }));
  kind.turns += 1;
  return {
    ...(kind.turns < PREPARED_FROM ? {} : { name }),
    text: kind.text,
    values: [
      turn.node,
      turn.first,
      turn.last,
      shared.all.map(writable),
      ...parts.flatMap(({ section, rows }) =>
        section.otherwise === undefined ? [jsonOf(rows)] : [jsonOf(rows), rows.length],
      ),
    ],
  };
}

/** What PostgreSQL's text cannot hold: NUL, and halves of a surrogate pair. It may be in what a provider said, never in a text of JSON. */
const UNWRITABLE = /\\u(?:0000|d[89a-f])/i;

function jsonOf(rows: readonly object[]): string {
  const text = JSON.stringify(rows);
  if (!UNWRITABLE.test(text)) return text;
  return JSON.stringify(rows, (_key, value: unknown) =>
    typeof value === 'string' ? writable(value) : value,
  );
}

function writable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}
