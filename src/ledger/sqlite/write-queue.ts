// The main thread's side of writing: collects the operations of one turn of the event loop, sends them, settles their promises in order.
import type { Clock } from '../../common/clock.ts';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { LedgerUnavailable } from '../../errors/ledger-unavailable.ts';
import type { CommittedRow } from '../port.ts';
import { PROBE } from './operations.ts';
import type { Value } from './operations.ts';
import { UNCHANGED } from './unchanged.ts';
import type { Acknowledgement, Failure } from './writer.ts';
import type { WriterHost } from './writer-host.ts';

/** Operations that may wait for the disk: some 50 MB, and a minute of a slow disk. Beyond it, writes are refused at once. */
const LARGEST_BACKLOG = 100_000;

/**
 * Operations that are worth a message of their own, whatever the writer is busy with and whenever the last one went: fewer wait for its answer, or
 * for their time, and go together. A message and its answer wake two threads, at the price of some ten rows; with as many in it the writer
 * never stands idle between two commits.
 */
const WORTH_A_MESSAGE = 64;

/** A settlement that failed is tried again this often, until the disk takes it. */
const RETRY_MS = 500;
/** Settlements that are kept for it; what is beyond stays open in the database, and is reconciled after the next start. */
const MOST_DEFERRED = 20_000;

type Push = (batch: Value[]) => void;

interface Waiting {
  readonly push: Push;
  /** It says what was spent, or that something is over: the past, which a refusal does not undo. */
  readonly lasting: boolean;
  readonly row: CommittedRow | null;
  /** With the writer's answer, where the operation asks for one; else 0. */
  readonly promise: Promise<number>;
  readonly resolve: (answer: number) => void;
  readonly reject: (error: Error) => void;
}

/** An execution may leave a promise and await a later one, which fails with it: the one that was left is no unhandled rejection. */
function refuse({ promise, reject }: Waiting, error: Error): void {
  promise.catch(ignore);
  reject(error);
}

export interface WriteHealth {
  /** Operations that were asked for and are not committed yet. */
  readonly backlog: number;
  readonly commits: number;
  /** Settlements that the disk refused, and that are tried again. */
  readonly deferred: number;
  /** What the last transaction failed of; null: it did not. */
  readonly failure: Failure | null;
}

export class WriteQueue {
  readonly #host: WriterHost;
  readonly #clock: Clock;
  readonly #announce: (rows: readonly CommittedRow[], commit: number) => void;
  #batch: Value[] = [];
  #scheduled = false;
  #firstOfBatch = 1;
  #next = 1;
  /** The last operation of each message that the writer has not answered. */
  #sent: number[] = [];
  /** From number `#settled + 1` on. */
  #waiting: Waiting[] = [];
  #settled = 0;
  #failure: Failure | null = null;
  #lost: string | null = null;
  #commits = 0;
  #deferred: Pick<Waiting, 'push' | 'row'>[] = [];
  #cancelRetry: (() => void) | null = null;
  /** Who waits for everything up to a number. */
  #flushed: { readonly number: number; readonly resolve: () => void }[] = [];

  constructor(
    host: WriterHost,
    clock: Clock,
    announce: (rows: readonly CommittedRow[], commit: number) => void,
  ) {
    this.#host = host;
    this.#clock = clock;
    this.#announce = announce;
    host.listen(
      (acknowledgement) => this.#onAcknowledgement(acknowledgement),
      (reason) => this.#onLost(reason),
    );
  }

  /**
   * `push` appends one operation to the batch; the promise settles when it is committed or refused. `lasting`: it is tried again after it was
   * refused, until the disk takes it.
   */
  write(push: Push, row: CommittedRow | null, lasting = isSettlement(row)): Promise<void> {
    // Who waits for nothing but the commit does not see the answer.
    return this.ask(push, row, lasting) as Promise<unknown> as Promise<void>;
  }

