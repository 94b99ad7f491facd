// The alerts that the ledger raises of itself: what a dead process left behind, and what could not be kept as it was written.
import type { Clock } from '../common/clock.ts';
import { newId } from '../common/ids.ts';
import { formatUsd } from '../common/money.ts';
import type { Random } from '../common/random.ts';
import type { AlertRecord } from '../engine/execution/recorder.ts';
import { setAsidePath } from './journal/set-aside.ts';
import type { Repaired, TakenUp } from './journal/take-up.ts';
import type { Recovered } from './sqlite/recovery.ts';
import type { Failure, RefusedOperation } from './sqlite/writer.ts';

type AlertText = Pick<AlertRecord, 'kind' | 'severity' | 'message' | 'remedy' | 'details'>;

export class LedgerAlerts {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #random: Random;

  /** `path`: the database's. */
  constructor(path: string, clock: Clock, random: Random) {
    this.#path = path;
    this.#clock = clock;
    this.#random = random;
  }

  #alert(text: AlertText): AlertRecord {
    return {
      id: newId('alr', this.#clock, this.#random),
      ...text,
      scope: 'all',
      atMs: this.#clock.nowMs(),
      runId: null,
    };
  }

  /** Of what opening found; none: nothing was left behind. */
  recovered({ unreconciled, heldNanoUsd, journal }: Recovered): readonly AlertRecord[] {
    const alerts: AlertRecord[] = [];
    if (unreconciled > 0) alerts.push(this.#alert(unreconciledText(unreconciled, heldNanoUsd)));
    if (journal.setAside.length > 0) alerts.push(this.setAside(journal.setAside));
    if (journal.unmatched !== null) alerts.push(this.#alert(unmatchedText(journal.unmatched)));
    return alerts;
  }

  setAside(refused: readonly RefusedOperation[]): AlertRecord {
    const [first] = refused;
    const number =
      refused.length === 1
        ? 'One operation that was written is'
        : `${refused.length} operations that were written are`;
    return this.#alert({
      kind: 'ledger_set_aside',
      severity: 'critical',
      message: `${number} in no table: ${first?.what ?? ''}: ${first?.failure.message ?? ''}`,
      remedy: `Look at them in ${setAsidePath(this.#path)}; \`headgate ledger verify\` says whether every sum agrees without them. An attempt whose end was set aside stays held until it is reconciled.`,
      details: {
        operations: refused
          .slice(0, 20)
          .map(({ number: of, what, failure }) => ({ number: of, what, code: failure.code })),
      },
    });
  }

  replaced({ code, message, remedy }: Failure): AlertRecord {
    return this.#alert({ kind: 'ledger_replaced', severity: 'critical', message, remedy, details: { code } });
  }

  /** `newestMs`: of the last call that the backup has; null: it has none. */
  restored(newestMs: number | null, keptAs: readonly string[]): AlertRecord {
    const fromMs = newestMs ?? 0;
    const from = newestMs === null ? 'the beginning' : new Date(newestMs).toISOString();
    const to = new Date(this.#clock.nowMs()).toISOString();
    return this.#alert({
      kind: 'ledger_restored',
      severity: 'critical',
      message: `A backup was restored: what was spent from ${from} to ${to} is not in the ledger, and in no budget.`,
      remedy:
        "Compare that time with the providers' bills, and enter what is missing with `headgate ledger adjust`; attempts that were under way in the backup are listed by `headgate ledger reconcile`.",
      details: { fromMs, toMs: this.#clock.nowMs(), keptAs },
    });
  }

  repaired({ lost, lostText, named, committed, path }: Repaired): AlertRecord {
    return this.#alert({
      kind: 'ledger_repaired',
      severity: 'critical',
      message: `The journal was damaged, and goes on without ${lostText}.`,
      remedy: `The damaged file is ${path}. Compare the runs and attempts that it names with the provider's own record of requests; attempts that stay open are listed by \`headgate ledger reconcile\`.`,
      details: { lost: lost.map(({ from, to }) => ({ from, to })), named: named.slice(0, 200), committed },
    });
  }
}

function unreconciledText(unreconciled: number, heldNanoUsd: bigint): AlertText {
  const attempts = unreconciled === 1 ? 'One attempt was' : `${unreconciled} attempts were`;
  return {
    kind: 'unreconciled',
    severity: 'warning',
    message: `${attempts} under way when the last process ended; $${formatUsd(heldNanoUsd)} stays held until it is known what was billed.`,
    remedy:
      'Look at the bill and decide with the mutation reconcileAttempt, or, while no server runs, with `headgate ledger reconcile`; what is not decided within a day is taken for billed.',
    details: { attempts: unreconciled, heldNanoUsd: String(heldNanoUsd) },
  };
}

function unmatchedText({ path, from, lastOperation }: NonNullable<TakenUp['unmatched']>): AlertText {
  return {
    kind: 'ledger_set_aside',
    severity: 'critical',
    message: `The journal goes on at operation ${from}, while the database ends with ${lastOperation}: nothing of it is in the tables.`,
    remedy: `It was left as ${path}. Where the database is an older copy, what was spent since is in neither: compare it with the provider's bill.`,
    details: { from, lastOperation, path },
  };
}
