// Statistics say what the ledger has written: live, after a restart, by any dimension.
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import type { Ledger } from '../../../src/ledger/open.ts';
import { createStats } from '../../../src/ledger/stats/stats.ts';
import type { CostStats } from '../../../src/ledger/stats/port.ts';
import { ledgerPath, openTestLedger } from '../../support/ledger-folder.ts';
import { START_MS, finish, makeAttempt, makeRun, settle } from '../../support/ledger-records.ts';

const clock = { ...systemClock, nowMs: () => START_MS + 30_000 };

async function runOnce(ledger: Ledger, number: number, costNanoUsd: bigint, provider: string): Promise<void> {
  const run = makeRun(`run_${number}`, {
    tags: { env: number % 2 === 0 ? 'prod' : 'dev' },
    startedAtMs: START_MS,
  });
  await ledger.openRun(run);
  const attempt = makeAttempt(`att_${number}`, run, { provider });
  await ledger.openAttempt(attempt);
  await ledger.closeAttempt(settle(attempt, { costNanoUsd }), null);
  await ledger.finishRun(finish(run, { costNanoUsd, savedNanoUsd: 7n }));
}

function summary(stats: CostStats): string[] {
  return stats.groups.map(
    ({ keys, bucket }) =>
      `${keys.map(({ value }) => value).join(' ')}: ${bucket.costNanoUsd} ${bucket.attempts} ${bucket.runs}`,
  );
}

describe('cost statistics', () => {
  it('INV-1: adds up to the nano-dollar, live and after a restart', async () => {
    const path = ledgerPath();
    const ledger = await openTestLedger(path, { clock });
    const stats = createStats({ ledger, clock });
    await runOnce(ledger, 1, 3n, 'openai');
    expect((await stats.costStats({ window: 'HOUR' })).total.costNanoUsd).toBe(3n);
    const before = stats.version();
    await runOnce(ledger, 2, 9_007_199_254_740_993n, 'anthropic');
    expect(stats.version()).toBeGreaterThan(before);
    const live = await stats.costStats({ window: 'HOUR', by: ['PROVIDER'] });
    expect((await stats.costStats({ window: 'HOUR' })).total.costNanoUsd).toBe(9_007_199_254_740_996n);
    expect(summary(live)).toEqual(['anthropic: 9007199254740993 1 1', 'openai: 3 1 1']);
    expect(live.total).toMatchObject({
      savedNanoUsd: 14n,
      inputTokens: 1_800n,
      outputTokens: 240n,
      errors: 0,
    });
    expect(live.total.latencyP50Ms).toBeCloseTo(800, -2);
    await ledger.close();

    const reopened = createStats({ ledger: await openTestLedger(path, { clock }), clock });
    for (const window of ['HOUR', 'DAY', 'WEEK', 'MONTH', 'ALL'] as const) {
      const again = await reopened.costStats({ window, by: ['PROVIDER'] });
      expect(again.total).toEqual(live.total);
      expect(again.groups).toEqual(live.groups);
    }
  });

  it('counts what a run does after a restart with its tags', async () => {
    const path = ledgerPath();
    const ledger = await openTestLedger(path, { clock });
    const run = makeRun('run_1', { durable: true, tags: { env: 'prod' } });
    await ledger.openRun(run);
    await ledger.close();
    const again = await openTestLedger(path, { clock });
    const stats = createStats({ ledger: again, clock });
    expect(await again.takeWaiting(10)).toEqual([{ ...run, begun: 2 }]);
    const attempt = makeAttempt('att_1', run);
    await again.openAttempt(attempt);
    await again.closeAttempt(settle(attempt), null);
    await again.finishRun(finish(run));
    expect(summary(await stats.costStats({ window: 'HOUR', by: ['TAG', 'PROVIDER'] }))).toEqual([
      'env=prod openai: 3000000 1 1',
    ]);
  });

  it('groups by several dimensions and by tags, and filters', async () => {
    const ledger = await openTestLedger(ledgerPath(), { clock });
    const stats = createStats({ ledger, clock });
    await runOnce(ledger, 1, 10n, 'openai');
    await runOnce(ledger, 2, 20n, 'openai');
    await runOnce(ledger, 3, 40n, 'anthropic');
    const by = async (...args: Parameters<typeof stats.costStats>): Promise<string[]> =>
      summary(await stats.costStats(...args));
    expect(await by({ window: 'DAY', by: ['TAG'] })).toEqual(['env=dev: 50 2 2', 'env=prod: 20 1 1']);
    expect(await by({ window: 'DAY', by: ['PROVIDER', 'TAG'] })).toEqual([
      'anthropic env=dev: 40 1 1',
      'openai env=prod: 20 1 1',
      'openai env=dev: 10 1 1',
    ]);
    expect(await by({ window: 'DAY', by: ['MODEL'], filter: { tag: { key: 'env', value: 'dev' } } })).toEqual(
      ['anthropic/gpt-5.6-luna: 40 1 1', 'openai/gpt-5.6-luna: 10 1 1'],
    );
    expect((await stats.costStats({ window: 'DAY', filter: { provider: 'openai' } })).total.costNanoUsd).toBe(
      30n,
    );
    expect((await stats.costStats({ window: 'DAY', filter: { caller: 'nobody' } })).total.attempts).toBe(0);
  });
});
