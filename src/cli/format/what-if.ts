// What a month would have been at the gate, as text, as JSON, and as one page of HTML with a picture.
import type { JsonObject } from '../../common/json.ts';
import { formatUsd } from '../../common/money.ts';
import type { NanoUsd } from '../../common/money.ts';
import type { SpendingEvent } from '../../simulation/tally.ts';
import type { WhatIf, WhatIfSide } from '../../simulation/what-if.ts';
import { curveSvg, curveText } from './curve.ts';
import type { Curve } from './curve.ts';
import { dollars, refusalsJson, share } from './replay.ts';
import { table } from './table.ts';

export interface WhatIfReport {
  /** Where the calls are from, for people: sentences. */
  readonly read: readonly string[];
  readonly assumptions: readonly string[];
  /** Whose caps and guards are tried: `the shipped workflows`. */
  readonly terms: string;
  readonly found: WhatIf;
}

const MOST_ROWS = 8;
const minute = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
const refused = ({ refusals }: WhatIfSide): number =>
  [...refusals.values()].reduce((sum, { count }) => sum + count, 0);

type Row = readonly string[];

function sides({ found, terms }: WhatIfReport): readonly Row[] {
  const { was, guarded, moved } = found;
  const row = (name: string, side: WhatIfSide): Row => [
    name,
    dollars(side.costNanoUsd),
    side.low === side.high ? '' : `${dollars(side.low)} to ${dollars(side.high)}`,
    share(side.costNanoUsd - was.costNanoUsd, was.costNanoUsd),
    String(side.runs - refused(side)),
    String(refused(side)),
  ];
  return [
    ['as it was', dollars(was.costNanoUsd), '', '', String(was.runs), ''],
    row(`with the caps and guards of ${terms}`, guarded),
    ...(moved === null ? [] : [row(`and every call on ${moved.to}`, moved.side)]),
  ];
}
const SIDES = ['', 'cost', 'between', '', 'calls answered', 'refused'];

