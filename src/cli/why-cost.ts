// headgate why-cost: what changed, against a span before or the usual, by cause and by commit.
import { formatUsd } from '../common/money.ts';
import type { NanoUsd } from '../common/money.ts';
import type { CostChange, SpanRequest } from '../ledger/stats/port.ts';
import type { ReadOnlyLedger } from '../ledger/open.ts';
import type { RevisionRecord } from '../ledger/port.ts';
import type { RegisterCommand } from './commands.ts';
import { dollars, table } from './format/table.ts';
import type { CliIo, ExitCode } from './io.ts';
import { databaseOption, dataOption, keyOption, serverOption, workflowsOption } from './options.ts';
import { byOption, groupInput, spanInput, spanOfFlags, spanOptions } from './span-options.ts';
import type { Groups, SpanFlags } from './span-options.ts';

interface WhyCostFlags extends SpanFlags {
  readonly data: string;
  readonly database?: string;
  readonly workflows?: string;
  readonly server?: string;
  readonly key?: string;
  readonly by: Groups;
  readonly usual: boolean;
  readonly json: boolean;
}

interface ShownEffect {
  readonly cause: string;
  readonly amount: string;
}
interface ShownLine {
  readonly file: string;
  readonly line: number;
  readonly before?: string | null;
  readonly after?: string | null;
  readonly commit?: string | null;
  readonly author?: string | null;
  readonly subject?: string | null;
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
      readonly dirty: boolean;
    } | null;
    readonly before?: { readonly commit?: string | null; readonly dirty: boolean } | null;
    readonly byCause: readonly ShownEffect[];
    readonly changes: readonly string[];
    readonly lines: readonly ShownLine[];
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
    .addOption(databaseOption())
    .addOption(workflowsOption())
    .addOption(serverOption())
    .addOption(keyOption());
  for (const option of spanOptions()) command.addOption(option);
  return command
    .addOption(byOption('TASK'))
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

const signed = (amount: string): string => `${amount.startsWith('-') ? '' : '+'}${dollars(amount)}`;
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
      ? 'nothing: there was no week before'
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
  for (const of of byRevision)
    parts.push(
      '',
      `${signed(of.amount)}  ${revisionText(of)}: ${effectsText(of.byCause)}`,
      ...of.changes.map((text) => `    ${text}`),
      ...linesText(of.lines),
    );
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

/** The commit where it is one; a server may have taken several at once, and commits of other files lie between. */
function revisionText({ revision, before, lines }: ShownChange['byRevision'][number]): string {
  if (revision === null || revision === undefined) return 'the same workflows';
  const [first] = lines;
  const commits = new Set(lines.map(({ commit }) => commit ?? ''));
  const name = `revision ${revision.hash.slice(0, 12)}`;
  if (first?.commit && commits.size === 1) return commitText(first);
  if (commits.size > 1) return `${name}, of ${commits.size} commits`;
  if (revision.dirty) return `${name}, in no commit`;
  if (!revision.commit) return name;
  if (revision.commit === before?.commit)
    return before.dirty
      ? `${name}, in no commit`
      : `${name}, of the same commit: what it is compiled with is another`;
  return commitText(revision);
}

function commitText({ commit, author, subject }: Pick<ShownLine, 'commit' | 'author' | 'subject'>): string {
  const by = author?.replace(/\s*<.*$/, '') ?? '';
  return `commit ${commit?.slice(0, 10) ?? ''}${by === '' ? '' : ` by ${by}`}${subject ? `, "${subject}"` : ''}`;
}

function linesText(lines: readonly ShownLine[]): readonly string[] {
  const text = ({ file, line, before, after }: ShownLine): string =>
    `${file}:${line}  ${(after ?? `(taken out) ${before ?? ''}`).trim()}`;
  const byCommit = Map.groupBy(lines, ({ commit }) => commit ?? '');
  if (byCommit.size < 2) return lines.map((line) => `    ${text(line)}`);
  return [...byCommit.values()].flatMap((of) => [
    `    ${of[0]?.commit ? commitText(of[0]) : 'an older commit'}`,
    ...of.map((line) => `        ${text(line)}`),
  ]);
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
  const variables = { from: from ? spanInput(from) : null, to: spanInput(to), ...groupInput(flags.by) };
  return (await createRemote(flags.server ?? '', flags.key).query(WhyCost, variables)).costChange;
}

async function localChange(
  flags: WhyCostFlags,
  from: SpanRequest | undefined,
  to: SpanRequest,
): Promise<ShownChange> {
  const { withLocalStats } = await import('./local-stats.ts');
  return withLocalStats(flags, async (stats, ledger) =>
    shownChange(
      await stats.costChange({ ...(from ? { from } : {}), to, ...flags.by }),
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
        revision: revision === null ? null : shownRevision(revision, records),
        before: before === null ? null : shownRevision(before, records),
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

function shownRevision(hash: string, records: ReadonlyMap<string, RevisionRecord>) {
  const { commit = null, author = null, subject = null, dirty = false } = records.get(hash) ?? {};
  return { hash, commit, author, subject, dirty };
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
  const { changesInFolder } = await import('../revisions/blame.ts');
  const found = (await changesInFolder(folder, before, after)) ?? [];
  return found.map(({ commit, ...line }) => ({
    ...line,
    commit: commit?.hash ?? null,
    author: commit?.author ?? null,
    subject: commit?.subject ?? null,
  }));
}
