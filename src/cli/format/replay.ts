// What a replay found, as text for people, as JSON, and as Markdown for a pull request.
import type { Json, JsonObject } from '../../common/json.ts';
import { formatUsd } from '../../common/money.ts';
import type { NanoUsd } from '../../common/money.ts';
import { formatDuration } from '../../common/units.ts';
import type { Interval, Replay } from '../../simulation/replay.ts';
import type { Simulated } from '../../simulation/simulate.ts';
import type { RunSums } from '../../simulation/tally.ts';
import type { Unknown, UnknownKind } from '../../simulation/unknowns.ts';
import { table } from './table.ts';

export interface ReplayReport {
  readonly base: string;
  readonly head: string;
  readonly replay: Replay;
  readonly stoppedBy: readonly string[];
}

const DAY_MS = 86_400_000;
/** Of a month, in days. */
const MONTH_DAYS = 30;
const CENT = 10_000_000n;

/** Whole cents, where there are any; a few digits where there are none. */
export function dollars(nano: NanoUsd): string {
  const sign = nano < 0n ? '-' : '';
  const size = nano < 0n ? -nano : nano;
  if (size === 0n) return '$0';
  if (size < 100n * CENT) return `${sign}$${formatUsd(((size + 500n) / 1_000n) * 1_000n)}`;
  const cents = (size + CENT / 2n) / CENT;
  return `${sign}$${cents / 100n}.${(cents % 100n).toString().padStart(2, '0')}`;
}

const signed = (nano: NanoUsd): string =>
  nano > 0n ? `+${dollars(nano)}` : nano === 0n ? '±$0' : dollars(nano);

export function share(part: NanoUsd, whole: NanoUsd): string {
  if (whole === 0n) return part === 0n ? '±0 %' : 'new';
  const tenths = Number((part * 1_000n * 2n + whole) / (whole * 2n));
  const size = Math.abs(tenths) / 10;
  return `${tenths < 0 ? '−' : tenths > 0 ? '+' : '±'}${size >= 10 ? Math.round(size) : size} %`;
}

/** What a time's cost comes to in thirty days. */
function perMonth(nano: NanoUsd, { fromMs, toMs }: Replay): NanoUsd {
  const spanMs = BigInt(Math.max(1, Math.round(toMs - fromMs)));
  return (nano * BigInt(MONTH_DAYS * DAY_MS)) / spanMs;
}

const between = ({ low, high }: Interval, of: (nano: NanoUsd) => string): string =>
  low === high ? '' : ` (between ${of(low)} and ${of(high)})`;
const ms = (value: number | null): string =>
  value === null ? '–' : value < 10_000 ? `${value}ms` : formatDuration(Math.round(value / 100) * 100);
const total = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, one) => sum + one, 0);

export const countOf = (refusals: Simulated['refusals']): number =>
  [...refusals.values()].reduce((sum, { count }) => sum + count, 0);

export const refusalsJson = (refusals: Simulated['refusals']): JsonObject =>
  Object.fromEntries(
    [...refusals].map(([by, { count, firstAtMs, lastAtMs }]) => [
      by,
      { count, first: new Date(firstAtMs).toISOString(), last: new Date(lastAtMs).toISOString() },
    ]),
  );

/** "This change: $412 → $172 a month (−58 %, between −51 and −63), p95 2.1 s → 2.6 s, 14 refusals of budget team." */
function replayLine({ replay }: Pick<ReplayReport, 'replay'>): string {
  const { base, head, baseCost, headCost, change } = replay;
  const month = (nano: NanoUsd): string => dollars(perMonth(nano, replay));
  const span =
    change.low === change.high
      ? ''
      : `, between ${share(change.low, baseCost.likely)} and ${share(change.high, baseCost.likely)}`;
  const parts = [
    `${month(baseCost.likely)} → ${month(headCost.likely)} a month (${share(change.likely, baseCost.likely)}${span})`,
    `p95 ${ms(base.latencyP95Ms)} → ${ms(head.latencyP95Ms)}`,
  ];
  const more = [...head.refusals].flatMap(([name, { count }]) => {
    const added = count - (base.refusals.get(name)?.count ?? 0);
    return added > 0 ? [`${added} more ${added === 1 ? 'refusal' : 'refusals'} by ${name}`] : [];
  });
  const fewer = countOf(base.refusals) - countOf(head.refusals);
  if (more.length > 0) parts.push(...more);
  else if (fewer > 0) parts.push(`${fewer} fewer ${fewer === 1 ? 'refusal' : 'refusals'}`);
  return `This change: ${parts.join(', ')}.`;
}

