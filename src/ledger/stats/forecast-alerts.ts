// Says once a window that a budget is expected to be spent before it resets.
import type { BudgetView } from '../../engine/budget/port.ts';
import type { Forecast } from './port.ts';

/** A budget that is expected to be spent before its window ends. */
export interface ForecastAlert {
  readonly view: BudgetView;
  readonly expected: bigint;
  readonly exhaustedAtMs: number;
  readonly earliestMs: number | null;
}

export interface ForecastAlerts {
  /** Asks for the forecasts, and tells of those that are new. */
  readonly look: () => Promise<void>;
}

/** One dear minute is no trend: what two looks in a row expect is told. */
const LOOKS_IN_A_ROW = 2;
/** A budget may have an account for each caller: those that have spent the most of their limit are looked at. */
const MOST_ACCOUNTS = 50;

/**
 * Once in a window, whatever the forecast does afterwards: one that goes up and down around the limit does not tell again. Nothing is told without an
 * interval, which needs two days of past, nor of what is spent already. `told`: of earlier processes, by `windowOf`.
 */
export function createForecastAlerts({
  views,
  forecast,
  told,
  tell,
}: {
  readonly views: () => readonly BudgetView[];
  readonly forecast: (view: BudgetView) => Promise<Forecast | null>;
  readonly told: Iterable<string>;
  readonly tell: (alert: ForecastAlert) => void;
}): ForecastAlerts {
  const toldOf = new Set(told);
  let inARow = new Map<string, number>();
  return {
    async look() {
      const open = views().filter(({ limit, spent, resetsAtMs }) => resetsAtMs !== null && spent < limit);
      const next = new Map<string, number>();
      const current = new Set(open.map(nameOf));
      for (const view of [...open].sort((a, b) => usedOf(b) - usedOf(a)).slice(0, MOST_ACCOUNTS)) {
        const name = nameOf(view);
        if (toldOf.has(name)) continue;
        const found = await forecast(view);
        if (found === null || found.low === null || found.expected === null || found.exhaustedAtMs === null)
          continue;
        const looks = (inARow.get(name) ?? 0) + 1;
        next.set(name, looks);
        if (looks < LOOKS_IN_A_ROW) continue;
        toldOf.add(name);
        const { expected, exhaustedAtMs, earliestMs } = found;
        tell({ view, expected, exhaustedAtMs, earliestMs });
      }
      inARow = next;
      // A window that is over is not looked at again (INV-14).
      const last = Math.min(...open.map(({ windowStartedAtMs }) => windowStartedAtMs));
      for (const name of toldOf) if (!current.has(name) && startOf(name) < last) toldOf.delete(name);
    },
  };
}

/** One window of one account. */
export function windowOf({
  budgetId,
  account,
  windowStartedAtMs,
}: {
  readonly budgetId: string;
  readonly account: string;
  readonly windowStartedAtMs: number;
}): string {
  return JSON.stringify([windowStartedAtMs, budgetId, account]);
}

function nameOf({ budget, account, windowStartedAtMs }: BudgetView): string {
  return windowOf({ budgetId: budget.id, account, windowStartedAtMs });
}

function startOf(name: string): number {
  return (JSON.parse(name) as [number])[0];
}

function usedOf({ spent, limit }: BudgetView): number {
  return Number(spent) / Math.max(1, Number(limit));
}
