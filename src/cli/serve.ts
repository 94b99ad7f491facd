// headgate serve: compiles the workflows, opens the ledger, serves the API until it is told to stop.
import { Option } from 'commander';
import type { App } from '../app.ts';
import type { RegisterCommand } from './commands.ts';
import { mutationToPaste } from './format/mutation.ts';
import { problemText } from './format/problems.ts';
import type { CliIo, ExitCode } from './io.ts';
import { createLog } from './log.ts';
import { dataOption, parsePort, parsePositiveInteger, workflowsOption } from './options.ts';
import { workflowsFolder } from './workflows-folder.ts';

interface ServeFlags {
  readonly workflows?: string;
  readonly data: string;
  readonly port: number;
  readonly host: string;
  readonly mode: 'development' | 'production';
  readonly synchronous: 'full' | 'normal';
  readonly drain: number;
  readonly trustProxy: boolean;
  readonly watch: boolean;
}

export const registerServe: RegisterCommand = (program, io, end) =>
  program
    .command('serve')
    .description('serve the tasks over GraphQL')
    .addOption(workflowsOption())
    .addOption(dataOption())
    .addOption(
      new Option('-p, --port <number>', 'the port; 0 takes a free one')
        .env('HEADGATE_PORT')
        .default(4000)
        .argParser(parsePort),
    )
    .addOption(
      new Option('--host <address>', 'the address; any other than loopback needs an API key')
        .env('HEADGATE_HOST')
        .default('127.0.0.1'),
    )
    .addOption(
      new Option(
        '--mode <mode>',
        'development: GraphiQL and introspection; production: neither (default: production when NODE_ENV says so)',
      )
        .env('HEADGATE_MODE')
        .choices(['development', 'production'])
        .default(io.env['NODE_ENV'] === 'production' ? 'production' : 'development'),
    )
    .addOption(
      new Option(
        '--synchronous <mode>',
        'full: what is committed survives a power cut; normal: a killed process',
      )
        .choices(['full', 'normal'])
        .default('full'),
    )
    .option(
      '--drain <ms>',
      'how long running tasks may take when the server is told to stop',
      parsePositiveInteger,
      10_000,
    )
    .option('--trust-proxy', 'a proxy in front sets X-Forwarded-*, and nobody else can', false)
    .option('--no-watch', 'do not load the workflows again when a file changes')
    .action(async (flags: ServeFlags) => {
      end(await serve(flags, io));
    });

async function serve(flags: ServeFlags, io: CliIo): Promise<ExitCode> {
  const stopped = untilStopped();
  const { openApp, serveApp, WorkflowsRefused } = await import('../app.ts');
  const log = await createLog(io.env);
  const app = await openApp({
    workflows: workflowsFolder(flags.workflows, io),
    dataDirectory: flags.data,
    env: io.env,
    synchronous: flags.synchronous,
    log,
  }).catch((error: unknown) => {
    if (error instanceof WorkflowsRefused)
      for (const problem of error.problems) io.err(problemText(problem, io.errColours));
    throw error;
  });
  try {
    const server = await serveApp(app, {
      host: flags.host,
      port: flags.port,
      mode: flags.mode,
      trustProxy: flags.trustProxy,
      watch: flags.watch,
      log,
    });
    io.out(banner(app, server.url));
    await stopped.promise;
    io.err('headgate: stopping; running tasks are finished first');
    await server.close();
    return 0;
  } finally {
    await app.close(flags.drain);
    stopped.release();
  }
}

/** Where the API is, what is switched off, and something to try. */
function banner(app: App, url: string): string {
  const { plan } = app.revisions.active();
  const mutation = mutationToPaste(plan, url);
  return [
    `Headgate serves ${Object.keys(plan.tasks).join(', ')} at ${url}/graphql`,
    ...app.guards
      .switches()
      .map(({ scope, reason, by }) => `Spending of ${scope} is paused by ${by}: ${reason}`),
    ...(mutation === null ? [] : [`Try it:\n\n${mutation}\n`]),
  ].join('\n');
}

/** The first SIGTERM or SIGINT drains; a second one ends the process at once, as if there were no handler. */
function untilStopped(): { readonly promise: Promise<void>; readonly release: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const onSignal = (): void => {
    release();
    resolve();
  };
  const release = (): void => void process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  return { promise, release };
}
