// headgate why RUN: one run told, from what is recorded of it.
import { formatUsd } from '../common/money.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import type { RegisterCommand } from './commands.ts';
import { table } from './format/table.ts';
import type { CliIo, ExitCode } from './io.ts';
import { databaseOption, dataOption, keyOption, serverOption } from './options.ts';

interface WhyFlags {
  readonly data: string;
  readonly database?: string;
  readonly server?: string;
  readonly key?: string;
  readonly json: boolean;
}

interface ShownStory {
  readonly text: string;
  readonly attempts: readonly {
    readonly step: string;
    readonly model: string;
    readonly outcome: string;
    readonly rule: string;
    readonly held: string;
    readonly cost: string;
    readonly saved: string;
    readonly latencyMs?: number | null;
  }[];
}

export const registerWhy: RegisterCommand = (program, io, end) =>
  program
    .command('why')
    .description('say why a run went as it did: the rule, who was skipped, what was held, settled and saved')
    .argument('<run>', 'its id: run_…')
    .addOption(dataOption())
    .addOption(databaseOption())
    .addOption(serverOption())
    .addOption(keyOption())
    .option('--json', 'as JSON', false)
    .action(async (id: string, flags: WhyFlags) => end(await why(id, flags, io)));

async function why(id: string, flags: WhyFlags, io: CliIo): Promise<ExitCode> {
  const story = flags.server === undefined ? await localStory(id, flags) : await remoteStory(id, flags);
  if (story === undefined)
    throw new HeadgateError(
      'NOT_FOUND',
      `there is no run ${id}, or it is not yours to see`,
      'Take its id from the answer, or from the API\'s "runs".',
    );
  if (flags.json) io.out(JSON.stringify(story));
  else io.out(storyText(story));
  return 0;
}

function storyText({ text, attempts }: ShownStory): string {
  if (attempts.length === 0) return text;
  const rows = attempts.map((row) => [
    row.step,
    row.model,
    row.outcome,
    row.rule,
    `$${row.held}`,
    `$${row.cost}`,
    `$${row.saved}`,
    row.latencyMs === null || row.latencyMs === undefined ? '' : `${Math.round(row.latencyMs)}ms`,
  ]);
  return `${text}\n\n${table(['step', 'model', 'outcome', 'rule', 'held', 'cost', 'saved', 'took'], rows)}`;
}

async function remoteStory(id: string, { server = '', key }: WhyFlags): Promise<ShownStory | undefined> {
  const [{ createRemote }, { WhyRun }] = await Promise.all([import('./remote.ts'), import('./documents.ts')]);
  return (await createRemote(server, key).query(WhyRun, { id })).run?.story;
}

async function localStory(id: string, location: WhyFlags): Promise<ShownStory | undefined> {
  const [{ withLocalStats }, { storyOf }] = await Promise.all([
    import('./local-stats.ts'),
    import('../ledger/story.ts'),
  ]);
  return withLocalStats(location, async (_stats, ledger) => {
    const run = await ledger.run(id);
    if (run === undefined) return undefined;
    const { text, rows } = storyOf(run, (await ledger.attemptsOf([id])).get(id) ?? []);
    return {
      text,
      attempts: rows.map(({ heldNanoUsd, costNanoUsd, savedNanoUsd, ...row }) => ({
        ...row,
        held: formatUsd(heldNanoUsd),
        cost: formatUsd(costNanoUsd),
        saved: formatUsd(savedNanoUsd),
      })),
    };
  });
}
