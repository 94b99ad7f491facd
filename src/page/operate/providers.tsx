// Providers: circuits, headroom and latencies, with a circuit to close; the attempts whose outcome nobody knows, and those that were settled at an estimate.
import { useEffect, useState, type FormEvent } from 'react';
import { errorText, useAction, useData } from '../client.ts';
import { Health } from '../now/health.tsx';
import { healthQuery } from '../now/query.ts';
import { Empty, field, Moment, Panel, Problem, Table, Usd } from '../parts/parts.tsx';
import { estimatesQuery, reconcile, resetCircuit, unreconciledQuery } from './query.ts';

/** What the API takes for an amount, said before it is sent. */
const DOLLARS = {
  inputMode: 'decimal',
  pattern: String.raw`\d{1,9}(\.\d{1,9})?`,
  title: 'Dollars, such as 0.0125',
} as const;

export function Providers() {
  const [beat, setBeat] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setBeat((count) => count + 1), 2000);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      <h1>Providers</h1>
      <div className="panels">
        <Health beat={beat} />
        <Circuits beat={beat} onReset={() => setBeat(beat + 1)} />
        <Unreconciled />
        <Estimates />
      </div>
    </>
  );
}

function Circuits({ beat, onReset }: { readonly beat: number; readonly onReset: () => void }) {
  const [{ data }, read] = useData(healthQuery, {});
  const [{ error, fetching }, reset] = useAction(resetCircuit);
  useEffect(() => read({ requestPolicy: 'network-only' }), [beat, read]);
  const open = (data?.providers ?? []).filter(({ models }) =>
    models.some(({ circuit }) => circuit !== 'CLOSED'),
  );
  return (
    <Panel title="Circuits that are open">
      <Problem text={errorText(error)} />
      {open.length === 0 ? (
        <Empty>All circuits are closed.</Empty>
      ) : (
        <ul className="events">
          {open.map(({ id, name, models }) => (
            <li key={id}>
              <strong>{name}</strong>{' '}
              <span className="hint">
                {models
                  .filter(({ circuit }) => circuit !== 'CLOSED')
                  .map(({ model }) => model)
                  .join(', ')}
              </span>{' '}
              <button
                type="button"
                className="small"
                disabled={fetching}
                onClick={() => void reset({ provider: id }).then(onReset)}
              >
                Close<span className="visually-hidden"> the circuits of {name}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Unreconciled() {
  const [{ data, error }, read] = useData(unreconciledQuery, {});
  const [{ error: failed, fetching }, decide] = useAction(reconcile);
  const attempts = data?.unreconciled ?? [];
  const again = (): void => read({ requestPolicy: 'network-only' });
  const confirm = (id: string) => (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const cost = field(new FormData(event.currentTarget), 'cost').trim();
    void decide({ id, verdict: 'CONFIRM', cost: cost === '' ? null : cost }).then(again);
  };
  return (
    <Panel title="Calls of unknown outcome" wide>
      <p className="hint">
        Their process died while they were under way. They may have been billed, so they stay held at their
        worst case until somebody says what the provider&apos;s bill says.
      </p>
      <Problem text={errorText(error ?? failed)} />
      {attempts.length === 0 ? (
        <Empty>None.</Empty>
      ) : (
        <Table
          label="Calls of unknown outcome"
          head={['Call', 'Model', 'Started', 'Held', 'It was billed', 'It was not']}
        >
          {attempts.map((attempt) => (
            <tr key={attempt.id}>
              <td>
                <code>{attempt.id}</code> {attempt.step}
              </td>
              <td>
                {attempt.provider.name}/{attempt.model}
              </td>
              <td>
                <Moment at={attempt.startedAt} />
              </td>
              <td>
                <Usd of={attempt.held} />
              </td>
              <td>
                <form className="inline" onSubmit={confirm(attempt.id)}>
                  <input
                    name="cost"
                    {...DOLLARS}
                    aria-label={`What ${attempt.id} cost in dollars; empty: all that is held`}
                    placeholder="all that is held"
                  />
                  <button type="submit" disabled={fetching}>
                    Confirm
                  </button>
                </form>
              </td>
              <td>
                <button
                  type="button"
                  disabled={fetching}
                  onClick={() => void decide({ id: attempt.id, verdict: 'RELEASE' }).then(again)}
                >
                  Release
                </button>
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}

function Estimates() {
  const [{ data, error }, read] = useData(estimatesQuery, {});
  const [{ error: failed, fetching }, decide] = useAction(reconcile);
  const attempts = data?.estimates ?? [];
  const lower = (id: string) => (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const cost = field(new FormData(event.currentTarget), 'cost').trim();
    void decide({ id, verdict: 'CONFIRM', cost }).then(() => read({ requestPolicy: 'network-only' }));
  };
  return (
    <Panel title="Settled at an estimate" wide>
      <p className="hint">
        Their providers did not say what they counted, so the calls of the last 31 days cost what they may
        have come to, the dearest first. The bill may lower each, once.
      </p>
      <Problem text={errorText(error ?? failed)} />
      {attempts.length === 0 ? (
        <Empty>None.</Empty>
      ) : (
        <Table
          label="Calls settled at an estimate"
          head={['Call', 'Model', 'Started', 'Ended as', 'Estimate', 'The bill says']}
        >
          {attempts.map((attempt) => (
            <tr key={attempt.id}>
              <td>
                <code>{attempt.id}</code> {attempt.step}
              </td>
              <td>
                {attempt.provider.name}/{attempt.model}
              </td>
              <td>
                <Moment at={attempt.startedAt} />
              </td>
              <td>{attempt.errorClass?.replaceAll('_', ' ') ?? 'answered'}</td>
              <td>
                <Usd of={attempt.cost} />
              </td>
              <td>
                <form className="inline" onSubmit={lower(attempt.id)}>
                  <input
                    name="cost"
                    required
                    {...DOLLARS}
                    aria-label={`What ${attempt.id} cost in dollars`}
                  />
                  <button type="submit" disabled={fetching}>
                    Lower
                  </button>
                </form>
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}
