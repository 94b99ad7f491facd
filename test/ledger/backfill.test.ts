// A database of an older version has its sums completed when it is opened: they are again what its rows add up to.
import { mkdtempSync, cpSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { openLedger } from '../../src/ledger/open.ts';
import { createSpanStats } from '../../src/ledger/stats/spans.ts';
import { migrate } from '../../src/ledger/sqlite/migrate.ts';
import { ledgerPath } from '../support/ledger-folder.ts';
import { RATES, START_MS, finish, makeAttempt, makeRun, settle } from '../support/ledger-records.ts';

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));
const SAVINGS = readdirSync(MIGRATIONS).find((name) => name.endsWith('_savings'));
const HOUR_MS = 3_600_000;

/** The schema as it was before savings were kept, with the rows of a ledger of today in it: what both know. */
function writtenBefore(today: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-migrations-'));
  for (const name of readdirSync(MIGRATIONS).filter((one) => one < (SAVINGS ?? '')))
    cpSync(join(MIGRATIONS, name), join(folder, name), { recursive: true });
  const path = join(dirname(ledgerPath()), 'headgate.db');
  const old = new DatabaseSync(path);
  migrate(old, path, folder);
  old.exec(`attach '${today}' as today`);
  const tables = old.prepare("select name from sqlite_schema where type = 'table'").all();
  for (const { name } of tables) {
    const columns = old
      .prepare(`pragma table_info(${String(name)})`)
      .all()
      .map((column) => String(column['name']))
      .join(', ');
    old.exec(`delete from ${String(name)}`);
    old.exec(`insert into ${String(name)} (${columns}) select ${columns} from today.${String(name)}`);
  }
  old.exec('detach today');
  old.close();
  return path;
}

it('INV-1: what was counted before savings were kept is completed from its rows, and verifies', async () => {
  const clock = { ...systemClock, nowMs: () => START_MS + 50 * HOUR_MS };
  const today = ledgerPath();
  const ledger = await openLedger({ path: today, synchronous: 'normal', clock, writer: 'inline' });
  for (let index = 0; index < 40; index += 1) {
    const run = makeRun(`run_${index}`, {
      startedAtMs: START_MS + index * HOUR_MS + index * 1000,
      // One that is under way goes on after the start, with its call not counted yet.
      durable: index === 39,
      tags: index % 3 === 0 ? { app: 'a "quoted" one' } : {},
    });
    await ledger.openRun(run);
    const cached = index % 5 === 0;
    if (!cached) {
      const attempt = makeAttempt(`att_${index}`, run, { rates: RATES });
      await ledger.openAttempt(attempt);
      if (index !== 39)
        await ledger.closeAttempt(
          settle(attempt, {
            status: index % 4 === 1 ? 'failed' : 'succeeded',
            estimated: index % 7 === 2,
            cacheWriteTokens: index % 2 === 0 ? 10 : 0,
            reasoningTokens: index % 2 === 0 ? 5 : 0,
          }),
          null,
        );
    }
    if (index !== 39) await ledger.finishRun(finish(run, { cached, savedNanoUsd: cached ? 3_000_000n : 0n }));
  }
  const stats = createSpanStats(ledger, clock);
  const everything = async (from: typeof stats) => ({
    spend: (await from.spend({ span: {}, by: ['STATUS'] })).groups,
    savings: (await from.savings({ span: {}, by: ['TASK'] })).total,
  });
  const before = await everything(stats);
  expect(before.savings.parts.filter(({ amountNanoUsd }) => amountNanoUsd !== 0n).length).toBeGreaterThan(1);
  await ledger.close();

  const old = writtenBefore(today);
  const opened = await openLedger({ path: old, synchronous: 'normal', clock, writer: 'inline' });
  expect((await opened.verify()).discrepancies).toEqual([]);
  expect(await everything(createSpanStats(opened, clock))).toEqual(before);
  await opened.close();
});

it('INV-1: days by session alone are added up for a ledger that has none, and quarters of an hour begin with it', async () => {
  const path = ledgerPath();
  const open = () => openLedger({ path, synchronous: 'normal', clock: systemClock, writer: 'inline' });
  const sessions = async (ledger: Awaited<ReturnType<typeof open>>) =>
    (await createSpanStats(ledger, systemClock).spend({ span: {}, by: ['SESSION'] })).groups;
  const days = async (
    ledger: Awaited<ReturnType<typeof open>>,
    filter: { caller?: string } = {},
  ): Promise<readonly number[]> => {
    const span = { fromMs: START_MS, toMs: START_MS + 8 * 24 * HOUR_MS, timeZone: 'Asia/Kolkata' };
    const stats = createSpanStats(ledger, { ...systemClock, nowMs: () => span.toMs });
    const { series } = await stats.spend({ span, every: 'day', filter, latencies: false });
    return series.map(({ bucket }) => bucket.attempts);
  };
  const write = async (
    ledger: Awaited<ReturnType<typeof open>>,
    index: number,
    atHours = index * 5,
  ): Promise<void> => {
    const session = ['s.1:a@b-c', 's_2', undefined][index % 3];
    const caller = { name: index % 2 === 0 ? 'ana' : 'ben', team: null, tier: null };
    const run = makeRun(`run_${index}`, {
      startedAtMs: START_MS + atHours * HOUR_MS,
      caller: { ...caller, ...(session === undefined ? {} : { session }) },
    });
    const attempt = makeAttempt(`att_${index}`, run, { rates: RATES });
    await ledger.openRun(run);
    await ledger.openAttempt(attempt);
    await ledger.closeAttempt(settle(attempt, { latencyMs: 100 + index * 50 }), null);
    await ledger.finishRun(finish(run));
  };
  const ledger = await open();
  for (let index = 0; index < 20; index += 1) await write(ledger, index);
  const before = await sessions(ledger);
  expect(before.length).toBe(3);
  const daysBefore = await days(ledger);
  await ledger.close();

  const migrations = readdirSync(MIGRATIONS).filter((name) => /^\d/.test(name));
  const old = new DatabaseSync(path);
  old.exec('delete from rollups where grain in (8, 9)');
  old.exec('alter table ledger_state drop column quarters_from_ms');
  old.exec('alter table rollups drop column line');
  old.exec(`pragma user_version = ${migrations.sort().findIndex((name) => name.endsWith('_session_days'))}`);
  old.close();
  const opened = await open();
  expect((await opened.verify()).discrepancies).toEqual([]);
  expect(await sessions(opened)).toEqual(before);
  expect(await days(opened)).toEqual(daysBefore);
  // Of the last hour that was written in not all is counted in quarters; of those after it everything is.
  for (let index = 20; index < 40; index += 1) await write(opened, index, 95.1 + (index - 20) * 3.4);
  const [all, ana, ben] = [
    await days(opened),
    ...(await Promise.all(['ana', 'ben'].map((caller) => days(opened, { caller })))),
  ];
  expect(all).toEqual(ana?.map((count, day) => count + (ben?.[day] ?? 0)));
  expect(all.reduce((sum, count) => sum + count, 0)).toBe(40);
  expect((await opened.verify()).discrepancies).toEqual([]);
  await opened.close();
});
