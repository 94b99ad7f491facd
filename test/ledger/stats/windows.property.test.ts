// Every window is the sum of the rows that began in it, read or kept live, at any time of any day.
import fc from 'fast-check';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import { openLedger } from '../../../src/ledger/open.ts';
import type { StatsWindow } from '../../../src/ledger/stats/port.ts';
import { createStats } from '../../../src/ledger/stats/stats.ts';
import { sized } from '../../support/cases.ts';
import { ledgerPath } from '../../support/ledger-folder.ts';
import { START_MS, makeAttempt, makeRun, settle } from '../../support/ledger-records.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Where each window begins, in plain arithmetic. */
const beginnings: { readonly [window in StatsWindow]: (nowMs: number) => number } = {
  HOUR: (nowMs) => Math.floor(nowMs / MINUTE_MS) * MINUTE_MS - 59 * MINUTE_MS,
  DAY: (nowMs) => Math.floor(nowMs / HOUR_MS) * HOUR_MS - 23 * HOUR_MS,
  WEEK: (nowMs) => Math.floor(nowMs / HOUR_MS) * HOUR_MS - 167 * HOUR_MS,
  MONTH: (nowMs) => Math.floor(nowMs / DAY_MS) * DAY_MS - 29 * DAY_MS,
  ALL: () => Number.NEGATIVE_INFINITY,
};
const WINDOWS = Object.keys(beginnings) as StatsWindow[];

/** Every other run belongs to one of two sessions. */
const sessionOf = (index: number): { readonly session?: string } =>
  index % 2 === 0 ? {} : { session: `s-${index % 3}` };

it('INV-1: a window is the sum of its rows', { timeout: 120_000 }, async () => {
  const ages = fc.oneof(
    fc.nat({ max: 2 * HOUR_MS }),
    fc.nat({ max: 2 * DAY_MS }),
    fc.nat({ max: 40 * DAY_MS }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: 3 * DAY_MS }),
      fc.array(ages, { minLength: 1, maxLength: 40 }),
      fc.nat({ max: 40 }),
      async (offsetMs, started, split) => {
        const nowMs = START_MS + offsetMs;
        const clock = { ...systemClock, nowMs: () => nowMs };
        const path = ledgerPath();
        const ledger = await openLedger({ path, synchronous: 'normal', clock, writer: 'inline' });
        const spend = (ageMs: number, index: number): Promise<unknown> => {
          const run = makeRun(`run_${index}`, {
            startedAtMs: nowMs - ageMs,
            caller: { name: 'ana', team: null, tier: null, ...sessionOf(index) },
          });
          const attempt = makeAttempt(`att_${index}`, run, {
            provider: index % 2 === 0 ? 'openai' : 'anthropic',
          });
          const costNanoUsd = 2n ** BigInt(index);
          return Promise.all([
            ledger.openRun(run),
            ledger.openAttempt(attempt),
            ledger.closeAttempt(settle(attempt, { costNanoUsd }), null),
          ]);
        };
        // Some rows are there before anything is asked; the others come while the views are live.
        await Promise.all(started.slice(0, split).map(spend));
        const live = createStats({ ledger, clock });
        for (const window of WINDOWS) {
          await live.costStats({ window, by: ['PROVIDER'] });
          await live.costStats({ window, by: ['SESSION'] });
          await live.costStats({ window, filter: { session: 's-1' } });
        }
        await Promise.all(started.slice(split).map((ageMs, index) => spend(ageMs, split + index)));
        const read = createStats({ ledger, clock });
        for (const window of WINDOWS) {
          const fromMs = beginnings[window](nowMs);
          const expected = started.reduce(
            (sum, ageMs, index) => (nowMs - ageMs >= fromMs ? sum + 2n ** BigInt(index) : sum),
            0n,
          );
          for (const stats of [live, read]) {
            const { total, groups } = await stats.costStats({ window, by: ['PROVIDER'] });
            expect([window, total.costNanoUsd]).toEqual([window, expected]);
            expect(groups.reduce((sum, { bucket }) => sum + bucket.costNanoUsd, 0n)).toBe(expected);
            const { groups: sessions } = await stats.costStats({ window, by: ['SESSION'] });
            const inWindow = started
              .map((ageMs, index) => ({ ageMs, index }))
              .filter(({ ageMs }) => nowMs - ageMs >= fromMs);
            const costs = new Map<string, bigint>();
            for (const { index } of inWindow) {
              const { session = '' } = sessionOf(index);
              costs.set(session, (costs.get(session) ?? 0n) + 2n ** BigInt(index));
            }
            expect(
              new Map(sessions.map(({ keys: [key], bucket }) => [key?.value, bucket.costNanoUsd])),
            ).toEqual(costs);
            const { total: one } = await stats.costStats({ window, filter: { session: 's-1' } });
            expect(one.costNanoUsd).toBe(costs.get('s-1') ?? 0n);
            expect(one.perMinute.every(({ runs }) => runs >= 0)).toBe(true);
          }
        }
        await ledger.close();
        rmSync(dirname(path), { recursive: true, force: true });
      },
    ),
    { numRuns: sized(15) },
  );
});
