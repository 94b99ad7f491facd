// Patience with a database that is away: it is waited for once, and not by everybody who asks after it.
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../../common/clock.ts';
import { errorCode, isConnectionLost } from './connection.ts';

/** As for one that is started again. */
const PATIENCE_MS = 4_000;
const RETRY_MS = 50;

/** Of all that one process asks of one database. */
export class Patience {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** Since when nothing that was asked was answered; undefined: it is there. */
  #awaySinceMs: number | undefined;
  #lastMs = 0;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** Again, where two were in each other's way; and where nobody answers, until the database has been away for four seconds: from then on each asks once. */
  async while<Value>(work: () => Promise<Value>): Promise<Value> {
    for (;;) {
      const beganMs = this.#clock.monotonicMs();
      try {
        const value = await work();
        this.#awaySinceMs = undefined;
        return value;
      } catch (error) {
        if (isConnectionLost(error)) {
          if (this.#awayForMs(beganMs) >= PATIENCE_MS) throw error;
        } else {
          this.#awaySinceMs = undefined;
          if (!isConflict(error)) throw error;
        }
        await wait(RETRY_MS);
      }
    }
  }

  /** What failed long ago says nothing of now. */
  #awayForMs(beganMs: number): number {
    if (this.#awaySinceMs === undefined || beganMs - this.#lastMs > PATIENCE_MS) this.#awaySinceMs = beganMs;
    this.#lastMs = this.#clock.monotonicMs();
    return this.#lastMs - this.#awaySinceMs;
  }
}

/** Two transactions were in each other's way: the same one again will do. */
function isConflict(error: unknown): boolean {
  return errorCode(error) === '40001' || errorCode(error) === '40P01';
}
