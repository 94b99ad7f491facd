// headgate alerts: what people should know of, and whether those who should be told are reached.
import { Option } from 'commander';
import { systemClock } from '../common/clock.ts';
import type { RegisterCommand } from './commands.ts';
import { compiledPlan } from './compiled.ts';
import { table } from './format/table.ts';
import type { CliIo, ExitCode } from './io.ts';
import { UsageError } from './io.ts';
import { withLocalStats } from './local-stats.ts';
import {
  databaseOption,
  dataOption,
  keyOption,
  parsePositiveInteger,
  serverOption,
  workflowsOption,
} from './options.ts';
import { serverOf } from './server-address.ts';
import { workflowsFolder } from './workflows-folder.ts';

interface AlertsFlags {
  readonly data: string;
  readonly database?: string;
  readonly server?: string;
  readonly key?: string;
  readonly limit: number;
  readonly json: boolean;
}

interface TestFlags {
  readonly data?: string;
  readonly workflows?: string;
  readonly server?: string;
  readonly key?: string;
  readonly json: boolean;
}

export const registerAlerts: RegisterCommand = (program, io, end) => {
  const alerts = program
    .command('alerts')
    .description('list alerts, the newest first; "alerts test" sends a test message to each sink')
    .addOption(dataOption())
    .addOption(databaseOption())
    .addOption(serverOption())
    .addOption(keyOption())
    .option('--limit <n>', 'no more than so many', parsePositiveInteger, 20)
    .option('--json', 'as JSON', false)
    .action(async (flags: AlertsFlags) => end(await list(flags, io)));
  alerts
    .command('test')
    .description(
      'send a test message to each sink of alerts that the workflows name; exit code 1 when one did not take it',
    )
    .addOption(workflowsOption())
    .addOption(new Option('--data <dir>', 'ask the server that has this folder open, with its secrets'))
    .addOption(serverOption())
    .addOption(keyOption())
    .option('--json', 'as JSON', false)
    // Options before "test" are those of "alerts"; what stands behind it is meant more.
    .action(async (own: TestFlags, command: { parent: { opts(): AlertsFlags } }) => {
      const before = command.parent.opts();
      const { server, key } = before;
      const at = { ...(server !== undefined && { server }), ...(key !== undefined && { key }) };
      end(await test({ ...at, ...own, json: before.json || own.json }, io));
    });
  return alerts;
};

interface Tested {
  readonly name: string;
  readonly kind: string;
  readonly failure: string | null;
}

interface ShownAlert {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  readonly severity: string;
  readonly scope: string;
  readonly message: string;
  readonly remedy: string;
}

async function list(flags: AlertsFlags, io: CliIo): Promise<ExitCode> {
  const found = flags.server === undefined ? await local(flags) : await remote(flags.server, flags);
  if (flags.json) io.out(JSON.stringify(found, null, 2));
  else if (found.length === 0) io.out('There is no alert.');
  else
    io.out(
      table(
        ['at', 'severity', 'kind', 'of', 'message'],
        found.map(({ at, severity, kind, scope, message }) => [at, severity, kind, scope, message]),
      ),
    );
  return 0;
}

function local({ limit, ...location }: AlertsFlags): Promise<readonly ShownAlert[]> {
  return withLocalStats(location, async (_stats, ledger) => {
    const { rows } = await ledger.alerts({ limit });
    return rows.map(({ atMs, ...alert }) => ({ ...alert, at: new Date(atMs).toISOString() }));
  });
}

async function remote(server: string, { key, limit }: AlertsFlags): Promise<readonly ShownAlert[]> {
  const [{ createRemote }, { ListAlerts }] = await Promise.all([
    import('./remote.ts'),
    import('./documents.ts'),
  ]);
  const { alerts } = await createRemote(server, key).query(ListAlerts, { first: limit });
  return alerts.edges.map(({ node: { kind, severity, ...alert } }) => ({
    ...alert,
    kind: kind.toLowerCase(),
    severity: severity.toLowerCase(),
  }));
}

/** At a server, whose secrets are used; else with those of this environment. */
async function test(flags: TestFlags, io: CliIo): Promise<ExitCode> {
  const { data, server = data === undefined ? undefined : serverOf(data, undefined) } = flags;
  const results = server === undefined ? await testHere(flags, io) : await testAt(server, flags.key);
  if (results.length === 0)
    throw new UsageError(
      'the workflows name no sink of alerts',
      'Add one to headgate.yaml: `alerts: { ops: { webhook: "${{ secrets.HOOK_URL }}" } }`.',
    );
  if (flags.json) io.out(JSON.stringify(results, null, 2));
  else
    for (const { name, kind, failure } of results)
      io.out(failure === null ? `${name} (${kind}) took the message` : `${name} (${kind}): ${failure}`);
  return results.every(({ failure }) => failure === null) ? 0 : 1;
}

async function testHere(flags: TestFlags, io: CliIo): Promise<readonly Tested[]> {
  const [plan, { testSinks }] = await Promise.all([
    compiledPlan(workflowsFolder(flags.workflows, io), io),
    import('../server/alerts/test-sinks.ts'),
  ]);
  return testSinks(Object.values(plan.alerts ?? {}), io.env, systemClock);
}

async function testAt(server: string, key: string | undefined): Promise<readonly Tested[]> {
  const [{ createRemote }, { TestAlerts }] = await Promise.all([
    import('./remote.ts'),
    import('./documents.ts'),
  ]);
  const { testAlerts } = await createRemote(server, key).query(TestAlerts, {});
  return testAlerts.map(({ failure, ...of }) => ({ ...of, failure: failure ?? null }));
}
