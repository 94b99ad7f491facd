// The list of runs, newest first, by filters that live in the URL.
import { useState } from 'react';
import { useRoute } from 'wouter';
import { errorText, useData } from '../client.ts';
import { Empty, Moment, Problem, RunLink, Status, Table, Usd, duration } from '../parts/parts.tsx';
import { useFilter } from '../parts/url.ts';
import type { RunFilter, RunStatus } from '../generated/graphql.ts';
import { runsQuery } from './query.ts';
import { Run } from './run.tsx';

const STATUSES: readonly RunStatus[] = ['RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'QUEUED'];

export function Runs() {
  const [, params] = useRoute('/runs/:id');
  return params?.id === undefined ? <RunList /> : <Run key={params.id} id={decodeURIComponent(params.id)} />;
}

/** `plan=trial` → a tag; anything else is none yet. */
function tagOf(text: string): { key: string; value: string } | undefined {
  const [key = '', ...value] = text.split('=');
  return key !== '' && value.length > 0 ? { key, value: value.join('=') } : undefined;
}

function RunList() {
  const [status, setStatus] = useFilter('status');
  const [task, setTask] = useFilter('task');
  const [caller, setCaller] = useFilter('caller');
  const [provider, setProvider] = useFilter('provider');
  const [session, setSession] = useFilter('session');
  const [revision, setRevision] = useFilter('revision');
  const [tag, setTag] = useFilter('tag');
  const [from] = useFilter('from');
  const [to] = useFilter('to');
  const [minCost, setMinCost] = useFilter('minCost');
  const [after, setAfter] = useState<readonly string[]>([]);
  const asTag = tagOf(tag);
  const filter: RunFilter = {
    ...(STATUSES.includes(status as RunStatus) ? { status: status as RunStatus } : {}),
    ...(task === '' ? {} : { task }),
    ...(caller === '' ? {} : { caller }),
    ...(provider === '' ? {} : { provider }),
    ...(session === '' ? {} : { session }),
    ...(revision === '' ? {} : { revision }),
    ...(asTag === undefined ? {} : { tag: asTag }),
    ...(from === '' ? {} : { startedFrom: from }),
    ...(to === '' ? {} : { startedTo: to }),
    ...(/^\d+(\.\d{1,9})?$/.test(minCost) ? { minCost } : {}),
  };
  const [{ data, error, fetching }] = useData(runsQuery, { filter, after: after.at(-1) ?? null });
  const runs = data?.runs.edges ?? [];
  const first = (set: (value: string) => void) => (value: string) => {
    setAfter([]);
    set(value);
  };
  return (
    <>
      <h1>Runs</h1>
      <form className="filters" onSubmit={(event) => event.preventDefault()} aria-label="Filters">
        <label>
          Status
          <select value={status} onChange={(event) => first(setStatus)(event.target.value)}>
            <option value="">any</option>
            {STATUSES.map((one) => (
              <option key={one} value={one}>
                {one.toLowerCase()}
              </option>
            ))}
          </select>
        </label>
        <TextFilter label="Task" value={task} onChange={first(setTask)} />
        <TextFilter label="Caller" value={caller} onChange={first(setCaller)} />
        <TextFilter label="Provider" value={provider} onChange={first(setProvider)} />
        <TextFilter label="Session" value={session} onChange={first(setSession)} />
        <TextFilter label="Revision" value={revision} onChange={first(setRevision)} />
        <TextFilter label="Tag" value={tag} onChange={first(setTag)} hint="key=value" />
        <TextFilter label="At least, $" value={minCost} onChange={first(setMinCost)} hint="0.05" />
      </form>
      <Problem text={errorText(error)} />
      {runs.length === 0 && !fetching ? (
        <Empty>No run fits.</Empty>
      ) : (
        <Table
          label="Runs"
          head={['Run', 'Status', 'Started', 'Task', 'Caller', 'Model', 'Calls', 'Took', 'Cost', 'Saved']}
        >
          {runs.map(({ node: run }) => (
            <tr key={run.id}>
              <td>
                <RunLink id={run.id} />
              </td>
              <td>
                <Status of={run.status} />{' '}
                {run.error !== null && <span className="hint">{run.error.code}</span>}
              </td>
              <td>
                <Moment at={run.startedAt} />
              </td>
              <td>{run.task.name}</td>
              <td>{run.caller.name}</td>
              <td>
                {run.cached
                  ? run.origin.toLowerCase().replace('_', ' ')
                  : (run.attempts.at(-1)?.model ?? '–')}
              </td>
              <td>{run.attempts.length}</td>
              <td>{run.latencyMs === null ? '…' : duration(run.latencyMs)}</td>
              <td>
                <Usd of={run.cost} />
              </td>
              <td>
                <Usd of={run.saved} />
              </td>
            </tr>
          ))}
        </Table>
      )}
      <div className="actions">
        <button type="button" disabled={after.length === 0} onClick={() => setAfter(after.slice(0, -1))}>
          Newer
        </button>
        <button
          type="button"
          disabled={data?.runs.pageInfo.hasNextPage !== true}
          onClick={() => setAfter([...after, data?.runs.pageInfo.endCursor ?? ''])}
        >
          Older
        </button>
      </div>
    </>
  );
}

/** Takes what was typed when it is left or entered, not at each letter. */
export function TextFilter({
  label,
  value,
  onChange,
  hint,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: string;
}) {
  return (
    <label>
      {label}
      <input
        key={value}
        defaultValue={value}
        placeholder={hint}
        onBlur={(event) => {
          if (event.target.value !== value) onChange(event.target.value);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onChange(event.currentTarget.value);
        }}
      />
    </label>
  );
}
