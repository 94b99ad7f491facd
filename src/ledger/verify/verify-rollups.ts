// Holds the roll-ups to their rows: days to the attempts and runs of the day, hours to their minutes' days.
import type { DatabaseSync } from 'node:sqlite';
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

/** What the roll-ups' columns are of attempts that are closed, in SQL: the rule of `countAttempt`, written a second time so that it is held to. */
const OF_ATTEMPTS: { readonly [column: string]: string } = {
  cost_nano_usd: 'cost_nano_usd',
  attempts: '1',
  errors: "status = 'failed'",
  input_tokens: 'input_tokens',
  cached_input_tokens: 'cached_input_tokens',
  cache_write_tokens: 'cache_write_tokens',
  output_tokens: 'output_tokens',
  reasoning_tokens: 'reasoning_tokens',
  estimated_nano_usd: 'iif(estimated, cost_nano_usd, 0)',
  unbaselined_nano_usd: `iif(status = 'succeeded' and saved_by is not 'failure' and baseline is null, cost_nano_usd, 0)`,
  saved_routing_nano_usd: `iif(saved_by is 'routing', saved_route_nano_usd, 0)`,
  saved_local_nano_usd: `iif(saved_by is 'local', saved_route_nano_usd, 0)`,
  saved_cascade_nano_usd: `iif(saved_by is 'cascade', saved_route_nano_usd, 0)`,
  saved_prompt_cache_nano_usd: 'saved_prompt_cache_nano_usd',
  saved_failures_nano_usd: `iif(saved_by is 'failure' or (saved_by is null and status <> 'succeeded'), -cost_nano_usd, 0)`,
};
const OF_RUNS: { readonly [column: string]: string } = {
  saved_nano_usd: 'saved_nano_usd',
  runs: '1',
  cached_runs: 'cached > 0',
  saved_exact_cache_nano_usd: 'iif(cached = 1, saved_nano_usd, 0)',
};
const sumsIn = (columns: typeof OF_RUNS): string =>
  Object.entries(columns)
    .map(([name, expression]) => `sum(${expression}) as ${name}`)
    .join(', ');

export function verifyRollups(connection: DatabaseSync, findings: Findings): number {
  const own = daysOfRows(connection);
  const days = new Map<string, Sum>();
  for (const { day, dimensions, sum } of own.values()) {
    addSum(days, `${DAYS} ${day} ${withoutSession(dimensions)}`, sum);
    if (decodeDimensions(dimensions).session !== '')
      addSum(days, `${DAYS + BY_SESSION} ${day} ${dimensions}`, sum);
  }
  const prunedBeforeMs = connection.prepare('select pruned_before_ms from ledger_state').get()?.[
    'pruned_before_ms'
  ];
  const firstMs = (prunedBeforeMs as bigint | undefined) ?? 0n;
  const rows = connection
    .prepare(
      `select grain, bucket_ms, dimensions, ${SUM_COLUMNS.join(', ')} from rollups join rollup_keys on rollup_keys.id = key_id
       where grain in (${DAYS}, ${DAYS + BY_SESSION})`,
    )
    .iterate();
  let count = 0;
  for (const row of rows) {
    count += 1;
    const where = `${row['grain'] as bigint} ${row['bucket_ms'] as bigint} ${row['dimensions'] as string}`;
    const sum = days.get(where) ?? {};
    days.delete(where);
    if ((row['bucket_ms'] as bigint) < firstMs) continue;
    for (const name of SUM_COLUMNS)
      findings.expect('rollup', `${where} ${name}`, sum[name] ?? 0n, row[name] as bigint);
  }
  for (const [where, sum] of days)
    findings.expect('rollup', where, (sum['attempts'] ?? 0n) + (sum['runs'] ?? 0n), 0n);
  return (
    count +
    [0, BY_SESSION].reduce(
      (sum, family) =>
        sum +
        verifyFiner(connection, findings, HOURS, DAYS, family, 'hours_from_ms') +
        verifyFiner(connection, findings, MINUTES, HOURS, family, 'minutes_from_ms'),
      0,
    )
  );
}

/** The sums that the day's roll-ups must have, by day and dimensions. */
function daysOfRows(connection: DatabaseSync): Map<string, DaySum> {
  const sums = new Map<string, DaySum>();
  const dayOf = `started_at_ms - started_at_ms % ${GRAIN_MS[DAYS]}`;
  const attempts = connection
    .prepare(
      `select ${dayOf} as day, dimensions, status, ${sumsIn(OF_ATTEMPTS)}
       from attempts join rollup_keys on rollup_keys.id = rollup_key_id where status not in ('open', 'unreconciled')
       group by day, rollup_key_id, status`,
    )
    .iterate();
  for (const row of attempts) addTo(sums, row['day'] as bigint, keyOf(row), row, OF_ATTEMPTS);
  const runs = connection
    .prepare(
      `select ${dayOf} as day, dimensions, ${sumsIn(OF_RUNS)}
       from runs join rollup_keys on rollup_keys.id = rollup_key_id where finished_at_ms is not null group by day, rollup_key_id`,
    )
    .iterate();
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
  columns: typeof OF_RUNS,
): void {
  const where = `${day} ${dimensions}`;
  const known = sums.get(where) ?? { day, dimensions, sum: {} };
  sums.set(where, known);
  for (const name of Object.keys(columns)) known.sum[name] = (known.sum[name] ?? 0n) + (row[name] as bigint);
}

function addSum(sums: Map<string, Sum>, where: string, more: Sum): void {
  const sum = sums.get(where) ?? {};
  sums.set(where, sum);
  for (const [name, amount] of Object.entries(more)) sum[name] = (sum[name] ?? 0n) + amount;
}

/** Each bucket of the coarser grain that still has all its finer ones must be their sum. */
function verifyFiner(
  connection: DatabaseSync,
  findings: Findings,
  finer: Grain,
  coarser: Grain,
  family: number,
  keptFrom: 'minutes_from_ms' | 'hours_from_ms',
): number {
  const width = GRAIN_MS[coarser];
  const rows = connection
    .prepare(
      `with fine as (select bucket_ms - bucket_ms % ${width} as at, key_id,
           ${SUM_COLUMNS.map((name) => `sum(${name}) as fine_${name}`).join(', ')} from rollups where grain = ${finer + family} group by 1, 2)
       select rollups.bucket_ms as at, rollups.key_id as key,
         ${SUM_COLUMNS.map((name) => `rollups.${name} as ${name}, fine_${name}`).join(', ')}
       from rollups left join fine on fine.at = rollups.bucket_ms and fine.key_id = rollups.key_id
       where rollups.grain = ${coarser + family} and rollups.bucket_ms >= (select ${keptFrom} from ledger_state)`,
    )
    .iterate();
  let count = 0;
  for (const row of rows) {
    count += 1;
    const where = `grain ${finer + family} in ${coarser + family} at ${row['at'] as bigint} key ${row['key'] as bigint}`;
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
