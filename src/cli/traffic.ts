// headgate traffic: what was asked of the gate as a file of sizes, times and outcomes, for replays elsewhere.
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { Option, InvalidArgumentError } from 'commander';
import { HeadgateError } from '../errors/headgate-error.ts';
import { parseDuration } from '../language/definition/fields/units.ts';
import type { TrafficSpan } from '../simulation/ledger-traffic.ts';
import type { Exported } from '../simulation/export-traffic.ts';
import type { Traffic } from '../simulation/traffic.ts';
import type { RegisterCommand } from './commands.ts';
import { plural } from './format/problems.ts';
import { UsageError, type CliIo, type ExitCode } from './io.ts';
import { databaseOption, dataOption, keyOption, serverOption } from './options.ts';
import { withProgress } from './progress.ts';
import { dateOptions, spanOfFlags } from './span-options.ts';
import type { SpanFlags } from './span-options.ts';

export interface TrafficFlags extends Pick<SpanFlags, 'from' | 'to' | 'timeZone'> {
  readonly data: string;
  readonly database?: string;
  readonly server?: string;
  readonly key?: string;
  readonly last?: number;
}

interface ExportFlags extends TrafficFlags {
  readonly hashNames: boolean;
  readonly json: boolean;
}

const WEEK_MS = 7 * 86_400_000;

export const lastOption = (): Option =>
  new Option('--last <duration>', 'the time up to now: 7d, 12h (default: 7d)').argParser((text) => {
    const ms = parseDuration(text);
    if (ms === undefined || ms <= 0) throw new InvalidArgumentError('A duration is written like 7d or 12h.');
    return ms;
  });

export const registerTraffic: RegisterCommand = (program, io, end) => {
  const traffic = program
    .command('traffic')
    .description(
      'what was asked of the gate, as a file for "headgate replay": sizes, times, outcomes; no text',
    );
  const command = traffic
    .command('export')
    .description('write the traffic file')
    .argument('[file]', 'where to (default: standard output)')
    .addOption(lastOption());
  for (const option of dateOptions()) command.addOption(option);
  command
    .option(
      '--hash-names',
      'callers, teams, tiers and tag values as hashes that cannot be joined with others',
      false,
    )
    .addOption(dataOption())
    .addOption(databaseOption())
    .addOption(serverOption())
    .addOption(keyOption())
    .option('--json', 'say what was written as JSON; asks for a file', false)
    .action(async (file: string | undefined, flags: ExportFlags) =>
      end(await exportCommand(file, flags, io)),
    );
  return traffic;
};

async function exportCommand(file: string | undefined, flags: ExportFlags, io: CliIo): Promise<ExitCode> {
  if (file === undefined && flags.json)
    throw new UsageError(
      'the traffic goes to the standard output, which has no room for JSON beside it',
      'Name a file: headgate traffic export traffic.hgt --json',
    );
  if (file === undefined && process.stdout.isTTY)
    throw new UsageError(
      'the traffic file is compressed, and the standard output is a terminal',
      'Name a file, or redirect the output: headgate traffic export traffic.hgt',
    );
  const to = file === undefined ? process.stdout : createWriteStream(file);
  const { runs, attempts } = await withProgress('writing the traffic file', io, () =>
    writeTraffic(flags, to, flags.hashNames),
  );
  if (flags.json) io.out(JSON.stringify({ file, runs, attempts }, null, 2));
  else
    io.err(
      `headgate: ${plural(runs, 'run')}, ${plural(attempts, 'attempt')}${file === undefined ? '' : ` in ${file}`}.`,
    );
  return 0;
}

function spanOf({ last, ...dates }: Pick<TrafficFlags, 'from' | 'to' | 'timeZone' | 'last'>): TrafficSpan {
  const { fromMs, toMs = Date.now() + 1 } = spanOfFlags({ ...dates, ago: 0 }, {});
  return { fromMs: fromMs ?? toMs - (last ?? WEEK_MS), toMs };
}

/** From the ledger, or from the server that the flags name. Ends the stream. */
async function writeTraffic(flags: TrafficFlags, to: Writable, hashed: boolean): Promise<Exported> {
  const span = spanOf(flags);
  const [{ exportTraffic }, { ledgerPages, trafficRuns }] = await Promise.all([
    import('../simulation/export-traffic.ts'),
    import('../simulation/ledger-traffic.ts'),
  ]);
  if (flags.server !== undefined) {
    const { serverPages } = await import('./server-traffic.ts');
    return exportTraffic(trafficRuns(serverPages(flags.server, flags.key, span)), to, { ...span, hashed });
  }
  const { withLocalStats } = await import('./local-stats.ts');
  return withLocalStats(flags, (_stats, ledger) =>
    exportTraffic(trafficRuns(ledgerPages(ledger, span)), to, { ...span, hashed }),
  );
}

/** The file that is named; else what was served lately, by way of a file that is gone afterwards. */
export async function withTraffic<Result>(
  flags: TrafficFlags & { readonly traffic?: string },
  body: (traffic: Traffic) => Promise<Result>,
): Promise<Result> {
  const { openTrafficFile } = await import('../simulation/traffic-file.ts');
  if (flags.traffic !== undefined) return body(await openTrafficFile(flags.traffic));
  const folder = await mkdtemp(join(tmpdir(), 'headgate-traffic-'));
  try {
    const file = join(folder, 'traffic.hgt');
    const { runs } = await writeTraffic(flags, createWriteStream(file, { mode: 0o600 }), false);
    if (runs === 0)
      throw new HeadgateError(
        'TRAFFIC_EMPTY',
        'there was no run in this time',
        'Name a longer one with --last 30d, or a file with --traffic FILE.',
      );
    return await body(await openTrafficFile(file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
