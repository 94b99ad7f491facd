// CSV with a header row → one record a row, by the header's names; the separator is found, quotes may hold line ends.
import type { Json } from '../../../common/json.ts';
import { fail, succeed } from '../../../common/outcome.ts';
import type { Outcome } from '../../../common/outcome.ts';

const SEPARATORS = [',', ';', '\t', '|'] as const;

/** Fails with the reason and the line. */
export async function parseCsv(raw: string): Promise<Outcome<Json, string>> {
  const { parse } = await import('csv-parse/sync');
  try {
    const rows = parse(raw, {
      bom: true,
      skip_empty_lines: true,
      relax_column_count_less: true,
      delimiter: separatorOf(raw),
      trim: false,
    });
    const [names = [], ...records] = rows;
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) return fail(`two columns are named "${twice}"`);
    return succeed(
      records.map((row) => Object.fromEntries(names.map((name, column) => [name.trim(), row[column] ?? '']))),
    );
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

/** The one that stands most often in the first line, outside quotes. */
function separatorOf(raw: string): string {
  const line = raw.slice(0, 10_000).split(/\r?\n/, 1)[0] ?? '';
  const bare = line.replace(/"[^"]*"/g, '');
  let best: string = SEPARATORS[0];
  let most = 0;
  for (const separator of SEPARATORS) {
    const count = bare.split(separator).length - 1;
    if (count > most) {
      best = separator;
      most = count;
    }
  }
  return best;
}
