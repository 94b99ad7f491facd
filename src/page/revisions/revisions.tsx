// Revisions: who changed what and when, what each cost, what differs between any two; pin and release.
import { useEffect } from 'react';
import { errorText, useAction, useData, useLive } from '../client.ts';
import {
  Badge,
  Empty,
  Moment,
  Panel,
  Problem,
  Table,
  Usd,
  count,
  duration,
  percent,
} from '../parts/parts.tsx';
import { useFilter } from '../parts/url.ts';
import type { RevisionsQuery } from '../generated/graphql.ts';
import { differenceQuery, pinRevision, releaseRevision, revisionsLive, revisionsQuery } from './query.ts';

type Revision = RevisionsQuery['revisions']['edges'][number]['node'];
type Bucket = RevisionsQuery['costStats']['groups'][number]['bucket'];

const short = (hash: string): string => hash.slice(0, 10);

export function Revisions() {
  const [{ data, error }, read] = useData(revisionsQuery, { after: null });
  const taken = useLive(revisionsLive, {})?.revisions.hash;
  const [before, setBefore] = useFilter('before');
  const [after, setAfter] = useFilter('hash');
  const [{ error: pinError, fetching: pinning }, pin] = useAction(pinRevision);
  const [{ error: releaseError }, release] = useAction(releaseRevision);
  const again = (): void => read({ requestPolicy: 'network-only' });
  useEffect(() => {
    if (taken !== undefined) read({ requestPolicy: 'network-only' });
  }, [taken, read]);

  const revisions = (data?.revisions.edges ?? []).map(({ node }) => node);
  const buckets = new Map(
    (data?.costStats.groups ?? []).map(({ key, bucket }): [string, Bucket] => [key, bucket]),
  );
  const refused = revisions.find(({ problems }) => problems.some(({ severity }) => severity === 'ERROR'));
  const isPinned = revisions.some(({ pinned }) => pinned);
  return (
    <>
      <h1>Revisions</h1>
      <Problem text={errorText(error ?? pinError ?? releaseError)} />
      <div className="panels">
        {refused && refused.activeFrom === null && refused === revisions[0] && (
          <Panel title="Refused: the newest does not compile" wide>
            <Problems of={refused} />
          </Panel>
        )}
        <Panel
          title="Revisions"
          wide
          aside={
            isPinned && (
              <button type="button" onClick={() => void release({}).then(again)}>
                Release: take what the workflows say
              </button>
            )
          }
        >
          <Table
            label="Revisions"
            head={[
              'Compare',
              'Revision',
              'Commit',
              'Author',
              'In force',
              'Cost',
              'Runs',
              'Failed',
              'p95',
              '',
            ]}
          >
            {revisions.map((revision) => {
              const bucket = buckets.get(revision.hash);
              const compiled =
                revision.compiledAt !== null &&
                !revision.problems.some(({ severity }) => severity === 'ERROR');
              return (
                <tr key={revision.id}>
                  <td className="compare">
                    <input
                      type="radio"
                      name="before"
                      aria-label={`before: ${short(revision.hash)}`}
                      checked={before === revision.hash}
                      disabled={!compiled}
                      onChange={() => setBefore(revision.hash)}
                    />
                    <input
                      type="radio"
                      name="after"
                      aria-label={`after: ${short(revision.hash)}`}
                      checked={after === revision.hash}
                      disabled={!compiled}
                      onChange={() => setAfter(revision.hash)}
                    />
                  </td>
                  <td>
                    <code>{short(revision.hash)}</code>{' '}
                    {revision.active && <Badge tone="good">in force</Badge>}{' '}
                    {revision.pinned && <Badge tone="warn">pinned</Badge>}
                    {!compiled && <Badge tone="bad">refused</Badge>}
                  </td>
                  <td>
                    {revision.commit !== null && <code>{short(revision.commit)}</code>} {revision.subject}
                    {revision.dirty && <span className="hint"> with changes</span>}
                  </td>
                  <td>{revision.author}</td>
                  <td>
                    {revision.activeFrom === null ? '–' : <Moment at={revision.activeFrom} />}
                    {revision.activeTo !== null && (
                      <>
                        {' '}
                        to <Moment at={revision.activeTo} />
                      </>
                    )}
                  </td>
                  <td>{bucket ? <Usd of={bucket.cost} /> : '–'}</td>
                  <td>{bucket ? count(bucket.runs) : '–'}</td>
                  <td>{bucket ? percent(bucket.errorRate) : '–'}</td>
                  <td>{bucket?.latencyP95Ms ? duration(bucket.latencyP95Ms) : '–'}</td>
                  <td>
                    {compiled && !revision.active && (
                      <button
                        type="button"
                        className="small"
                        disabled={pinning}
                        onClick={() => void pin({ hash: revision.hash }).then(again)}
                      >
                        Pin<span className="visually-hidden"> {short(revision.hash)}</span>
                      </button>
                    )}
                  </td>
                </tr>
              );
            })}
          </Table>
        </Panel>
        {before !== '' && after !== '' && <Difference before={before} after={after} />}
      </div>
    </>
  );
}

function Problems({ of }: { readonly of: Revision }) {
  return (
    <ul className="events">
      {of.problems.map(({ code, file, line, column, message, remedy, excerpt }) => (
        <li key={`${file}:${line}:${column}:${code}`}>
          <p>
            <code>
              {file}:{line}:{column}
            </code>{' '}
            {message}
          </p>
          <pre className="json">{excerpt}</pre>
          <p className="hint">{remedy}</p>
        </li>
      ))}
    </ul>
  );
}

function Difference({ before, after }: { readonly before: string; readonly after: string }) {
  const [{ data, error }] = useData(differenceQuery, { before, after });
  const difference = data?.planDifference;
  const costs = (difference?.worstCosts ?? []).filter((cost) => cost.before !== cost.after);
  return (
    <Panel title={`What changes from ${short(before)} to ${short(after)}`} wide>
      <Problem text={errorText(error)} />
      {difference?.changes.length === 0 && <Empty>Nothing: both mean the same.</Empty>}
      <ul className="events">
        {(difference?.changes ?? []).map(({ subject, message, effects }) => (
          <li key={`${subject} ${message}`}>
            <strong>{subject}</strong>: {message}{' '}
            {effects.map((effect) => (
              <Badge key={effect} tone={/raised|loosened|breaking|removed/.test(effect) ? 'warn' : 'plain'}>
                {effect}
              </Badge>
            ))}
          </li>
        ))}
      </ul>
      {costs.length > 0 && (
        <Table label="Worst case of one run" head={['Worst case of one run', 'Before', 'After']}>
          {costs.map((cost) => (
            <tr key={cost.task}>
              <td>{cost.task}</td>
              <td>{cost.before === null ? '–' : <Usd of={cost.before} />}</td>
              <td>{cost.after === null ? '–' : <Usd of={cost.after} />}</td>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}
