// headgate serve: compiles the workflows, opens the ledger, serves the API and the page until it is told to stop.
import { performance } from 'node:perf_hooks';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Option } from 'commander';
import type { App, AppOptions } from '../app.ts';
import type { ServeOptions } from '../serve.ts';
import { systemClock } from '../common/clock.ts';
import type { RegisterCommand } from './commands.ts';
import { problemText } from './format/problems.ts';
import { UsageError, type CliIo, type ExitCode } from './io.ts';
import { createLog } from './log.ts';
import {
  collect,
  databaseOption,
  dataOption,
  parsePort,
  parsePositiveInteger,
  workflowsOption,
} from './options.ts';
import { writeServerAddress } from './server-address.ts';
import { setServingFlags } from './v8-flags.ts';
import { workflowsFolder } from './workflows-folder.ts';

/** The built page: `npm run page` makes it in a checkout, the package carries it. */
const builtPage = fileURLToPath(new URL('../../dist/page', import.meta.url));

export function pageFolder(): { readonly staticDir?: string } {
  return existsSync(builtPage) ? { staticDir: builtPage } : {};
}

interface ServeFlags {
  readonly workflows?: string;
  readonly data: string;
  readonly database?: string;
  readonly port: number;
  readonly host: string;
  readonly mode: 'development' | 'production';
  readonly synchronous: 'full' | 'normal';
  readonly drain: number;
  readonly durableRuns?: number;
  readonly trustProxy: boolean;
  readonly watch: boolean;
  readonly repo?: string;
  readonly ref: string;
  readonly path: string;
  readonly webhookSecret?: string;
  readonly introspection?: boolean;
  readonly graphiql?: boolean;
  readonly corsOrigin: readonly string[];
  readonly allowedHost: readonly string[];
  readonly persisted?: string;
  readonly requirePersisted: boolean;
}

export const registerServe: RegisterCommand = (program, io, end) =>
  program
    .command('serve')
    .description('serve the tasks over GraphQL')
    .addOption(workflowsOption())
    .addOption(dataOption())
    .addOption(databaseOption())
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
        'full: what is written survives a power cut; normal: a killed process',
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
    .option(
      '--durable-runs <number>',
      'durable runs at once; those that are started beyond it wait, the most urgent first (default: 100)',
      parsePositiveInteger,
    )
    .option('--trust-proxy', 'a proxy in front sets X-Forwarded-*, and nobody else can', false)
    .option('--no-watch', 'do not load the workflows again when a file changes')
    .option(
      '--repo <path>',
      'take the workflows from this git repository, a clone or a bare one, without a checkout',
    )
    .option('--ref <ref>', 'with --repo: the branch, tag or commit', 'HEAD')
    .option('--path <dir>', 'with --repo: the folder of the workflows in it', 'workflows')
    .addOption(
      new Option(
        '--webhook-secret <secret>',
        'take signed webhooks at /webhooks/reload; better given in the environment',
      ).env('HEADGATE_WEBHOOK_SECRET'),
    )
    .option('--introspection', 'answer introspection also in production')
    .option('--graphiql', 'serve GraphiQL also in production')
    .option(
      '--cors-origin <origin>',
      'let web pages of this origin call; may be given several times',
      collect,
      [],
    )
    .option(
      '--allowed-host <name>',
      'a further name by which an open server on loopback may be asked for; may be given several times',
      collect,
      [],
    )
    .option(
      '--persisted <file>',
      'operations that may be sent by their hash: persisted-documents.json of codegen',
    )
    .option('--require-persisted', 'with --persisted: take no other operations', false)
    .action(async (flags: ServeFlags) => {
      end(await serve(flags, io));
    });

/** Of the time since it was last asked, what the event loop did not wait. */
function eventLoopShare(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}

async function serve(flags: ServeFlags, io: CliIo): Promise<ExitCode> {
  if (flags.requirePersisted && flags.persisted === undefined)
    throw new UsageError(
      '--require-persisted needs the operations',
      'Name their file with --persisted FILE.',
    );
  const stopped = untilStopped();
  const hangups = onHangups();
  const [{ openApp, WorkflowsRefused }, { serveApp }] = await Promise.all([
    import('../app.ts'),
    import('../serve.ts'),
  ]);
  const log = await createLog(io.env, io.isTerminal === true);
  const app = await openApp({
    workflows: await sourceOf(flags, io),
    dataDirectory: flags.data,
    ...(flags.durableRuns === undefined ? {} : { durableRuns: flags.durableRuns }),
    ...(flags.database === undefined ? {} : { database: flags.database }),
    env: io.env,
    synchronous: flags.synchronous,
    busy: eventLoopShare(),
    log,
  }).catch((error: unknown) => {
    if (error instanceof WorkflowsRefused)
      for (const problem of error.problems) io.err(problemText(problem, io.errColours));
    throw error;
  });
  const { startTraces } = await import('../server/observe/otlp.ts');
  const traces = startTraces(io.env, app.clock, log);
  try {
    const server = await serveApp(app, {
      host: flags.host,
      port: flags.port,
      mode: flags.mode,
      trustProxy: flags.trustProxy,
      watch: flags.watch,
      ...(await accessOf(flags)),
      ...pageFolder(),
      ...(flags.webhookSecret === undefined ? {} : { webhookSecret: flags.webhookSecret }),
      log,
      ...(traces === null ? {} : { tracer: traces.tracer }),
    });
    const forgetAddress = writeServerAddress(flags.data, server.url);
    hangups.start(() => {
      app.revisions
        .reload()
        .catch((error: unknown) => log.error({ err: error }, 'the workflows could not be loaded again'));
    });
    // One form at a time: where nobody watches, the log says it.
    const stopTelling = io.isTerminal === true ? tellRevisions(app, io) : (): void => undefined;
    // Not before now: the start would take longer.
    setServingFlags();
    io.out(banner(app, server));
    const fenced = untilFenced(app);
    const isFenced = await Promise.race([stopped.promise.then(() => false), fenced]);
    hangups.stop();
    stopTelling();
    forgetAddress();
    if (isFenced) {
      io.err(
        'headgate: NODE_FENCED this node showed no sign of life, and another one has settled what it had left; start it again',
      );
      await server.close(FENCED_DRAIN_MS);
      return 1;
    }
    if (io.isTerminal === true) io.err('headgate: stopping; running tasks are finished first');
    else log.info('stopping; running tasks are finished first');
    await server.close(flags.drain);
    return 0;
  } finally {
    await app.close(flags.drain);
    await traces?.close();
    stopped.release();
    hangups.release();
  }
}

