// One run: what it cost and why, call by call; its text as it comes; the decision behind each call.
import { useEffect, useState } from 'react';
import { Link } from 'wouter';
import { useSubscription } from 'urql';
import { errorText, useAction, useData } from '../client.ts';
import { cancelRun } from '../now/query.ts';
import {
  Badge,
  Empty,
  Moment,
  Panel,
  Problem,
  RunLink,
  Status,
  Table,
  Usd,
  count,
  duration,
} from '../parts/parts.tsx';
import type { OneRunQuery, RunEventsSubscription } from '../generated/graphql.ts';
import { runAgain, runEvents, runQuery } from './query.ts';
import { Waterfall } from './waterfall.tsx';

type OneRun = NonNullable<OneRunQuery['run']>;

export function Run({ id }: { readonly id: string }) {
  const [{ data, error, fetching }, read] = useData(runQuery, { id });
  const run = data?.run;
  const ended = run !== undefined && run !== null && run.finishedAt !== null;
  useEffect(() => {
    if (ended) return;
    const timer = setInterval(() => read({ requestPolicy: 'network-only' }), 1000);
    return () => clearInterval(timer);
  }, [ended, read]);
  if (run === null) return <Empty>There is no such run, or it is not yours to see.</Empty>;
  if (run === undefined) return fetching ? <Empty>…</Empty> : <Problem text={errorText(error)} />;
  return (
    <>
      <header className="title">
        <h1>
          {run.task.name} <Status of={run.status} />
        </h1>
        <code>{run.id}</code>
      </header>
      <div className="panels">
        <Facts run={run} />
        <Panel title="Waterfall" wide>
          <Waterfall run={run} />
        </Panel>
        {!ended && <Text id={id} />}
        <Panel title="Calls" wide>
          <Calls run={run} />
        </Panel>
        <Panel title="Input">{run.inputJson === null ? <NotRetained /> : <Json of={run.inputJson} />}</Panel>
        <Panel title="Output">
          {run.outputJson === null ? <NotRetained ended={ended} /> : <Json of={run.outputJson} />}
        </Panel>
      </div>
    </>
  );
}

function NotRetained({ ended = true }: { readonly ended?: boolean }) {
  return <Empty>{ended ? 'Not kept: the task says so, or there was none.' : '…'}</Empty>;
}

export function Json({ of }: { readonly of: unknown }) {
  return (
    // Long texts scroll inside, by keyboard too.
    <pre className="json" tabIndex={0}>
      {typeof of === 'string' ? of : JSON.stringify(of, null, 2)}
    </pre>
  );
}

function Facts({ run }: { readonly run: OneRun }) {
  const [{ error }, cancel] = useAction(cancelRun);
  return (
    <section className="panel hero" aria-label="Facts">
      <dl className="facts">
        <div>
          <dt>cost</dt>
          <dd data-figure="run-cost">
            <Usd of={run.cost} />
          </dd>
        </div>
        <div>
          <dt>saved</dt>
          <dd>
            <Usd of={run.saved} />
          </dd>
        </div>
        <div>
          <dt>took</dt>
          <dd>{run.latencyMs === null ? '…' : duration(run.latencyMs)}</dd>
        </div>
        <div>
          <dt>started</dt>
          <dd>
            <Moment at={run.startedAt} />
          </dd>
        </div>
        <div>
          <dt>caller</dt>
          <dd>
            <Link href={`/runs?caller=${encodeURIComponent(run.caller.name)}`}>{run.caller.name}</Link>
            {run.caller.team !== null && <span className="hint"> {run.caller.team}</span>}
          </dd>
        </div>
        <div>
          <dt>revision</dt>
          <dd>
            <Link href={`/revisions?hash=${run.revision.hash}`}>
              <code>{(run.revision.commit ?? run.revision.hash).slice(0, 10)}</code>
            </Link>{' '}
            <span className="hint">{run.revision.subject}</span>
          </dd>
        </div>
        {run.parent && (
          <div>
            <dt>part of</dt>
            <dd>
              <RunLink id={run.parent.id} />
            </dd>
          </div>
        )}
        {run.tags.length > 0 && (
          <div>
            <dt>tags</dt>
            <dd>{run.tags.map(({ key, value }) => `${key}=${value}`).join(' ')}</dd>
          </div>
        )}
      </dl>
      {run.cached && (
        <p className="hint">
          {run.origin === 'LOOP_GUARD'
            ? 'The same input came in a loop: the earlier answer was given again, and nobody was called.'
            : 'Answered from an earlier run with the same input; nobody was called.'}
        </p>
      )}
      {run.error && (
        <p className="problem">
          <strong>{run.error.code}</strong>
          {run.error.step !== null && ` in ${run.error.step}`}: {run.error.message} {run.error.remedy}
        </p>
      )}
      <Problem text={errorText(error)} />
      <div className="actions">
        {run.finishedAt === null && (
          <button type="button" className="danger" onClick={() => void cancel({ id: run.id })}>
            Stop this run
          </button>
        )}
        {run.inputJson !== null && run.task.active && <Again run={run} />}
      </div>
    </section>
  );
}

