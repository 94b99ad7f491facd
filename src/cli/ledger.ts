// headgate ledger: adds everything up again, settles attempts whose outcome nobody knows, and goes on without what is damaged.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../common/clock.ts';
import { formatUsd, type NanoUsd } from '../common/money.ts';
import { LOCAL_CALLER } from '../engine/execution/local-caller.ts';
import { ESTIMATES_LISTED_MS } from '../ledger/port.ts';
import type { RegisterCommand } from './commands.ts';
import { plural } from './format/problems.ts';
import { table } from './format/table.ts';
import { UsageError, type CliIo, type ExitCode } from './io.ts';
import { inLedgerOrAtServer, type LedgerPlace } from './ledger-or-server.ts';
import { existingLedger, ledgerPath } from './ledger-path.ts';
import type { LedgerLocation } from './ledger-path.ts';
import {
  collect,
  databaseOption,
  dataOption,
  keyOption,
  parseDollars,
  serverOption,
  workflowsOption,
} from './options.ts';
import { withProgress } from './progress.ts';
import { parseTags } from './tags.ts';
import { workflowsFolder } from './workflows-folder.ts';

export const registerLedger: RegisterCommand = (program, io, end) => {
  const ledger = program
    .command('ledger')
    .description(
      'verify sums, back up and restore, reconcile attempts of unknown outcome, repair a damaged journal',
    );
  ledger
    .command('verify')
    .description(
      'compute every bill again from its tokens and rates, and add up every sum; exit code 1 when one differs',
    )
    .addOption(dataOption())
    .addOption(databaseOption())
    .option('--json', 'as JSON', false)
    .action(async (flags: LedgerFlags) => end(await verify(flags, io)));
  ledger
    .command('reconcile')
    .description(
      'list attempts of unknown outcome, and those settled at an estimate; confirm what they were billed, or release them',
    )
    .addOption(dataOption())
    .addOption(databaseOption())
    .option('--confirm <id>', 'it was billed: at --cost, or at its worst case')
    .option('--cost <dollars>', 'what it was billed', parseDollars)
    .option('--release <id>', 'it was not billed')
    .addOption(serverOption())
    .addOption(keyOption())
    .option('--json', 'as JSON', false)
    .action(async (flags: ReconcileFlags) => end(await reconcile(flags, io)));
  ledger
    .command('backup')
    .description('copy the ledger to a file, beside a running server or without one, and add the copy up')
    .argument('<file>', 'where to; it must not exist yet')
    .addOption(dataOption())
    .addOption(databaseOption())
    .option('--json', 'as JSON', false)
    .action(async (file: string, flags: LedgerFlags) => end(await backup(file, flags, io)));
  ledger
    .command('restore')
    .description(
      'put a backup in the place of the ledger, while no server runs; what is there is kept beside it',
    )
    .argument('<file>', 'what "headgate ledger backup" wrote')
    .addOption(dataOption())
    .addOption(databaseOption())
    .option('--json', 'as JSON', false)
    .action(async (file: string, flags: LedgerFlags) => end(await restore(file, flags, io)));
  ledger
    .command('move')
    .description(
      'take the ledger of --data into PostgreSQL, or that of --database into a folder; all of it and added up, or nothing; while no server runs',
    )
    .requiredOption('--to <place>', 'postgres://…, which must hold no ledger yet; or a folder')
    .addOption(dataOption())
    .addOption(databaseOption())
    .option('--json', 'as JSON', false)
    .action(async (flags: MoveFlags) => end(await move(flags, io)));
  ledger
    .command('adjust')
    .description(
      'enter what a provider billed and the ledger does not have, as after a restore; it counts now',
    )
    .requiredOption('--cost <dollars>', 'what was billed', parseDollars)
    .requiredOption('--provider <name>', 'by whom')
    .requiredOption('--reason <text>', 'why it is entered')
    .option('--model <name>', 'for which model, without its provider')
    .option('--task <name>', 'of which task')
    .option('--caller <name>', 'whose it was (default: yours)')
    .option('--team <name>', 'of which team')
    .option('--tier <name>', 'of which tier')
    .option('--tag <key=value>', 'a tag, for statistics and budgets', collect, [])
    .addOption(workflowsOption())
    .addOption(dataOption())
    .addOption(databaseOption())
    .addOption(serverOption())
    .addOption(keyOption())
    .option('--json', 'as JSON', false)
    .action(async (flags: AdjustFlags) => end(await adjust(flags, io)));
  ledger
    .command('repair')
    .description('go on without the damaged part of a journal, and list what is lost; while no server runs')
    .addOption(dataOption())
    .addOption(databaseOption())
    .option('--json', 'as JSON', false)
    .action(async (flags: LedgerFlags) => end(await repair(flags, io)));
  return ledger;
};

const REMEDY = 'Name its folder with --data DIR.';

interface LedgerFlags extends LedgerLocation {
  readonly json: boolean;
}

