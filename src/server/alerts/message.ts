// What a sink is told: alerts, a report or a test, and how people read it.
import { formatUsd, type NanoUsd } from '../../common/money.ts';
import { sha256Hex } from '../../common/json.ts';
import type { AlertRecord } from '../../engine/execution/recorder.ts';
import type { AlertTopic, PlanReport } from '../../language/plan/types.ts';

export interface SpendReport extends PlanReport {
  readonly fromMs: number;
  readonly toMs: number;
  readonly costNanoUsd: NanoUsd;
  /** In the day or week before. */
  readonly beforeNanoUsd: NanoUsd;
  readonly savedNanoUsd: NanoUsd;
  readonly runs: number;
  /** Dearest first; `value` is empty for those that have none. */
  readonly groups: readonly {
    readonly value: string;
    readonly costNanoUsd: NanoUsd;
    readonly beforeNanoUsd: NanoUsd;
    readonly runs: number;
  }[];
}

export type Message = { readonly id: string; readonly atMs: number } & (
  | {
      readonly kind: 'alerts';
      /** The most serious first where there are several. */
      readonly alerts: readonly AlertRecord[];
    }
  | { readonly kind: 'report'; readonly report: SpendReport }
  | { readonly kind: 'test' }
);

/** The same alerts have the same id, so that who gets them twice can tell. */
export function alertMessage(alerts: readonly AlertRecord[], atMs: number): Message {
  const id = `msg_${sha256Hex(alerts.map((alert) => alert.id).join()).slice(0, 24)}`;
  return { kind: 'alerts', id, atMs, alerts: alerts.toSorted((a, b) => RANK[b.severity] - RANK[a.severity]) };
}

export const RANK: { readonly [severity in AlertRecord['severity']]: number } = {
  info: 0,
  warning: 1,
  critical: 2,
};

export const TOPIC_OF: { readonly [kind in AlertRecord['kind']]: AlertTopic } = {
  budget_warn: 'budget',
  budget_exhausted: 'budget',
  budget_overrun: 'budget',
  budget_forecast: 'forecast',
  loop: 'loop',
  surge: 'surge',
  paused: 'pause',
  resumed: 'pause',
  circuit: 'circuit',
  revision_refused: 'revision',
  revision_pinned: 'revision',
  revision_released: 'revision',
  revision_renamed: 'revision',
  prices_old: 'prices',
  unreconciled: 'unreconciled',
  dead_letter: 'run',
  usage_missing: 'usage',
  usage_impossible: 'usage',
  ledger_set_aside: 'ledger',
  ledger_repaired: 'ledger',
  ledger_replaced: 'ledger',
  ledger_failing: 'ledger',
  ledger_restored: 'ledger',
};

/** Shown one by one in a digest; of the rest, how many of each kind. */
const SHOWN = 10;

export interface Text {
  readonly title: string;
  readonly lines: readonly string[];
}

/** One line that says it all, and the rest. */
export function textOf(message: Message): Text {
  switch (message.kind) {
    case 'test':
      return {
        title: 'Headgate: this is a test',
        lines: ['Alerts arrive here. It was asked for with "headgate alerts test".'],
      };
    case 'report':
      return reportText(message.report);
    case 'alerts': {
      const { alerts } = message;
      const [first] = alerts;
      if (first === undefined) return { title: 'Headgate', lines: [] };
      if (alerts.length === 1)
        return { title: `${first.severity}: ${first.message}`, lines: [first.remedy, detailLine(first)] };
      const shown = alerts
        .slice(0, SHOWN)
        .map(({ severity, message: said, atMs }) => `${severity}, ${instant(atMs)}: ${said}`);
      return {
        title: `${first.severity}: ${alerts.length} alerts: ${kindCounts(alerts)}`,
        lines: [
          ...shown,
          ...(alerts.length > SHOWN
            ? [`And ${alerts.length - SHOWN} more; "headgate alerts" lists them all.`]
            : []),
        ],
      };
    }
  }
}

function kindCounts(alerts: readonly AlertRecord[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of alerts) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
}

function detailLine({ kind, scope, atMs, runId, id }: AlertRecord): string {
  return `${kind} of ${scope}, ${instant(atMs)}${runId === null ? '' : `, run ${runId}`} (${id})`;
}

function reportText(report: SpendReport): Text {
  const { every, by, timeZone, fromMs, toMs, costNanoUsd, beforeNanoUsd, savedNanoUsd, runs, groups } =
    report;
  const dayOf = (atMs: number): string =>
    new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(atMs);
  const span = every === 'day' ? dayOf(fromMs) : `${dayOf(fromMs)} to ${dayOf(toMs - 1)}`;
  return {
    title: `AI spend ${span}: ${dollars(costNanoUsd)} (${change(costNanoUsd, beforeNanoUsd)} the ${every} before)`,
    lines: [
      `${runs} runs; ${dollars(savedNanoUsd)} saved against the dearest candidates.`,
      ...groups
        .slice(0, 20)
        .map(
          (group) =>
            `${by} ${group.value === '' ? '(none)' : group.value}: ${dollars(group.costNanoUsd)}, ${change(group.costNanoUsd, group.beforeNanoUsd)}, ${group.runs} runs`,
        ),
      ...(groups.length > 20 ? [`And ${groups.length - 20} more.`] : []),
    ],
  };
}

/** To the cent, half a cent up; what is below one is said exactly. */
function dollars(nano: NanoUsd): string {
  const cent = 10_000_000n;
  if (nano < cent && nano > -cent) return `$${formatUsd(nano)}`;
  const cents = (nano + (nano < 0n ? -cent : cent) / 2n) / cent;
  const [whole, part] = [cents / 100n, cents % 100n];
  return `$${whole}.${String(part < 0n ? -part : part).padStart(2, '0')}`;
}

function change(now: NanoUsd, before: NanoUsd): string {
  if (before === 0n) return now === 0n ? 'as' : 'nothing was spent';
  const percent = Number(((now - before) * 1000n) / before) / 10;
  return `${percent >= 0 ? '+' : ''}${percent} % against`;
}

function instant(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The message as JSON: what a webhook gets, and what its reader can rely on. */
export function messageJson(message: Message): string {
  const { title, lines } = textOf(message);
  const base = {
    id: message.id,
    type: message.kind,
    at: instant(message.atMs),
    title,
    text: lines.join('\n'),
  };
  if (message.kind === 'alerts')
    return JSON.stringify({
      ...base,
      alerts: message.alerts
        .slice(0, MOST_IN_JSON)
        .map(({ atMs, ...alert }) => ({ ...alert, at: instant(atMs) })),
      total: message.alerts.length,
    });
  if (message.kind === 'test') return JSON.stringify(base);
  const { costNanoUsd, beforeNanoUsd, savedNanoUsd, fromMs, toMs, groups, ...rest } = message.report;
  return JSON.stringify({
    ...base,
    report: {
      ...rest,
      from: instant(fromMs),
      to: instant(toMs),
      cost: formatUsd(costNanoUsd),
      before: formatUsd(beforeNanoUsd),
      saved: formatUsd(savedNanoUsd),
      groups: groups.map((group) => ({
        value: group.value,
        cost: formatUsd(group.costNanoUsd),
        before: formatUsd(group.beforeNanoUsd),
        runs: group.runs,
      })),
    },
  });
}

/** A receiver need not take more in one request. */
const MOST_IN_JSON = 100;
