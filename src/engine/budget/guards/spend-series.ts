// SpendSeries: what one scope spent, as a sliding window for now and as slots of time for its past.

const DAY_MS = 86_400_000;
/** The sliding window is counted in parts; it covers up to one part more than its length. */
const PARTS = 15;
/** 14 days at 15 minutes: 10 kB a scope. A longer baseline gets longer slots. */
const MAX_SLOTS = 1344;
/** The busiest slot of a day is remembered for weeks, losing 2 % a day: after a fortnight of holidays, a normal Monday is not strange. */
const PEAK_KEPT_PERCENT = 98n;

export interface SeriesShape {
  readonly overMs: number;
  readonly baselineMs: number;
}

/** Times given to `add` may stand still; one that goes back counts as the latest. Amounts in nano-dollars. */
export class SpendSeries {
  readonly slotMs: number;
  readonly slotCount: number;
  firstAtMs = Number.NaN;
  latestAtMs = Number.NEGATIVE_INFINITY;
  /** The sum over the sliding window at `latestAtMs`. */
  windowNanoUsd = 0n;
  /** The busiest slot of a day, before today; see PEAK_KEPT_PERCENT. */
  provenPeakNanoUsd = 0n;
  readonly #partMs: number;
  readonly #parts: bigint[] = Array.from({ length: PARTS + 1 }, () => 0n);
  #part = Number.NaN;
  readonly #slots: BigInt64Array;
  #slot = Number.NaN;
  #day = Number.NaN;
  #todaysPeakNanoUsd = 0n;

  constructor(shape: SeriesShape) {
    this.#partMs = shape.overMs / PARTS;
    this.slotMs = Math.max(shape.overMs, Math.ceil(shape.baselineMs / MAX_SLOTS));
    // One more for the slot that is being filled.
    this.slotCount = Math.max(1, Math.ceil(shape.baselineMs / this.slotMs)) + 1;
    this.#slots = new BigInt64Array(this.slotCount);
  }

  add(atMs: number, nanoUsd: bigint): void {
    this.moveTo(atMs);
    this.windowNanoUsd += nanoUsd;
    const part = this.#part % (PARTS + 1);
    this.#parts[part] = (this.#parts[part] ?? 0n) + nanoUsd;
    const index = this.#slot % this.slotCount;
    const filled = (this.#slots[index] ?? 0n) + nanoUsd;
    this.#slots[index] = filled;
    if (filled > this.#todaysPeakNanoUsd) this.#todaysPeakNanoUsd = filled;
  }

  moveTo(atMs: number): void {
    if (atMs <= this.latestAtMs) return;
    if (Number.isNaN(this.firstAtMs)) {
      this.firstAtMs = atMs;
      this.#part = Math.floor(atMs / this.#partMs);
      this.#slot = Math.floor(atMs / this.slotMs);
      this.#day = Math.floor(atMs / DAY_MS);
    }
    this.latestAtMs = atMs;
    this.#moveParts(Math.floor(atMs / this.#partMs));
    this.#moveSlots(Math.floor(atMs / this.slotMs));
    this.#moveDays(Math.floor(atMs / DAY_MS));
  }

  get currentSlot(): number {
    return this.#slot;
  }

  /** What was spent in the slot with this absolute number; undefined: not remembered, or not over. */
  slot(slot: number): bigint | undefined {
    if (
      !(slot < this.#slot) ||
      slot <= this.#slot - this.slotCount ||
      slot < Math.floor(this.firstAtMs / this.slotMs)
    )
      return undefined;
    return this.#slots[slot % this.slotCount];
  }

  /** A surge is no precedent: of the slot that is being filled, no more than this will count as past. */
  capCurrentSlot(nanoUsd: bigint): void {
    const index = this.#slot % this.slotCount;
    if ((this.#slots[index] ?? 0n) > nanoUsd) this.#slots[index] = nanoUsd;
    if (this.#todaysPeakNanoUsd > nanoUsd) this.#todaysPeakNanoUsd = nanoUsd;
  }

  #moveParts(part: number): void {
    const passed = part - this.#part;
    if (passed <= 0) return;
    for (let step = 1; step <= Math.min(passed, PARTS + 1); step += 1) {
      const index = (this.#part + step) % (PARTS + 1);
      this.windowNanoUsd -= this.#parts[index] ?? 0n;
      this.#parts[index] = 0n;
    }
    this.#part = part;
  }

  #moveSlots(slot: number): void {
    const passed = slot - this.#slot;
    if (passed <= 0) return;
    for (let step = 1; step <= Math.min(passed, this.slotCount); step += 1) {
      this.#slots[(this.#slot + step) % this.slotCount] = 0n;
    }
    this.#slot = slot;
  }

  #moveDays(day: number): void {
    const passed = day - this.#day;
    if (passed <= 0) return;
    if (this.#todaysPeakNanoUsd > this.provenPeakNanoUsd) this.provenPeakNanoUsd = this.#todaysPeakNanoUsd;
    for (let step = 0; step < Math.min(passed, 365) && this.provenPeakNanoUsd > 0n; step += 1) {
      this.provenPeakNanoUsd = (this.provenPeakNanoUsd * PEAK_KEPT_PERCENT) / 100n;
    }
    this.#todaysPeakNanoUsd = 0n;
    this.#day = day;
  }
}