/** What was paid is booked in this time; nothing else of a fenced node is taken. */
const FENCED_DRAIN_MS = 2_000;

function untilFenced({ ledger }: App): Promise<true> {
  return new Promise((resolve) => {
    ledger.cluster?.onFenced(() => resolve(true));
  });
}

/** Who may ask what: beyond what the mode says. */
async function accessOf(flags: ServeFlags): Promise<Partial<ServeOptions>> {
  const { introspection, graphiql, corsOrigin, allowedHost, persisted, requirePersisted } = flags;
  const operations =
    persisted === undefined
      ? undefined
      : await (await import('../server/persisted.ts')).readPersistedOperations(persisted, requirePersisted);
  return {
    ...(introspection === undefined ? {} : { introspection }),
    ...(graphiql === undefined ? {} : { graphiql }),
    ...(corsOrigin.length === 0 ? {} : { corsOrigins: corsOrigin }),
    ...(allowedHost.length === 0 ? {} : { allowedHosts: allowedHost }),
    ...(operations === undefined ? {} : { persistedOperations: operations }),
  };
}

/** A folder, or a ref of a git repository. */
async function sourceOf(flags: ServeFlags, io: CliIo): Promise<AppOptions['workflows']> {
  if (flags.repo === undefined) return workflowsFolder(flags.workflows, io);
  if (flags.workflows !== undefined && io.env['HEADGATE_WORKFLOWS'] === undefined)
    throw new UsageError(
      '--workflows names a folder and --repo a repository',
      'Give one of them; with --repo, the folder in it is --path.',
    );
  const { createGitSource } = await import('../revisions/git.ts');
  return createGitSource({ repository: flags.repo, ref: flags.ref, folder: flags.path, clock: systemClock });
}

/** SIGHUP reads the workflows again, as it does for many servers; one that comes while the server starts is answered when it has. */
function onHangups(): { start(reload: () => void): void; stop(): void; release(): void } {
  let reload: (() => void) | undefined;
  let isAsked = false;
  const onHangup = (): void => {
    if (reload === undefined) isAsked = true;
    else reload();
  };
  process.on('SIGHUP', onHangup);
  return {
    start(given) {
      reload = given;
      if (isAsked) reload();
    },
    // Still listened to: a hangup while it stops ends nothing.
    stop: () => void (reload = () => undefined),
    release: () => void process.off('SIGHUP', onHangup),
  };
}

/** What an edit of the workflows came to, for whoever watches the terminal. */
function tellRevisions({ revisions }: App, io: CliIo): () => void {
  return revisions.onChange((result) => {
    if (result.kind === 'activated') {
      const { hash, commit, dirty } = result.revision.record;
      const from = commit === null ? '' : ` (${commit.slice(0, 12)}${dirty ? ' with changes' : ''})`;
      io.err(`headgate: revision ${hash.slice(0, 12)}${from} is served`);
    } else if (result.kind === 'refused') {
      for (const problem of result.record.problems)
        if (problem.severity === 'error') io.err(problemText(problem, io.errColours));
      io.err(
        `headgate: these workflows are refused; ${result.serving ? `revision ${result.serving.record.hash.slice(0, 12)} serves on` : 'nothing is served'}`,
      );
    }
  });
}

/** A revision that a person pinned, or that was refused: what is served is not what the workflows say. */
function revisionLines({ revisions }: App): readonly string[] {
  const { record } = revisions.active();
  const [problem] = revisions.refused()?.problems ?? [];
  return [
    ...(record.pinned
      ? [
          `Revision ${record.hash.slice(0, 12)} is pinned: what the workflows say has no effect. Release it with "headgate activate --release".`,
        ]
      : []),
    ...(problem ? [`The workflows were refused: ${problem.message} ${problem.remedy}`] : []),
  ];
}

/** Three lines: where the API is, where the page is, who may ask; and one for whatever is not as the workflows say. */
function banner(app: App, { url, open }: { readonly url: string; readonly open: boolean }): string {
  const { plan } = app.revisions.active();
  return [
    `Headgate serves ${Object.keys(plan.tasks).join(', ')} at ${url}/graphql`,
    existsSync(builtPage) ? `The page: ${url}/` : 'The page is not built; "npm run page" builds it.',
    open
      ? 'No API key exists, so whoever reaches this address may do everything: "headgate keys create --caller NAME" closes it.'
      : 'Requests carry an API key: "headgate keys list" shows those there are.',
    ...revisionLines(app),
    ...app.guards
      .switches()
      .map(({ scope, reason, by }) => `Spending of ${scope} is paused by ${by}: ${reason}`),
  ].join('\n');
}

/** The first SIGTERM or SIGINT drains; a second one ends the process at once, as if there were no handler. */
export function untilStopped(): { readonly promise: Promise<void>; readonly release: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const onSignal = (): void => {
    release();
    resolve();
  };
  const release = (): void => void process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  return { promise, release };
}
