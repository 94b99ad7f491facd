// Account: what was spent and is held under one key of one budget, in cells of time that stop counting one by one.

/** One window of a calendar budget, one bucket of a rolling one, or one run. Holds keep a reference, so that they are settled where they were placed. */
export interface Cell {
  readonly startMs: number;
  spent: bigint;
  held: bigint;
  calls: number;
  /** Of what was spent, by other nodes and by processes before this one. */
  foreign: bigint;
  /** Attempts that hold here, also those that cost nothing. */
  holds: number;
  /** false: its window passed. It still takes its settlements, which count nowhere else. */
  live: boolean;
}

/** The sums over the live cells are kept, so that a look costs no loop. All amounts are in the budget's unit. */
export class Account {
  readonly key: string;
  spent = 0n;
  held = 0n;
  /** Of what is held, in whichever window: beyond the worst cases as they are known. */
  margin = 0n;
  calls = 0;
  /** Of what was spent, by others than this process. */
  foreign = 0n;
  /** What other nodes hold, as far as it is known. */
  foreignHeld = 0n;
  /** Where nodes share the budget: up to here this one may spend and hold, in the window that begins so. */
  granted = 0n;
  grantedForMs = Number.NEGATIVE_INFINITY;
  /** Attempts that hold here, in whichever window. */
  openHolds = 0;
  readonly openedAtMs: number;
  usedAtMs: number;
  /** Of a budget `per: run`: the run is over, and the account goes with its last hold. */
  ended = false;
  /** When each share of `warnAt` was last announced. */
  readonly warnedAtMs: number[] = [];
  exhaustedAtMs = Number.NEGATIVE_INFINITY;
  overrunAtMs = Number.NEGATIVE_INFINITY;
  /** Oldest first; live ones only. */
  readonly #cells: Cell[] = [];

  constructor(key: string, openedAtMs: number) {
    this.key = key;
    this.openedAtMs = openedAtMs;
    this.usedAtMs = openedAtMs;
  }

  /** Lets go of the cells that start before `cutoffMs`. */
  expire(cutoffMs: number): void {
    let oldest = this.#cells[0];
    while (oldest !== undefined && oldest.startMs < cutoffMs) {
      oldest.live = false;
      this.spent -= oldest.spent;
      this.held -= oldest.held;
      this.calls -= oldest.calls;
      this.foreign -= oldest.foreign;
      this.#cells.shift();
      oldest = this.#cells[0];
    }
  }

  /** The live cell with this start, made where there is none. */
  cell(startMs: number): Cell {
    let index = this.#cells.length - 1;
    let found = this.#cells[index];
    while (found !== undefined && found.startMs > startMs) {
      index -= 1;
      found = this.#cells[index];
    }
    if (found?.startMs === startMs) return found;
    const made: Cell = { startMs, spent: 0n, held: 0n, calls: 0, foreign: 0n, holds: 0, live: true };
    this.#cells.splice(index + 1, 0, made);
    return made;
  }

  hold(cell: Cell, amount: bigint): void {
    this.openHolds += 1;
    cell.holds += 1;
    cell.held += amount;
    if (cell.live) this.held += amount;
  }

  /** Another amount is held by one that holds already. */
  adjust(cell: Cell, by: bigint): void {
    cell.held += by;
    if (cell.live) this.held += by;
  }

  /** The actual amount takes the place of what was held. */
  settle(cell: Cell, heldAmount: bigint, actual: bigint, calls: number): void {
    this.openHolds -= 1;
    cell.holds -= 1;
    cell.held -= heldAmount;
    cell.spent += actual;
    cell.calls += calls;
    if (!cell.live) return;
    this.held -= heldAmount;
    this.spent += actual;
    this.calls += calls;
  }

  /** What was spent before this process knew of it. */
  post(cell: Cell, amount: bigint, calls: number): void {
    cell.spent += amount;
    cell.calls += calls;
    if (!cell.live) return;
    this.spent += amount;
    this.calls += calls;
  }

  /** What others have spent in a cell, as it is known now. */
  setForeign(cell: Cell, amount: bigint, calls: number): void {
    const more = amount - cell.foreign;
    cell.foreign = amount;
    this.foreign += more;
    this.post(cell, more, calls);
  }

  /** What this process has spent and holds. */
  get own(): bigint {
    return this.spent - this.foreign + this.held;
  }

  /** Nothing counts here and nothing is going to, in the windows that are open: it can be let go. */
  get isEmpty(): boolean {
    return (
      this.spent === 0n && this.held === 0n && this.calls === 0 && !this.#cells.some((cell) => cell.holds > 0)
    );
  }

  get cells(): readonly Cell[] {
    return this.#cells;
  }
}

/** Where a hold goes whose window has passed: its settlement is counted in no window that is still open. */
export function deadCell(startMs: number): Cell {
  return { startMs, spent: 0n, held: 0n, calls: 0, foreign: 0n, holds: 0, live: false };
}
