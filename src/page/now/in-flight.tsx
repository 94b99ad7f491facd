// Runs in flight, dearest first, with a stop on each.
import { useEffect } from 'react';
import { errorText, useAction, useData } from '../client.ts';
import { Empty, Moment, Panel, Problem, RunLink, Table, Usd } from '../parts/parts.tsx';
import { nanoUsd } from '../parts/usd.ts';
import type { InFlightQuery } from '../generated/graphql.ts';
import { cancelRun, inFlightQuery } from './query.ts';

type FlyingRun = InFlightQuery['runs']['edges'][number]['node'];

/** What it has cost, and what its open calls hold. */
function atStake({ cost, attempts }: FlyingRun): bigint {
  return attempts
    .filter(({ status }) => status === 'OPEN')
    .reduce((sum, { held }) => sum + nanoUsd(held), nanoUsd(cost));
}

export function InFlight({ beat }: { readonly beat: unknown }) {
  const [{ data, error }, read] = useData(inFlightQuery, {});
  const [{ error: failed, fetching }, cancel] = useAction(cancelRun);
  useEffect(() => {
    const again = (): void => read({ requestPolicy: 'network-only' });
    again();
    const timer = setInterval(again, 2000);
    return () => clearInterval(timer);
  }, [beat, read]);

  const runs = (data?.runs.edges ?? [])
    .map(({ node }) => ({ run: node, stake: atStake(node) }))
    .toSorted((a, b) => (a.stake > b.stake ? -1 : a.stake < b.stake ? 1 : 0));
  return (
    <Panel title="In flight" wide aside={<span className="hint">{runs.length} runs</span>}>
      <Problem text={errorText(error ?? failed)} />
      {runs.length === 0 ? (
        <Empty>Nothing runs at the moment.</Empty>
      ) : (
        <Table head={['Run', 'Task', 'Caller', 'Model', 'Since', 'Cost + held', '']} label="Runs in flight">
          {runs.map(({ run, stake }) => (
            <tr key={run.id}>
              <td>
                <RunLink id={run.id} />
              </td>
              <td>{run.task.name}</td>
              <td>{run.caller.name}</td>
              <td>{run.attempts.at(-1)?.model ?? '–'}</td>
              <td>
                <Moment at={run.startedAt} />
              </td>
              <td>
                <Usd of={stake} />
              </td>
              <td>
                <button
                  type="button"
                  className="danger small"
                  disabled={fetching}
                  onClick={() =>
                    void cancel({ id: run.id }).then(() => read({ requestPolicy: 'network-only' }))
                  }
                >
                  Stop<span className="visually-hidden"> run {run.id}</span>
                </button>
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}
