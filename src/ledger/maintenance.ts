// What keeps a ledger in order: deleting what its time is over for, settling leases, and adding everything up again.
import type { LedgerAdmin } from './port.ts';
import type { ReaderThread } from './sqlite/reader.ts';
import type { WriteQueue } from './sqlite/write-queue.ts';
import type { VerifyReport } from './verify/report.ts';

const DAY_MS = 86_400_000;
/** Rows of one transaction of the pruner, so that traffic waits no longer for it than for its own kind. */
const ROWS_AT_ONCE = 500;

export interface PruneOptions {
  /** Runs with their attempts and steps are deleted this long after they started; default 400 days. Their sums stay. */
  readonly rowsForMs?: number;
  /** An attempt of unknown outcome is taken for billed, at its worst case, this long after it started; default one day. */
  readonly leaseMs?: number;
}

export interface Pruned {
  /** Runs whose texts or rows went, and texts, roll-ups and windows that went by themselves. */
  readonly rows: number;
  /** Attempts of unknown outcome whose lease was over. */
  readonly confirmed: number;
}

export interface LedgerMaintenance {
  prune(nowMs: number, options?: PruneOptions): Promise<Pruned>;
  verify(): Promise<VerifyReport>;
}

/** Does what one process at a time does; undefined: another one is at it. */
export type Alone = <Value>(work: () => Promise<Value>) => Promise<Value | undefined>;

export function createMaintenance(
  queue: WriteQueue,
  reader: ReaderThread,
  scanner: ReaderThread,
  admin: LedgerAdmin,
  alone: Alone = (work) => work(),
): LedgerMaintenance {
  async function pruneAll(nowMs: number, rowsForMs: number, leaseMs: number): Promise<Pruned> {
    let confirmed = 0;
    for (const attempt of await reader.ask('unreconciled')) {
      if (attempt.startedAtMs + leaseMs > nowMs) continue;
      await admin.reconcile(attempt.id, { kind: 'confirm' });
      confirmed += 1;
    }
    let rows = 0;
    for (;;) {
      const some = await queue.ask(
        () => ({ kind: 'prune', nowMs, rowsBeforeMs: nowMs - rowsForMs, limit: ROWS_AT_ONCE }),
        null,
      );
      if (some === 0) return { rows, confirmed };
      rows += some;
    }
  }
  return {
    prune: async (nowMs, { rowsForMs = 400 * DAY_MS, leaseMs = DAY_MS } = {}) =>
      (await alone(() => pruneAll(nowMs, rowsForMs, leaseMs))) ?? { rows: 0, confirmed: 0 },
    async verify() {
      await queue.flushed();
      return scanner.ask('verify');
    },
  };
}
