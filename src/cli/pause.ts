// headgate pause and resume: the switch that stops spending, in the database itself or at the server that has it open.
import { Option } from 'commander';
import type { Command } from 'commander';
import { systemClock } from '../common/clock.ts';
import { nearest } from '../common/nearest.ts';
import { systemRandom } from '../common/random.ts';
import { alertRecord, switchAlert } from '../engine/execution/alert-records.ts';
import { LOCAL_CALLER } from '../engine/execution/local-caller.ts';
import type { RegisterCommand } from './commands.ts';
import type { SpendScopeInput } from './generated/graphql.ts';
import { UsageError, type CliIo, type ExitCode } from './io.ts';
import { inLedgerOrAtServer, type LedgerPlace } from './ledger-or-server.ts';
import { ledgerPath } from './ledger-path.ts';
import type { LedgerLocation } from './ledger-path.ts';
import { databaseOption, dataOption, keyOption, serverOption } from './options.ts';

const NAMED = ['task', 'provider', 'model', 'caller'] as const;
type Named = (typeof NAMED)[number];

interface ScopeFlags extends LedgerPlace, Partial<Record<Named, string>> {
  readonly all: boolean;
  readonly key?: string;
  readonly json: boolean;
}
interface PauseFlags extends ScopeFlags {
  readonly reason: string;
}

/** As the API gives it. */
export interface ShownSwitch {
  readonly scope: string;
  readonly reason: string;
  readonly by: string;
  readonly since: string;
}

/** What is paused: one thing by its name, or all. */
type PauseScope = { readonly kind: Named; readonly name: string } | { readonly kind: 'all' };

interface Switches {
  /** What the revision in force calls its own; null: no revision is known. */
  names(): Promise<Readonly<Record<Exclude<Named, 'caller'>, readonly string[]>> | null>;
  pause(scope: PauseScope, reason: string): Promise<ShownSwitch>;
  resume(scope: PauseScope): Promise<ShownSwitch>;
  close(): Promise<void>;
}

export const registerPause: RegisterCommand = (program, io, end) =>
  scoped(program.command('pause'))
    .description('stop spending: nothing is sent to any provider in this scope until it is resumed')
    .requiredOption('--reason <text>', 'why; everybody who is refused is told')
    .action(async (flags: PauseFlags) =>
      end(
        await withSwitches(flags, async (switches) => {
          const scope = scopeOf(flags, 'pause');
          await refuseUnknown(switches, scope);
          tell(await switches.pause(scope, flags.reason), 'paused', flags.json, io);
        }),
      ),
    );

export const registerResume: RegisterCommand = (program, io, end) =>
  scoped(program.command('resume'))
    .description('let spending go on that "headgate pause" or a guard has stopped')
    .action(async (flags: ScopeFlags) =>
      end(
        await withSwitches(flags, async (switches) =>
          tell(await switches.resume(scopeOf(flags, 'resume')), 'resumed', flags.json, io),
        ),
      ),
    );

function scoped(command: Command): Command {
  return command
    .option('--task <name>', 'of this task')
    .option('--provider <name>', 'at this provider')
    .option('--model <provider/model>', 'of this model')
    .option('--caller <name>', 'by this caller')
    .addOption(new Option('--all', 'of everything').default(false))
    .addOption(dataOption())
    .addOption(databaseOption())
    .addOption(serverOption())
    .addOption(keyOption())
    .option('--json', 'as JSON', false);
}

function scopeOf(flags: ScopeFlags, verb: string): PauseScope {
  const named = NAMED.flatMap((kind): readonly PauseScope[] => {
    const name = flags[kind];
    return name === undefined ? [] : [{ kind, name }];
  });
  const [scope, ...others] = [...named, ...(flags.all ? [{ kind: 'all' } as const] : [])];
  if (scope === undefined || others.length > 0)
    throw new UsageError(
      scope === undefined ? `nothing says what to ${verb}` : `one thing is ${verb}d at a time`,
      'Give one of --task, --provider, --model, --caller and --all.',
    );
  return scope;
}

/** A misspelt name would stop nothing, and look as if it had. */
async function refuseUnknown(switches: Switches, scope: PauseScope): Promise<void> {
  if (scope.kind === 'all' || scope.kind === 'caller') return;
  const names = (await switches.names())?.[scope.kind];
  if (names === undefined || names.includes(scope.name)) return;
  const near = nearest(scope.name, names);
  throw new UsageError(
    `there is no ${scope.kind} "${scope.name}" in the revision in force, so nothing is paused`,
    near === undefined ? `It is one of: ${names.join(', ')}.` : `Did you mean "${near}"?`,
  );
}

