// Now: what is spent this minute, what caps it, what runs, what was stopped; and the switch that stops it.
import { useEffect, useState } from 'react';
import { useData, useLive, errorText } from '../client.ts';
import { count, duration, Empty, Panel, percent, Problem, Usd } from '../parts/parts.tsx';
import { nanoUsd } from '../parts/usd.ts';
import { Budgets } from './budgets.tsx';
import { InFlight } from './in-flight.tsx';
import { Health } from './health.tsx';
import { spendNow, todayQuery } from './query.ts';
import { MinuteChart } from './minute-chart.tsx';
import { Stopped } from './stopped.tsx';
import { SpendSwitch } from './switch.tsx';

export function Now() {
  const live = useLive(spendNow, {});
  const [{ data: today, error }, readToday] = useData(todayQuery, {});
  const stats = live?.costStats;
  const beat = useSlowly(stats?.at, 2000);
  useEffect(() => readToday({ requestPolicy: 'network-only' }), [beat, readToday]);

  const points = stats?.total.perMinute ?? [];
  const perMinute = nanoUsd(points.at(-1)?.cost ?? '0');
  const usual = median(points.slice(0, -1).map(({ cost }) => nanoUsd(cost)));
  const day = today?.costStats.total;
  return (
    <>
      <h1 className="visually-hidden">Now</h1>
      <div className="panels">
        <section className="panel hero" aria-label="Spend">
          <div className="headline">
            <div>
              <p className="label">a minute, now</p>
              <p className="big" aria-live="off">
                <Usd of={perMinute} />
              </p>
              <p className="hint">
                median of this hour <Usd of={usual} />
              </p>
            </div>
            <SpendSwitch />
          </div>
          <MinuteChart points={points} />
          <dl className="facts">
            <div>
              <dt>last hour</dt>
              <dd data-figure="hour-cost">{stats ? <Usd of={stats.total.cost} /> : '…'}</dd>
            </div>
            <div>
              <dt>today, 24 h</dt>
              <dd data-figure="day-cost">{day ? <Usd of={day.cost} /> : '…'}</dd>
            </div>
            <div>
              <dt>runs, last hour</dt>
              <dd data-figure="hour-runs">{stats ? count(stats.total.runs) : '…'}</dd>
            </div>
            <div>
              <dt>failed calls</dt>
              <dd>{stats ? percent(stats.total.errorRate) : '…'}</dd>
            </div>
            <div>
              <dt>p50 · p95</dt>
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
          {stats === undefined ? <Empty>…</Empty> : <Budgets budgets={stats.budgets} at={stats.at} />}
        </Panel>
        <Stopped />
        <InFlight beat={beat} />
        <Health beat={beat} />
      </div>
    </>
  );
}

function median(values: readonly bigint[]): bigint {
  const sorted = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return sorted[Math.floor(sorted.length / 2)] ?? 0n;
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
