// Holds the roll-ups to their rows: days to the attempts and runs of the day, hours to their minutes' days.
import type { DatabaseSync } from 'node:sqlite';
import { DAYS, GRAIN_MS, HOURS, MINUTES, encodeDimensions, stemOf } from '../rollup/dimensions.ts';
import type { Grain } from '../rollup/dimensions.ts';
import type { Findings } from './report.ts';

type Row = { readonly [column: string]: unknown };

interface Sum {
  cost: bigint;
  saved: bigint;
  runs: bigint;
  attempts: bigint;
  errors: bigint;
  tokens: bigint;
}

export function verifyRollups(connection: DatabaseSync, findings: Findings): number {
  const days = daysOfRows(connection);
  const prunedBeforeMs = connection.prepare('select pruned_before_ms from ledger_state').get()?.[
    'pruned_before_ms'
  ];
  const firstMs = (prunedBeforeMs as bigint | undefined) ?? 0n;
  const rows = connection
    .prepare(
      `select bucket_ms, dimensions, cost_nano_usd as cost, saved_nano_usd as saved, runs, attempts, errors,
         input_tokens + output_tokens as tokens
       from rollups join rollup_keys on rollup_keys.id = key_id where grain = ${DAYS}`,
    )
    .iterate();
  let count = 0;
  for (const row of rows) {
    count += 1;
    const where = `${row['bucket_ms'] as bigint} ${row['dimensions'] as string}`;
    const sum = days.get(where) ?? emptySum();
    days.delete(where);
    if ((row['bucket_ms'] as bigint) < firstMs) continue;
    for (const name of ['cost', 'saved', 'runs', 'attempts', 'errors', 'tokens'] as const)
      findings.expect('rollup', `${where} ${name}`, sum[name], row[name] as bigint);
  }
  for (const [where, sum] of days) findings.expect('rollup', where, sum.attempts + sum.runs, 0n);
  return (
    count +
    verifyFiner(connection, findings, HOURS, DAYS, 'hours_from_ms') +
    verifyFiner(connection, findings, MINUTES, HOURS, 'minutes_from_ms')
  );
}

/** The sums that the day's roll-ups must have, by day and dimensions. */
function daysOfRows(connection: DatabaseSync): Map<string, Sum> {
  const sums = new Map<string, Sum>();
  const dayOf = `started_at_ms - started_at_ms % ${GRAIN_MS[DAYS]}`;
  const attempts = connection
    .prepare(
      `select ${dayOf} as day, dimensions, status, sum(cost_nano_usd) as cost, count(*) as attempts,
         sum(input_tokens + output_tokens) as tokens
       from attempts join rollup_keys on rollup_keys.id = rollup_key_id where status not in ('open', 'unreconciled')
       group by day, rollup_key_id, status`,
    )
    .iterate();
  for (const row of attempts) {
    const sum = sumAt(sums, row['day'] as bigint, keyOf(row));
    sum.cost += row['cost'] as bigint;
    sum.attempts += row['attempts'] as bigint;
    sum.tokens += row['tokens'] as bigint;
    if (row['status'] === 'failed') sum.errors += row['attempts'] as bigint;
  }
  const runs = connection
    .prepare(
      `select ${dayOf} as day, dimensions, sum(saved_nano_usd) as saved, count(*) as runs
       from runs join rollup_keys on rollup_keys.id = rollup_key_id where finished_at_ms is not null group by day, rollup_key_id`,
    )
    .iterate();
  for (const row of runs) {
    const sum = sumAt(sums, row['day'] as bigint, row['dimensions'] as string);
    sum.saved += row['saved'] as bigint;
    sum.runs += row['runs'] as bigint;
  }
  return sums;
}

/** An attempt's own dimensions carry the status that it was opened with. */
function keyOf(row: Row): string {
  return encodeDimensions(stemOf(row['dimensions'] as string), row['status'] as string);
}

function sumAt(sums: Map<string, Sum>, day: bigint, dimensions: string): Sum {
  const where = `${day} ${dimensions}`;
  const known = sums.get(where) ?? emptySum();
  sums.set(where, known);
  return known;
}

function emptySum(): Sum {
  return { cost: 0n, saved: 0n, runs: 0n, attempts: 0n, errors: 0n, tokens: 0n };
}

/** Each bucket of the coarser grain that still has all its finer ones must be their sum. */
function verifyFiner(
  connection: DatabaseSync,
  findings: Findings,
  finer: Grain,
  coarser: Grain,
  keptFrom: 'minutes_from_ms' | 'hours_from_ms',
): number {
  const width = GRAIN_MS[coarser];
  const rows = connection
    .prepare(
      `with fine as (select bucket_ms - bucket_ms % ${width} as at, key_id, sum(cost_nano_usd) as cost, sum(runs) as runs,
           sum(attempts) as attempts from rollups where grain = ${finer} group by 1, 2)
       select rollups.bucket_ms as at, rollups.key_id as key, rollups.cost_nano_usd as cost, fine.cost as fine_cost,
         rollups.runs as runs, fine.runs as fine_runs, rollups.attempts as attempts, fine.attempts as fine_attempts
       from rollups left join fine on fine.at = rollups.bucket_ms and fine.key_id = rollups.key_id
       where rollups.grain = ${coarser} and rollups.bucket_ms >= (select ${keptFrom} from ledger_state)`,
    )
    .iterate();
  let count = 0;
  for (const row of rows) {
    count += 1;
    const where = `grain ${finer} in ${coarser} at ${row['at'] as bigint} key ${row['key'] as bigint}`;
    for (const name of ['cost', 'runs', 'attempts'] as const)
      findings.expect(
        'rollup',
        `${where} ${name}`,
        (row[`fine_${name}`] as bigint | null) ?? 0n,
        row[name] as bigint,
      );
  }
  return count;
}
