// Holds the roll-ups to their rows: days to the attempts and runs of the day, hours to their minutes' days.
import {
  BY_SESSION,
  DAYS,
  GRAIN_MS,
  HOURS,
  MINUTES,
  decodeDimensions,
  encodeDimensions,
  stemOf,
  withoutSession,
} from '../rollup/dimensions.ts';
import type { Grain } from '../rollup/dimensions.ts';
import { SUM_COLUMNS } from '../rollup/sums.ts';
import type { Findings } from './report.ts';

type Row = { readonly [column: string]: unknown };

type Sum = { [column: string]: bigint };

interface DaySum {
  readonly day: bigint;
  readonly dimensions: string;
  readonly sum: Sum;
}

/** Where the two databases say the same in other words. */
export interface SqlDialect {
  readonly number: (condition: string) => string;
  /** A text or null, compared with a text. */
  readonly is: (column: string, text: string) => string;
}
const when = (condition: string, value: string): string => `case when ${condition} then ${value} else 0 end`;
export const SQLITE: SqlDialect = {
  number: (condition) => when(condition, '1'),
  is: (column, text) => `${column} is '${text}'`,
};
export const POSTGRES: SqlDialect = {
  number: (condition) => when(condition, '1'),
  is: (column, text) => `${column} is not distinct from '${text}'`,
};

/** What the roll-ups' columns are of attempts that are closed, in SQL: the rule of `countAttempt`, written a second time so that it is held to. */
const ofAttempts = ({ number, is }: SqlDialect): { readonly [column: string]: string } => ({
  cost_nano_usd: 'cost_nano_usd',
  attempts: '1',
  errors: number("status = 'failed'"),
  input_tokens: 'input_tokens',
  cached_input_tokens: 'cached_input_tokens',
  cache_write_tokens: 'cache_write_tokens',
  output_tokens: 'output_tokens',
  reasoning_tokens: 'reasoning_tokens',
  estimated_nano_usd: when('estimated', 'cost_nano_usd'),
  unbaselined_nano_usd: when(
    `status = 'succeeded' and not (${is('saved_by', 'failure')}) and baseline is null`,
    'cost_nano_usd',
  ),
  saved_routing_nano_usd: when(is('saved_by', 'routing'), 'saved_route_nano_usd'),
  saved_local_nano_usd: when(is('saved_by', 'local'), 'saved_route_nano_usd'),
  saved_cascade_nano_usd: when(is('saved_by', 'cascade'), 'saved_route_nano_usd'),
  saved_prompt_cache_nano_usd: 'saved_prompt_cache_nano_usd',
  saved_failures_nano_usd: when(
    `${is('saved_by', 'failure')} or (saved_by is null and status <> 'succeeded')`,
    '-cost_nano_usd',
  ),
});
const ofRuns = ({ number }: SqlDialect): { readonly [column: string]: string } => ({
  saved_nano_usd: 'saved_nano_usd',
  runs: '1',
  cached_runs: number('cached > 0'),
  saved_exact_cache_nano_usd: when('cached = 1', 'saved_nano_usd'),
});
const OF_ATTEMPTS = Object.keys(ofAttempts(SQLITE));
const OF_RUNS = Object.keys(ofRuns(SQLITE));
const sumsIn = (columns: { readonly [column: string]: string }): string =>
  Object.entries(columns)
    .map(([name, expression]) => `sum(${expression}) as ${name}`)
    .join(', ');

const DAY_OF = `started_at_ms - started_at_ms % ${GRAIN_MS[DAYS]}`;
export const ATTEMPTS_BY_DAY = (dialect: SqlDialect): string =>
  `select ${DAY_OF} as day, dimensions, status, ${sumsIn(ofAttempts(dialect))}
   from attempts join rollup_keys on rollup_keys.id = rollup_key_id where status not in ('open', 'unreconciled')
   group by 1, rollup_key_id, dimensions, status`;
export const RUNS_BY_DAY = (dialect: SqlDialect): string =>
  `select ${DAY_OF} as day, dimensions, ${sumsIn(ofRuns(dialect))}
   from runs join rollup_keys on rollup_keys.id = rollup_key_id where finished_at_ms is not null
   group by 1, rollup_key_id, dimensions`;
const summed = SUM_COLUMNS.map((name) => `sum(${name}) as ${name}`).join(', ');
export const DAYS_AS_KEPT = `select grain, bucket_ms, dimensions, ${summed}
  from rollups join rollup_keys on rollup_keys.id = key_id
  where grain in (${DAYS}, ${DAYS + BY_SESSION}) group by grain, bucket_ms, dimensions`;
