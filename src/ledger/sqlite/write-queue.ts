// The main thread's side of writing: collects the operations of one turn of the event loop, journals and sends them, settles their promises in order.
import type { Clock } from '../../common/clock.ts';
import { systemClock } from '../../common/clock.ts';
import { HeadgateError } from '../../errors/headgate-error.ts';
import type { Journal } from '../journal/journal.ts';
import type { WrittenRow } from '../port.ts';
import { decodeBatch, encodeBatch } from './batch-text.ts';
import type { Operation } from './operations.ts';
import { UNCHANGED } from './unchanged.ts';
import { BACKLOG_FAILURE, lostFailure, refusedValue, unavailable } from './write-failures.ts';
import type { Acknowledgement, Batch, Failure, RefusedOperation } from './writer.ts';
import type { WriterHost } from './writer-host.ts';

/** Operations that may wait for the disk: some 50 MB, and a minute of a slow disk. Beyond it, writes are refused at once. */
const LARGEST_BACKLOG = 100_000;

/** What is journaled goes to the writer after this long, when it is this much, or as soon as somebody reads: one transaction for many batches. */
const GATHER_MS = 25;
const GATHER_CHARACTERS = 256 * 1024;

/**
 * Under load a batch follows the one before it after this long: a write to the disk costs the machine as much as the rows of two attempts. After
 * a batch of fewer operations than three runs have, which is no load, nothing waits.
 */
const PACE_MS = 2;
const LOAD_OPERATIONS = 12;
/** What eight runs ask for: with fewer operations on their way to the database, gathering more for a batch is not worth the wait. */
const QUIET_OPERATIONS = 32;

/** A settlement that failed is tried again this often, until the disk takes it. */
const RETRY_MS = 500;
/** Settlements that are kept for it; what is beyond stays open in the database, and is reconciled after the next start. */
const MOST_DEFERRED = 20_000;

/** Called at once, and again where it is tried again. Throws LEDGER_VALUE where the tables could not hold it. */
type Make = () => Operation;

interface Waiting {
  readonly make: Make;
  /** It says what was spent, or that something is over: the past, which a refusal does not undo. */
  readonly lasting: boolean;
  readonly row: WrittenRow | null;
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
  /** Operations that were asked for and are not in the database yet. */
  readonly backlog: number;
  readonly commits: number;
  /** Settlements that the disk refused, and that are tried again. */
  readonly deferred: number;
  /** What the last transaction failed of; null: it did not. */
  readonly failure: Failure | null;
}

/**
 * An operation is written when it is in the journal, or else in the database; then its promise resolves and its row is announced. What asks for
 * the writer's answer, and what may lie in no file but the database, goes to the writer past the journal; until the database has it, everything
 * does, so that the journal never holds what stands on something that is nowhere yet.
 */
export class WriteQueue {
  readonly #host: WriterHost;
  readonly #clock: Clock;
  readonly #announce: (rows: readonly WrittenRow[], lastOperation: number) => void;
  readonly #journal: Journal | null;
  readonly #onSetAside: (refused: readonly RefusedOperation[]) => void;
  readonly #beforeWriting: () => void;
  #batch: Operation[] = [];
  #scheduled = false;
  /** Of what is scheduled for whoever does not wait for it. */
  #cancelLate: (() => void) | null = null;
  /** Somebody waits for something of the batch. */
  #isAwaited = false;
  /** The batch holds something that is not for the journal. */
  #mustCommit = false;
  #firstOfBatch: number;
  #next: number;
  #notBeforeMs = 0;
  /** Journaled batches that the writer was not sent yet. */
  #gathered: string[] = [];
  #gatheredCharacters = 0;
  #cancelGathering: (() => void) | null = null;
  /** The last operation of the last batch that went past the journal. */
  #direct: number;
  /** The last operation that the writer answered. */
  #settled: number;
  /** What is journaled and not answered by the writer, from number `#settled + 1` on: the rows of settlements, and null for the others. */
  #journaled: (WrittenRow | null)[] = [];
  /** What comes after it. */
  #waiting: Waiting[] = [];
  #failure: Failure | null = null;
  #lost: string | null = null;
  /** Somebody took the files away: nothing new is taken, and settlements are written for what it is worth. */
  #replaced: Failure | null = null;
  #commits = 0;
  #deferred: Pick<Waiting, 'make' | 'row'>[] = [];
  /** Settlements that are journaled and that the database refused: the writer tries them again with whatever comes. */
  #kept: { readonly number: number; readonly row: WrittenRow }[] = [];
  #cancelRetry: (() => void) | null = null;
  /** Tells those whose rows are written, where the next batch was sent before. */
  #owed: (() => void) | null = null;
  /** Who waits for the writer's answer to everything up to a number. */
  #flushed: { readonly number: number; readonly resolve: () => void }[] = [];

