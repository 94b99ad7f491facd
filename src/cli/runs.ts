// headgate runs: the runs that there were, the newest first; "headgate why" says more of one.
import { Option } from 'commander';
import { formatUsd, type NanoUsd } from '../common/money.ts';
import { formatDuration } from '../common/units.ts';
import type { RunStatus } from '../engine/execution/records.ts';
import type { RegisterCommand } from './commands.ts';
import { table } from './format/table.ts';
import type { CliListRunsQuery, RunStatus as ApiRunStatus } from './generated/graphql.ts';
import type { CliIo, ExitCode } from './io.ts';
import { withLocalStats } from './local-stats.ts';
import {
  databaseOption,
  dataOption,
  keyOption,
  parseDollars,
  parsePositiveInteger,
  serverOption,
} from './options.ts';
import { dateOptions, spanOfFlags } from './span-options.ts';
import type { SpanFlags } from './span-options.ts';
import { parseTags } from './tags.ts';

interface RunsFlags extends Pick<SpanFlags, 'from' | 'to' | 'timeZone'> {
  readonly data: string;
  readonly database?: string;
  readonly server?: string;
  readonly key?: string;
  readonly task?: string;
  readonly caller?: string;
  readonly status?: RunStatus;
  readonly provider?: string;
  readonly session?: string;
  readonly revision?: string;
  readonly tag?: string;
  readonly minCost?: NanoUsd;
  readonly limit: number;
  readonly json: boolean;
}

/** Money as decimal text in dollars, times in RFC 3339. */
interface ShownRun {
  readonly id: string;
  readonly startedAt: string;
  readonly task: string;
  readonly status: string;
  readonly caller: string;
  readonly team: string | null;
  readonly tags: { readonly [key: string]: string };
  readonly cost: string;
  readonly saved: string;
  readonly cached: boolean;
  readonly latencyMs: number | null;
  readonly error: string | null;
}

const STATUSES = [
  'queued',
  'running',
  'succeeded',
  'failed',
  'cancelled',
] as const satisfies readonly RunStatus[];
/** Of one request to the API. */
const PAGE = 200;

export const registerRuns: RegisterCommand = (program, io, end) => {
  const command = program
    .command('runs')
    .description('list runs, the newest first; "headgate why RUN" tells one')
    .addOption(dataOption())
    .addOption(databaseOption())
    .addOption(serverOption())
    .addOption(keyOption())
    .option('--task <name>', 'of this task')
    .option('--caller <name>', 'of this caller')
    .addOption(new Option('--status <status>', 'that stand so').choices(STATUSES))
    .option('--provider <name>', 'with a call to this provider')
    .option('--session <id>', 'of this session')
    .option('--revision <hash>', 'of this revision, by its whole hash')
    .option('--tag <key=value>', 'with this tag')
    .option('--min-cost <dollars>', 'that cost as much or more', parseDollars);
  for (const option of dateOptions()) command.addOption(option);
  return command
    .option('--limit <n>', 'no more than so many', parsePositiveInteger, 20)
    .option('--json', 'as JSON', false)
    .action(async (flags: RunsFlags) => end(await runs(flags, io)));
};

async function runs(flags: RunsFlags, io: CliIo): Promise<ExitCode> {
  const found = flags.server === undefined ? await localRuns(flags) : await remoteRuns(flags.server, flags);
  if (flags.json) io.out(JSON.stringify(found, null, 2));
  else if (found.length === 0) io.out('There is no such run.');
  else
    io.out(
      table(
        ['run', 'started', 'task', 'status', 'caller', 'cost', 'took', 'tags'],
        found.map(({ id, startedAt, task, status, caller, cost, latencyMs, cached, error, tags }) => [
          id,
          startedAt,
          task,
          error ?? (cached ? `${status}, cached` : status),
          caller,
          `$${cost}`,
          latencyMs === null ? '' : formatDuration(latencyMs),
          Object.entries(tags)
            .map(([key, value]) => `${key}=${value}`)
            .join(' '),
        ]),
      ),
    );
  return 0;
}

function filterOf(flags: RunsFlags) {
  const { task, caller, provider, session, revision } = flags;
  const [tag] = Object.entries(flags.tag === undefined ? {} : parseTags([flags.tag]));
  const { fromMs, toMs } = spanOfFlags({ ...flags, ago: 0 }, {});
  return {
    named: Object.fromEntries(
      Object.entries({ task, caller, provider, session, revision }).filter(
        ([, value]) => value !== undefined,
      ),
    ),
    tag: tag === undefined ? undefined : { key: tag[0], value: tag[1] },
    fromMs,
    toMs,
  };
}

function localRuns(flags: RunsFlags): Promise<readonly ShownRun[]> {
  const { named, tag, fromMs, toMs } = filterOf(flags);
  return withLocalStats(flags, async (_stats, ledger) => {
    const { rows } = await ledger.runs(
      {
        ...named,
        ...(tag === undefined ? {} : { tag }),
        ...(flags.status === undefined ? {} : { status: flags.status }),
        ...(flags.minCost === undefined ? {} : { minCostNanoUsd: flags.minCost }),
        ...(fromMs === undefined ? {} : { startedFromMs: fromMs }),
        ...(toMs === undefined ? {} : { startedToMs: toMs }),
      },
      { limit: flags.limit },
    );
    return rows.map((run) => ({
      id: run.id,
      startedAt: new Date(run.startedAtMs).toISOString(),
      task: run.task,
      status: run.status,
      caller: run.caller.name,
      team: run.caller.team,
      tags: run.tags,
      cost: formatUsd(run.costNanoUsd),
      saved: formatUsd(run.savedNanoUsd),
      cached: run.cached,
      latencyMs: run.latencyMs,
      error: run.error?.code ?? null,
    }));
  });
}

async function remoteRuns(server: string, flags: RunsFlags): Promise<readonly ShownRun[]> {
  const [{ createRemote }, { ListRuns }] = await Promise.all([
    import('./remote.ts'),
    import('./documents.ts'),
  ]);
  const remote = createRemote(server, flags.key);
  const { named, tag, fromMs, toMs } = filterOf(flags);
  const filter = {
    ...named,
    ...(tag === undefined ? {} : { tag }),
    ...(flags.status === undefined ? {} : { status: flags.status.toUpperCase() as ApiRunStatus }),
    ...(flags.minCost === undefined ? {} : { minCost: formatUsd(flags.minCost) }),
    ...(fromMs === undefined ? {} : { startedFrom: new Date(fromMs).toISOString() }),
    ...(toMs === undefined ? {} : { startedTo: new Date(toMs).toISOString() }),
  };
  const found: ShownRun[] = [];
  let after: string | null = null;
  while (found.length < flags.limit) {
    const { runs: page }: CliListRunsQuery = await remote.query(ListRuns, {
      first: Math.min(PAGE, flags.limit - found.length),
      after,
      filter,
    });
    for (const { node } of page.edges)
      found.push({
        ...node,
        task: node.task.name,
        status: node.status.toLowerCase(),
        caller: node.caller.name,
        team: node.caller.team ?? null,
        tags: Object.fromEntries(node.tags.map(({ key, value }) => [key, value])),
        latencyMs: node.latencyMs ?? null,
        error: node.error?.code ?? null,
      });
    if (!page.pageInfo.hasNextPage) break;
    after = page.pageInfo.endCursor ?? null;
  }
  return found;
}
