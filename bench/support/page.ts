// docs/performance.md, whole: how it is measured, the figures, where the time goes, and what was tried.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './processes.ts';
import { alignedTable, numberText, tableOf } from './report.ts';
import type { Report } from './report.ts';

export interface Results {
  readonly machine: object;
  readonly versions: object;
  readonly reports: readonly (Report & { readonly measuredAt: string; readonly loadAverage: number })[];
}

/** Its prose stands in bench/performance.template, with a place for each part that is measured. */
export function performancePage({ machine, versions, reports }: Results): string {
  const shown = reports.filter(({ bench }) => bench !== 'where');
  const where = reports.find(({ bench }) => bench === 'where');
  const loads = shown.map(({ bench, loadAverage }) => `${bench} ${loadAverage.toFixed(1)}`);
  const parts: { readonly [name: string]: string } = {
    machine: `Machine: ${words(machine)}. Versions: ${words(versions)}. Load average of the machine before each bench: ${loads.join(', ')}.`,
    figures: tableOf(shown),
    where: where === undefined ? 'Not measured on this machine.' : sharesTable(where),
  };
  return readFileSync(join(root, 'bench', 'performance.template'), 'utf8').replace(
    /<!-- (\w+) -->/g,
    (place, name: string) => parts[name] ?? place,
  );
}

/** Of lines such as `call: ledger`: a row for each room, a column for each of what is before the colon. */
function sharesTable({ lines }: Report): string {
  const cells = lines.map(({ what, value }) => ({ ...split(what), share: `${numberText(value)} %` }));
  const columns = [...new Set(cells.map(({ column }) => column))];
  const rooms = [...new Set(cells.map(({ room }) => room))];
  const rows = rooms.map((room) => [
    room,
    ...columns.map(
      (column) => cells.find((cell) => cell.room === room && cell.column === column)?.share ?? '',
    ),
  ]);
  return alignedTable([['room', ...columns], ...rows], (column) => column > 0);
}

function split(what: string): { readonly column: string; readonly room: string } {
  const at = what.indexOf(': ');
  return { column: what.slice(0, at), room: what.slice(at + 2) };
}

function words(of: object): string {
  return Object.entries(of)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}
