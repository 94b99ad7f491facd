// Adds everything up again in one snapshot of PostgreSQL, as `verify/` says: attempts in parts, so that no more of them are in memory.
import { QUARTERS, SESSION_DAYS } from '../../rollup/dimensions.ts';
import { Findings } from '../../verify/report.ts';
import type { VerifyReport } from '../../verify/report.ts';
import {
  ATTEMPTS_BY_DAY,
  DAYS_AS_KEPT,
  DAY_GRAINS,
  FINER,
  FINER_GRAINS,
  RUNS_BY_DAY,
  verifyRollups,
} from '../../verify/verify-rollups.ts';
import type { FinerThan } from '../../verify/verify-rollups.ts';
import {
  ATTEMPT_COLUMNS,
  AttemptSums,
  FROM_ATTEMPTS,
  RUNS,
  reportOf,
  verifyRuns,
} from '../../verify/verify.ts';
import type { Queryable, Row } from '../connection.ts';
import { HAS_QUARTERS, HAS_SESSION_DAYS, isTrue } from '../rollup-changes.ts';

const ROWS_AT_ONCE = 5_000;

/** To be called within a snapshot: all sums are of one commit. */
export async function verify(database: Queryable): Promise<VerifyReport> {
  const all = async (text: string, values: readonly unknown[] = []): Promise<readonly Row[]> =>
    (await database.query(text, [...values])).rows as Row[];
  // Of a large ledger it takes longer to read an answer than a node may stand still.
  await database.query('set local idle_in_transaction_session_timeout to 0');
  const findings = new Findings();
  const [state] = await all('select pruned_before_ms as at from ledger_state');
  const prunedBeforeMs = (state?.['at'] ?? 0n) as bigint;
  const sums = new AttemptSums(findings);
  let attempts = 0;
  for (let after = 0n; ;) {
    const rows = await all(
      `select attempts.seq as seq, attempts.id as id, ${ATTEMPT_COLUMNS} ${FROM_ATTEMPTS}
       where attempts.seq > $1 order by attempts.seq limit ${ROWS_AT_ONCE}`,
      [String(after)],
    );
    attempts += sums.add(rows);
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last['seq'] as bigint;
  }
  const [counted] = await all('select count(*) as runs from runs where finished_at_ms is not null');
  verifyRuns(await all(`select * from (${RUNS}) as r where cost <> summed`), findings);
  const budgetWindows = sums.verifyWindows(
    await all(
      `select budget_id, account, window_start_ms, bool_or(seeded) as seeded,
         ${['spent', 'held'].flatMap((kind) => ['nano_usd', 'tokens', 'calls'].map((unit) => `sum(${kind}_${unit}) as ${kind}_${unit}`)).join(', ')}
       from budget_windows group by 1, 2, 3`,
    ),
    prunedBeforeMs,
  );
  const finer = new Map<FinerThan, readonly Row[]>();
  const quarters = await isTrue(database, HAS_QUARTERS);
  for (const grains of FINER_GRAINS)
    finer.set(grains, quarters || grains.finer !== QUARTERS ? await all(FINER(grains)) : []);
  const dayGrains = (await isTrue(database, HAS_SESSION_DAYS))
    ? DAY_GRAINS
    : DAY_GRAINS.filter((grain) => grain !== SESSION_DAYS);
  const rollups = verifyRollups(
    {
      attempts: await all(ATTEMPTS_BY_DAY),
      runs: await all(RUNS_BY_DAY),
      days: await all(DAYS_AS_KEPT(dayGrains)),
      dayGrains,
      finer: (grains) => finer.get(grains) ?? [],
    },
    prunedBeforeMs,
    findings,
  );
  return reportOf(findings, { attempts, runs: Number(counted?.['runs'] ?? 0), budgetWindows, rollups });
}
