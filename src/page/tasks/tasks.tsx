// Tasks: what the workflows offer, what each costs, its steps drawn, and a form to try it.
import { Link, useRoute } from 'wouter';
import { errorText, useData } from '../client.ts';
import { Badge, Empty, Panel, Problem, Table, Usd, count, duration, percent } from '../parts/parts.tsx';
import { nanoUsd } from '../parts/usd.ts';
import { StepGraph } from './step-graph.tsx';
import type { OneTaskQuery } from '../generated/graphql.ts';
import { taskQuery, tasksQuery } from './query.ts';
import { Try } from './try.tsx';

export function Tasks() {
  const [, params] = useRoute('/tasks/:name');
  return params?.name === undefined ? (
    <TaskList />
  ) : (
    <Task key={params.name} name={decodeURIComponent(params.name)} />
  );
}

function TaskList() {
  const [{ data, error }] = useData(tasksQuery, {});
  const buckets = new Map((data?.costStats.groups ?? []).map(({ key, bucket }) => [key, bucket]));
  return (
    <>
      <h1>Tasks</h1>
      <Problem text={errorText(error)} />
      <Table
        label="Tasks"
        head={[
          'Task',
          'What it does',
          'Steps',
          'Worst case of a run',
          'A run, 30 days',
          'Runs',
          'Failed calls',
          'p50',
          'p95',
        ]}
      >
        {(data?.taskTypes ?? []).map((task) => {
          const bucket = buckets.get(task.name);
          return (
            <tr key={task.id}>
              <td>
                <Link href={`/tasks/${encodeURIComponent(task.name)}`}>{task.name}</Link>{' '}
                {task.deprecated !== null && <Badge tone="warn">deprecated</Badge>}
              </td>
              <td>{task.description}</td>
              <td>{task.steps.length}</td>
              <td>{task.worstCase === null ? '–' : <Usd of={task.worstCase} />}</td>
              <td>
                {bucket && bucket.runs > 0 ? <Usd of={nanoUsd(bucket.cost) / BigInt(bucket.runs)} /> : '–'}
              </td>
              <td>{bucket ? count(bucket.runs) : 0}</td>
              <td>{bucket ? percent(bucket.errorRate) : '–'}</td>
              <td>{bucket?.latencyP50Ms ? duration(bucket.latencyP50Ms) : '–'}</td>
              <td>{bucket?.latencyP95Ms ? duration(bucket.latencyP95Ms) : '–'}</td>
            </tr>
          );
        })}
      </Table>
    </>
  );
}

type TaskSource = NonNullable<NonNullable<OneTaskQuery['taskType']>['source']>;

function Source({ of: { text, revision }, file }: { readonly of: TaskSource; readonly file: string }) {
  const { commit, hash, subject, author, dirty } = revision;
  return (
    <Panel title="As it is written">
      <p className="hint">
        <code>{file}</code> ·{' '}
        <Link href={`/revisions?hash=${hash}`}>
          {commit === null ? hash.slice(0, 8) : commit.slice(0, 8)}
        </Link>
        {subject !== null && ` · ${subject}`}
        {author !== null && ` · ${author}`}
        {dirty && ' · with changes that are not committed'}
      </p>
      <pre className="json" tabIndex={0}>
        {text}
      </pre>
    </Panel>
  );
}

function Task({ name }: { readonly name: string }) {
  const [{ data, error, fetching }] = useData(taskQuery, { name });
  const task = data?.taskType;
  if (task === null) return <Empty>The revision in force has no task “{name}”.</Empty>;
  if (task === undefined) return fetching ? <Empty>…</Empty> : <Problem text={errorText(error)} />;
  const scopes = data?.viewer.scopes ?? [];
  const mayRun = ['admin', 'run:*', `run:${name}`].some((scope) => scopes.includes(scope));
  return (
    <>
      <header className="title">
        <h1>{task.name}</h1>
        <p>{task.description}</p>
        <p className="hint">
          <code>{task.file}</code> · worst case of a run{' '}
          {task.worstCase === null ? '–' : <Usd of={task.worstCase} />} ·{' '}
          <Link href={`/runs?task=${encodeURIComponent(name)}`}>its runs</Link>
        </p>
      </header>
      <div className="panels">
        <Panel title="Steps" wide>
          <StepGraph steps={task.steps} />
        </Panel>
        {mayRun && <Try name={name} schema={task.inputSchema} />}
        {task.source && <Source of={task.source} file={task.file ?? ''} />}
        <Panel title="As it is compiled">
          <pre className="json" tabIndex={0}>
            {task.plan}
          </pre>
        </Panel>
      </div>
    </>
  );
}
