// docs/performance.md, whole: how it is measured, the figures, where the time goes, and what was tried.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './processes.ts';
import { numberText, tableOf } from './report.ts';
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
    where:
      where === undefined
        ? 'Not measured on this machine.'
        : where.lines.map(({ what, value }) => `- ${numberText(value)} % ${what}`).join('\n'),
  };
  return readFileSync(join(root, 'bench', 'performance.template'), 'utf8').replace(
    /<!-- (\w+) -->/g,
    (place, name: string) => parts[name] ?? place,
  );
}

function words(of: object): string {
  return Object.entries(of)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}