const WHAT: { readonly [kind in UnknownKind]: string } = {
  condition: 'a condition reads a text that is not in the traffic',
  acceptance: 'whether the answer would be accepted',
  length: 'how long the answer would be',
  prompt: 'how large the prompt would be',
  items: 'how many items there would be',
  timeout: 'how the call would have ended without its time limit',
};

type Row = readonly string[];

function figures({ base, head }: Replay): readonly Row[] {
  const row = (name: string, of: (side: Simulated) => string | number): Row => [
    name,
    String(of(base)),
    String(of(head)),
  ];
  const rows: Row[] = [
    row('runs that succeed', ({ succeeded }) => succeeded),
    row('runs that fail', ({ failures }) => total(failures)),
    row('of them refused', ({ refusals }) => countOf(refusals)),
    row('latency p50', ({ latencyP50Ms }) => ms(latencyP50Ms)),
    row('latency p95', ({ latencyP95Ms }) => ms(latencyP95Ms)),
    row('calls', ({ attempts }) => attempts),
    row('fallbacks', ({ fallbacks }) => fallbacks),
    row('calls that waited', ({ waits }) => waits),
    row('wait p95', ({ waitP95Ms }) => ms(waitP95Ms)),
    row('answered without a call', ({ cachedRuns }) => cachedRuns),
  ];
  const kinds = [...new Set([...base.eventCounts.keys(), ...head.eventCounts.keys()])].sort();
  for (const kind of kinds)
    rows.push(row(`alerts: ${kind.replaceAll('_', ' ')}`, ({ eventCounts }) => eventCounts.get(kind) ?? 0));
  return rows;
}

function costRows(
  of: (side: Simulated) => ReadonlyMap<string, RunSums>,
  { base, head }: Replay,
): readonly Row[] {
  const [before, after] = [of(base), of(head)];
  const cost = (sums: ReadonlyMap<string, RunSums>, key: string): NanoUsd => sums.get(key)?.costNanoUsd ?? 0n;
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((key) => ({ key, was: cost(before, key), is: cost(after, key) }))
    .sort((a, b) =>
      a.was + a.is < b.was + b.is ? 1 : a.was + a.is > b.was + b.is ? -1 : a.key < b.key ? -1 : 1,
    )
    .slice(0, MOST_ROWS)
    .map(({ key, was, is }) => [key, dollars(was), dollars(is), share(is - was, was)]);
}
const MOST_ROWS = 15;

const second = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19)}Z`;

/** By whom, how often, and of the head (else of the base) from when to when. */
function refusalRows({ base, head }: Replay): readonly Row[] {
  return [...new Set([...head.refusals.keys(), ...base.refusals.keys()])].map((by) => {
    const [before, after] = [base.refusals.get(by), head.refusals.get(by)];
    const told = after ?? before;
    return [
      by,
      String(before?.count ?? 0),
      String(after?.count ?? 0),
      told === undefined ? '' : second(told.firstAtMs),
      told === undefined ? '' : second(told.lastAtMs),
    ];
  });
}
const REFUSED = ['refused by', 'before', 'after', 'first', 'last'];

const GROUPS: readonly (readonly [string, (side: Simulated) => ReadonlyMap<string, RunSums>])[] = [
  ['task', ({ byTask }) => byTask],
  ['provider', ({ byProvider }) => byProvider],
  ['model', ({ byModel }) => byModel],
  ['caller', ({ byCaller }) => byCaller],
];

function stops({ base, head }: Replay): readonly string[] {
  const told = ({ events }: Simulated): readonly string[] =>
    events.slice(0, MOST_ROWS).map(({ atMs, message }) => `${second(atMs)}  ${message}`);
  const before = new Set(told(base));
  return told(head).map((line) => (before.has(line) ? line : `${line} (new)`));
}

function bases({ head }: Replay): string {
  const { recorded, modelled, assumed } = head.bases;
  return `${recorded} calls end as they were recorded, ${modelled} are modelled on what the traffic shows of the model, ${assumed} go to models it never used (price of the catalogue; as long an answer as another model's, ± half).`;
}

