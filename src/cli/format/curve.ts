// What was spent by when, with and without: as a picture (SVG), and as signs for a terminal.
import type { NanoUsd } from '../../common/money.ts';
import type { CurvePoint } from '../../simulation/what-if.ts';

export interface CurveLine {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly CurvePoint[];
}

export interface CurveMark {
  readonly atMs: number;
  readonly costNanoUsd: NanoUsd;
  readonly text: string;
}

export interface Curve {
  readonly title: string;
  readonly lines: readonly CurveLine[];
  readonly marks: readonly CurveMark[];
}

const WIDTH = 860;
const HEIGHT = 380;
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 24, 44, 36];
/** More points than this are thinned out: no screen shows them. */
const MOST_POINTS = 800;
const DAY_MS = 86_400_000;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const usd = (nano: NanoUsd): number => Number(nano) / 1e9;

interface Scale {
  readonly fromMs: number;
  readonly toMs: number;
  readonly top: number;
}

function scaleOf({ lines }: Curve): Scale {
  const points = lines.flatMap((line) => line.points);
  const most = points.reduce((max, { costNanoUsd }) => Math.max(max, usd(costNanoUsd)), 0.01);
  return {
    fromMs: points.reduce((min, { atMs }) => Math.min(min, atMs), Number.POSITIVE_INFINITY),
    toMs: points.reduce((max, { atMs }) => Math.max(max, atMs), Number.NEGATIVE_INFINITY),
    top: roundUp(most),
  };
}

/** 1, 2, 2.5, 4, 5 or 8 times a power of ten: four steps of it are round. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 2.5, 4, 5, 8].find((step) => step * power >= value) ?? 10) * power;
}

const dollars = (value: number): string =>
  `$${value >= 10 ? Math.round(value).toLocaleString('en-US') : Number(value.toPrecision(2))}`;
const day = (ms: number): string => new Date(ms).toISOString().slice(5, 10);

function thinned(points: readonly CurvePoint[]): readonly CurvePoint[] {
  const every = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_point, at) => at % every === 0 || at === points.length - 1);
}

/** Self-contained; in a page or a file of its own. */
export function curveSvg(curve: Curve): string {
  const { fromMs, toMs, top } = scaleOf(curve);
  const x = (ms: number): number =>
    LEFT + ((ms - fromMs) / Math.max(1, toMs - fromMs)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  const at = (value: number): string => value.toFixed(1);
  const grid = [0, 1, 2, 3, 4].map((step) => {
    const value = (top * step) / 4;
    return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(y(value))}" y2="${at(y(value))}" stroke="#d8dde3"/><text x="${LEFT - 8}" y="${at(y(value) + 4)}" text-anchor="end">${dollars(value)}</text>`;
  });
  const steps = Math.max(1, Math.ceil((toMs - fromMs) / DAY_MS / 8)) * DAY_MS;
  const days: string[] = [];
  for (let ms = Math.ceil(fromMs / DAY_MS) * DAY_MS; ms <= toMs; ms += steps)
    days.push(`<text x="${at(x(ms))}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${day(ms)}</text>`);
  const lines = curve.lines.map(({ colour, points }) => {
    const path = thinned(points)
      .map(
        ({ atMs, costNanoUsd }, index) =>
          `${index === 0 ? 'M' : 'L'}${at(x(atMs))} ${at(y(usd(costNanoUsd)))}`,
      )
      .join('');
    return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2.5" stroke-linejoin="round"/>`;
  });
  const legend = curve.lines.map(({ name, colour, points }, index) => {
    const last = points.at(-1);
    return `<rect x="${LEFT + 12}" y="${TOP + 8 + index * 22}" width="14" height="4" fill="${colour}"/><text x="${LEFT + 34}" y="${TOP + 14 + index * 22}">${escaped(name)}: ${last === undefined ? '' : dollars(usd(last.costNanoUsd))}</text>`;
  });
  const marks = curve.marks.map(({ atMs, costNanoUsd, text }) => {
    const [px, py] = [x(atMs), y(usd(costNanoUsd))];
    const isLate = px > WIDTH / 2;
    return `<circle cx="${at(px)}" cy="${at(py)}" r="5" fill="#fff" stroke="#1a7f4b" stroke-width="2.5"/><text x="${at(px + (isLate ? -10 : 10))}" y="${at(py - 12)}" text-anchor="${isLate ? 'end' : 'start'}" font-weight="600">${escaped(text)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="system-ui, sans-serif" font-size="13" fill="#26323d"><title>${escaped(curve.title)}</title><rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/><text x="${LEFT}" y="26" font-size="16" font-weight="600">${escaped(curve.title)}</text>${grid.join('')}${days.join('')}${lines.join('')}${legend.join('')}${marks.join('')}</svg>`;
}

const COLUMNS = 64;
const ROWS = 12;
const SIGNS = ['·', '█', '▒'] as const;

/** A column of signs by time; where lines meet, the later one is seen. */
export function curveText(curve: Curve): string {
  const { fromMs, toMs, top } = scaleOf(curve);
  const cells = Array.from({ length: ROWS }, () => Array.from({ length: COLUMNS }, () => ' '));
  for (const [number, { points }] of curve.lines.entries()) {
    let [next, value] = [0, 0];
    for (let column = 0; column < COLUMNS; column += 1) {
      const untilMs = fromMs + ((toMs - fromMs) * (column + 1)) / COLUMNS;
      for (let point = points[next]; point !== undefined && point.atMs <= untilMs; point = points[next]) {
        value = usd(point.costNanoUsd);
        next += 1;
      }
      const row = ROWS - 1 - Math.min(ROWS - 1, Math.floor((value / top) * ROWS));
      const line = cells[row];
      if (line !== undefined) line[column] = SIGNS[number % SIGNS.length] ?? '·';
    }
  }
  const axis = (row: number): string =>
    (row % 3 === 0 ? dollars((top * (ROWS - row)) / ROWS) : '').padStart(8);
  return [
    ...cells.map((line, row) => `${axis(row)} │${line.join('').trimEnd()}`),
    `${'$0'.padStart(8)} └${'─'.repeat(COLUMNS)}`,
    `${' '.repeat(10)}${day(fromMs).padEnd(COLUMNS - 5)}${day(toMs)}`,
    ...curve.lines.map(({ name, points }, number) => {
      const last = points.at(-1);
      return `${' '.repeat(10)}${SIGNS[number % SIGNS.length] ?? ''} ${name}: ${dollars(last === undefined ? 0 : usd(last.costNanoUsd))}`;
    }),
  ].join('\n');
}