export const FINER = (finer: number, coarser: number, keptFrom: FinerThan['keptFrom']): string => {
  const width = GRAIN_MS[(coarser % BY_SESSION) as Grain];
  return `with fine as (select bucket_ms - bucket_ms % ${width} as at, key_id,
      ${SUM_COLUMNS.map((name) => `sum(${name}) as fine_${name}`).join(', ')} from rollups where grain = ${finer} group by 1, 2),
    coarse as (select bucket_ms as at, key_id, ${summed} from rollups
      where grain = ${coarser} and bucket_ms >= (select ${keptFrom} from ledger_state) group by 1, 2)
    select coarse.at as at, coarse.key_id as key, ${SUM_COLUMNS.map((name) => `coarse.${name} as ${name}, fine_${name}`).join(', ')}
    from coarse left join fine on fine.at = coarse.at and fine.key_id = coarse.key_id`;
};

/** A bucket and those that it is the sum of; by grain. */
export interface FinerThan {
  readonly finer: number;
  readonly coarser: number;
  readonly keptFrom: 'minutes_from_ms' | 'hours_from_ms';
}
export const FINER_GRAINS: readonly FinerThan[] = [0, BY_SESSION].flatMap((family) => [
  { finer: HOURS + family, coarser: DAYS + family, keptFrom: 'hours_from_ms' as const },
  { finer: MINUTES + family, coarser: HOURS + family, keptFrom: 'minutes_from_ms' as const },
]);

/** What the statements above answer. */
export interface RollupRows {
  readonly attempts: Iterable<Row>;
  readonly runs: Iterable<Row>;
  readonly days: Iterable<Row>;
  readonly finer: (grains: FinerThan) => Iterable<Row>;
}

export function verifyRollups(rows: RollupRows, prunedBeforeMs: bigint, findings: Findings): number {
  const own = daysOfRows(rows);
  const days = new Map<string, Sum>();
  for (const { day, dimensions, sum } of own.values()) {
    addSum(days, `${DAYS} ${day} ${withoutSession(dimensions)}`, sum);
    if (decodeDimensions(dimensions).session !== '')
      addSum(days, `${DAYS + BY_SESSION} ${day} ${dimensions}`, sum);
  }
  let count = 0;
  for (const row of rows.days) {
    count += 1;
    const where = `${row['grain'] as bigint} ${row['bucket_ms'] as bigint} ${row['dimensions'] as string}`;
    const sum = days.get(where) ?? {};
    days.delete(where);
    if ((row['bucket_ms'] as bigint) < prunedBeforeMs) continue;
    for (const name of SUM_COLUMNS)
      findings.expect('rollup', `${where} ${name}`, sum[name] ?? 0n, row[name] as bigint);
  }
  for (const [where, sum] of days)
    findings.expect('rollup', where, (sum['attempts'] ?? 0n) + (sum['runs'] ?? 0n), 0n);
  for (const grains of FINER_GRAINS) count += verifyFiner(rows.finer(grains), grains, findings);
  return count;
}

/** The sums that the day's roll-ups must have, by day and dimensions. */
function daysOfRows({ attempts, runs }: RollupRows): Map<string, DaySum> {
  const sums = new Map<string, DaySum>();
  for (const row of attempts) addTo(sums, row['day'] as bigint, keyOf(row), row, OF_ATTEMPTS);
  for (const row of runs) addTo(sums, row['day'] as bigint, row['dimensions'] as string, row, OF_RUNS);
  return sums;
}

/** An attempt's own dimensions carry the status that it was opened with. */
function keyOf(row: Row): string {
  return encodeDimensions(stemOf(row['dimensions'] as string), row['status'] as string);
}

function addTo(
  sums: Map<string, DaySum>,
  day: bigint,
  dimensions: string,
  row: Row,
  columns: readonly string[],
): void {
  const where = `${day} ${dimensions}`;
  const known = sums.get(where) ?? { day, dimensions, sum: {} };
  sums.set(where, known);
  for (const name of columns) known.sum[name] = (known.sum[name] ?? 0n) + (row[name] as bigint);
}

function addSum(sums: Map<string, Sum>, where: string, more: Sum): void {
  const sum = sums.get(where) ?? {};
  sums.set(where, sum);
  for (const [name, amount] of Object.entries(more)) sum[name] = (sum[name] ?? 0n) + amount;
}

/** Each bucket of the coarser grain that still has all its finer ones must be their sum. */
function verifyFiner(rows: Iterable<Row>, { finer, coarser }: FinerThan, findings: Findings): number {
  let count = 0;
  for (const row of rows) {
    count += 1;
    const where = `grain ${finer} in ${coarser} at ${row['at'] as bigint} key ${row['key'] as bigint}`;
    for (const name of SUM_COLUMNS)
      findings.expect(
        'rollup',
        `${where} ${name}`,
        (row[`fine_${name}`] as bigint | null) ?? 0n,
        row[name] as bigint,
      );
  }
  return count;
}
