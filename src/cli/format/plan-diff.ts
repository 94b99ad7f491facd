// The difference of two plans as text for people, as JSON, and as Markdown for a pull request.
import type { Json, JsonObject } from '../../common/json.ts';
import { formatUsd } from '../../common/money.ts';
import type { ApiChange } from '../../server/graphql/diff.ts';
import type { PlanDiff } from '../../revisions/diff/diff.ts';
import type { Change, Effect } from '../../revisions/diff/types.ts';
import type { PlanSide } from '../plan-sides.ts';
import type { Colours } from './colours.ts';
import { table } from './table.ts';

export interface PlanDiffReport {
  readonly base: PlanSide;
  readonly head: PlanSide;
  readonly diff: PlanDiff;
  readonly api: readonly ApiChange[];
  /** Effects that `--fail-on` names and that are there. */
  readonly stoppedBy: readonly string[];
}

const CAREFUL: ReadonlySet<Effect> = new Set([
  'limit-raised',
  'price-raised',
  'cost-raised',
  'policy-loosened',
  'guard-loosened',
  'retention-raised',
  'provider-changed',
]);

interface Section {
  readonly title: string;
  readonly changes: readonly Change[];
}

/** Each change once, under the gravest of what it means. */
function sectionsOf({ changes }: PlanDiff): readonly Section[] {
  const isBreaking = ({ effects }: Change): boolean => effects.includes('breaking');
  const isCareful = (change: Change): boolean =>
    !isBreaking(change) && change.effects.some((effect) => CAREFUL.has(effect));
  return [
    { title: 'Breaking for callers', changes: changes.filter(isBreaking) },
    { title: 'Lets more happen', changes: changes.filter(isCareful) },
    {
      title: 'Other changes',
      changes: changes.filter((change) => !isBreaking(change) && !isCareful(change)),
    },
  ].filter((section) => section.changes.length > 0);
}

const dollars = (nanoUsd: bigint | null): string => (nanoUsd === null ? '' : `$${formatUsd(nanoUsd)}`);

function costRows({ worstCosts }: PlanDiff): readonly (readonly string[])[] {
  return worstCosts
    .filter(({ beforeNanoUsd, afterNanoUsd }) => beforeNanoUsd !== afterNanoUsd)
    .map(({ task, beforeNanoUsd, afterNanoUsd }) => [task, dollars(beforeNanoUsd), dollars(afterNanoUsd)]);
}

const NO_DIFFERENCE = 'No difference in meaning.';
const COST_HEAD = ['worst case of one run', 'before', 'after'];

/** Safe changes of the API are as many as its new fields: they are counted. */
function apiLines(api: readonly ApiChange[]): readonly string[] {
  const safe = api.filter(({ level }) => level === 'safe').length;
  return [
    ...api.filter(({ level }) => level !== 'safe').map(({ level, message }) => `${message} (${level})`),
    ...(safe > 0 ? [`${safe} ${safe === 1 ? 'change that breaks' : 'changes that break'} nothing`] : []),
  ];
}

export function planDiffText(report: PlanDiffReport, colours: Colours): string {
  const { base, head, diff, api } = report;
  const title = colours.bold(`${base.name} → ${head.name}`);
  if (diff.changes.length === 0) return `${title}\n${NO_DIFFERENCE}`;
  const rows = costRows(diff);
  const block = (name: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : ['', name, ...lines.map((line) => `  ${line}`)];
  return [
    title,
    ...sectionsOf(diff).flatMap((section) =>
      block(
        section.title === 'Other changes' ? section.title : colours.yellow(section.title),
        section.changes.map(
          ({ subject, message, effects }) =>
            `${colours.bold(subject)}: ${message}${effects.length === 0 ? '' : ` ${colours.dim(`[${effects.join(', ')}]`)}`}`,
        ),
      ),
    ),
    ...block('GraphQL', apiLines(api)),
    ...(rows.length === 0 ? [] : ['', table(COST_HEAD, rows)]),
  ].join('\n');
}

/** `replayed`: what traffic says of it, with the sentence that counts first. */
export function planDiffMarkdown(
  report: PlanDiffReport,
  replayed?: { readonly line: string; readonly details: string },
): string {
  const { base, head, diff, api, stoppedBy } = report;
  const title = `### Workflows: ${code(base.name)} → ${code(head.name)}`;
  if (diff.changes.length === 0) return `${title}\n\n${NO_DIFFERENCE}`;
  const rows = costRows(diff);
  return [
    title,
    ...(replayed === undefined ? [] : ['', replayed.line]),
    ...(stoppedBy.length === 0 ? [] : ['', `**Stopped by:** ${stoppedBy.map(code).join(', ')}`]),
    ...sectionsOf(diff).flatMap(({ title: name, changes }) => [
      '',
      `#### ${name}`,
      '',
      ...changes.map(
        ({ subject, message, effects }) =>
          `- **${escaped(subject)}** ${escaped(message)}${effects.length === 0 ? '' : ` ${effects.map(code).join(' ')}`}`,
      ),
    ]),
    ...(api.length === 0
      ? []
      : ['', '#### GraphQL', '', ...apiLines(api).map((line) => `- ${escaped(line)}`)]),
    ...(rows.length === 0
      ? []
      : [
          '',
          `| ${COST_HEAD.join(' | ')} |`,
          '| --- | ---: | ---: |',
          ...rows.map((row) => `| ${row.map(escaped).join(' | ')} |`),
        ]),
    ...(replayed === undefined ? [] : ['', '#### By recorded traffic', '', replayed.details]),
  ].join('\n');
}

const code = (text: string): string => `\`${text.replaceAll('`', "'")}\``;
const escaped = (text: string): string =>
  text.replaceAll(/[\\`*_{}[\]<>|#]/g, (sign) => `\\${sign}`).replaceAll('\n', ' ');

/** Money as decimal text in dollars. */
export function planDiffJson({ base, head, diff, api, stoppedBy }: PlanDiffReport): JsonObject {
  const side = ({ name, commit, plan }: PlanSide): Json => ({ name, commit, plan: plan.hash });
  const usd = (nanoUsd: bigint | null): string | null => (nanoUsd === null ? null : formatUsd(nanoUsd));
  return {
    base: side(base),
    head: side(head),
    changes: diff.changes.map(({ subject, message, effects }) => ({ subject, message, effects })),
    effects: diff.effects,
    worstCosts: diff.worstCosts.map(({ task, beforeNanoUsd, afterNanoUsd }) => ({
      task,
      before: usd(beforeNanoUsd),
      after: usd(afterNanoUsd),
    })),
    graphql: api.map(({ level, message, path }) => ({ level, message, path })),
    stoppedBy,
  };
}