  /** The same, with the writer's answer. */
  ask(push: Push, row: CommittedRow | null, lasting = isSettlement(row)): Promise<number> {
    if (this.#lost !== null) return Promise.reject(unavailable(lostFailure(this.#lost)));
    if (this.#waiting.length >= LARGEST_BACKLOG && !lasting)
      return Promise.reject(unavailable(BACKLOG_FAILURE));
    push(this.#batch);
    this.#next += 1;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#waiting.push({ push, lasting, row, promise, resolve, reject });
    this.#schedule();
    return promise;
  }

  /** One message for all that this turn of the event loop asks for: a message costs more than a row. */
  #schedule(): void {
    if (this.#next - this.#firstOfBatch === WORTH_A_MESSAGE) setImmediate(this.#send);
    else if (!this.#scheduled) {
      this.#scheduled = true;
      this.#host.schedule(this.#send);
    }
  }

  readonly #send = (): void => {
    this.#scheduled = false;
    const first = this.#firstOfBatch;
    const isBusy = this.#sent.length > 0;
    if (this.#next === first) return;
    if (isBusy && this.#next - first < WORTH_A_MESSAGE) return;
    const values = this.#batch;
    this.#batch = [];
    this.#firstOfBatch = this.#next;
    const last = this.#next - 1;
    this.#sent.push(last);
    this.#host.send({ first, last, values });
  };

  #onAcknowledgement({ last, commit, failure, refused, answers }: Acknowledgement): void {
    const done = this.#waiting.splice(0, last - this.#settled);
    const firstNumber = this.#settled + 1;
    this.#settled = last;
    while (this.#sent[0] !== undefined && this.#sent[0] <= last) this.#sent.shift();
    if (this.#next > this.#firstOfBatch) this.#schedule();
    this.#failure = failure;
    if (failure === null) {
      this.#commits += 1;
      this.#settle(done, firstNumber, refused, answers, commit);
    } else {
      const error = unavailable(failure);
      for (const waiting of done) refuse(waiting, error);
      this.#defer(done);
    }
    while (this.#flushed[0] !== undefined && this.#flushed[0].number <= last)
      this.#flushed.shift()?.resolve();
  }

  #settle(
    done: readonly Waiting[],
    firstNumber: number,
    refused: Acknowledgement['refused'],
    answers: Acknowledgement['answers'],
    commit: number,
  ): void {
    const failures =
      refused.length === 0 ? undefined : new Map(refused.map((each) => [each.number, each.failure]));
    const values =
      answers.length === 0 ? undefined : new Map(answers.map((each) => [each.number, each.value]));
    const rows: CommittedRow[] = [];
    for (const [index, waiting] of done.entries()) {
      const failed = failures?.get(firstNumber + index);
      if (failed !== undefined) {
        refuse(waiting, new HeadgateError(failed.code, failed.message, failed.remedy));
        continue;
      }
      const value = values?.get(firstNumber + index) ?? 0;
      if (waiting.row !== null && value !== UNCHANGED) rows.push(waiting.row);
      waiting.resolve(value);
    }
    this.#announce(rows, commit);
  }

  /** What was paid for is not forgotten because a disk is full: its cost is written when there is room, and its hold stands until then. */
  #defer(done: readonly Waiting[]): void {
    for (const { push, row, lasting } of done) {
      if (lasting && this.#deferred.length < MOST_DEFERRED) this.#deferred.push({ push, row });
    }
    this.#cancelRetry ??= this.#clock.after(RETRY_MS, () => this.#retry());
  }

  #retry(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    const deferred = this.#deferred.splice(0);
    for (const { push, row } of deferred) void this.ask(push, row, true);
    // Who asks for the ledger's health before sending work must not wait for work to tell that it is well again.
    if (deferred.length === 0 && this.#failure !== null) void this.ask((batch) => batch.push(PROBE), null);
  }

  #onLost(reason: string): void {
    this.#lost = reason;
    this.#failure = lostFailure(reason);
    const error = unavailable(this.#failure);
    for (const waiting of this.#waiting.splice(0)) refuse(waiting, error);
    for (const { resolve } of this.#flushed.splice(0)) resolve();
  }

  /** Resolves when everything that was asked for before is committed or refused. */
  flushed(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#flushed.push({ number: this.#next - 1, resolve });
    return promise;
  }

  /** Rows that were asked for after an operation and are not known to be committed, in order. */
  pendingAfter(operation: number): readonly CommittedRow[] {
    const skip = Math.max(0, operation - this.#settled);
    return [...this.#deferred, ...this.#waiting.slice(skip)].flatMap(({ row }) =>
      row === null ? [] : [row],
    );
  }

  health(): WriteHealth {
    return {
      backlog: this.#waiting.length,
      commits: this.#commits,
      deferred: this.#deferred.length,
      failure: this.#failure,
    };
  }

  async close(): Promise<void> {
    await this.flushed();
    this.#retry();
    await this.flushed();
    this.#cancelRetry?.();
    await this.#host.close();
  }
}

function ignore(): void {}

function isSettlement(row: CommittedRow | null): boolean {
  return row?.kind === 'attempt_closed' || row?.kind === 'run_finished';
}

const BACKLOG_FAILURE: Failure = {
  code: 'LEDGER_BACKLOG',
  message: 'Too many rows wait for the disk.',
  remedy: 'The disk is slower than the traffic: slow the traffic down, or use a faster disk.',
};

function lostFailure(reason: string): Failure {
  return {
    code: 'LEDGER_WRITER_LOST',
    message: `The ledger's writer ended: ${reason}.`,
    remedy: 'Start headgate again.',
  };
}

function unavailable(failure: Failure): LedgerUnavailable {
  const cause = new HeadgateError(failure.code, failure.message, failure.remedy);
  return new LedgerUnavailable(failure.message, failure.remedy, { cause });
}
