// headgate run: one task from the command line, accounted for in the same ledger as the server's.
import type { RunOptions, RunResult } from '../engine/execution/port.ts';
import { LOCAL_CALLER } from '../engine/execution/local-caller.ts';
import { nearest } from '../common/nearest.ts';
import type { Json } from '../common/json.ts';
import { formatUsd, type NanoUsd } from '../common/money.ts';
import type { JsonSchema } from '../language/plan/types.ts';
import type { RegisterCommand } from './commands.ts';
import { outputText, remoteJson, remoteSummary, runResultJson, runSummary } from './format/run-result.ts';
import type { TaskInput } from './generated/graphql.ts';
import { parseInputPairs } from './input.ts';
import { UsageError, type CliIo, type ExitCode } from './io.ts';
import { inLedgerOrAtServer } from './ledger-or-server.ts';
import { parseTags } from './tags.ts';
import { workflowsFolder } from './workflows-folder.ts';
import {
  collect,
  databaseOption,
  dataOption,
  keyOption,
  parseDollars,
  parsePositiveInteger,
  serverOption,
  workflowsOption,
} from './options.ts';

interface RunFlags {
  readonly input: readonly string[];
  readonly json: boolean;
  readonly workflows?: string;
  readonly data: string;
  readonly database?: string;
  readonly tag: readonly string[];
  readonly caller?: string;
  readonly team?: string;
  readonly tier?: string;
  readonly maxCost?: NanoUsd;
  readonly deadline?: number;
  readonly idempotencyKey?: string;
  readonly cache: boolean;
  readonly server?: string;
  readonly key?: string;
}

export const registerRun: RegisterCommand = (program, io, end) =>
  program
    .command('run')
    .description('run one task and print its answer; exit code 1 when it fails')
    .argument('<task>', 'the name of the task')
    .option(
      '-i, --input <key=value>',
      'an input; key=@file takes the text of a file, key=@- standard input',
      collect,
      [],
    )
    .option('--json', 'print the whole run as JSON', false)
    .addOption(workflowsOption())
    .addOption(dataOption())
    .addOption(databaseOption())
    .option('--tag <key=value>', 'a tag, for statistics and budgets', collect, [])
    .option(
      '--caller <name>',
      'in whose name, for statistics, budgets and rules; a server asks for the scope caller:*',
    )
    .option('--team <name>', 'of this team')
    .option('--tier <name>', 'of this tier')
    .option('--max-cost <dollars>', 'spend no more than this on the run', parseDollars)
    .option('--deadline <ms>', 'give up after so many milliseconds', parsePositiveInteger)
    .option('--idempotency-key <key>', 'answer with the run that was made with this key, if there is one')
    .option('--no-cache', 'do not answer from the cache')
    .addOption(serverOption())
    .addOption(keyOption())
    .action(async (task: string, flags: RunFlags) => {
      end(
        await inLedgerOrAtServer(
          flags,
          () => runLocally(task, flags, io),
          (server) => runRemotely(task, server, flags, io),
        ),
      );
    });

async function runLocally(task: string, flags: RunFlags, io: CliIo): Promise<ExitCode> {
  const { openApp } = await import('../app.ts');
  const app = await openApp({
    workflows: workflowsFolder(flags.workflows, io),
    dataDirectory: flags.data,
    ...(flags.database === undefined ? {} : { database: flags.database }),
    env: io.env,
  });
  const interruption = new AbortController();
  const onSignal = (): void => interruption.abort(new Error('interrupted'));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    const { tasks } = app.revisions.active().plan;
    const planned = tasks[task];
    if (!planned) throw unknownTask(task, Object.keys(tasks));
    const result = await app.engine.run({
      task,
      input: parseInputPairs(flags.input, planned.inputSchema),
      caller: {
        ...LOCAL_CALLER,
        name: flags.caller ?? LOCAL_CALLER.name,
        team: flags.team ?? null,
        tier: flags.tier ?? null,
      },
      options: runOptions(flags),
      signal: interruption.signal,
    });
    print(result, flags.json, io);
    return result.kind === 'run' && result.snapshot.run.status === 'succeeded' ? 0 : 1;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    await app.close();
  }
}

async function runRemotely(task: string, server: string, flags: RunFlags, io: CliIo): Promise<ExitCode> {
  const [{ createRemote }, documents] = await Promise.all([import('./remote.ts'), import('./documents.ts')]);
  const remote = createRemote(server, flags.key);
  const { taskTypes, viewer } = await remote.query(documents.TaskInputs, {});
  const type = taskTypes.find(({ name }) => name === task);
  if (type?.field === null || type?.field === undefined)
    throw unknownTask(
      task,
      taskTypes.map(({ name }) => name),
    );
  const { runTask } = await remote.query(documents.RunTask, {
    // What the server's own workflows make of TaskInput is known to it alone; it checks the input.
    task: { [type.field]: parseInputPairs(flags.input, (type.inputSchema ?? {}) as JsonSchema) } as TaskInput,
    options: {
      maxCost: flags.maxCost === undefined ? null : formatUsd(flags.maxCost),
      deadlineMs: flags.deadline ?? null,
      idempotencyKey: flags.idempotencyKey ?? null,
      tags: Object.entries(parseTags(flags.tag)).map(([key, value]) => ({ key, value })),
      noCache: !flags.cache,
      ...([flags.caller, flags.team, flags.tier].every((part) => part === undefined)
        ? {}
        : {
            caller: {
              name: flags.caller ?? viewer.name,
              team: flags.team ?? null,
              tier: flags.tier ?? null,
            },
          }),
    },
  });
  if (flags.json) io.out(JSON.stringify(remoteJson(runTask), null, 2));
  else {
    if (runTask.__typename === 'Run' && runTask.status === 'SUCCEEDED')
      io.out(outputText(runTask.outputJson as Json));
    io.err(remoteSummary(runTask, io.errColours));
  }
  return runTask.__typename === 'Run' && runTask.status === 'SUCCEEDED' ? 0 : 1;
}

function unknownTask(task: string, names: readonly string[]): UsageError {
  const near = nearest(task, names);
  return new UsageError(
    `there is no task "${task}"`,
    near === undefined ? `The tasks are ${names.join(', ')}.` : `Did you mean "${near}"?`,
  );
}

function runOptions(flags: RunFlags): RunOptions {
  return {
    ...(flags.maxCost === undefined ? {} : { maxCostNanoUsd: flags.maxCost }),
    ...(flags.deadline === undefined ? {} : { deadlineMs: flags.deadline }),
    ...(flags.idempotencyKey === undefined ? {} : { idempotencyKey: flags.idempotencyKey }),
    ...(flags.tag.length === 0 ? {} : { tags: parseTags(flags.tag) }),
    noCache: !flags.cache,
  };
}

/** The answer goes to standard output, what is said about it to standard error, so that a pipe gets the answer alone. */
function print(result: RunResult, json: boolean, io: CliIo): void {
  if (json) {
    io.out(JSON.stringify(runResultJson(result), null, 2));
    return;
  }
  if (result.kind === 'run' && result.snapshot.run.status === 'succeeded')
    io.out(outputText(result.snapshot.run.output));
  io.err(runSummary(result, io.errColours));
}
