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
}

type AnyTable = Parameters<typeof getColumns>[0];

export function columnsOf(table: AnyTable, without: readonly string[] = ['seq']): readonly Column[] {
  return Object.entries(getColumns(table) as { [key: string]: PgColumn })
    .filter(([key]) => !without.includes(key))
    .map(([key, column]) => ({ key, name: column.name, type: column.getSQLType() }));
}

export const names = (columns: readonly Column[]): string => columns.map(({ name }) => name).join(', ');
export const keys = (columns: readonly Column[], of: string): string =>
  columns.map(({ key }) => `${of}."${key}"`).join(', ');
export const recordset = (place: number, of: string, columns: readonly Column[], further = ''): string =>
  `json_to_recordset($${place}::json) as ${of}(${columns.map(({ key, type }) => `"${key}" ${type}`).join(', ')}${further})`;
const assignments = (columns: readonly Column[], of: string): string =>
  columns.map(({ key, name }) => `${name} = ${of}."${key}"`).join(', ');

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
const WINDOW = columnsOf(budgetWindows, ['seeded']);
const ROLLUP = columnsOf(rollups);
const CALLER = columnsOf(callers);

/** What a turn changes: rows as JSON says them. */
export interface Turn {
  readonly node: number;
  readonly first: number;
  readonly last: number;
  readonly runs: readonly object[];
  /** Of runs that were opened in an earlier turn; with what their rows say of the cost, which another node may have changed. */
  readonly finished: readonly object[];
  readonly attempts: readonly object[];
  /** Of attempts that were opened in an earlier turn; those that are settled at less are given as they were. */
  readonly closed: readonly object[];
  readonly moved: readonly object[];
  readonly steps: readonly object[];
  /** What attempts add to what their run cost where its end is written, or is another node's to write. */
  readonly costs: readonly object[];
  readonly windows: readonly object[];
  readonly rollups: readonly object[];
  readonly callers: readonly object[];
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

interface Section {
  readonly rows: Exclude<keyof Turn, 'node' | 'first' | 'last'>;
  readonly write: (place: number) => string;
  /** Why a turn is refused whose rows it does not write all. Default: it writes them all, or fails. */
  readonly otherwise?: string;
}

const SECTIONS: readonly Section[] = [
  {
    rows: 'callers',
    write: (place) => `
  insert into callers (${names(CALLER)}) select ${keys(CALLER, 'c')} from ${recordset(place, 'c', CALLER)} order by 1
  on conflict (name) do update set team = excluded.team, tier = excluded.tier,
    last_seen_ms = greatest(callers.last_seen_ms, excluded.last_seen_ms)`,
  },
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
  {
    rows: 'attempts',
    write: (place) =>
      `insert into attempts (${names(ATTEMPT)}) select ${keys(ATTEMPT, 'a')} from ${recordset(place, 'a', ATTEMPT)}`,
  },
  {
    rows: 'closed',
    write: (place) => `
  update attempts set ${assignments(PROGRESS, 'c')}, postings = coalesce(c.moved, attempts.postings)
  ${foundById(
    'attempts',
    'c',
    recordset(place, 'c', PROGRESS, ', id text, moved text, "fromStatus" text, "fromCost" bigint'),
    `case when c."fromStatus" is null then attempts.status in ('open', 'unreconciled')
    else attempts.status = c."fromStatus" and attempts.cost_nano_usd = c."fromCost" and not attempts.reconciled end`,
  )}`,
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

function textOf(sections: readonly Section[], condition: string): string {
  const parts = sections.map((section, index) => ({ ...section, place: index + 4 }));
  const checks = parts.flatMap(({ rows, place, otherwise }) =>
    otherwise === undefined
      ? []
      : [
          `when (select count(*) from ${rows}_written) <> json_array_length($${place}::json) then refuse('${otherwise}')`,
        ],
  );
  return `
with turn as (update nodes set ${condition} returning 1)
${parts.map(({ rows, write, place }) => `, ${rows}_written as (${write(place)})`).join('\n')}
select case when not exists (select 1 from turn) then refuse('${NOT_ITS_TURN}') ${checks.join('\n')} end`;
}

const texts = new Map<string, string>();

/**
 * All that a turn changes. A part that writes nothing costs PostgreSQL nearly as much as one that writes a row, and most turns have a few of them: each
 * combination is a statement of its own. `isLate`: of a node that is fenced.
 */
export function turnStatement(
  turn: Turn,
  isLate = false,
): { readonly name: string; readonly text: string; readonly values: (number | string)[] } {
  const sections = SECTIONS.filter(({ rows }) => turn[rows].length > 0);
  const name = `headgate_${isLate ? 'late' : 'turn'}_${SECTIONS.map((section) => Number(sections.includes(section))).join('')}`;
  let text = texts.get(name);
  if (text === undefined) texts.set(name, (text = textOf(sections, isLate ? LATE : IN_ITS_TURN)));
  return {
    name,
    text,
    values: [turn.node, turn.first, turn.last, ...sections.map(({ rows }) => jsonOf(turn[rows]))],
  };
}

/** What PostgreSQL's text cannot hold: NUL, and halves of a surrogate pair. It may be in what a provider said, never in a text of JSON. */
const UNWRITABLE = /\\u(?:0000|d[89a-f])/i;

function jsonOf(rows: readonly object[]): string {
  const text = JSON.stringify(rows);
  if (!UNWRITABLE.test(text)) return text;
  return JSON.stringify(rows, (_key, value: unknown) =>
    typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\uFFFD') : value,
  );
}
