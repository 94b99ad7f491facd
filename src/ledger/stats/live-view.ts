// Puts a view in order with the commit feed: what was read holds all operations up to a number, what comes after it is added.
import type { Clock } from '../../common/clock.ts';
import type { WrittenRow, RunFilter } from '../port.ts';
import type { RollupReader } from '../open.ts';
import { contributionOf } from './contribution.ts';
import type { View } from './view.ts';

export class LiveView {
  /** The view, once it is read. */
  readonly ready: Promise<View>;
  readonly #view: View;
  /** Commits that came while it was being read; null: it is read. */
  #early: { readonly rows: readonly WrittenRow[]; readonly lastOperation: number }[] | null = [];

  constructor(view: View, reader: RollupReader, clock: Clock) {
    this.#view = view;
    this.ready = this.#read(reader, clock);
  }

  async #read(reader: RollupReader, clock: Clock): Promise<View> {
    const reads = this.#view.reads(clock.nowMs());
    const { lastOperation: read, answers, missing } = await reader.rollups(reads);
    this.#view.load(answers);
    this.#add(missing);
    for (const { rows, lastOperation } of this.#early ?? []) if (lastOperation > read) this.#add(rows);
    this.#early = null;
    return this.#view;
  }

  written(rows: readonly WrittenRow[], lastOperation: number): void {
    if (this.#early === null) this.#add(rows);
    else this.#early.push({ rows, lastOperation });
  }

  #add(rows: readonly WrittenRow[]): void {
    for (const row of rows) {
      const contribution = contributionOf(row);
      if (contribution !== undefined) this.#view.add(contribution);
    }
  }
}

/** A view that only the rows can answer: read as a whole, and read again by whoever asks after the next commit. */
export async function scanView(
  view: View,
  filter: RunFilter,
  reader: RollupReader,
  clock: Clock,
): Promise<View> {
  const { answers } = await reader.scan(view.reads(clock.nowMs()), filter);
  view.load(answers);
  return view;
}

/** Whether a filter asks for what is not among a roll-up's dimensions. */
export function needsRows({ status, startedFromMs, startedToMs, minCostNanoUsd }: RunFilter): boolean {
  return [status, startedFromMs, startedToMs, minCostNanoUsd].some((part) => part !== undefined);
}
