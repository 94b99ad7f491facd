// What a verification found: how much was looked at, and everything that does not add up.

export interface Discrepancy {
  readonly kind: 'attempt_cost' | 'run_cost' | 'budget_spent' | 'budget_held' | 'rollup' | 'rates';
  /** The attempt's or run's id, the budget's window, the roll-up's bucket and dimensions. */
  readonly where: string;
  /** In nano-dollars, or as the message says. */
  readonly expected: string;
  readonly actual: string;
}

export interface VerifyReport {
  readonly ok: boolean;
  readonly attempts: number;
  readonly runs: number;
  readonly budgetWindows: number;
  readonly rollups: number;
  /** All that was found; `discrepancies` holds the first of them. */
  readonly found: number;
  readonly discrepancies: readonly Discrepancy[];
}

const LISTED = 100;

/** Collects while counting; keeps the first hundred. */
export class Findings {
  found = 0;
  readonly listed: Discrepancy[] = [];

  expect(kind: Discrepancy['kind'], where: string, expected: bigint | number, actual: bigint | number): void {
    if (expected === actual) return;
    this.add({ kind, where, expected: String(expected), actual: String(actual) });
  }

  add(discrepancy: Discrepancy): void {
    this.found += 1;
    if (this.listed.length < LISTED) this.listed.push(discrepancy);
  }
}
