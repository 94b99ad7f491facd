// Stopped today: loops, surges, budgets that were full; each with its cause and what to do.
import { useEffect } from 'react';
import { errorText, useData, useLive } from '../client.ts';
import { Badge, Empty, Moment, Panel, Problem, RunLink } from '../parts/parts.tsx';
import { alertsLive, alertsQuery } from './query.ts';

const STOPS = new Set(['LOOP', 'SURGE', 'BUDGET_EXHAUSTED', 'PAUSED']);
const DAY_MS = 86_400_000;

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
  return (
    <Panel title="Stopped today" aside={<span className="hint">{stops.length}</span>}>
      <Problem text={errorText(error)} />
      {stops.length === 0 ? (
        <Empty>No loop, no surge, no budget used up in the last 24 hours.</Empty>
      ) : (
        <ul className="events">
          {stops.slice(0, 12).map(({ id, kind, severity, message, remedy, at, scope, run }) => (
            <li key={id}>
              <p>
                <Badge tone={severity === 'CRITICAL' ? 'bad' : 'warn'}>
                  {kind.toLowerCase().replaceAll('_', ' ')}
                </Badge>{' '}
                <span className="hint">
                  <Moment at={at} /> · {scope}
                </span>{' '}
                {run && <RunLink id={run.id}>run</RunLink>}
              </p>
              <p>{message}</p>
              <p className="hint">{remedy}</p>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
