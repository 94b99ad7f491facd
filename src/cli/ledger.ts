// headgate ledger: adds everything up again, settles attempts whose outcome nobody knows, and goes on without what is damaged.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../common/clock.ts';
import { formatUsd, type NanoUsd } from '../common/money.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import { ESTIMATES_LISTED_MS } from '../ledger/port.ts';
import type { RegisterCommand } from './commands.ts';
import { plural } from './format/problems.ts';
import { table } from './format/table.ts';
import { UsageError, type CliIo, type ExitCode } from './io.ts';
import { inLedgerOrAtServer, type LedgerPlace } from './ledger-or-server.ts';
import { dataOption, keyOption, parseDollars, serverOption } from './options.ts';

export const registerLedger: RegisterCommand = (program, io, end) => {
  const ledger = program
    .command('ledger')
    .description('verify sums, reconcile attempts of unknown outcome, and repair a damaged journal');
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
    .description(
      'list attempts of unknown outcome, and those settled at an estimate; confirm what they were billed, or release them',
    )
    .addOption(dataOption())
    .option('--confirm <id>', 'it was billed: at --cost, or at its worst case')
    .option('--cost <dollars>', 'what it was billed', parseDollars)
    .option('--release <id>', 'it was not billed')
    .addOption(serverOption())
    .addOption(keyOption())
    .action(async (flags: ReconcileFlags) => end(await reconcile(flags, io)));
  ledger
    .command('repair')
    .description('go on without the damaged part of a journal, and list what is lost; while no server runs')
    .addOption(dataOption())
    .action(async (flags: { data: string }) => end(await repair(flags.data, io)));
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

async function repair(dataDirectory: string, io: CliIo): Promise<ExitCode> {
  const path = await databaseIn(dataDirectory);
  const { repairLedger } = await import('../ledger/open.ts');
  const repaired = await repairLedger(path, systemClock);
  if (repaired === null) {
    io.out('Nothing is damaged.');
    return 0;
  }
  const { lostText, named, committed, setAside, path: damaged } = repaired;
  io.out(`Lost: ${lostText}.`);
  io.out(
    named.length === 0
      ? 'The damaged part names no run and no attempt.'
      : `The damaged part names ${named.join(', ')}.`,
  );
  for (const { what, failure } of setAside) io.out(`Set aside: ${what}: ${failure.message}`);
  io.out(`Everything else that was written (${plural(committed, 'operation')}) is in the database now.`);
  io.out(`The damaged file is kept as ${damaged}.`);
  io.out(
    'Start the server; attempts that were under way are then listed by "headgate ledger reconcile". Compare them with the provider\'s own record of requests.',
  );
  return 0;
}

interface ReconcileFlags extends LedgerPlace {
  readonly key?: string;
  readonly confirm?: string;
  readonly cost?: NanoUsd;
  readonly release?: string;
}

/** An attempt whose process died, wherever it is read. Money as decimal text in dollars. */
interface UnknownOutcome {
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  readonly startedAt: string;
  readonly held: string;
}

/** One that was settled by what was held, seen or counted here. */
interface Estimate {
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  readonly startedAt: string;
  /** How it ended, and why its cost is an estimate. */
  readonly why: string;
  readonly cost: string;
}

/** The dearest; what else there is shows when these are decided on. */
const MOST_ESTIMATES = 50;

interface Outcomes {
  list(): Promise<readonly UnknownOutcome[]>;
  estimates(): Promise<readonly Estimate[]>;
  /** What it is settled at. */
  confirm(id: string, cost: NanoUsd | undefined): Promise<string>;
  release(id: string): Promise<void>;
  close(): Promise<void>;
}

async function reconcile(flags: ReconcileFlags, io: CliIo): Promise<ExitCode> {
  const { confirm, release, cost } = flags;
  if (confirm !== undefined && release !== undefined)
    throw new UsageError('an attempt is confirmed or released, not both', 'Give --confirm or --release.');
  if (cost !== undefined && confirm === undefined)
    throw new UsageError('--cost says what a confirmed attempt was billed', 'Give it with --confirm ID.');
  const outcomes = await inLedgerOrAtServer(
    flags,
    () => outcomesInLedger(flags.data),
    (server) => outcomesAtServer(server, flags.key),
  );
  try {
    if (confirm !== undefined)
      io.out(`${confirm} is confirmed at $${await outcomes.confirm(confirm, cost)}.`);
    else if (release !== undefined) {
      await outcomes.release(release);
      io.out(`${release} is released; it cost nothing.`);
    } else io.out([listText(await outcomes.list()), ...estimatesText(await outcomes.estimates())].join('\n'));
    return 0;
  } finally {
    await outcomes.close();
  }
}

/** Opening the ledger recovers it first, so that what a crash has just left open is listed too. */
async function outcomesInLedger(dataDirectory: string): Promise<Outcomes> {
  const path = await databaseIn(dataDirectory);
  const { openLedger } = await import('../ledger/open.ts');
  const ledger = await openLedger({ path, synchronous: 'full', clock: systemClock });
  return {
    list: async () =>
      (await ledger.unreconciled()).map((attempt) => ({
        id: attempt.id,
        provider: attempt.provider,
        model: attempt.requestedModel,
        startedAt: new Date(attempt.startedAtMs).toISOString(),
        held: formatUsd(attempt.heldNanoUsd),
      })),
    estimates: async () =>
      (await ledger.estimates(systemClock.nowMs() - ESTIMATES_LISTED_MS, MOST_ESTIMATES)).map((attempt) => ({
        id: attempt.id,
        provider: attempt.provider,
        model: attempt.requestedModel,
        startedAt: new Date(attempt.startedAtMs).toISOString(),
        why: whyEstimated(attempt.errorClass ?? attempt.status, attempt.notes ?? []),
        cost: formatUsd(attempt.costNanoUsd),
      })),
    confirm: async (id, cost) =>
      formatUsd(
        (
          await ledger.reconcile(id, {
            kind: 'confirm',
            ...(cost === undefined ? {} : { costNanoUsd: cost }),
          })
        ).costNanoUsd,
      ),
    release: async (id) => void (await ledger.reconcile(id, { kind: 'release' })),
    close: () => ledger.close(),
  };
}

async function outcomesAtServer(server: string, key: string | undefined): Promise<Outcomes> {
  const [{ createRemote }, documents] = await Promise.all([import('./remote.ts'), import('./documents.ts')]);
  const remote = createRemote(server, key);
  return {
    list: async () =>
      (await remote.query(documents.Unreconciled, {})).unreconciled.map(
        ({ provider, requestedModel, ...attempt }) => ({
          ...attempt,
          provider: provider.name,
          model: requestedModel,
        }),
      ),
    estimates: async () =>
      (await remote.query(documents.Estimates, { first: MOST_ESTIMATES })).estimates.map(
        ({ id, provider, requestedModel, startedAt, status, errorClass, cost, notes }) => ({
          id,
          provider: provider.name,
          model: requestedModel,
          startedAt,
          why: whyEstimated((errorClass ?? status).toLowerCase(), notes),
          cost,
        }),
      ),
    confirm: async (id, cost) =>
      (
        await remote.query(documents.ReconcileAttempt, {
          id,
          verdict: 'CONFIRM',
          cost: cost === undefined ? null : formatUsd(cost),
        })
      ).reconcileAttempt.cost,
    release: async (id) => void (await remote.query(documents.ReconcileAttempt, { id, verdict: 'RELEASE' })),
    close: () => Promise.resolve(),
  };
}

function listText(attempts: readonly UnknownOutcome[]): string {
  if (attempts.length === 0) return 'No attempt is of unknown outcome.';
  return [
    table(
      ['attempt', 'provider', 'model', 'started', 'held'],
      attempts.map(({ id, provider, model, startedAt, held }) => [
        id,
        provider,
        model,
        startedAt,
        `$${held}`,
      ]),
    ),
    '',
    'Compare them with the provider\'s own record of requests; then "headgate ledger reconcile --confirm ID [--cost $0.01]" or "--release ID".',
  ].join('\n');
}

function whyEstimated(ended: string, notes: readonly { readonly code: string }[]): string {
  return [ended, ...notes.map(({ code }) => code)].join(' ');
}

function estimatesText(attempts: readonly Estimate[]): readonly string[] {
  if (attempts.length === 0) return [];
  return [
    '',
    `Settled at an estimate in the last 31 days, the dearest first${attempts.length === MOST_ESTIMATES ? ` (${MOST_ESTIMATES} of them)` : ''}; each can be lowered, once:`,
    '',
    table(
      ['attempt', 'provider', 'model', 'started', 'why', 'cost'],
      attempts.map(({ id, provider, model, startedAt, why, cost }) => [
        id,
        provider,
        model,
        startedAt,
        why,
        `$${cost}`,
      ]),
    ),
  ];
}