const unknownLine = ({ kind, where, count }: Unknown): string => `${count} × ${WHAT[kind]}: ${where}`;

function contributions({ contributions: lines, togetherNanoUsd, baseCost }: Replay): readonly Row[] {
  const rows = lines.map(({ where, text, changeNanoUsd }): Row =>
    changeNanoUsd === null
      ? [where, text.slice(0, 60), 'does not compile alone', '']
      : [where, text.slice(0, 60), signed(changeNanoUsd), share(changeNanoUsd, baseCost.likely)],
  );
  return togetherNanoUsd === null || togetherNanoUsd === 0n
    ? rows
    : [
        ...rows,
        ['', 'together, beyond their sum', signed(togetherNanoUsd), share(togetherNanoUsd, baseCost.likely)],
      ];
}

const isSame = ({ base, head }: Replay): boolean => base === head;

function costLine({ recordedNanoUsd, baseCost, headCost }: Replay): string {
  return `${dollars(baseCost.likely)}${between(baseCost, dollars)} → ${dollars(headCost.likely)}${between(headCost, dollars)}; recorded: ${dollars(recordedNanoUsd)}`;
}

const timesOf = ({ fromMs, toMs, runs }: Replay): string =>
  `${runs} runs from ${new Date(fromMs).toISOString().slice(0, 16)}Z to ${new Date(toMs).toISOString().slice(0, 16)}Z`;

export function replayText({ base, head, replay }: ReplayReport): string {
  const lines = [
    `${base} → ${head}`,
    timesOf(replay),
    '',
    isSame(replay) ? 'The plan is the same: nothing changes.' : replayLine({ replay }),
    `cost: ${costLine(replay)}`,
    '',
    table(['', 'before', 'after'], figures(replay)),
  ];
  for (const [name, of] of GROUPS)
    lines.push('', table([`cost by ${name}`, 'before', 'after', ''], costRows(of, replay)));
  const refusals = refusalRows(replay);
  if (refusals.length > 0) lines.push('', table(REFUSED, refusals));
  const parts = contributions(replay);
  if (parts.length > 0) lines.push('', table(['changed line, alone', '', 'cost', ''], parts));
  const events = stops(replay);
  if (events.length > 0)
    lines.push('', 'what was stopped or warned of', ...events.map((line) => `  ${line}`));
  lines.push('', bases(replay));
  if (replay.head.unknowns.length > 0)
    lines.push(
      'not known, and in the interval:',
      ...replay.head.unknowns.slice(0, MOST_ROWS).map((one) => `  ${unknownLine(one)}`),
    );
  return lines.join('\n');
}

