// Holds the roll-ups to their rows: days to the attempts and runs of the day, hours to their minutes' days.
import {
  BY_SESSION,
  DAYS,
  GRAIN_MS,
  HOURS,
  MINUTES,
  QUARTERS,
  SESSION_DAYS,
  coarserKeys,
  encodeDimensions,
  stemOf,
  widthMs,
} from '../rollup/dimensions.ts';
import { isClosed, isFinished, ofAttempts, ofRuns, sumsIn } from '../rollup/counted.ts';
import { SUM_COLUMNS } from '../rollup/sums.ts';
import type { Findings } from './report.ts';

type Row = { readonly [column: string]: unknown };

type Sum = { [column: string]: bigint };

interface DaySum {
  readonly day: bigint;
  readonly dimensions: string;
  readonly sum: Sum;
}

const OF_ATTEMPTS = Object.keys(ofAttempts);
const OF_RUNS = Object.keys(ofRuns);
const DAY_OF = `started_at_ms - started_at_ms % ${GRAIN_MS[DAYS]}`;
export const ATTEMPTS_BY_DAY = `select ${DAY_OF} as day, dimensions, status, ${sumsIn(ofAttempts)}
   from attempts join rollup_keys on rollup_keys.id = rollup_key_id where ${isClosed}
   group by 1, rollup_key_id, dimensions, status`;
export const RUNS_BY_DAY = `select ${DAY_OF} as day, dimensions, ${sumsIn(ofRuns)}
   from runs join rollup_keys on rollup_keys.id = rollup_key_id where ${isFinished}
   group by 1, rollup_key_id, dimensions`;
const summed = SUM_COLUMNS.map((name) => `sum(${name}) as ${name}`).join(', ');
export const DAYS_AS_KEPT = (grains: readonly number[]): string =>
  `select grain, bucket_ms, dimensions, ${summed}
   from rollups join rollup_keys on rollup_keys.id = key_id
   where grain in (${grains.join(', ')}) group by grain, bucket_ms, dimensions`;
export const DAY_GRAINS: readonly number[] = [DAYS, DAYS + BY_SESSION, SESSION_DAYS];
export const FINER = ({ finer, coarser, keptFrom }: FinerThan): string => {
  const width = widthMs(coarser);
  const key = finer === QUARTERS ? '0 as key_id' : 'key_id';
  return `with fine as (select bucket_ms - bucket_ms % ${width} as at, ${key},
      ${SUM_COLUMNS.map((name) => `sum(${name}) as fine_${name}`).join(', ')} from rollups where grain = ${finer} group by 1, 2),
    coarse as (select bucket_ms as at, ${key}, ${summed} from rollups
      where grain = ${coarser} and bucket_ms >= (select ${keptFrom} from ledger_state) group by 1, 2)
    select coarse.at as at, coarse.key_id as key, ${SUM_COLUMNS.map((name) => `coarse.${name} as ${name}, fine_${name}`).join(', ')}
    from coarse left join fine on fine.at = coarse.at and fine.key_id = coarse.key_id`;
};

/** A bucket and those that it is the sum of; by grain. */
export interface FinerThan {
  readonly finer: number;
  readonly coarser: number;
  readonly keptFrom: 'minutes_from_ms' | 'hours_from_ms' | 'quarters_from_ms';
}
export const FINER_GRAINS: readonly FinerThan[] = [
  ...[0, BY_SESSION].flatMap((family) => [
    { finer: HOURS + family, coarser: DAYS + family, keptFrom: 'hours_from_ms' as const },
    { finer: MINUTES + family, coarser: HOURS + family, keptFrom: 'minutes_from_ms' as const },
  ]),
  { finer: QUARTERS, coarser: HOURS, keptFrom: 'quarters_from_ms' },
];

/** What the statements above answer. */
export interface RollupRows {
  readonly attempts: Iterable<Row>;
  readonly runs: Iterable<Row>;
  readonly days: Iterable<Row>;
  /** What `days` are of: days by session alone may not all be there yet. */
  readonly dayGrains: readonly number[];
  readonly finer: (grains: FinerThan) => Iterable<Row>;
}

export function verifyRollups(rows: RollupRows, prunedBeforeMs: bigint, findings: Findings): number {
  const own = daysOfRows(rows);
  const days = new Map<string, Sum>();
  for (const { day, dimensions, sum } of own.values()) {
    const { base, session } = coarserKeys(dimensions);
    addSum(days, `${DAYS} ${day} ${base}`, sum);
    if (session === null) continue;
    addSum(days, `${DAYS + BY_SESSION} ${day} ${dimensions}`, sum);
    if (rows.dayGrains.includes(SESSION_DAYS)) addSum(days, `${SESSION_DAYS} ${day} ${session}`, sum);
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
