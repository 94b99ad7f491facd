// Allowance: the deadline, attempts and dollars of one run, shared by all that the run does (INV-4).
import type { NanoUsd } from '../../common/money.ts';

/** What an attempt would exceed. */
export type AllowanceRefusal = 'deadline' | 'attempts' | 'cost';

/** No call can be answered in less: it would be billed for nothing. */
const LEAST_CALL_MS = 2;

export interface AllowanceLimits {
  /** On the monotonic clock. */
  readonly deadlineAtMs: number;
  readonly attempts: number;
  /** null: only the budgets limit it. */
  readonly costNanoUsd: NanoUsd | null;
}

/**
 * A child task's allowance lies within its parent's: an attempt is taken from every level or from none. Costs are counted as budgets count
 * them: the worst case while the call runs, the true cost after.
 */
export class Allowance {
  readonly limits: AllowanceLimits;
  readonly parent: Allowance | null;
  /** This one, its parent, and so on to the outermost. */
  readonly #levels: readonly Allowance[];
  #attempts = 0;
  #costNanoUsd = 0n;
  /** Calls under way, and who waits for one to end; kept on the outermost. */
  #open = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limits: AllowanceLimits, parent: Allowance | null = null) {
    this.limits =
      parent === null
        ? limits
        : { ...limits, deadlineAtMs: Math.min(limits.deadlineAtMs, parent.limits.deadlineAtMs) };
    this.parent = parent;
    this.#levels = parent === null ? [this] : [this, ...parent.#levels];
  }

  /** Attempts made, those in flight included. */
  get attemptsUsed(): number {
    return this.#attempts;
  }

  /** Spent and held. */
  get costUsedNanoUsd(): NanoUsd {
    return this.#costNanoUsd;
  }

  get attemptsLeft(): number {
    const own = this.limits.attempts - this.#attempts;
    return this.parent === null ? own : Math.min(own, this.parent.attemptsLeft);
  }

  /** null: no limit. */
  get costLeftNanoUsd(): NanoUsd | null {
    const own = this.limits.costNanoUsd === null ? null : this.limits.costNanoUsd - this.#costNanoUsd;
    const above = this.parent === null ? null : this.parent.costLeftNanoUsd;
    if (own === null || above === null) return own ?? above;
    return own < above ? own : above;
  }

  remainingMs(monotonicMs: number): number {
    return Math.max(0, this.limits.deadlineAtMs - monotonicMs);
  }

  /** Why an attempt of that worst case may not start; undefined: it may. Takes nothing. */
  refusal(worstNanoUsd: NanoUsd, monotonicMs: number): AllowanceRefusal | undefined {
    if (monotonicMs + LEAST_CALL_MS > this.limits.deadlineAtMs) return 'deadline';
    if (this.attemptsLeft <= 0) return 'attempts';
    const left = this.costLeftNanoUsd;
    return left !== null && worstNanoUsd > left ? 'cost' : undefined;
  }

  /** Takes an attempt and holds its worst case, on every level or on none. */
  take(worstNanoUsd: NanoUsd, monotonicMs: number): AllowanceRefusal | undefined {
    const refusal = this.refusal(worstNanoUsd, monotonicMs);
    if (refusal !== undefined) return refusal;
    for (const level of this.#levels) level.#add(1, worstNanoUsd);
    this.#root.#open += 1;
    return undefined;
  }

  settle(worstNanoUsd: NanoUsd, actualNanoUsd: NanoUsd): void {
    for (const level of this.#levels) level.#add(0, actualNanoUsd - worstNanoUsd);
    this.#root.#ended();
  }

  /** An attempt that reached no provider: it does not count. */
  giveBack(worstNanoUsd: NanoUsd): void {
    for (const level of this.#levels) level.#add(-1, -worstNanoUsd);
    this.#root.#ended();
  }

  /** Resolves true when a call that is under way now has ended, and may have given something back; false when none is, or the signal is aborted. */
  nextSettlement(signal: AbortSignal): Promise<boolean> {
    const root = this.#root;
    if (root.#open === 0 || signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const wake = (): void => {
        root.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve(!signal.aborted);
      };
      root.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  /** What the run used before a restart. */
  resume(attempts: number, costNanoUsd: NanoUsd): void {
    for (const level of this.#levels) level.#add(attempts, costNanoUsd);
  }

  get #root(): Allowance {
    return this.#levels.at(-1) ?? this;
  }

  #ended(): void {
    this.#open -= 1;
    const waiting = [...this.#waiting];
    for (const wake of waiting) wake();
  }

  #add(attempts: number, costNanoUsd: NanoUsd): void {
    this.#attempts += attempts;
    this.#costNanoUsd += costNanoUsd;
  }
}