const escaped = (text: string): string =>
  text.replaceAll(/[\\`*_{}[\]<>|#]/g, (sign) => `\\${sign}`).replaceAll('\n', ' ');
const markdownTable = (head: Row, rows: readonly Row[]): readonly string[] => [
  `| ${head.join(' | ')} |`,
  `| ${head.map((_cell, at) => (at === 0 ? '---' : '---:')).join(' | ')} |`,
  ...rows.map((row) => `| ${row.map(escaped).join(' | ')} |`),
];

/** For where the difference in meaning is told, too. */
export function replayMarkdownSection({ replay }: Pick<ReplayReport, 'replay'>): {
  readonly line: string;
  readonly details: string;
} {
  const refusals = refusalRows(replay);
  const parts = contributions(replay);
  const events = stops(replay);
  const details = [
    `${timesOf(replay)}. Cost: ${escaped(costLine(replay))}.`,
    '',
    ...markdownTable(['', 'before', 'after'], figures(replay)),
    ...(refusals.length === 0 ? [] : ['', ...markdownTable(REFUSED, refusals)]),
    ...(parts.length === 0 ? [] : ['', ...markdownTable(['changed line, alone', '', 'cost', ''], parts)]),
    '',
    '<details><summary>Cost by task, provider, model and caller</summary>',
    ...GROUPS.flatMap(([name, of]) => [
      '',
      ...markdownTable([`by ${name}`, 'before', 'after', ''], costRows(of, replay)),
    ]),
    '',
    '</details>',
    ...(events.length === 0
      ? []
      : [
          '',
          '<details><summary>What was stopped or warned of</summary>',
          '',
          ...events.map((line) => `- ${escaped(line)}`),
          '',
          '</details>',
        ]),
    '',
    `<sub>${escaped(bases(replay))}${
      replay.head.unknowns.length === 0
        ? ''
        : ` Not known, and in the interval: ${replay.head.unknowns
            .slice(0, MOST_ROWS)
            .map((one) => escaped(unknownLine(one)))
            .join('; ')}.`
    }</sub>`,
  ].join('\n');
  return {
    line: isSame(replay)
      ? '**The plan is the same: nothing changes.**'
      : `**${escaped(replayLine({ replay }))}**`,
    details,
  };
}

export function replayMarkdown(report: ReplayReport): string {
  const { line, details } = replayMarkdownSection(report);
  const code = (text: string): string => `\`${text.replaceAll('`', "'")}\``;
  return [
    `### Replay: ${code(report.base)} → ${code(report.head)}`,
    line,
    ...(report.stoppedBy.length === 0 ? [] : [`**Stopped by:** ${report.stoppedBy.map(code).join(', ')}`]),
    details,
  ].join('\n\n');
}

/** Money as decimal text in dollars. */
export function replayJson({ base, head, replay, stoppedBy }: ReplayReport): JsonObject {
  const interval = ({ likely, low, high }: Interval): Json => ({
    likely: formatUsd(likely),
    low: formatUsd(low),
    high: formatUsd(high),
  });
  const sums = (groups: ReadonlyMap<string, RunSums>): Json =>
    Object.fromEntries(
      [...groups].map(([key, { runs, costNanoUsd }]) => [key, { runs, cost: formatUsd(costNanoUsd) }]),
    );
  const counts = (map: ReadonlyMap<string, number>): Json => Object.fromEntries(map);
  const side = (of: Simulated): Json => ({
    runs: of.runs,
    succeeded: of.succeeded,
    failures: counts(of.failures),
    refusals: refusalsJson(of.refusals),
    cost: formatUsd(of.costNanoUsd),
    attempts: of.attempts,
    fallbacks: of.fallbacks,
    cachedRuns: of.cachedRuns,
    waits: of.waits,
    waitP95Ms: of.waitP95Ms,
    latencyP50Ms: of.latencyP50Ms,
    latencyP95Ms: of.latencyP95Ms,
    byTask: sums(of.byTask),
    byProvider: sums(of.byProvider),
    byModel: sums(of.byModel),
    byCaller: sums(of.byCaller),
    calls: { ...of.bases },
    alerts: counts(of.eventCounts),
    events: of.events.map(({ atMs, kind, scope, message }) => ({
      at: new Date(atMs).toISOString(),
      kind,
      scope,
      message,
    })),
    unknowns: of.unknowns.map(({ kind, where, count }) => ({ kind, where, count })),
  });
  return {
    base,
    head,
    from: new Date(replay.fromMs).toISOString(),
    to: new Date(replay.toMs).toISOString(),
    runs: replay.runs,
    recordedCost: formatUsd(replay.recordedNanoUsd),
    cost: {
      before: interval(replay.baseCost),
      after: interval(replay.headCost),
      change: interval(replay.change),
    },
    before: side(replay.base),
    after: side(replay.head),
    changes: replay.contributions.map(({ where, text, changeNanoUsd }) => ({
      where,
      text,
      change: changeNanoUsd === null ? null : formatUsd(changeNanoUsd),
    })),
    together: replay.togetherNanoUsd === null ? null : formatUsd(replay.togetherNanoUsd),
    stoppedBy,
  };
}
