// headgate ledger: adds everything up again, and settles attempts whose outcome nobody knows.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../common/clock.ts';
import { formatUsd, type NanoUsd } from '../common/money.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import type { AttemptRecord } from '../execution/records.ts';
import type { RegisterCommand } from './commands.ts';
import { plural } from './format/problems.ts';
import { table } from './format/table.ts';
import { UsageError, type CliIo, type ExitCode } from './io.ts';
import { dataOption, parseDollars } from './options.ts';

export const registerLedger: RegisterCommand = (program, io, end) => {
  const ledger = program
    .command('ledger')
    .description('verify sums, and reconcile attempts of unknown outcome');
  ledger
    .command('verify')
    .description(
      'compute every bill again from its tokens and rates, and add up every sum; exit code 1 when one differs',
    )
    .addOption(dataOption())
    .option('--json', 'as JSON', false)
    .action(async (flags: { data: string; json: boolean }) => end(await verify(flags, io)));
  ledger
    .command('reconcile')
    .description('list attempts of unknown outcome; confirm them as billed, or release them')
    .addOption(dataOption())
    .option('--confirm <id>', 'it was billed: at --cost, or at its worst case')
    .option('--cost <dollars>', 'what it was billed', parseDollars)
    .option('--release <id>', 'it was not billed')
    .action(async (flags: ReconcileFlags) => end(await reconcile(flags, io)));
  return ledger;
};

/** Throws where there is no database: a verification must not make an empty one and be content. */
async function databaseIn(dataDirectory: string): Promise<string> {
  const { DATABASE_FILE } = await import('../app.ts');
  const path = join(dataDirectory, DATABASE_FILE);
  if (!existsSync(path))
    throw new HeadgateError(
      'DATABASE_NOT_FOUND',
      `there is no database ${path}`,
      'Name its folder with --data DIR.',
    );
  return path;
}

async function verify(
  flags: { readonly data: string; readonly json: boolean },
  io: CliIo,
): Promise<ExitCode> {
  const path = await databaseIn(flags.data);
  const { openLedgerReader } = await import('../ledger/open.ts');
  const ledger = openLedgerReader(path);
  try {
    const report = await ledger.verify();
    if (flags.json) io.out(JSON.stringify(report, null, 2));
    else {
      for (const { kind, where, expected, actual } of report.discrepancies)
        io.out(`${kind} ${where}: expected ${expected}, found ${actual}`);
      const counted = `${plural(report.attempts, 'attempt')}, ${plural(report.runs, 'run')}, ${plural(report.budgetWindows, 'budget window')}, ${plural(report.rollups, 'roll-up')}`;
      io.out(
        report.ok
          ? `${counted}: every sum agrees to the nano-dollar`
          : `${counted}: ${plural(report.found, 'sum')} not right`,
      );
    }
    return report.ok ? 0 : 1;
  } finally {
    await ledger.close();
  }
}

interface ReconcileFlags {
  readonly data: string;
  readonly confirm?: string;
  readonly cost?: NanoUsd;
  readonly release?: string;
}

async function reconcile(flags: ReconcileFlags, io: CliIo): Promise<ExitCode> {
  if (flags.confirm !== undefined && flags.release !== undefined)
    throw new UsageError('an attempt is confirmed or released, not both', 'Give --confirm or --release.');
  if (flags.cost !== undefined && flags.confirm === undefined)
    throw new UsageError('--cost says what a confirmed attempt was billed', 'Give it with --confirm ID.');
  const path = await databaseIn(flags.data);
  const { openLedger, openLedgerReader } = await import('../ledger/open.ts');
  const id = flags.confirm ?? flags.release;
  if (id === undefined) {
    const reader = openLedgerReader(path);
    try {
      io.out(listText(await reader.unreconciled()));
      return 0;
    } finally {
      await reader.close();
    }
  }
  const ledger = await openLedger({ path, synchronous: 'full', clock: systemClock });
  try {
    const settled = await ledger.reconcile(
      id,
      flags.release === undefined
        ? { kind: 'confirm', ...(flags.cost === undefined ? {} : { costNanoUsd: flags.cost }) }
        : { kind: 'release' },
    );
    io.out(
      flags.release === undefined
        ? `${id} is confirmed at $${formatUsd(settled.costNanoUsd)}.`
        : `${id} is released; it cost nothing.`,
    );
    return 0;
  } finally {
    await ledger.close();
  }
}

function listText(attempts: readonly AttemptRecord[]): string {
  if (attempts.length === 0) return 'No attempt is of unknown outcome.';
  return [
    table(
      ['attempt', 'run', 'provider', 'model', 'started', 'held'],
      attempts.map((attempt) => [
        attempt.id,
        attempt.runId,
        attempt.provider,
        attempt.requestedModel,
        new Date(attempt.startedAtMs).toISOString(),
        `$${formatUsd(attempt.heldNanoUsd)}`,
      ]),
    ),
    '',
    'Compare them with the provider\'s own record of requests; then "headgate ledger reconcile --confirm ID [--cost $0.01]" or "--release ID".',
  ].join('\n');
}
