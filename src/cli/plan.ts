// headgate plan: what the workflows will do, or what two revisions of them do differently.
import { Option } from 'commander';
import { encodePlan } from '../language/plan/encode.ts';
import { printPlan } from '../language/plan/print.ts';
import { diffPlans } from '../revisions/diff/diff.ts';
import { EFFECTS, type Effect } from '../revisions/diff/types.ts';
import type { Replay } from '../simulation/replay.ts';
import type { RegisterCommand } from './commands.ts';
import { compiledPlan } from './compiled.ts';
import { planDiffJson, planDiffMarkdown, planDiffText, type PlanDiffReport } from './format/plan-diff.ts';
import { replayJson, replayMarkdownSection, replayText } from './format/replay.ts';
import { UsageError, type CliIo, type ExitCode } from './io.ts';
import { workflowsOption } from './options.ts';
import { planSide, workplaceOf, type PlanSide, type Workplace } from './plan-sides.ts';
import { isReplayEffect, limitsOf, replaySides, stopsOf, type ReplayLimits } from './replay.ts';
import { workflowsFolder } from './workflows-folder.ts';

interface PlanFlags {
  readonly workflows?: string;
  readonly print: boolean;
  readonly task?: string;
  readonly json: boolean;
  readonly format: 'text' | 'json' | 'markdown';
  readonly failOn?: readonly string[];
  readonly replay?: string;
}

export const registerPlan: RegisterCommand = (program, io, end) =>
  program
    .command('plan')
    .description('tell what two revisions of the workflows do differently, or print what they do')
    .argument('[base]', 'a git ref or a folder (default: HEAD)')
    .argument('[head]', 'a git ref or a folder (default: the folder as it is)')
    .addOption(workflowsOption())
    .addOption(
      new Option('--format <format>', 'how to tell the difference')
        .choices(['text', 'json', 'markdown'])
        .default('text'),
    )
    .option(
      '--fail-on <effects>',
      `exit code 3 for such a change: any, ${Object.keys(EFFECTS).join(', ')}; with --replay also cost-raised:5%, latency-raised:20%, refused`,
      (value: string, previous: readonly string[] | undefined) => [...(previous ?? []), value],
    )
    .option('--replay <file>', 'say what it costs by the traffic of a file of "headgate traffic export"')
    .option('--print', 'print the whole plan instead, resolved and priced', false)
    .option('--task <name>', 'print only this task')
    .option('--json', 'print the plan as canonical JSON', false)
    .action(async (base: string | undefined, head: string | undefined, flags: PlanFlags) => {
      end(await plan(base, head, flags, io));
    });

async function plan(
  base: string | undefined,
  head: string | undefined,
  flags: PlanFlags,
  io: CliIo,
): Promise<ExitCode> {
  const stops = stopsAskedFor(flags.failOn ?? [], flags.replay !== undefined);
  const folder = workflowsFolder(flags.workflows, io);
  const wantsPrint = flags.print || flags.json || flags.task !== undefined;
  if (flags.replay !== undefined && wantsPrint)
    throw new UsageError(
      '--print, --task and --json print one plan, and --replay compares two',
      'Leave them out, or replay one with "headgate replay".',
    );
  if (base !== undefined && wantsPrint)
    throw new UsageError(
      '--print, --task and --json print one plan, and two were named',
      'Leave them out, or use --format json for the difference as JSON.',
    );
  if (wantsPrint) return print(folder, flags, io);
  const workplace = await workplaceOf(folder);
  if (base === undefined && workplace.tree === null) {
    if (flags.replay !== undefined)
      throw new UsageError(
        'the workflows do not lie in a git repository, so there is nothing to compare with',
        'Name two folders: headgate plan OLD NEW --replay FILE; or use "headgate replay --traffic FILE".',
      );
    io.err(
      'headgate: the workflows do not lie in a git repository, so there is nothing to compare with; this is the plan.',
    );
    return print(folder, flags, io);
  }
  return compare(base ?? 'HEAD', head, workplace, flags, stops, io);
}

