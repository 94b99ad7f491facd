// Stopped today: loops, surges, budgets that were full; each with its cause, what an hour more of it would have cost, and what to do.
import { useEffect } from 'react';
import { Link } from 'wouter';
import { errorText, useData, useLive } from '../client.ts';
import { Badge, Empty, Moment, Panel, Problem, RunLink, Usd } from '../parts/parts.tsx';
import { nanoUsd } from '../parts/usd.ts';
import { alertsLive, alertsQuery } from './query.ts';

const STOPS = new Set(['LOOP', 'SURGE', 'BUDGET_EXHAUSTED', 'PAUSED']);
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** What an hour more would have cost at the pace at which it was stopped, nano-dollars; null: what was told does not say. */
function anHourOf(details: unknown, perRun: ReadonlyMap<string, bigint>): bigint | null {
  const told = details as {
    readonly stage?: string;
    readonly spentNanoUsd?: string;
    readonly overMs?: number;
    readonly task?: string;
    readonly repeats?: number;
    readonly withinMs?: number;
  };
  if (told.stage === 'surge' && told.spentNanoUsd !== undefined && told.overMs !== undefined)
    return (BigInt(told.spentNanoUsd) * BigInt(HOUR_MS)) / BigInt(told.overMs);
  const run = told.task === undefined ? undefined : perRun.get(told.task);
  if (run === undefined || told.repeats === undefined || told.withinMs === undefined) return null;
  return (run * BigInt(told.repeats) * BigInt(HOUR_MS)) / BigInt(Math.max(1, told.withinMs));
}

export function Stopped() {
  const [{ data, error }, read] = useData(alertsQuery, {});
  const raised = useLive(alertsLive, {})?.alerts.id;
  useEffect(() => {
    if (raised !== undefined) read({ requestPolicy: 'network-only' });
  }, [raised, read]);
  const since = Date.now() - DAY_MS;
  const stops = (data?.alerts.edges ?? [])
    .map(({ node }) => node)
    .filter(({ kind, at }) => STOPS.has(kind) && new Date(at).getTime() >= since);
  const perRun = new Map(
    (data?.spend.groups ?? []).flatMap(({ keys: [task], bucket: { cost, runs } }) =>
      task === undefined || runs === 0 ? [] : [[task.value, nanoUsd(cost) / BigInt(runs)] as const],
    ),
  );
  return (
    <Panel title="Stopped today" aside={<span className="hint">{stops.length}</span>}>
      <Problem text={errorText(error)} />
      {stops.length === 0 ? (
        <Empty>No loop, no surge, no budget used up in the last 24 hours.</Empty>
      ) : (
        <ul className="events">
          {stops.slice(0, 12).map(({ id, kind, severity, message, remedy, details, at, scope, run }) => (
            <li key={id}>
              <p>
                <Badge tone={severity === 'CRITICAL' ? 'bad' : 'warn'}>
                  {kind.toLowerCase().replaceAll('_', ' ')}
                </Badge>{' '}
                <span className="hint">
                  <Moment at={at} /> · <ScopeLink scope={scope} />
                </span>{' '}
                {run && <RunLink id={run.id}>run</RunLink>}
              </p>
              <p>{message}</p>
              <AnHour nano={anHourOf(details, perRun)} />
              <p className="hint">{remedy}</p>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** To the runs behind it. */
function ScopeLink({ scope }: { readonly scope: string }) {
  const [kind, value] = [scope.slice(0, scope.indexOf(':')), scope.slice(scope.indexOf(':') + 1)];
  if (!['task', 'caller', 'provider'].includes(kind)) return scope;
  return <Link href={`/runs?${kind}=${encodeURIComponent(value)}`}>{scope}</Link>;
}

function AnHour({ nano }: { readonly nano: bigint | null }) {
  if (nano === null || nano === 0n) return null;
  return (
    <p className="hint">
      An hour more at this pace would have cost <Usd of={nano} />.
    </p>
  );
}
