// headgate replay: recorded traffic through two revisions of the workflows, and what that does to cost, latency and refusals.
import { Option } from 'commander';
import { compileFiles } from '../revisions/compile.ts';
import { linesAlone } from '../revisions/changed-lines.ts';
import type { ChangeAlone, Replay } from '../simulation/replay.ts';
import type { RegisterCommand } from './commands.ts';
import { countOf, replayJson, replayMarkdown, replayText } from './format/replay.ts';
import { UsageError, type CliIo, type ExitCode } from './io.ts';
import {
  databaseOption,
  dataOption,
  keyOption,
  parsePositiveInteger,
  serverOption,
  workflowsOption,
} from './options.ts';
import { planSide, workplaceOf, type PlanSide } from './plan-sides.ts';
import { dateOptions } from './span-options.ts';
import { lastOption, withTraffic } from './traffic.ts';
import type { TrafficFlags } from './traffic.ts';
import { workflowsFolder } from './workflows-folder.ts';

interface ReplayFlags extends TrafficFlags {
  readonly workflows?: string;
  readonly traffic?: string;
  readonly format: 'text' | 'json' | 'markdown';
  readonly failOn?: readonly string[];
  readonly lines: boolean;
  readonly seed: number;
}

const failOnReplay = (): Option =>
  new Option(
    '--fail-on <effects>',
    'exit code 3 when it comes out so: cost-raised:5%, latency-raised:20%, refused',
  ).argParser((value: string, previous: readonly string[] | undefined) => [...(previous ?? []), value]);

export const registerReplay: RegisterCommand = (program, io, end) => {
  const command = program
    .command('replay')
    .description('run recorded traffic through two revisions of the workflows: cost, latency, refusals')
    .argument('[base]', 'a git ref or a folder: what served the traffic (default: HEAD)')
    .argument('[head]', 'a git ref or a folder (default: the folder as it is)')
    .addOption(workflowsOption())
    .option(
      '--traffic <file>',
      'a file of "headgate traffic export" (default: what the ledger has of the last days)',
    )
    .addOption(lastOption());
  for (const option of dateOptions()) command.addOption(option);
  return command
    .addOption(dataOption())
    .addOption(databaseOption())
    .addOption(serverOption())
    .addOption(keyOption())
    .addOption(
      new Option('--format <format>', 'how to tell it').choices(['text', 'json', 'markdown']).default('text'),
    )
    .addOption(failOnReplay())
    .option('--no-lines', 'do not replay each changed line by itself')
    .addOption(
      new Option('--seed <number>', 'of what is drawn; the same gives the same')
        .argParser(parsePositiveInteger)
        .default(1),
    )
    .action(async (base: string | undefined, head: string | undefined, flags: ReplayFlags) =>
      end(await replayCommand(base, head, flags, io)),
    );
};

async function replayCommand(
  base: string | undefined,
  head: string | undefined,
  flags: ReplayFlags,
  io: CliIo,
): Promise<ExitCode> {
  const limits = limitsOf(flags.failOn ?? []);
  const workplace = await workplaceOf(workflowsFolder(flags.workflows, io));
  // Without a repository there is one side: what the workflows as they are make of the traffic.
  const before = await planSide(base ?? (workplace.tree === null ? undefined : 'HEAD'), workplace, io);
  const after = await planSide(head, workplace, io);
  const found = await withTraffic(flags, (traffic) =>
    replaySides(before, after, { traffic, seed: flags.seed, lines: flags.lines, io }),
  );
  const stoppedBy = stopsOf(found, limits);
  const report = { base: before.name, head: after.name, replay: found, stoppedBy };
  switch (flags.format) {
    case 'text':
      io.out(replayText(report));
      break;
    case 'markdown':
      io.out(replayMarkdown(report));
      break;
    case 'json':
      io.out(JSON.stringify(replayJson(report), null, 2));
      break;
  }
  if (stoppedBy.length === 0) return 0;
  io.err(`headgate: stopped by --fail-on: ${stoppedBy.join(', ')}.`);
  return 3;
}

export interface ReplaySidesOptions {
  readonly traffic: Parameters<Parameters<typeof withTraffic>[1]>[0];
  readonly seed: number;
  /** Each changed line by itself too. */
  readonly lines: boolean;
  readonly io: CliIo;
}

/** More changes than this are told together only: each is a replay of its own. */
const MOST_CHANGES = 20;

export async function replaySides(
  before: PlanSide,
  after: PlanSide,
  { traffic, seed, lines, io }: ReplaySidesOptions,
): Promise<Replay> {
  const { replay } = await import('../simulation/replay.ts');
  const groups = lines && before.plan.hash !== after.plan.hash ? linesAlone(before.files, after.files) : [];
  const changes: ChangeAlone[] = [];
  if (groups.length > 1 && groups.length <= MOST_CHANGES)
    for (const { where, text, files } of groups) {
      const { plan } = await compileFiles(files, { env: io.env });
      // A comment changes nothing, and says nothing here.
      if (plan === null || plan.hash !== before.plan.hash) changes.push({ where, text, plan });
    }
  return replay({ base: before.plan, head: after.plan, traffic, changes, seed });
}

export interface ReplayLimits {
  /** Shares: 0.05 is 5 %. null: not asked for. */
  readonly costRaised: number | null;
  readonly latencyRaised: number | null;
  readonly refused: boolean;
}

const RAISED = /^(cost-raised|latency-raised)(?::(\d{1,4}(?:\.\d{1,3})?)%)?$/;

export const isReplayEffect = (name: string): boolean => name === 'refused' || RAISED.test(name);

export function limitsOf(lists: readonly string[]): ReplayLimits {
  const limits = { costRaised: null as number | null, latencyRaised: null as number | null, refused: false };
  for (const name of lists.flatMap((list) => list.split(',')).map((one) => one.trim())) {
    if (name === '') continue;
    const [, effect, share] = RAISED.exec(name) ?? [];
    const least = share === undefined ? 0 : Number(share) / 100;
    if (effect === 'cost-raised') limits.costRaised = least;
    else if (effect === 'latency-raised') limits.latencyRaised = least;
    else if (name === 'refused') limits.refused = true;
    else
      throw new UsageError(
        `--fail-on ${name}: there is no such effect`,
        'It is any of: cost-raised, cost-raised:5%, latency-raised, latency-raised:20%, refused.',
      );
  }
  return limits;
}

const PARTS = 1_000_000;

/** What the limits stop, by what is likely. `refused`: more runs are than were. */
export function stopsOf(
  { base, head, change, baseCost }: Replay,
  { costRaised, latencyRaised, refused }: ReplayLimits,
): readonly string[] {
  const stops: string[] = [];
  if (
    costRaised !== null &&
    change.likely > 0n &&
    change.likely * BigInt(PARTS) > baseCost.likely * BigInt(Math.round(costRaised * PARTS))
  )
    stops.push('cost-raised');
  const [was, is] = [base.latencyP95Ms ?? 0, head.latencyP95Ms ?? 0];
  if (latencyRaised !== null && is > was && is > was * (1 + latencyRaised)) stops.push('latency-raised');
  if (refused && countOf(head.refusals) > countOf(base.refusals)) stops.push('refused');
  return stops;
}
