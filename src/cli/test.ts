// headgate test: the cases that tasks carry, against recorded answers or live.
import { writeFile } from 'node:fs/promises';
import { nearest } from '../common/nearest.ts';
import { formatUsd } from '../common/money.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import { compileDirectory } from '../revisions/compile.ts';
import type { RegisterCommand } from './commands.ts';
import { junitXml } from './format/junit.ts';
import { plural, problemText } from './format/problems.ts';
import { UsageError, type CliIo, type ExitCode } from './io.ts';
import { workflowsOption } from './options.ts';
import { workflowsFolder } from './workflows-folder.ts';

interface TestFlags {
  readonly workflows?: string;
  readonly record: boolean;
  readonly live: boolean;
  readonly junit?: string;
  readonly json: boolean;
}

export const registerTest: RegisterCommand = (program, io, end) =>
  program
    .command('test')
    .description('run the tests that tasks carry; exit code 1 when one fails')
    .argument('[task...]', 'only these tasks')
    .addOption(workflowsOption())
    .option('--record', 'call the providers and keep their answers beside the workflows', false)
    .option('--live', 'call the providers and keep nothing', false)
    .option('--junit <file>', 'write the results as JUnit XML too')
    .option('--json', 'print the results as JSON', false)
    .action(async (tasks: readonly string[], flags: TestFlags) => end(await test(tasks, flags, io)));

async function test(tasks: readonly string[], flags: TestFlags, io: CliIo): Promise<ExitCode> {
  if (flags.record && flags.live)
    throw new UsageError('--record and --live exclude each other', 'A recording calls the providers too.');
  const workflows = workflowsFolder(flags.workflows, io);
  const { plan, definition, problems } = await compileDirectory(workflows, { env: io.env });
  if (plan === null || definition === null) {
    for (const problem of problems)
      if (problem.severity === 'error') io.err(problemText(problem, io.errColours));
    throw new HeadgateError(
      'WORKFLOWS_INVALID',
      `the workflows in ${workflows} do not compile`,
      'Correct what is listed above.',
    );
  }
  for (const name of tasks) {
    if (name in definition.tasks) continue;
    const near = nearest(name, Object.keys(definition.tasks));
    throw new UsageError(
      `there is no task "${name}"`,
      near === undefined
        ? `The tasks are ${Object.keys(definition.tasks).join(', ')}.`
        : `Did you mean "${near}"?`,
    );
  }
  const { runTests } = await import('./testing/run-tests.ts');
  const { colours } = io;
  const results = await runTests({
    definition,
    workflows,
    env: io.env,
    mode: flags.record ? 'record' : flags.live ? 'live' : 'replay',
    tasks,
    onResult({ task, name, ok, failures, latencyMs, file, line }) {
      if (flags.json) return;
      io.out(
        `${ok ? colours.green('pass') : colours.red('FAIL')} ${task}: ${name} ${colours.dim(`${Math.round(latencyMs)} ms`)}`,
      );
      for (const failure of failures) io.out(`     ${failure}`);
      if (!ok) io.out(`     ${colours.dim(`${file}:${line}`)}`);
    },
  });
  if (flags.junit !== undefined) await writeFile(flags.junit, `${junitXml(results)}\n`);
  const failed = results.filter(({ ok }) => !ok).length;
  if (flags.json)
    io.out(
      JSON.stringify(
        results,
        (_key, value: unknown) => (typeof value === 'bigint' ? formatUsd(value) : value),
        2,
      ),
    );
  else {
    const cost = results.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n);
    io.out(
      `${plural(results.length, 'test')}, ${failed} failed${cost > 0n ? `, $${formatUsd(cost)} spent` : ''}`,
    );
  }
  return failed === 0 ? 0 : 1;
}
