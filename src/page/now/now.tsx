// Now: what is spent this minute, what caps it, what runs, what was stopped; and the switch that stops it.
import { useEffect, useState } from 'react';
import { Link } from 'wouter';
import { useData, useLive, errorText } from '../client.ts';
import { Chart } from '../parts/chart.tsx';
import { count, duration, Empty, Panel, percent, Problem, Usd } from '../parts/parts.tsx';
import { Savings } from '../explore/savings.tsx';
import { Budgets } from './budgets.tsx';
import { Changed } from './changed.tsx';
import { InFlight } from './in-flight.tsx';
import { Health, Nodes } from './health.tsx';
import { spendNow, todayQuery } from './query.ts';
import { Stopped } from './stopped.tsx';
import { SpendSwitch } from './switch.tsx';

export function Now() {
  const live = useLive(spendNow, {});
  const [{ data: today, error }, readToday] = useData(todayQuery, {});
  const stats = live?.costStats;
  const beat = useSlowly(stats?.at, 2000);
  useEffect(() => readToday({ requestPolicy: 'network-only' }), [beat, readToday]);

  const points = stats?.total.perMinute ?? [];
  const day = today?.spend.total;
  const pace = today?.pace;
  return (
    <>
      <h1 className="visually-hidden">Now</h1>
      <div className="panels">
        <section className="panel hero" aria-label="Spend">
          <div className="headline">
            <div>
              <p className="label">a minute, now</p>
              <p className="big" aria-live="off">
                {pace === undefined ? '…' : <Usd of={pace.perMinute} />}
              </p>
              <p className="hint">
                {pace === undefined || pace.usualPerMinute === null ? (
                  'what is usual at this hour is known after a week'
                ) : (
                  <>
                    usual at this hour <Usd of={pace.usualPerMinute} />
                  </>
                )}
              </p>
            </div>
            <SpendSwitch />
          </div>
          <Chart label="Dollars a minute over the last hour" points={points} />
          <dl className="facts">
            <div>
              <dt>
                <Link href="/explore?span=hour">last hour</Link>
              </dt>
              <dd data-figure="hour-cost">{stats ? <Usd of={stats.total.cost} /> : '…'}</dd>
            </div>
            <div>
              <dt>
                <Link href="/explore?span=day">last 24 hours</Link>
              </dt>
              <dd data-figure="day-cost">{day ? <Usd of={day.cost} /> : '…'}</dd>
            </div>
            <div>
              <dt>
                <Link href="/runs">runs, last hour</Link>
              </dt>
              <dd data-figure="hour-runs">{stats ? count(stats.total.runs) : '…'}</dd>
            </div>
            <div>
              <dt>
                <Link href="/explore?span=hour&by=MODEL">failed calls</Link>
              </dt>
              <dd>{stats ? percent(stats.total.errorRate) : '…'}</dd>
            </div>
            <div>
              <dt>
                <Link href="/explore?span=hour&by=MODEL">p50 · p95</Link>
              </dt>
              <dd>
                {stats === undefined || stats.total.latencyP50Ms === null
                  ? '–'
                  : `${duration(stats.total.latencyP50Ms)} · ${duration(stats.total.latencyP95Ms ?? 0)}`}
              </dd>
            </div>
          </dl>
          <Problem text={errorText(error)} />
        </section>
        <Panel title="Budgets">
          {stats === undefined ? <Empty>…</Empty> : <Budgets budgets={stats.budgets} />}
        </Panel>
        <Stopped />
        <Changed />
        {today && <Savings total={today.savings.total} href="/explore?span=day&by=TASK" />}
        <InFlight beat={beat} />
        <Health beat={beat} />
        <Nodes beat={beat} />
      </div>
    </>
  );
}

/** Follows `value`, but changes at most every `everyMs`: what is asked again at each change is not asked a hundred times a second. */
function useSlowly<T>(value: T, everyMs: number): T {
  const [slow, setSlow] = useState({ value, atMs: 0 });
  useEffect(() => {
    if (value === slow.value) return;
    const waitMs = Math.max(0, slow.atMs + everyMs - Date.now());
    const timer = setTimeout(() => setSlow({ value, atMs: Date.now() }), waitMs);
    return () => clearTimeout(timer);
  }, [value, slow, everyMs]);
  return slow.value;
}
