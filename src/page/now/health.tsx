// The providers' health: circuits, headroom, latency, and what is missing where one cannot be called.
import { useEffect } from 'react';
import { Link } from 'wouter';
import { errorText, useData } from '../client.ts';
import { Badge, duration, Moment, Panel, percent, Problem, Table, type Tone } from '../parts/parts.tsx';
import { healthQuery, nodesQuery } from './query.ts';

const circuitTone: { readonly [state: string]: Tone } = {
  CLOSED: 'good',
  HALF_OPEN: 'warn',
  OPEN: 'bad',
};

/** The processes that share the ledger; nothing where there is one, with a file. */
export function Nodes({ beat }: { readonly beat: unknown }) {
  const [{ data, error }, read] = useData(nodesQuery, {});
  useEffect(() => read({ requestPolicy: 'network-only' }), [beat, read]);
  const nodes = data?.nodes ?? [];
  if (nodes.length === 0 && error === undefined) return null;
  return (
    <Panel title="Nodes" wide>
      <Problem text={errorText(error)} />
      <Table head={['Node', 'Started', 'Last sign of life', 'Version']} label="Nodes of the cluster">
        {nodes.map(({ id, place, startedAt, seenAt, version, self }) => (
          <tr key={id}>
            <td>
              {place} {self && <span className="hint">answers this page</span>}
            </td>
            <td>
              <Moment at={startedAt} />
            </td>
            <td>
              <Moment at={seenAt} />
            </td>
            <td>{version}</td>
          </tr>
        ))}
      </Table>
    </Panel>
  );
}

export function Health({ beat }: { readonly beat: unknown }) {
  const [{ data, error }, read] = useData(healthQuery, {});
  useEffect(() => read({ requestPolicy: 'network-only' }), [beat, read]);
  const models = (data?.providers ?? []).flatMap((provider) =>
    provider.models.map((model) => ({ provider, model })),
  );
  return (
    <Panel title="Providers" wide>
      <Problem text={errorText(error)} />
      <Table
        head={['Model', 'Circuit', 'In flight', 'Latency', 'p95', 'Headroom']}
        label="Models of the providers"
      >
        {models.map(({ provider, model }) => (
          <tr key={model.key}>
            <td>
              <Link href={`/explore?model=${encodeURIComponent(model.key)}`}>{model.key}</Link>
            </td>
            <td>
              {provider.available ? (
                <Badge tone={circuitTone[model.circuit] ?? 'plain'}>
                  {model.circuit.toLowerCase().replace('_', ' ')}
                  {model.circuitRetryAfterMs > 0 && `, tried again in ${duration(model.circuitRetryAfterMs)}`}
                </Badge>
              ) : (
                <span className="hint">{provider.unavailable}</span>
              )}
            </td>
            <td>
              {model.inFlight}
              {model.queued > 0 && ` + ${model.queued} wait`}
            </td>
            <td>{model.latencyMs === null ? '–' : duration(model.latencyMs)}</td>
            <td>{model.latencyP95Ms === null ? '–' : duration(model.latencyP95Ms)}</td>
            <td>
              {model.rateClosedForMs > 0
                ? `closed for ${duration(model.rateClosedForMs)}`
                : headroom(model.requestHeadroom, model.tokenHeadroom)}
            </td>
          </tr>
        ))}
      </Table>
    </Panel>
  );
}

function headroom(requests: number | null, tokens: number | null): string {
  const known = [requests, tokens].filter((share) => share !== null);
  return known.length === 0 ? '–' : percent(Math.min(...known));
}
