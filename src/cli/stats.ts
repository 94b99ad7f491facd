// headgate stats: what was spent, from the database or from a running server, once or live.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Option } from 'commander';
import { systemClock } from '../common/clock.ts';
import { formatUsd } from '../common/money.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import type { StatsDimension, StatsWindow } from '../ledger/stats/port.ts';
import type { RegisterCommand } from './commands.ts';
import { statsText, type ShownStats } from './format/stats.ts';
import { UsageError, type CliIo, type ExitCode } from './io.ts';
import { dataOption, keyOption, serverOption } from './options.ts';

const WINDOWS = ['HOUR', 'DAY', 'WEEK', 'MONTH', 'ALL'] as const satisfies readonly StatsWindow[];
const DIMENSIONS = [
  'PROVIDER',
  'MODEL',
  'TASK',
  'CALLER',
  'TEAM',
  'SESSION',
  'TAG',
  'REVISION',
  'STATUS',
] as const satisfies readonly StatsDimension[];

interface StatsFlags {
  readonly data: string;
  readonly server?: string;
  readonly key?: string;
  readonly window: StatsWindow;
  readonly by: readonly StatsDimension[];
  readonly watch: boolean;
  readonly json: boolean;
}

const upper = (text: string): string => text.toUpperCase();

export const registerStats: RegisterCommand = (program, io, end) =>
  program
    .command('stats')
    .description('print what was spent, by whatever you ask for')
    .addOption(dataOption())
    .addOption(serverOption())
    .addOption(keyOption())
    .addOption(
      new Option('--window <window>', 'hour, day, week, month or all')
        .default('DAY')
        .argParser((text) => oneOf(WINDOWS, upper(text), '--window')),
    )
    .addOption(
      new Option(
        '--by <dimension>',
        'provider, model, task, caller, team, session, tag, revision or status; several with commas',
      )
        .default(['PROVIDER', 'TASK'], 'provider,task')
        .argParser((text) => text.split(',').map((name) => oneOf(DIMENSIONS, upper(name.trim()), '--by'))),
    )
    .option('--watch', 'go on, as it changes (with --server)', false)
    .option('--json', 'as JSON, one line per state', false)
    .action(async (flags: StatsFlags) => end(await stats(flags, io)));

function oneOf<Name extends string>(names: readonly Name[], text: string, flag: string): Name {
  const found = names.find((name) => name === text);
  if (found === undefined)
    throw new UsageError(
      `${flag} ${text.toLowerCase()}: not one of ${names.join(', ').toLowerCase()}`,
      'Choose one of them.',
    );
  return found;
}

async function stats(flags: StatsFlags, io: CliIo): Promise<ExitCode> {
  if (flags.server === undefined && flags.watch)
    throw new UsageError('--watch follows a running server', 'Name it with --server http://127.0.0.1:4000.');
  const print = (shown: ShownStats): void => io.out(flags.json ? JSON.stringify(shown) : statsText(shown));
  if (flags.server === undefined) {
    print(await localStats(flags));
    return 0;
  }
  const [{ createRemote }, documents] = await Promise.all([import('./remote.ts'), import('./documents.ts')]);
  const remote = createRemote(flags.server, flags.key);
  const variables = { window: flags.window, by: [...flags.by] };
  if (!flags.watch) {
    print((await remote.query(documents.Stats, variables)).costStats);
    return 0;
  }
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    for await (const { costStats } of remote.subscribe(documents.WatchStats, variables, stop.signal))
      print(costStats);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
  return 0;
}

/** From the database, beside a running server or without one. Budgets are accounts in a server's memory, so they are not among it. */
async function localStats({ data, window, by }: StatsFlags): Promise<ShownStats> {
  const [{ DATABASE_FILE }, { openLedgerReader }, { createStats }] = await Promise.all([
    import('../app.ts'),
    import('../ledger/open.ts'),
    import('../ledger/stats/stats.ts'),
  ]);
  const path = join(data, DATABASE_FILE);
  if (!existsSync(path))
    throw new HeadgateError(
      'DATABASE_NOT_FOUND',
      `there is no database ${path}`,
      'Name its folder with --data DIR, or a server with --server URL.',
    );
  const ledger = openLedgerReader(path);
  const reader = createStats({ ledger: { ...ledger, onWritten: () => () => undefined }, clock: systemClock });
  try {
    const { atMs, total, groups } = await reader.costStats({ window, by });
    const bucket = (from: typeof total): ShownStats['total'] => ({
      ...from,
      cost: formatUsd(from.costNanoUsd),
      saved: formatUsd(from.savedNanoUsd),
      inputTokens: String(from.inputTokens),
      outputTokens: String(from.outputTokens),
    });
    return {
      at: new Date(atMs).toISOString(),
      total: bucket(total),
      groups: groups.map(({ keys, bucket: of }) => ({ keys, bucket: bucket(of) })),
      budgets: [],
    };
  } finally {
    reader.close();
    await ledger.close();
  }
}
