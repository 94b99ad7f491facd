// headgate why-cost: what changed, against a span before or the usual, by cause and by commit.
import { formatUsd } from '../common/money.ts';
import type { NanoUsd } from '../common/money.ts';
import type { CostChange, SpanRequest, StatsDimension } from '../ledger/stats/port.ts';
import type { ReadOnlyLedger } from '../ledger/open.ts';
import type { RegisterCommand } from './commands.ts';
import { table } from './format/table.ts';
import type { CliIo, ExitCode } from './io.ts';
import { dataOption, keyOption, serverOption, workflowsOption } from './options.ts';
import { byOption, spanInput, spanOfFlags, spanOptions } from './span-options.ts';
import type { SpanFlags } from './span-options.ts';

interface WhyCostFlags extends SpanFlags {
  readonly data: string;
  readonly workflows?: string;
  readonly server?: string;
  readonly key?: string;
  readonly by: readonly StatsDimension[];
  readonly usual: boolean;
  readonly json: boolean;
}

interface ShownEffect {
  readonly cause: string;
  readonly amount: string;
}
interface ShownChange {
  readonly from: readonly { readonly from: string; readonly to: string }[];
  readonly to: { readonly from: string; readonly to: string };
  readonly fromCost: string;
  readonly toCost: string;
  readonly change: string;
  readonly byCause: readonly ShownEffect[];
  readonly byRevision: readonly {
    readonly amount: string;
    readonly revision?: {
      readonly hash: string;
      readonly commit?: string | null;
      readonly author?: string | null;
      readonly subject?: string | null;
    } | null;
    readonly byCause: readonly ShownEffect[];
    readonly changes: readonly string[];
    readonly lines: readonly {
      readonly file: string;
      readonly line: number;
      readonly before?: string | null;
      readonly after?: string | null;
    }[];
  }[];
  readonly groups: readonly {
    readonly key: string;
    readonly change: string;
    readonly byCause: readonly ShownEffect[];
  }[];
}

export const registerWhyCost: RegisterCommand = (program, io, end) => {
  const command = program
    .command('why-cost')
    .description('say why the cost changed: by cause and by commit, to the nano-dollar')
    .addOption(dataOption())
    .addOption(workflowsOption())
    .addOption(serverOption())
    .addOption(keyOption());
  for (const option of spanOptions()) command.addOption(option);
  return command
    .addOption(byOption(['TASK']))
    .option('--usual', 'against the same hours of the four weeks before, instead of the span before', false)
    .option('--json', 'as JSON', false)
    .action(async (flags: WhyCostFlags) => end(await whyCost(flags, io)));
};

async function whyCost(flags: WhyCostFlags, io: CliIo): Promise<ExitCode> {
  const to = spanOfFlags(flags, { calendar: 'day', ago: 0, timeZone: flags.timeZone });
  const from = flags.usual ? undefined : spanBefore(to, Date.now());
  const shown =
    flags.server === undefined ? await localChange(flags, from, to) : await remoteChange(flags, from, to);
  io.out(flags.json ? JSON.stringify(shown) : changeText(shown));
  return 0;
}

/** As long as the span, and right before it; of a calendar unit, the one before. */
function spanBefore(to: SpanRequest, nowMs: number): SpanRequest | undefined {
  if (to.calendar !== undefined) return { ...to, ago: (to.ago ?? 0) + 1 };
  if (to.fromMs === undefined) return undefined;
  return { fromMs: to.fromMs - ((to.toMs ?? nowMs) - to.fromMs), toMs: to.fromMs };
}

const signed = (amount: string): string => (amount.startsWith('-') ? `-$${amount.slice(1)}` : `+$${amount}`);
const causeText = (cause: string): string => cause.toLowerCase().replaceAll('_', ' ');
const effectsText = (effects: readonly ShownEffect[]): string =>
  effects.map(({ cause, amount }) => `${causeText(cause)} ${signed(amount)}`).join(', ');

function changeText({
  from,
  to,
  fromCost,
  toCost,
  change,
  byCause,
  byRevision,
  groups,
}: ShownChange): string {
  const compared =
    from.length === 0
      ? 'there is nothing before it to compare with'
      : from.length === 1
        ? `${from[0]?.from ?? ''} to ${from[0]?.to ?? ''}: $${fromCost}`
        : `the mean of ${from.length} weeks before: $${fromCost}`;
  const parts = [`${to.from} to ${to.to}: $${toCost}, ${signed(change)}`, `against ${compared}`];
  if (byCause.length > 0)
    parts.push(
      '',
      table(
        ['cause', 'change'],
        byCause.map(({ cause, amount }) => [causeText(cause), signed(amount)]),
      ),
    );
  for (const { revision, amount, byCause: causes, changes, lines } of byRevision) {
    const by = revision?.author?.replace(/\s*<.*$/, '') ?? '';
    const named = revision?.commit
      ? `commit ${revision.commit.slice(0, 10)}`
      : `revision ${revision?.hash.slice(0, 12) ?? ''}`;
    parts.push(
      '',
      revision === null || revision === undefined
        ? `${signed(amount)}  the same workflows: ${effectsText(causes)}`
        : `${signed(amount)}  ${named}${by === '' ? '' : ` by ${by}`}${revision.subject ? `, "${revision.subject}"` : ''}: ${effectsText(causes)}`,
      ...changes.map((text) => `    ${text}`),
      ...lines.map(
        ({ file, line, before, after }) =>
          `    ${file}:${line}  ${(after ?? `(taken out) ${before ?? ''}`).trim()}`,
      ),
    );
  }
  if (groups.length > 1)
    parts.push(
      '',
      table(
        ['', 'change', 'causes'],
        groups.map(({ key, change: of, byCause: causes }) => [
          key === '' ? '(none)' : key,
          signed(of),
          effectsText(causes),
        ]),
      ),
    );
  return parts.join('\n');
}