/** The first of each kind and scope: what comes after it is more of the same. */
function stops({ events }: WhatIfSide): readonly SpendingEvent[] {
  const seen = new Set<string>();
  return events.filter(({ kind, scope }) => {
    const key = `${kind} ${scope}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

const stopLine = ({ atMs, message, runs, costNanoUsd }: SpendingEvent): string =>
  `${minute(atMs)}, at call ${runs + 1} and ${dollars(costNanoUsd)}: ${message}`;

/** The loop's first stop: what was told after it had begun. */
function loopStop({ found }: WhatIfReport): SpendingEvent | undefined {
  const { loop, guarded } = found;
  return loop === null
    ? undefined
    : guarded.events.find(({ atMs, kind }) => atMs >= loop.fromMs && STOPS.has(kind));
}
/** They end calls; others warn. */
const STOPS: ReadonlySet<string> = new Set(['paused', 'loop', 'budget_exhausted']);

function loopLines(report: WhatIfReport): readonly string[] {
  const { loop, loopNanoUsd, guarded } = report.found;
  if (loop === null)
    return ['No stretch stands out in which one caller spent far more than it does: no loop is seen.'];
  const stop = loopStop(report);
  return [
    `The loop: ${loop.caller} on ${loop.model}, from ${minute(loop.fromMs)} to ${minute(loop.toMs)}: ${loop.calls} calls and ${dollars(loop.costNanoUsd)}; ${Math.round(loop.sameSize * 100)} % of them of one size.`,
    stop === undefined
      ? `With ${report.terms} nothing would have stopped it.`
      : `It would have been stopped ${minute(stop.atMs)}, ${stop.runs + 1 - loop.before.calls} calls${stop.costNanoUsd > loop.before.costNanoUsd ? ` and ${dollars(stop.costNanoUsd - loop.before.costNanoUsd)}` : ''} after that hour began: ${stop.message}`,
    `In that time ${dollars(loopNanoUsd ?? 0n)} would have been spent, of all callers; ${dollars(guarded.costNanoUsd)} in the whole time.`,
  ];
}

export function curveOf({ found, terms }: WhatIfReport): Curve {
  const stop = loopStop({ found, terms, read: [], assumptions: [] });
  return {
    title: 'Spent, by day',
    lines: [
      { name: 'as it was', colour: '#c0392b', points: found.was.curve },
      { name: `with the caps and guards of ${terms}`, colour: '#1a7f4b', points: found.guarded.curve },
      ...(found.moved === null
        ? []
        : [{ name: `on ${found.moved.to}`, colour: '#2f6db5', points: found.moved.side.curve }]),
    ],
    marks: stop === undefined ? [] : [{ ...stop, text: `stopped at ${dollars(stop.costNanoUsd)}` }],
  };
}

function costRows(groups: WhatIf['byModel']): readonly Row[] {
  return [...groups]
    .sort(([, a], [, b]) => (a.costNanoUsd < b.costNanoUsd ? 1 : -1))
    .slice(0, MOST_ROWS)
    .map(([name, { costNanoUsd }]) => [name, dollars(costNanoUsd)]);
}

const reasons = ({ refusals }: WhatIfSide): readonly Row[] =>
  [...refusals]
    .sort(([, a], [, b]) => b.count - a.count)
    .map(([name, { count, firstAtMs, lastAtMs }]) => [
      name,
      String(count),
      minute(firstAtMs),
      minute(lastAtMs),
    ]);
const REFUSED = ['refused by', '', 'first', 'last'];

const NOTE =
  'Refused calls are told as they would be: a cap that is too tight for the month shows here, before it is in force. What a guard pauses stays so until a person resumes it; here somebody does after 12 hours.';

export function whatIfText(report: WhatIfReport): string {
  const { found } = report;
  const lines = [
    ...report.read,
    ...report.assumptions.map((one) => `Taken for granted: ${one}`),
    '',
    table(SIDES, sides(report)),
    '',
    ...loopLines(report),
    '',
    curveText(curveOf(report)),
    '',
    table(['cost by model', ''], costRows(found.byModel)),
    '',
    table(['cost by caller', ''], costRows(found.byCaller)),
  ];
  const told = stops(found.guarded);
  if (told.length > 0)
    lines.push(
      '',
      'What would have been stopped or warned of:',
      ...told.slice(0, MOST_ROWS).map((one) => `  ${stopLine(one)}`),
    );
  if (found.guarded.refusals.size > 0) lines.push('', table(REFUSED, reasons(found.guarded)));
  lines.push('', NOTE);
  return lines.join('\n');
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const htmlTable = (head: Row, rows: readonly Row[]): string =>
  `<table><thead><tr>${head.map((cell) => `<th>${escaped(cell)}</th>`).join('')}</tr></thead><tbody>${rows
    .map((row) => `<tr>${row.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`)
    .join('')}</tbody></table>`;

/** Nothing is loaded from anywhere. */
export function whatIfHtml(report: WhatIfReport): string {
  const { found } = report;
  const told = stops(found.guarded);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Headgate: what if</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #26323d; max-width: 900px; margin: 2rem auto; padding: 0 1rem; }
svg { width: 100%; height: auto; border: 1px solid #d8dde3; border-radius: 6px; }
table { border-collapse: collapse; margin: 1rem 0; width: 100%; } th, td { text-align: right; padding: 0.3rem 0.6rem; border-bottom: 1px solid #e6e9ed; }
th:first-child, td:first-child { text-align: left; } h2 { margin-top: 2rem; } .small { color: #5c6a77; font-size: 0.9em; }
</style></head><body>
<h1>What if these calls had gone through Headgate?</h1>
<p>${report.read.map(escaped).join('<br>')}</p>
${htmlTable(SIDES, sides(report))}
${curveSvg(curveOf(report))}
<h2>The loop</h2>
${loopLines(report)
  .map((line) => `<p>${escaped(line)}</p>`)
  .join('\n')}
${told.length === 0 ? '' : `<h2>Stopped or warned of</h2><ul>${told.map((one) => `<li>${escaped(stopLine(one))}</li>`).join('')}</ul>`}
${found.guarded.refusals.size === 0 ? '' : htmlTable(REFUSED, reasons(found.guarded))}
<h2>Where it went</h2>
${htmlTable(['cost by model', ''], costRows(found.byModel))}
${htmlTable(['cost by caller', ''], costRows(found.byCaller))}
<p class="small">${[...report.assumptions.map((one) => `Taken for granted: ${one}`), NOTE].map(escaped).join('<br>')}</p>
</body></html>
`;
}

/** Money as decimal text in dollars. */
export function whatIfJson(report: WhatIfReport): JsonObject {
  const { found } = report;
  const usd = (nano: NanoUsd | null): string | null => (nano === null ? null : formatUsd(nano));
  const side = (of: WhatIfSide): JsonObject => ({
    cost: usd(of.costNanoUsd),
    low: usd(of.low),
    high: usd(of.high),
    runs: of.runs,
    refusals: refusalsJson(of.refusals),
    events: of.events.map(({ atMs, kind, scope, message, runs, costNanoUsd }) => ({
      at: new Date(atMs).toISOString(),
      kind,
      scope,
      message,
      call: runs + 1,
      cost: usd(costNanoUsd),
    })),
  });
  const { loop, moved } = found;
  return {
    read: [...report.read],
    assumptions: [...report.assumptions],
    from: new Date(found.fromMs).toISOString(),
    to: new Date(found.toMs).toISOString(),
    was: { cost: usd(found.was.costNanoUsd), runs: found.was.runs },
    guarded: side(found.guarded),
    moved: moved && { to: moved.to, ...side(moved.side) },
    loop: loop && {
      caller: loop.caller,
      model: loop.model,
      from: new Date(loop.fromMs).toISOString(),
      to: new Date(loop.toMs).toISOString(),
      calls: loop.calls,
      cost: usd(loop.costNanoUsd),
      sameSize: loop.sameSize,
    },
    loopSpent: usd(found.loopNanoUsd),
  };
}
