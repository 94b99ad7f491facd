// Windows move on with the clock, and say the same whether they are read or kept live.
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import type { Ledger } from '../../../src/ledger/open.ts';
import type { CostStats, StatsWindow } from '../../../src/ledger/stats/port.ts';
import { createStats } from '../../../src/ledger/stats/stats.ts';
import { ledgerPath, openTestLedger } from '../../support/ledger-folder.ts';
import { START_MS, finish, makeAttempt, makeRun, settle } from '../../support/ledger-records.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const WINDOWS = ['HOUR', 'DAY', 'WEEK', 'MONTH', 'ALL'] as const;

async function spend(
  ledger: Ledger,
  number: number,
  startedAtMs: number,
  costNanoUsd: bigint,
): Promise<void> {
  const run = makeRun(`run_${number}`, { startedAtMs });
  const attempt = makeAttempt(`att_${number}`, run);
  await Promise.all([
    ledger.openRun(run),
    ledger.openAttempt(attempt),
    ledger.closeAttempt(settle(attempt, { costNanoUsd }), null),
    ledger.finishRun(finish(run, { costNanoUsd })),
  ]);
}

describe('windows', () => {
  it('give back what gets too old, live as when they are read again', async () => {
    let nowMs = START_MS;
    const clock = { ...systemClock, nowMs: () => nowMs };
    const ledger = await openTestLedger(ledgerPath(), { clock });
    const live = createStats({ ledger, clock });
    const costs = async (stats = live): Promise<{ [window in StatsWindow]?: bigint }> =>
      Object.fromEntries(
        await Promise.all(
          WINDOWS.map(async (window) => [window, (await stats.costStats({ window })).total.costNanoUsd]),
        ),
      ) as { [window in StatsWindow]?: bigint };
    await costs();

    await spend(ledger, 1, nowMs, 1n);
    nowMs += 59 * MINUTE_MS;
    await spend(ledger, 2, nowMs, 10n);
    expect(await costs()).toEqual({ HOUR: 11n, DAY: 11n, WEEK: 11n, MONTH: 11n, ALL: 11n });
    nowMs += MINUTE_MS;
    expect(await costs()).toEqual({ HOUR: 10n, DAY: 11n, WEEK: 11n, MONTH: 11n, ALL: 11n });
    nowMs += 23 * HOUR_MS;
    expect(await costs()).toEqual({ HOUR: 0n, DAY: 0n, WEEK: 11n, MONTH: 11n, ALL: 11n });
    await spend(ledger, 3, nowMs, 100n);
    nowMs += 7 * 24 * HOUR_MS;
    expect(await costs()).toEqual({ HOUR: 0n, DAY: 0n, WEEK: 0n, MONTH: 111n, ALL: 111n });
    const read = createStats({ ledger, clock });
    expect(await costs(read)).toEqual(await costs());
    nowMs += 30 * 24 * HOUR_MS;
    expect(await costs()).toEqual({ HOUR: 0n, DAY: 0n, WEEK: 0n, MONTH: 0n, ALL: 111n });
    read.close();
    live.close();
  });

  it('show cost and runs by the minute, oldest first', async () => {
    let nowMs = START_MS;
    const clock = { ...systemClock, nowMs: () => nowMs };
    const ledger = await openTestLedger(ledgerPath(), { clock });
    const stats = createStats({ ledger, clock });
    await stats.costStats({ window: 'DAY', by: ['PROVIDER'] });
    await spend(ledger, 1, nowMs, 1n);
    nowMs += 5 * MINUTE_MS;
    await spend(ledger, 2, nowMs, 10n);
    await spend(ledger, 3, nowMs, 20n);
    const points = [
      { atMs: START_MS, costNanoUsd: 1n, runs: 1 },
      { atMs: START_MS + 5 * MINUTE_MS, costNanoUsd: 30n, runs: 2 },
    ];
    const shown = await stats.costStats({ window: 'DAY', by: ['PROVIDER'] });
    expect(shown.total.perMinute).toEqual(points);
    expect(shown.groups[0]?.bucket.perMinute).toEqual(points);
    nowMs += 55 * MINUTE_MS;
    expect((await stats.costStats({ window: 'DAY' })).total.perMinute).toEqual(points.slice(1));
  });

  it('answer a filter that only rows can tell, with the same sums', async () => {
    const clock = { ...systemClock, nowMs: () => START_MS + 30 * MINUTE_MS };
    const ledger = await openTestLedger(ledgerPath(), { clock });
    const stats = createStats({ ledger, clock });
    for (const number of [1, 2, 3])
      await spend(ledger, number, START_MS + number * MINUTE_MS, BigInt(number));
    const all = await stats.costStats({ window: 'HOUR', by: ['MODEL'] });
    const same = await stats.costStats({ window: 'HOUR', by: ['MODEL'], filter: { status: 'succeeded' } });
    const bare = ({ total, groups }: CostStats): unknown => ({ total, groups });
    expect(bare(same)).toEqual(bare(all));
    const cost = async (filter: Parameters<typeof stats.costStats>[0]['filter']): Promise<bigint> =>
      (await stats.costStats({ window: 'HOUR', filter: filter ?? {} })).total.costNanoUsd;
    expect(await cost({ status: 'failed' })).toBe(0n);
    expect(await cost({ minCostNanoUsd: 2n })).toBe(5n);
    expect(
      await cost({ startedFromMs: START_MS + 2 * MINUTE_MS, startedToMs: START_MS + 3 * MINUTE_MS }),
    ).toBe(2n);
    await spend(ledger, 4, START_MS + 4 * MINUTE_MS, 40n);
    expect(await cost({ minCostNanoUsd: 2n })).toBe(45n);
  });

  it('INV-11: a question that comes while rows are being written counts each of them once', async () => {
    const clock = { ...systemClock, nowMs: () => START_MS };
    const ledger = await openTestLedger(ledgerPath(), { clock });
    const stats = createStats({ ledger, clock });
    const spending = Array.from({ length: 200 }, (_, number) => spend(ledger, number, START_MS, 1n));
    await spending[20];
    const early = stats.costStats({ window: 'HOUR', by: ['TASK'] });
    await Promise.all(spending);
    await early;
    const { total, groups } = await stats.costStats({ window: 'HOUR', by: ['TASK'] });
    expect(total).toMatchObject({ costNanoUsd: 200n, runs: 200, attempts: 200 });
    expect(groups[0]?.bucket).toMatchObject({ costNanoUsd: 200n, runs: 200, attempts: 200 });
  });
});