async function remoteChange(
  flags: WhyCostFlags,
  from: SpanRequest | undefined,
  to: SpanRequest,
): Promise<ShownChange> {
  const [{ createRemote }, { WhyCost }] = await Promise.all([
    import('./remote.ts'),
    import('./documents.ts'),
  ]);
  const variables = { from: from ? spanInput(from) : null, to: spanInput(to), by: [...flags.by] };
  return (await createRemote(flags.server ?? '', flags.key).query(WhyCost, variables)).costChange;
}

async function localChange(
  flags: WhyCostFlags,
  from: SpanRequest | undefined,
  to: SpanRequest,
): Promise<ShownChange> {
  const { withLocalStats } = await import('./local-stats.ts');
  return withLocalStats(flags.data, async (stats, ledger) =>
    shownChange(
      await stats.costChange({ ...(from ? { from } : {}), to, by: flags.by }),
      ledger,
      flags.workflows ?? 'workflows',
    ),
  );
}

async function shownChange(found: CostChange, ledger: ReadOnlyLedger, folder: string): Promise<ShownChange> {
  const iso = (ms: number): string => new Date(ms).toISOString();
  const effects = (
    of: readonly { readonly cause: string; readonly amountNanoUsd: NanoUsd }[],
  ): ShownEffect[] =>
    of.map(({ cause, amountNanoUsd }) => ({ cause: cause.toUpperCase(), amount: formatUsd(amountNanoUsd) }));
  const records = await ledger.revisionsByHash(
    found.byRevision.flatMap(({ revision, before }) => [revision, before].filter((hash) => hash !== null)),
  );
  return {
    from: found.from.map(({ fromMs, toMs }) => ({ from: iso(fromMs), to: iso(toMs) })),
    to: { from: iso(found.to.fromMs), to: iso(found.to.toMs) },
    fromCost: formatUsd(found.fromNanoUsd),
    toCost: formatUsd(found.toNanoUsd),
    change: formatUsd(found.changeNanoUsd),
    byCause: effects(found.byCause),
    byRevision: await Promise.all(
      found.byRevision.map(async ({ revision, before, amountNanoUsd, byCause }) => ({
        amount: formatUsd(amountNanoUsd),
        revision: revision === null ? null : { hash: revision, ...records.get(revision) },
        byCause: effects(byCause),
        changes: await changesOf(before, revision, ledger),
        lines: await linesOf(folder, records.get(before ?? '')?.commit, records.get(revision ?? '')?.commit),
      })),
    ),
    groups: found.groups.map(({ keys, changeNanoUsd, byCause }) => ({
      key: keys.map(({ value }) => value).join(' · '),
      change: formatUsd(changeNanoUsd),
      byCause: effects(byCause),
    })),
  };
}

async function changesOf(
  before: string | null,
  after: string | null,
  ledger: ReadOnlyLedger,
): Promise<string[]> {
  if (before === null || after === null) return [];
  const [{ diffPlans }, { decodePlan }] = await Promise.all([
    import('../revisions/diff/diff.ts'),
    import('../language/plan/encode.ts'),
  ]);
  const [from, to] = await Promise.all([ledger.planText(before), ledger.planText(after)]);
  if (from === undefined || to === undefined) return [];
  return diffPlans(decodePlan(from), decodePlan(to)).changes.map(
    ({ subject, message }) => `${subject} ${message}`,
  );
}

/** Of the workflows in this folder, where it lies in the repository that has both commits. */
async function linesOf(
  folder: string,
  before: string | null | undefined,
  after: string | null | undefined,
): Promise<ShownChange['byRevision'][number]['lines']> {
  if (before === null || before === undefined || after === null || after === undefined || before === after)
    return [];
  const { changedLines, filesOfFolderAt } = await import('../revisions/changed-lines.ts');
  const [from, to] = await Promise.all([filesOfFolderAt(folder, before), filesOfFolderAt(folder, after)]);
  return from === undefined || to === undefined ? [] : changedLines(from, to);
}
