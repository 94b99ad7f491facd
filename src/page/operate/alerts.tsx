// Alerts: everything that a person should know of, newest first, live.
import { useEffect, useState } from 'react';
import { errorText, useAction, useData, useLive } from '../client.ts';
import { alertsLive } from '../now/query.ts';
import { Badge, Empty, Moment, Problem, RunLink, type Tone } from '../parts/parts.tsx';
import { acknowledge, alertListQuery, runAgain } from './query.ts';

const TONES: { readonly [severity: string]: Tone } = { CRITICAL: 'bad', WARNING: 'warn', INFO: 'plain' };

export function Alerts() {
  const [after, setAfter] = useState<readonly string[]>([]);
  const [{ data, error, fetching }, read] = useData(alertListQuery, { after: after.at(-1) ?? null });
  const [{ error: failed, fetching: saying }, say] = useAction(acknowledge);
  const raised = useLive(alertsLive, {})?.alerts.id;
  useEffect(() => {
    if (raised !== undefined) read({ requestPolicy: 'network-only' });
  }, [raised, read]);
  const alerts = data?.alerts.edges ?? [];
  const mayAcknowledge = data?.viewer.scopes?.includes('admin') === true;
  return (
    <>
      <h1>Alerts</h1>
      <Problem text={errorText(error ?? failed)} />
      {alerts.length === 0 && !fetching && <Empty>None.</Empty>}
      <ul className="events">
        {alerts.map(({ node: { id, at, kind, severity, scope, message, remedy, run, ...seen } }) => (
          <li key={id} className="panel">
            <p>
              <Badge tone={TONES[severity] ?? 'plain'}>{kind.toLowerCase().replaceAll('_', ' ')}</Badge>{' '}
              <span className="hint">
                <Moment at={at} /> · {scope}
              </span>{' '}
              {run && <RunLink id={run.id}>run</RunLink>}
            </p>
            <p>{message}</p>
            <p className="hint">{remedy}</p>
            {kind === 'DEAD_LETTER' && run && <RunAgain id={run.id} />}
            {seen.acknowledgedAt !== null && (
              <p className="hint">
                seen to by {seen.acknowledgedBy} <Moment at={seen.acknowledgedAt} />
              </p>
            )}
            {seen.acknowledgedAt === null && mayAcknowledge && (
              <button
                type="button"
                className="small"
                aria-label={`Acknowledge: ${message}`}
                disabled={saying}
                onClick={() => void say({ id }).then(() => read({ requestPolicy: 'network-only' }))}
              >
                Acknowledge
              </button>
            )}
          </li>
        ))}
      </ul>
      <div className="actions">
        <button type="button" disabled={after.length === 0} onClick={() => setAfter(after.slice(0, -1))}>
          Newer
        </button>
        <button
          type="button"
          disabled={data?.alerts.pageInfo.hasNextPage !== true}
          onClick={() => setAfter([...after, data?.alerts.pageInfo.endCursor ?? ''])}
        >
          Older
        </button>
      </div>
    </>
  );
}

/** Of a started run that failed: once more, from what it has done. */
function RunAgain({ id }: { readonly id: string }) {
  const [{ data, error, fetching }, again] = useAction(runAgain);
  const result = data?.runAgain;
  return (
    <p>
      <button
        type="button"
        className="small"
        aria-label={`Run again: ${id}`}
        disabled={fetching || result?.__typename === 'Run'}
        onClick={() => void again({ id })}
      >
        Run again
      </button>{' '}
      <span role="status">
        {result?.__typename === 'Run' && <RunLink id={result.id}>The new run</RunLink>}
      </span>
      <Problem
        text={
          result !== undefined && result.__typename !== 'Run' && 'message' in result
            ? `${result.message} ${result.remedy}`
            : errorText(error)
        }
      />
    </p>
  );
}