/** The same input once more: dry, which calls nobody, or for real. */
function Again({ run }: { readonly run: OneRun }) {
  const [{ data, error, fetching }, again] = useAction(runAgain);
  const start = (dryRun: boolean): void =>
    void again({
      name: run.task.name,
      input: run.inputJson,
      options: dryRun ? { dryRun } : { noCache: true },
    });
  const result = data?.runTaskJson;
  return (
    <>
      <span role="status">
        {result?.__typename === 'Run' && <RunLink id={result.id}>The new run</RunLink>}
        {result?.__typename === 'DryRun' && (
          <>
            Would hold <Usd of={result.hold} />:{' '}
            {result.steps
              .map(
                ({ step, decision }) =>
                  `${step} → ${decision.candidates.find(({ chosen }) => chosen)?.model ?? 'nobody'}`,
              )
              .join(', ')}
          </>
        )}
        {result !== undefined && 'message' in result && `${result.message} ${result.remedy}`}
      </span>
      <Problem text={errorText(error)} />
      <button type="button" disabled={fetching} onClick={() => start(true)}>
        Dry run
      </button>
      <button type="button" disabled={fetching} onClick={() => start(false)}>
        Run again
      </button>
    </>
  );
}

/** Its text as it streams, step by step. */
function Text({ id }: { readonly id: string }) {
  type Texts = { readonly [path: string]: string };
  const [{ data: texts }] = useSubscription<RunEventsSubscription, Texts>(
    { query: runEvents.toString(), variables: { id } },
    (before = {}, { run: event }) => {
      if (event.__typename === 'RunText')
        return { ...before, [event.path]: (before[event.path] ?? '') + event.delta };
      if (event.__typename === 'RunTextRestarted') return { ...before, [event.path]: '' };
      return before;
    },
  );
  const shown = Object.entries(texts ?? {});
  return (
    <Panel title="Text, as it comes" wide>
      {shown.length === 0 ? (
        <Empty>Nothing yet.</Empty>
      ) : (
        shown.map(([path, text]) => (
          <section key={path}>
            <h3>{path}</h3>
            <Json of={text} />
          </section>
        ))
      )}
    </Panel>
  );
}

function Calls({ run }: { readonly run: OneRun }) {
  const [open, setOpen] = useState<string | null>(null);
  if (run.attempts.length === 0) return <Empty>Nobody was called.</Empty>;
  return (
    <Table
      label="Calls"
      head={['Step', 'Model', 'Status', 'In', 'Out', 'Held', 'Cost', 'Queue', 'First token', 'Took', 'Why']}
    >
      {run.attempts.flatMap((attempt) => [
        <tr key={attempt.id}>
          <td>{attempt.step}</td>
          <td>
            {attempt.provider.name}/{attempt.model}
          </td>
          <td>
            <Status of={attempt.status} />
            {attempt.errorClass !== null && (
              <span className="hint" title={attempt.errorMessage ?? ''}>
                {' '}
                {attempt.errorClass}
              </span>
            )}
          </td>
          <td>
            {count(attempt.inputTokens)}
            {attempt.cachedInputTokens > 0 && (
              <span className="hint"> {count(attempt.cachedInputTokens)} cached</span>
            )}
          </td>
          <td>
            {count(attempt.outputTokens)}
            {attempt.reasoningTokens > 0 && (
              <span className="hint"> {count(attempt.reasoningTokens)} thought</span>
            )}
          </td>
          <td>
            <Usd of={attempt.held} />
          </td>
          <td>
            <Usd of={attempt.cost} /> {attempt.estimated && <Badge tone="warn">estimated</Badge>}
          </td>
          <td>{duration(attempt.queueMs)}</td>
          <td>{attempt.firstTokenMs === null ? '–' : duration(attempt.firstTokenMs)}</td>
          <td>{attempt.latencyMs === null ? '…' : duration(attempt.latencyMs)}</td>
          <td>
            <button
              type="button"
              className="small"
              aria-expanded={open === attempt.id}
              onClick={() => setOpen(open === attempt.id ? null : attempt.id)}
            >
              {attempt.decision.rule}
            </button>
          </td>
        </tr>,
        ...(open === attempt.id
          ? [
              <tr key={`${attempt.id} why`}>
                <td colSpan={11}>
                  <Decision attempt={attempt} />
                </td>
              </tr>,
            ]
          : []),
      ])}
    </Table>
  );
}

function Decision({
  attempt: { decision, errorMessage, requestId },
}: {
  readonly attempt: OneRun['attempts'][number];
}) {
  return (
    <>
      <p>
        Rule <code>{decision.rule}</code>, ordered by <code>{decision.pick}</code>
        {requestId !== null && (
          <>
            {' '}
            · the provider’s id <code>{requestId}</code>
          </>
        )}
      </p>
      {errorMessage !== null && <p className="problem">{errorMessage}</p>}
      <Table label="Candidates" head={['Candidate', 'Expected cost', 'Score', '']}>
        {decision.candidates.map(({ model, chosen, score, expectedCost, skipped }) => (
          <tr key={model}>
            <td>{model}</td>
            <td>
              <Usd of={expectedCost} />
            </td>
            <td>{score === null ? '–' : score.toPrecision(3)}</td>
            <td>
              {chosen ? (
                <Badge tone="good">called</Badge>
              ) : skipped ? (
                <>
                  <Badge tone="warn">{skipped.code.toLowerCase().replaceAll('_', ' ')}</Badge>{' '}
                  <span className="hint">{skipped.detail}</span>
                </>
              ) : (
                <span className="hint">not needed</span>
              )}
            </td>
          </tr>
        ))}
      </Table>
    </>
  );
}
