// Values given to runs from outside, by run and key: kept until they are taken, taken in the order in which they came.
import type { Clock } from '../../../common/clock.ts';
import type { Json } from '../../../common/json.ts';

/** The most values kept for one run before they are taken: a sender in a loop must not fill the memory (INV-14). */
const MAX_KEPT = 100;

export class Mailbox {
  readonly #clock: Clock;
  readonly #values = new Map<string, { readonly key: string; readonly value: Json }[]>();
  readonly #waiting = new Map<string, { readonly key: string; readonly give: (value: Json) => void }[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** false: too many are kept already. */
  put(runId: string, key: string, value: Json): boolean {
    const waiting = this.#waiting.get(runId);
    const index = waiting?.findIndex((waiter) => waiter.key === key) ?? -1;
    if (waiting !== undefined && index !== -1) {
      waiting.splice(index, 1)[0]?.give(value);
      return true;
    }
    const kept = this.#values.get(runId) ?? [];
    if (kept.length >= MAX_KEPT) return false;
    kept.push({ key, value });
    this.#values.set(runId, kept);
    return true;
  }

  take(runId: string, key: string, timeoutMs: number | undefined, signal: AbortSignal): Promise<Json | null> {
    const kept = this.#values.get(runId);
    const index = kept?.findIndex((entry) => entry.key === key) ?? -1;
    if (kept !== undefined && index !== -1) return Promise.resolve(kept.splice(index, 1)[0]?.value ?? null);
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const waiter = {
        key,
        give: (value: Json): void => {
          leave();
          resolve(value);
        },
      };
      const onAbort = (): void => {
        leave();
        reject(signal.reason as Error);
      };
      const cancel =
        timeoutMs === undefined
          ? undefined
          : this.#clock.after(timeoutMs, () => {
              leave();
              resolve(null);
            });
      const leave = (): void => {
        cancel?.();
        signal.removeEventListener('abort', onAbort);
        const waiting = this.#waiting.get(runId);
        if (waiting === undefined) return;
        const at = waiting.indexOf(waiter);
        if (at !== -1) waiting.splice(at, 1);
        if (waiting.length === 0) this.#waiting.delete(runId);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const waiting = this.#waiting.get(runId);
      if (waiting === undefined) this.#waiting.set(runId, [waiter]);
      else waiting.push(waiter);
    });
  }

  forget(runId: string): void {
    this.#values.delete(runId);
    this.#waiting.delete(runId);
  }
}
