// CSV with a header row → one record a row, by the header's names; the separator is found, quotes may hold line ends.
import { changes } from '../../../common/exact-json.ts';
import { viewOf } from '../../../common/json-schema.ts';
import type { Json, JsonSchema } from '../../../common/json.ts';
import { fail, succeed } from '../../../common/outcome.ts';
import type { Outcome } from '../../../common/outcome.ts';
import { MAX_VALUES } from './parse-json.ts';

/** Where nothing else decides, the one that stands least in texts. */
const SEPARATORS = ['\t', ';', '|', ','] as const;
/** As many as a spreadsheet has. */
const MAX_COLUMNS = 16_384;
/** What a spreadsheet writes before the header to say what separates. */
const SEP_LINE = /^\uFEFF?"?sep=([^\r\n])"?\r?\n/i;
/** Lines of blanks before the header. */
const BLANK_LINES = /^\uFEFF?(?:[ \t]*(?:\r\n|\n|\r))+/;

/** Fails with the reason and the line. */
export async function parseCsv(raw: string): Promise<Outcome<Json, string>> {
  const [sepLine = '', said] = SEP_LINE.exec(raw) ?? [];
  const unmarked = raw.slice(sepLine.length);
  const blank = BLANK_LINES.exec(unmarked)?.[0] ?? '';
  const text = unmarked.slice(blank.length);
  if (text.replace(/^\uFEFF/, '').trim() === '') return succeed([]);
  const skippedLines = (sepLine + blank).split(/\r\n|\n|\r/).length - 1;
  const { parse } = await import('csv-parse/sync');
  let columns = 0;
  let rowsRead = 0;
  try {
    const rows = parse(text, {
      bom: true,
      skip_empty_lines: true,
      // Counted here: a short row is filled up, and what stands beyond the header's columns may only be blank.
      relax_column_count: true,
      delimiter: said ?? separatorOf(text),
      record_delimiter: ['\r\n', '\n', '\r'],
      trim: false,
      on_record: (row: string[], { lines }) => {
        // A line of blanks.
        if (columns > 1 && row.length === 1 && row[0]?.trim() === '') return null;
        if (columns === 0) {
          columns = row.length;
          if (columns > MAX_COLUMNS)
            throw new Error(`it has ${columns} columns; at most ${MAX_COLUMNS} are read`);
        } else rowsRead += 1;
        if (columns * rowsRead > MAX_VALUES) throw new TooManyCells(columns, rowsRead);
        if (row.slice(columns).some((cell) => cell.trim() !== ''))
          throw new Error(
            `line ${lines + skippedLines} has ${row.length} cells, and the header ${columns}; put a text that holds the separator in quotes`,
          );
        return row;
      },
    });
    const [names = [], ...records] = rows;
    return recordsOf(
      names.map((name) => name.trim()),
      records,
    );
  } catch (error) {
    return fail(withLine(error, skippedLines));
  }
}

/** The reader counts from where it begins. */
function withLine(error: unknown, skippedLines: number): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof Error && 'lines' in error
    ? error.message.replace(
        /\b(line) (\d+)/,
        (_whole, word: string, line: string) => `${word} ${Number(line) + skippedLines}`,
      )
    : error.message;
}

class TooManyCells extends Error {
  constructor(columns: number, rows: number) {
    super(
      `it has ${columns} columns and at least ${rows} rows, which is more than ${MAX_VALUES} cells; send it in parts`,
    );
  }
}

function recordsOf(names: readonly string[], records: readonly (readonly string[])[]): Outcome<Json, string> {
  const seen = new Set<string>();
  const kept: { readonly name: string; readonly column: number }[] = [];
  const unnamed = names.filter((name) => name === '').length;
  for (const [column, name] of names.entries()) {
    // Separators at the ends of lines make columns without a name and without a cell.
    if (name === '' && unnamed > 1 && records.every((row) => (row[column] ?? '').trim() === '')) continue;
    if (seen.has(name)) return fail(`two columns are named "${name}"`);
    seen.add(name);
    kept.push({ name, column });
  }
  return succeed(
    records.map((row) => Object.fromEntries(kept.map(({ name, column }) => [name, row[column] ?? '']))),
  );
}

/** So much is looked at to find the separator. */
const SAMPLE = 10_000;

/** The one by which most rows have as many cells as the header: a header may hold commas in its names. Of several, the one that stands most often in the header. */
function separatorOf(text: string): string {
  const rows = separatorsIn(text.slice(0, SAMPLE));
  // What was cut off is no row.
  const [header, ...others] = text.length > SAMPLE && rows.length > 1 ? rows.slice(0, -1) : rows;
  const inHeader = (separator: string): number => header?.get(separator) ?? 0;
  const agreeing = (separator: string): number =>
    others.filter((row) => (row.get(separator) ?? 0) === inHeader(separator)).length;
  const [best = ','] = SEPARATORS.filter((separator) => inHeader(separator) > 0).toSorted(
    (one, other) => agreeing(other) - agreeing(one) || inHeader(other) - inHeader(one),
  );
  return best;
}

/** How often each stands in a row, outside quotes. */
function separatorsIn(sample: string): readonly ReadonlyMap<string, number>[] {
  const rows: Map<string, number>[] = [];
  let row = new Map<string, number>();
  let quoted = false;
  let isBlank = true;
  const end = (): void => {
    if (!isBlank) rows.push(row);
    row = new Map();
    isBlank = true;
  };
  for (const sign of sample) {
    if (sign === '"') quoted = !quoted;
    if (!quoted && (sign === '\n' || sign === '\r')) end();
    else {
      isBlank &&= sign.trim() === '' && sign !== '\t';
      if (!quoted && SEPARATORS.some((separator) => separator === sign))
        row.set(sign, (row.get(sign) ?? 0) + 1);
    }
  }
  end();
  return rows;
}

const INTEGER = /^\s*-?[0-9]{16,}\s*$/;

/** A cell of a column of numbers that a number would change; told with its row. */
export function inexactCell(rows: Json, schema: JsonSchema): string | undefined {
  const columns = Object.entries(viewOf(viewOf(schema).items ?? {}).properties);
  const numeric = columns.flatMap(([name, cell]) =>
    viewOf(cell).types.some((type) => type === 'integer' || type === 'number') ? [name] : [],
  );
  for (const [index, row] of (rows as readonly { readonly [name: string]: string }[]).entries())
    for (const name of numeric) {
      const cell = row[name];
      if (cell !== undefined && INTEGER.test(cell) && changes(cell.trim()))
        return `row ${index + 1}, column "${name}": the number ${cell.trim()} cannot be kept exactly; declare the column as a string`;
    }
  return undefined;
}