async function verify(flags: LedgerFlags, io: CliIo): Promise<ExitCode> {
  const path = await existingLedger(flags, REMEDY);
  const { openLedgerReader } = await import('../ledger/open.ts');
  const ledger = openLedgerReader(path);
  try {
    const report = await withProgress('adding the ledger up', io, () => ledger.verify());
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

async function repair({ data, database, json }: LedgerFlags, io: CliIo): Promise<ExitCode> {
  if (database !== undefined)
    throw new UsageError(
      'The ledger is in PostgreSQL, which has no journal beside it that could be damaged.',
      'To see whether it adds up: "headgate ledger verify". For a ledger in a folder, leave --database and HEADGATE_DATABASE out.',
    );
  const path = await existingLedger({ data }, REMEDY);
  const { repairLedger } = await import('../ledger/open.ts');
  const repaired = await repairLedger(path, systemClock);
  if (repaired === null) {
    io.out(json ? JSON.stringify({ damaged: false }, null, 2) : 'Nothing is damaged.');
    return 0;
  }
  const { lost, lostText, named, committed, setAside, path: damaged } = repaired;
  if (json) {
    const refused = setAside.map(({ what, failure }) => ({ what, message: failure.message }));
    io.out(
      JSON.stringify({ damaged: true, lost, named, committed, setAside: refused, keptAs: damaged }, null, 2),
    );
    return 0;
  }
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

/** What PostgreSQL does better than we could beside it, with its users' own schedule and places. */
function refusePostgres({ database }: LedgerLocation, command: string): void {
  if (database === undefined) return;
  const address = URL.parse(database);
  const schema = address?.searchParams.get('schema') ?? 'headgate';
  const name = address?.pathname.slice(1) || 'DATABASE';
  throw new UsageError(
    'The ledger is in PostgreSQL, whose own tools copy it while nodes write.',
    command === 'backup'
      ? `Take it with pg_dump --format=custom --schema=${schema} --file=FILE ${name}; a copy of it as a file is made by "headgate ledger move", while no node runs.`
      : `Stop every node, and put it back with pg_restore --clean --schema=${schema} --dbname=${name} FILE.`,
  );
}

async function backup(file: string, flags: LedgerFlags, io: CliIo): Promise<ExitCode> {
  refusePostgres(flags, 'backup');
  if (existsSync(file))
    throw new UsageError(`there is a file ${file} already`, 'Name another; no backup is written over.');
  const path = await existingLedger({ data: flags.data }, REMEDY);
  const { backupLedger } = await import('../ledger/backup.ts');
  const { newestMs, report } = await withProgress('copying the ledger and adding it up', io, () =>
    backupLedger(path, file),
  );
  const { size } = statSync(file);
  const newest = newestMs === null ? null : new Date(newestMs).toISOString();
  const { attempts, runs } = report;
  if (flags.json) io.out(JSON.stringify({ file, bytes: size, newest, runs, attempts }, null, 2));
  else
    io.out(
      `${file}: ${plural(runs, 'run')} and ${plural(attempts, 'attempt')}${newest === null ? '' : ` up to ${newest}`}; every sum agrees.`,
    );
  return 0;
}

async function restore(file: string, flags: LedgerFlags, io: CliIo): Promise<ExitCode> {
  refusePostgres(flags, 'restore');
  const [{ DATABASE_FILE }, { restoreLedger }] = await Promise.all([
    import('../app.ts'),
    import('../ledger/backup.ts'),
  ]);
  const { newestMs, report, keptAs } = await withProgress('checking the backup and copying it', io, () =>
    restoreLedger(file, join(flags.data, DATABASE_FILE), systemClock),
  );
  const newest = newestMs === null ? null : new Date(newestMs).toISOString();
  const { attempts, runs } = report;
  if (flags.json) io.out(JSON.stringify({ file, newest, runs, attempts, keptAs }, null, 2));
  else {
    io.out(`${plural(runs, 'run')} and ${plural(attempts, 'attempt')} are restored; every sum agrees.`);
    if (keptAs.length > 0) io.out(`What was there is kept: ${keptAs.join(', ')}`);
    io.out(
      `What was spent ${newest === null ? 'until now' : `since ${newest}`} is not in the ledger. Compare it with the providers' bills, and enter it: "headgate ledger adjust --cost DOLLARS --provider NAME --reason TEXT".`,
    );
  }
  return 0;
}

interface MoveFlags extends LedgerLocation {
  readonly to: string;
  readonly json: boolean;
}

async function move(flags: MoveFlags, io: CliIo): Promise<ExitCode> {
  const [{ isDatabaseAddress }, { moveLedger }] = await Promise.all([
    import('../ledger/database-address.ts'),
    import('../ledger/move.ts'),
  ]);
  const isOut = isDatabaseAddress(flags.to);
  // Into PostgreSQL goes what is in the folder, also where the environment names the database already.
  const from = await existingLedger(isOut ? { data: flags.data } : flags, REMEDY);
  const to = isOut ? flags.to : await ledgerPath({ data: flags.to });
  const { report, keptAs } = await withProgress('moving the ledger and adding it up', io, () =>
    moveLedger(from, to, systemClock),
  );
  const { runs, attempts } = report;
  if (flags.json) io.out(JSON.stringify({ runs, attempts, keptAs }, null, 2));
  else {
    io.out(`${plural(runs, 'run')} and ${plural(attempts, 'attempt')} are moved; every sum agrees.`);
    io.out(`What was there is kept as it was: ${isOut ? keptAs : `the schema ${keptAs}`}`);
    io.out(
      isOut
        ? 'Start the nodes with HEADGATE_DATABASE.'
        : 'Start the server without HEADGATE_DATABASE and with this folder as --data.',
    );
  }
  return 0;
}

interface AdjustFlags extends LedgerPlace {
  readonly cost: NanoUsd;
  readonly provider: string;
  readonly reason: string;
  readonly model?: string;
  readonly task?: string;
  readonly caller?: string;
  readonly team?: string;
  readonly tier?: string;
  readonly tag: readonly string[];
  readonly workflows?: string;
  readonly key?: string;
  readonly json: boolean;
}

async function adjust(flags: AdjustFlags, io: CliIo): Promise<ExitCode> {
  if (flags.cost === 0n)
    throw new UsageError('--cost 0 changes nothing', 'Give what was billed, above nothing.');
  const tags = parseTags(flags.tag);
  const entered = await inLedgerOrAtServer(
    flags,
    () => adjustHere(flags, tags, io),
    (server) => adjustAtServer(server, flags, tags),
  );
  if (flags.json) io.out(JSON.stringify(entered, null, 2));
  else
    io.out(
      `${entered.id}: $${entered.cost} at ${flags.provider} is entered. "headgate ledger reconcile --confirm ${entered.id} --cost DOLLARS" lowers it.`,
    );
  return 0;
}

interface Entered {
  readonly id: string;
  readonly cost: string;
}

/** The workflows say which budgets it counts in. */
async function adjustHere(
  flags: AdjustFlags,
  tags: { readonly [key: string]: string },
  io: CliIo,
): Promise<Entered> {
  await existingLedger(flags, REMEDY);
  const { openApp } = await import('../app.ts');
  const app = await openApp({
    workflows: workflowsFolder(flags.workflows, io),
    dataDirectory: flags.data,
    ...(flags.database === undefined ? {} : { database: flags.database }),
    env: io.env,
  });
  try {
    const { id, costNanoUsd } = await app.adjustSpend({
      costNanoUsd: flags.cost,
      reason: flags.reason,
      by: LOCAL_CALLER.name,
      provider: flags.provider,
      model: flags.model ?? null,
      task: flags.task ?? null,
      caller: { name: flags.caller ?? LOCAL_CALLER.name, team: flags.team ?? null, tier: flags.tier ?? null },
      tags,
    });
    return { id, cost: formatUsd(costNanoUsd) };
  } finally {
    await app.close();
  }
}

async function adjustAtServer(
  server: string,
  flags: AdjustFlags,
  tags: { readonly [key: string]: string },
): Promise<Entered> {
  const [{ createRemote }, { AdjustLedger }] = await Promise.all([
    import('./remote.ts'),
    import('./documents.ts'),
  ]);
  const { provider, reason, model, task, caller, team, tier } = flags;
  const { adjustLedger } = await createRemote(server, flags.key).query(AdjustLedger, {
    input: {
      cost: formatUsd(flags.cost),
      provider,
      reason,
      model: model ?? null,
      task: task ?? null,
      caller: caller ?? null,
      team: team ?? null,
      tier: tier ?? null,
      tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    },
  });
  return adjustLedger;
}

interface ReconcileFlags extends LedgerPlace {
  readonly key?: string;
  readonly confirm?: string;
  readonly cost?: NanoUsd;
  readonly release?: string;
  readonly json: boolean;
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
    () => outcomesInLedger(flags),
    (server) => outcomesAtServer(server, flags.key),
  );
  try {
    const tell = (value: object, text: string): void =>
      io.out(flags.json ? JSON.stringify(value, null, 2) : text);
    if (confirm !== undefined) {
      const settled = await outcomes.confirm(confirm, cost);
      tell({ id: confirm, cost: settled }, `${confirm} is confirmed at $${settled}.`);
    } else if (release !== undefined) {
      await outcomes.release(release);
      tell({ id: release, cost: '0' }, `${release} is released; it cost nothing.`);
    } else {
      const [unknown, estimates] = [await outcomes.list(), await outcomes.estimates()];
      tell({ unknown, estimates }, [listText(unknown), ...estimatesText(estimates)].join('\n'));
    }
    return 0;
  } finally {
    await outcomes.close();
  }
}

/** Opening the ledger recovers it first, so that what a crash has just left open is listed too. */
async function outcomesInLedger(location: LedgerLocation): Promise<Outcomes> {
  const path = await existingLedger(location, REMEDY);
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
    'Compare them with the provider\'s own record of requests; then "headgate ledger reconcile --confirm ID [--cost 0.01]" or "--release ID".',
  ].join('\n');
}

function whyEstimated(ended: string, notes: readonly { readonly code: string }[]): string {
  return [ended, ...notes.map(({ code }) => code).filter((code) => code !== 'PROMPT_CACHE')].join(' ');
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