function tell(shown: ShownSwitch, state: 'paused' | 'resumed', json: boolean, io: CliIo): void {
  const of = shown.scope === 'all' ? 'everything' : shown.scope;
  if (json) io.out(JSON.stringify({ ...shown, paused: state === 'paused' }, null, 2));
  else io.out(state === 'paused' ? pausedText(shown) : `Spending of ${of} goes on.`);
}

/** One line: what is stopped, since when, by whom and why. */
export function pausedText({ scope, reason, by, since }: ShownSwitch): string {
  return `Spending of ${scope === 'all' ? 'everything' : scope} is paused since ${since} by ${by}: ${reason}`;
}

async function withSwitches(
  flags: ScopeFlags,
  use: (switches: Switches) => Promise<void>,
): Promise<ExitCode> {
  const switches = await inLedgerOrAtServer(
    flags,
    () => switchesInLedger(flags),
    (server) => Promise.resolve(switchesAtServer(server, flags.key)),
  );
  try {
    await use(switches);
    return 0;
  } finally {
    await switches.close();
  }
}

const textOf = (scope: PauseScope): string => (scope.kind === 'all' ? 'all' : `${scope.kind}:${scope.name}`);

/** No server runs: the next one starts with the switch as it is left here. */
async function switchesInLedger(location: LedgerLocation): Promise<Switches> {
  const [{ openLedger }, { planInForce }] = await Promise.all([
    import('../ledger/open.ts'),
    import('../revisions/find.ts'),
  ]);
  const ledger = await openLedger({
    path: await ledgerPath(location),
    synchronous: 'full',
    clock: systemClock,
  });
  const by = LOCAL_CALLER.name;
  const record = (
    kind: 'paused' | 'resumed',
    of: Parameters<typeof switchAlert>[0]['switch'],
  ): Promise<void> =>
    ledger.recordAlert(alertRecord(switchAlert({ kind, switch: of, by }), systemClock, systemRandom));
  const shown = ({ sinceMs, ...of }: Parameters<typeof switchAlert>[0]['switch']): ShownSwitch => ({
    ...of,
    since: new Date(sinceMs).toISOString(),
  });
  return {
    async names() {
      const plan = await planInForce(ledger);
      return (
        plan && {
          task: Object.keys(plan.tasks),
          provider: Object.keys(plan.providers),
          model: Object.keys(plan.models),
        }
      );
    },
    async pause(scope, reason) {
      const pulled = { scope: textOf(scope), reason, by, sinceMs: systemClock.nowMs() };
      await ledger.setSwitch(pulled);
      await record('paused', pulled);
      return shown(pulled);
    },
    async resume(scope) {
      const name = textOf(scope);
      const paused = await ledger.switches();
      const found = paused.find((one) => one.scope === name);
      if (found === undefined)
        throw new UsageError(
          `spending is not paused for "${name}"`,
          paused.length === 0
            ? 'Nothing is paused.'
            : `Paused: ${paused.map((one) => one.scope).join(', ')}.`,
        );
      await ledger.clearSwitch(name, by, systemClock.nowMs());
      await record('resumed', found);
      return shown(found);
    },
    close: () => ledger.close(),
  };
}

async function documentsFor(server: string, key: string | undefined) {
  const [{ createRemote }, documents] = await Promise.all([import('./remote.ts'), import('./documents.ts')]);
  return { remote: createRemote(server, key), documents };
}

function switchesAtServer(server: string, key: string | undefined): Switches {
  const input = (scope: PauseScope): SpendScopeInput =>
    // One field of a oneOf input.
    (scope.kind === 'all' ? { all: true } : { [scope.kind]: scope.name }) as SpendScopeInput;
  return {
    async names() {
      const { remote, documents } = await documentsFor(server, key);
      const { taskTypes, providers } = await remote.query(documents.NamesToPause, {});
      return {
        task: taskTypes.map(({ name }) => name),
        provider: providers.map(({ name }) => name),
        model: providers.flatMap(({ models }) => models.map((model) => model.key)),
      };
    },
    async pause(scope, reason) {
      const { remote, documents } = await documentsFor(server, key);
      return (await remote.query(documents.PauseSpending, { scope: input(scope), reason })).pauseSpending;
    },
    async resume(scope) {
      const { remote, documents } = await documentsFor(server, key);
      return (await remote.query(documents.ResumeSpending, { scope: input(scope) })).resumeSpending;
    },
    close: () => Promise.resolve(),
  };
}
