// headgate run: one task from the command line, accounted for in the same ledger as the server's.
import type { RunOptions, RunResult } from '../execution/engine.ts';
import { LOCAL_CALLER } from '../execution/local-caller.ts';
import { nearest } from '../common/nearest.ts';
import type { NanoUsd } from '../common/money.ts';
import type { RegisterCommand } from './commands.ts';
import { outputText, runResultJson, runSummary } from './format/run-result.ts';
import { parseInputPairs } from './input.ts';
import { UsageError, type CliIo, type ExitCode } from './io.ts';
import { workflowsFolder } from './workflows-folder.ts';
import { collect, dataOption, parseDollars, parsePositiveInteger, workflowsOption } from './options.ts';

interface RunFlags {
  readonly input: readonly string[];
  readonly json: boolean;
  readonly workflows?: string;
  readonly data: string;
  readonly tag: readonly string[];
  readonly maxCost?: NanoUsd;
  readonly deadline?: number;
  readonly idempotencyKey?: string;
  readonly cache: boolean;
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
    .option('--tag <key=value>', 'a tag, for statistics and budgets', collect, [])
    .option('--max-cost <dollars>', 'spend no more than this on the run', parseDollars)
    .option('--deadline <ms>', 'give up after so many milliseconds', parsePositiveInteger)
    .option('--idempotency-key <key>', 'answer with the run that was made with this key, if there is one')
    .option('--no-cache', 'do not answer from the cache')
    .action(async (task: string, flags: RunFlags) => {
      end(await runLocally(task, flags, io));
    });

async function runLocally(task: string, flags: RunFlags, io: CliIo): Promise<ExitCode> {
  const { openApp } = await import('../app.ts');
  const app = await openApp({
    workflows: workflowsFolder(flags.workflows, io),
    dataDirectory: flags.data,
    env: io.env,
  });
  const interruption = new AbortController();
  const onSignal = (): void => interruption.abort(new Error('interrupted'));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    const planned = app.revisions.active().plan.tasks[task];
    if (!planned) {
      const names = Object.keys(app.revisions.active().plan.tasks);
      const near = nearest(task, names);
      throw new UsageError(
        `there is no task "${task}"`,
        near === undefined ? `The tasks are ${names.join(', ')}.` : `Did you mean "${near}"?`,
      );
    }
    const result = await app.engine.run({
      task,
      input: parseInputPairs(flags.input, planned.inputSchema),
      caller: LOCAL_CALLER,
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

function runOptions(flags: RunFlags): RunOptions {
  return {
    ...(flags.maxCost === undefined ? {} : { maxCostNanoUsd: flags.maxCost }),
    ...(flags.deadline === undefined ? {} : { deadlineMs: flags.deadline }),
    ...(flags.idempotencyKey === undefined ? {} : { idempotencyKey: flags.idempotencyKey }),
    ...(flags.tag.length === 0 ? {} : { tags: parseTags(flags.tag) }),
    noCache: !flags.cache,
  };
}

export function parseTags(pairs: readonly string[]): { readonly [key: string]: string } {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals <= 0)
        throw new UsageError(`--tag ${pair}: not of the form key=value`, 'Write --tag team=growth.');
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
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
