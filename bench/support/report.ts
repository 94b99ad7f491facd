// What a bench gives: lines of measurements, and how they are written for people and for machines.
import { writeFileSync } from 'node:fs';

/** `tiny`: that it works. `usual`: what docs/performance.md shows. `full`: with the soak of a million runs. */
export type Size = 'tiny' | 'usual' | 'full';

export interface Line {
  readonly what: string;
  readonly value: number;
  /** `µs`, `ms`, `s`, `/s`, `MB`, `%`, `×`, or what is counted. */
  readonly unit: string;
  /** What it is to reach, as a sentence for the table. */
  readonly target?: string;
  readonly reached?: boolean;
  readonly note?: string;
}

export interface Report {
  readonly bench: string;
  readonly size: Size;
  readonly lines: readonly Line[];
}

/** A line that is held to a bound: `atMost(60)` or `atLeast(2.5)`. */
export function held(
  what: string,
  value: number,
  unit: string,
  bound: { readonly atMost: number } | { readonly atLeast: number },
  note?: string,
): Line {
  const most = 'atMost' in bound;
  return {
    what,
    value,
    unit,
    target: most ? `≤ ${bound.atMost}` : `≥ ${bound.atLeast}`,
    reached: most ? value <= bound.atMost : value >= bound.atLeast,
    ...(note === undefined ? {} : { note }),
  };
}

/** The size that the command line asks for. */
export function askedSize(): Size {
  const asked = process.argv[2] ?? 'tiny';
  if (asked !== 'tiny' && asked !== 'usual' && asked !== 'full')
    throw new Error(`the size is tiny, usual or full, not "${asked}"`);
  return asked;
}

export const sized = <Value>(size: Size, values: { readonly [name in Size]: Value }): Value => values[size];

/** Ends a bench: the report goes to the file that run.ts names, else to stdout. */
export function give(bench: string, size: Size, lines: readonly Line[]): void {
  const report: Report = { bench, size, lines };
  const file = process.env['HEADGATE_BENCH_REPORT'];
  if (file === undefined) console.log(tableOf([report]));
  else writeFileSync(file, JSON.stringify(report));
}

export function tableOf(reports: readonly Report[]): string {
  const rows = reports.flatMap(({ bench, lines }) =>
    lines.map((line, index) => [
      index === 0 ? bench : '',
      line.what,
      `${numberText(line.value)} ${line.unit}`,
      line.target ?? '',
      line.reached === undefined ? '' : line.reached ? 'yes' : 'NO',
      line.note ?? '',
    ]),
  );
  return alignedTable(
    [['bench', 'what', 'measured', 'target', 'reached', 'note'], ...rows],
    (column) => column === 2,
  );
}

/** In Markdown, the first row as its head; columns of figures are aligned to the right. */
export function alignedTable(
  rows: readonly (readonly string[])[],
  isFigure: (column: number) => boolean,
): string {
  const widths =
    rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length))) ?? [];
  const padded = (cell: string, column: number): string =>
    isFigure(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  const rule = widths.map((width, column) =>
    isFigure(column) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  );
  return rows
    .map((row) => row.map(padded))
    .toSpliced(1, 0, rule)
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

export function numberText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Nearest rank; NaN of none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}