  /** `onSetAside`: operations that were written could not be committed, and are in no table. `beforeWriting`: called for each batch; must not throw. */
  constructor(
    host: WriterHost,
    clock: Clock,
    announce: (rows: readonly WrittenRow[], lastOperation: number) => void,
    journal: Journal | null,
    onSetAside: (refused: readonly RefusedOperation[]) => void = ignore,
    beforeWriting: () => void = ignore,
  ) {
    this.#host = host;
    this.#clock = clock;
    this.#announce = announce;
    this.#journal = journal;
    this.#onSetAside = onSetAside;
    this.#beforeWriting = beforeWriting;
    this.#settled = this.#direct = host.lastOperation;
    this.#firstOfBatch = this.#next = host.lastOperation + 1;
    host.listen(
      (acknowledgement) => this.#onAcknowledgement(acknowledgement),
      (reason) => this.#onLost(reason),
    );
  }

  /**
   * `make` says what is to be written; the promise resolves when it is written, and rejects when it is refused. `lasting`: it is tried
   * again after it was refused, until the disk takes it.
   */
  write(make: Make, row: WrittenRow | null, lasting = isSettlement(row)): Promise<void> {
    return this.#add(make, row, lasting) as Promise<unknown> as Promise<void>;
  }

  /** The same for what somebody waits for: where little else is written, it is before this returns. */
  writeNow(make: Make, row: WrittenRow | null): Promise<void> {
    this.#isAwaited = true;
    const written = this.write(make, row);
    if (this.#waitMs() < 1 && this.#backlog() < QUIET_OPERATIONS) this.#send();
    return written;
  }

  /** The same for what may lie in no file but the database, or of which only the database knows whether it can be: written is committed. */
  commit(make: Make, row: WrittenRow | null, lasting?: boolean): Promise<void> {
    return this.ask(make, row, lasting) as Promise<unknown> as Promise<void>;
  }

  /** The same, with the writer's answer. */
  ask(make: Make, row: WrittenRow | null, lasting = isSettlement(row)): Promise<number> {
    this.#mustCommit = true;
    this.#isAwaited = true;
    return this.#add(make, row, lasting);
  }

  #add(make: Make, row: WrittenRow | null, lasting: boolean): Promise<number> {
    if (this.#lost !== null) return Promise.reject(unavailable(lostFailure(this.#lost)));
    if (this.#replaced !== null && !lasting) return Promise.reject(unavailable(this.#replaced));
    if (this.#backlog() >= LARGEST_BACKLOG && !lasting) return Promise.reject(unavailable(BACKLOG_FAILURE));
    try {
      this.#batch.push(make());
    } catch (error) {
      return Promise.reject(refusedValue(error));
    }
    this.#next += 1;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#waiting.push({ make, lasting, row, promise, resolve, reject });
    this.#schedule();
    return promise;
  }

  /** One batch for all that this turn of the event loop asks for: a write costs more than a row. */
  #schedule(): void {
    if (this.#scheduled && !(this.#cancelLate !== null && this.#isAwaited)) return;
    this.#cancelLate?.();
    this.#cancelLate = null;
    this.#scheduled = true;
    const waitMs = this.#waitMs();
    // A timer of less than a millisecond is one of a whole.
    if (waitMs < 1) setImmediate(this.#send);
    else {
      const cancel = systemClock.after(waitMs, this.#send);
      if (this.#journal === null) this.#cancelLate = cancel;
    }
  }

  #waitMs(): number {
    if (this.#journal !== null) return this.#notBeforeMs - systemClock.monotonicMs();
    return this.#isAwaited ? 0 : (this.#host.gatherMs ?? 0);
  }

  readonly #send = (): void => {
    this.#scheduled = false;
    this.#cancelLate?.();
    this.#cancelLate = null;
    // Whoever is being written schedules the next batch.
    if (this.#next === this.#firstOfBatch || this.#isBusy()) return;
    this.#beforeWriting();
    const operations = this.#batch;
    const journal = this.#journalFor();
    const batch: Batch = {
      first: this.#firstOfBatch,
      last: this.#next - 1,
      operations,
      journaled: journal !== null,
    };
    this.#batch = [];
    this.#mustCommit = false;
    this.#isAwaited = false;
    this.#firstOfBatch = this.#next;
    this.#notBeforeMs = operations.length < LOAD_OPERATIONS ? 0 : systemClock.monotonicMs() + PACE_MS;
    if (journal === null) this.#sendDirectly(batch);
    else this.#appendTo(journal, batch);
  };

  #isBusy(): boolean {
    return this.#journal?.isBusy === true || this.#direct > this.#settled;
  }

  /** The journal, where the next batch may go into it: everything before is in it or in the database, and the database is well. */
  #journalFor(): Journal | null {
    const journal = this.#journal;
    if (journal === null || this.#mustCommit || this.#failure !== null || this.#deferred.length > 0)
      return null;
    if (this.#settled === this.#firstOfBatch - 1) journal.startOver();
    return journal.isFull ? null : journal;
  }

  #appendTo(journal: Journal, batch: Batch): void {
    const { first, last } = batch;
    const text = encodeBatch(batch);
    journal.append({ first, last, text }, (error) => {
      if (this.#lost !== null) return;
      if (error === null) {
        this.#gathered.push(text);
        this.#gatheredCharacters += text.length;
        if (this.#flushed.length > 0 || this.#gatheredCharacters > GATHER_CHARACTERS) this.#sendGathered();
        else this.#cancelGathering ??= systemClock.after(GATHER_MS, () => this.#sendGathered());
        this.#settleWritten(last);
      } else this.#sendDirectly({ ...decodeBatch(text), journaled: false });
      if (this.#next > this.#firstOfBatch) this.#schedule();
    });
  }

  #sendGathered(): void {
    this.#cancelGathering?.();
    this.#cancelGathering = null;
    const batches = this.#gathered;
    this.#gathered = [];
    this.#gatheredCharacters = 0;
    if (batches.length > 0) this.#host.send(batches);
  }

  #sendDirectly(batch: Batch): void {
    this.#direct = batch.last;
    if (this.#host.take !== undefined) {
      this.#host.take(batch);
      return;
    }
    this.#gathered.push(encodeBatch(batch));
    this.#sendGathered();
  }

  /** What is journaled was never refused: only the writer's answers are not known yet, and nobody asked for them. */
  #settleWritten(last: number): void {
    const written = this.#waiting.splice(0, last - this.#settled - this.#journaled.length);
    const rows: WrittenRow[] = [];
    for (const { row, resolve } of written) {
      resolve(0);
      if (row !== null) rows.push(row);
      this.#journaled.push(isSettlement(row) ? row : null);
    }
    this.#announce(rows, last);
  }

  #onAcknowledgement(acknowledgement: Acknowledgement): void {
    this.#settleOwed();
    const { last, failure } = acknowledgement;
    const first = this.#settled + 1;
    const journaled = this.#journaled.splice(0, last - this.#settled);
    const done = this.#waiting.splice(0, last - this.#settled - journaled.length);
    this.#settled = last;
    this.#failure = failure;
    if (failure === null) {
      this.#commits += 1;
      this.#kept = [];
      const setAside = acknowledgement.refused.filter(({ number }) => number < first + journaled.length);
      if (setAside.length > 0) this.#onSetAside(setAside);
      const settle = (): void => this.#settle(done, first + journaled.length, acknowledgement);
      // A database of its own processes writes what waits while those whose rows are written go on: it is sent before they are told.
      if (this.#isAwaited && this.#host.take !== undefined) {
        this.#owed = () => {
          settle();
          this.#tellFlushed(last);
        };
        this.#send();
        setImmediate(this.#settleOwed);
        return;
      }
      settle();
    } else {
      for (const [index, row] of journaled.entries())
        if (row !== null) this.#kept.push({ number: first + index, row });
      const error = unavailable(failure);
      for (const waiting of done) refuse(waiting, error);
      this.#defer(done);
    }
    if (this.#next > this.#firstOfBatch) this.#schedule();
    this.#tellFlushed(last);
  }

  readonly #settleOwed = (): void => {
    const settle = this.#owed;
    this.#owed = null;
    settle?.();
  };

  #tellFlushed(last: number): void {
    while (this.#flushed[0] !== undefined && this.#flushed[0].number <= last)
      this.#flushed.shift()?.resolve();
  }

  #settle(done: readonly Waiting[], firstNumber: number, { last, refused, answers }: Acknowledgement): void {
    if (done.length === 0) return;
    const failures =
      refused.length === 0 ? undefined : new Map(refused.map((each) => [each.number, each.failure]));
    const values =
      answers.length === 0 ? undefined : new Map(answers.map((each) => [each.number, each.value]));
    const rows: WrittenRow[] = [];
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
    this.#announce(rows, last);
  }

  /** What was paid for is not forgotten because a disk is full: its cost is written when there is room, and its hold stands until then. */
  #defer(done: readonly Waiting[]): void {
    for (const { make, row, lasting } of done) {
      if (lasting && this.#deferred.length < MOST_DEFERRED) this.#deferred.push({ make, row });
    }
    this.#cancelRetry ??= this.#clock.after(RETRY_MS, () => this.#retry());
  }

  #retry(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    const deferred = this.#deferred.splice(0);
    // Past the journal: whether the database takes it is what is to be found out.
    for (const { make, row } of deferred) void this.ask(make, row, true);
    // Who asks for the ledger's health before sending work must not wait for work to tell that it is well again.
    if (deferred.length === 0 && this.#failure !== null) void this.ask(() => ({ kind: 'probe' }), null);
  }

  #onLost(reason: string): void {
    this.#lost = reason;
    this.#failure = lostFailure(reason);
    const error = unavailable(this.#failure);
    // What is journaled is written, whoever puts it into the database.
    for (const waiting of this.#waiting.splice(0)) refuse(waiting, error);
    for (const { resolve } of this.#flushed.splice(0)) resolve();
  }

  /** Resolves when everything that was asked for before is in the database, or the database has refused it. */
  flushed(): Promise<void> {
    if (this.isFlushed()) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#flushed.push({ number: this.#next - 1, resolve });
    if (this.#cancelLate !== null) this.#send();
    this.#sendGathered();
    return promise;
  }

  /** The same, and nothing that was spent is still owed. Throws a LedgerUnavailable where the database refuses something of it. */
  async settled(): Promise<void> {
    await this.flushed();
    if (this.#failure !== null || this.#deferred.length > 0 || this.#kept.length > 0)
      throw unavailable(this.#failure ?? BACKLOG_FAILURE);
  }

  isFlushed(): boolean {
    return this.#backlog() === 0;
  }

  /** Settlements that were announced and that the writer has not told to be in the database, with their numbers. */
  announced(): readonly { readonly number: number; readonly row: WrittenRow }[] {
    const first = this.#settled + 1;
    const journaled = this.#journaled.flatMap((row, index) =>
      row === null ? [] : [{ number: first + index, row }],
    );
    return [...this.#kept, ...journaled];
  }

  #backlog(): number {
    return this.#journaled.length + this.#waiting.length;
  }

  /** Settlements that were asked for after an operation and are not known to be in the database, in order. */
  pendingAfter(operation: number): readonly WrittenRow[] {
    const skip = Math.max(0, operation - this.#settled - this.#journaled.length);
    const rows = [
      ...this.#deferred.map(({ row }) => row),
      ...this.announced()
        .filter(({ number }) => number > operation)
        .map(({ row }) => row),
      ...this.#waiting.slice(skip).map(({ row }) => row),
    ];
    return rows.filter((row): row is WrittenRow => isSettlement(row));
  }

  /** null: the files are back. */
  setReplaced(failure: Failure | null): void {
    this.#replaced = failure;
  }

  health(): WriteHealth {
    return {
      backlog: this.#backlog(),
      commits: this.#commits,
      deferred: this.#deferred.length,
      failure: this.#replaced ?? this.#failure,
    };
  }

  async close(): Promise<void> {
    await this.flushed();
    this.#retry();
    await this.flushed();
    this.#cancelRetry?.();
    await this.#host.close();
    // What was written while it was closing is the next start's.
    const isDone = this.#failure === null && this.isFlushed();
    // At its path may be another one by now.
    if (isDone && this.#replaced === null) this.#journal?.remove();
    else this.#journal?.close();
  }
}

function ignore(): void {}

function isSettlement(row: WrittenRow | null): boolean {
  return row?.kind === 'attempt_closed' || row?.kind === 'run_finished';
}