async function print(folder: string, flags: PlanFlags, io: CliIo): Promise<ExitCode> {
  const compiled = await compiledPlan(folder, io);
  if (flags.task !== undefined && !(flags.task in compiled.tasks))
    throw new UsageError(
      `there is no task "${flags.task}"`,
      `The tasks are ${Object.keys(compiled.tasks).join(', ')}.`,
    );
  io.out(flags.json ? encodePlan(compiled) : printPlan(compiled, flags.task));
  return 0;
}

async function compare(
  base: string,
  head: string | undefined,
  workplace: Workplace,
  { format, replay: traffic }: PlanFlags,
  { failOn, limits }: Stops,
  io: CliIo,
): Promise<ExitCode> {
  const before = await planSide(base, workplace, io);
  const after = await planSide(head, workplace, io);
  const diff = diffPlans(before.plan, after.plan);
  const { diffApis } = await import('../server/graphql/diff.ts');
  const api = diff.changes.length === 0 ? [] : await diffApis(before.plan, after.plan);
  const effects: readonly Effect[] = [
    ...diff.effects,
    ...(api.some(({ level }) => level === 'breaking') ? (['breaking'] as const) : []),
  ];
  const replay = traffic === undefined ? null : await replayed(traffic, before, after, io);
  const byMeaning = failOn.has('any')
    ? diff.changes.length > 0
      ? ['any']
      : []
    : effects.filter((effect) => failOn.has(effect));
  const stoppedBy = [...new Set([...byMeaning, ...(replay === null ? [] : stopsOf(replay, limits))])];
  const report: PlanDiffReport = { base: before, head: after, diff, api, stoppedBy };
  const found = replay && { base: before.name, head: after.name, replay, stoppedBy: [] };
  switch (format) {
    case 'text':
      io.out(planDiffText(report, io.colours));
      if (found !== null) io.out(`\n${replayText(found)}`);
      break;
    case 'markdown':
      io.out(planDiffMarkdown(report, found === null ? undefined : replayMarkdownSection(found)));
      break;
    case 'json':
      io.out(
        JSON.stringify(
          { ...planDiffJson(report), ...(found === null ? {} : { replay: replayJson(found) }) },
          null,
          2,
        ),
      );
      break;
  }
  if (stoppedBy.length === 0) return 0;
  io.err(`headgate: stopped by --fail-on: ${stoppedBy.join(', ')}.`);
  return 3;
}

async function replayed(file: string, before: PlanSide, after: PlanSide, io: CliIo): Promise<Replay> {
  const { openTrafficFile } = await import('../simulation/traffic-file.ts');
  return replaySides(before, after, { traffic: await openTrafficFile(file), seed: 1, lines: true, io });
}

interface Stops {
  /** Names of effects, by meaning. */
  readonly failOn: ReadonlySet<string>;
  /** By the traffic. */
  readonly limits: ReplayLimits;
}

/** `breaking,limit-raised`, once or several times. `cost-raised` is the worst case, `cost-raised:5%` what the traffic costs. */
function stopsAskedFor(lists: readonly string[], isReplayed: boolean): Stops {
  const all = lists
    .flatMap((list) => list.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const names = all.filter((name) => name in EFFECTS || !isReplayEffect(name));
  const ofTraffic = all.filter((name) => !names.includes(name));
  if (ofTraffic.length > 0 && !isReplayed)
    throw new UsageError(
      `--fail-on ${ofTraffic.join(',')} asks what traffic would do, and none was named`,
      'Name a file of "headgate traffic export" with --replay FILE.',
    );
  for (const name of names)
    if (name !== 'any' && !(name in EFFECTS))
      throw new UsageError(
        `--fail-on ${name}: there is no such effect`,
        `It is any of: any, ${Object.keys(EFFECTS).join(', ')}.`,
      );
  return { failOn: new Set(names), limits: limitsOf(ofTraffic) };
}
