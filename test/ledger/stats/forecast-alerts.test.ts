// A budget that is expected to be spent before it resets says so once a window, and never without a past.
import { expect, it } from 'vitest';
import type { BudgetView } from '../../../src/engine/budget/port.ts';
import { forecastAlert } from '../../../src/engine/execution/alert-records.ts';
import { openLedger } from '../../../src/ledger/open.ts';
import { createForecastAlerts, windowOf } from '../../../src/ledger/stats/forecast-alerts.ts';
import type { ForecastAlert } from '../../../src/ledger/stats/forecast-alerts.ts';
import { createSpanStats } from '../../../src/ledger/stats/spans.ts';
import { createSimulatedClock } from '../../support/simulated-clock.ts';
import { ledgerPath } from '../../support/ledger-folder.ts';
import { makeAttempt, makeRun, settle } from '../../support/ledger-records.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A Wednesday, noon. */
const NOW_MS = Date.UTC(2026, 10, 18, 12);
/** Each hour costs this; a day of it is $24. */
const AN_HOUR = 1_000_000_000n;

/** A ledger of as many even days before now, and a budget of the day on it. */
async function scene(pastDays: number, limit: bigint) {
  const clock = createSimulatedClock(NOW_MS);
  const ledger = await openLedger({ path: ledgerPath(), synchronous: 'normal', clock, writer: 'inline' });
  for (let hour = 1; hour <= pastDays * 24 + 12; hour += 1) {
    const run = makeRun(`run_${hour}`, { startedAtMs: NOW_MS - hour * HOUR_MS });
    const attempt = makeAttempt(`att_${hour}`, run, {});
    await ledger.openRun(run);
    await ledger.openAttempt(attempt);
    await ledger.closeAttempt(settle(attempt, { costNanoUsd: AN_HOUR }), null);
  }
  const view = (spent = 12n * AN_HOUR, dayMs = NOW_MS - (NOW_MS % DAY_MS)): BudgetView => ({
    budget: {
      id: 'company',
      name: 'company',
      limit: { unit: 'usd', amount: limit },
      per: { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
      scope: { kind: 'all' },
      each: null,
      when: null,
    } as unknown as BudgetView['budget'],
    account: '',
    limit,
    spent,
    held: 0n,
    calls: 12,
    windowStartedAtMs: dayMs,
    resetsAtMs: dayMs + DAY_MS,
  });
  const stats = createSpanStats(ledger, clock);
  const alerts: ForecastAlert[] = [];
  let views: readonly BudgetView[] = [view()];
  const watch = (told: readonly string[] = []) =>
    createForecastAlerts({
      views: () => views,
      forecast: (budget) => stats.forecast(budget),
      told,
      tell: (alert) => alerts.push(alert),
    });
  return { clock, ledger, view, alerts, watch, show: (...shown: BudgetView[]) => (views = shown) };
}

it('says once that a budget will be spent before it resets, at the second look, and again in its next window', async () => {
  const { clock, ledger, view, alerts, watch, show } = await scene(5, 20n * AN_HOUR);
  const { look } = watch();
  await look();
  expect(alerts).toEqual([]);
  for (let again = 0; again < 5; again += 1) {
    await clock.advance(5 * 60_000);
    await look();
  }
  expect(alerts).toHaveLength(1);
  const [{ exhaustedAtMs }] = alerts as [ForecastAlert];
  // $12 of $20 at noon, a dollar an hour: eight hours more.
  expect(Math.abs(exhaustedAtMs - (NOW_MS + 8 * HOUR_MS))).toBeLessThan(15 * 60_000);
  // Up and down around the limit: it has been said.
  show(view(1n * AN_HOUR));
  await look();
  show(view(13n * AN_HOUR));
  await look();
  await look();
  expect(alerts).toHaveLength(1);
  const text = forecastAlert(alerts[0] as ForecastAlert);
  expect(text).toMatchObject({ kind: 'budget_forecast', severity: 'warning', scope: 'budget:company' });
  expect(text.message).toContain('$12 of $20 is spent');

  await clock.advance(DAY_MS - 12 * HOUR_MS + HOUR_MS);
  show(view(15n * AN_HOUR, NOW_MS - (NOW_MS % DAY_MS) + DAY_MS));
  await look();
  await look();
  expect(alerts).toHaveLength(2);
  await ledger.close();
});

it('does not say again after a restart what the window was told of before it', async () => {
  const { ledger, view, alerts, watch } = await scene(5, 20n * AN_HOUR);
  const { windowStartedAtMs } = view();
  const { look } = watch([windowOf({ budgetId: 'company', account: '', windowStartedAtMs })]);
  await look();
  await look();
  expect(alerts).toEqual([]);
  await ledger.close();
});

it.each([
  ['a budget that will do', 5, 40n, 12n],
  ['a past of less than two days', 1, 20n, 12n],
  ['no past at all', 0, 20n, 12n],
  ['a budget that is spent already', 5, 20n, 20n],
])('says nothing of %s', async (_title, pastDays, limit, spent) => {
  const { ledger, view, alerts, watch, show } = await scene(pastDays, limit * AN_HOUR);
  show(view(spent * AN_HOUR), { ...view(), account: 'rolling', resetsAtMs: null });
  const { look } = watch();
  for (let again = 0; again < 3; again += 1) await look();
  expect(alerts).toEqual([]);
  await ledger.close();
});
