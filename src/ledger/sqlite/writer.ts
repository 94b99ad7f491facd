// The only writer: applies what waits in one transaction, so that one fsync serves every row (group commit).
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { describeOperation, setAside } from '../journal/set-aside.ts';
import { GRAIN_MS, HOURS } from '../rollup/dimensions.ts';
import { AdminWrites } from './admin-writes.ts';
import { AttemptWrites } from './attempt-writes.ts';
import { explainSqliteError, isDatabaseFailure } from './connection.ts';
import { ContentStore } from './content-store.ts';
import type { Operation } from './operations.ts';
import { PruneWrites } from './prune-writes.ts';
import { RollupWrites } from './rollup-writes.ts';
import { RunCosts } from './run-costs.ts';
import { RunWrites } from './run-writes.ts';
import { UNCHANGED } from './unchanged.ts';
import { WindowWrites } from './window-writes.ts';
import type { Settled } from './window-writes.ts';
import { rowRefusal } from './write-failures.ts';

/** Operations in the order they were asked for; the numbers of the first and the last one, in the database's life. */
export interface Batch {
  readonly first: number;
  readonly last: number;
  readonly operations: readonly Operation[];
  /** It is in the journal, and whoever waited for it was told that it is written: it is tried until the database takes it. */
  readonly journaled: boolean;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/** It left nothing in the tables. */
export interface RefusedOperation {
  readonly number: number;
  /** In a few words: `closeAttempt att_01…`. */
  readonly what: string;
  readonly failure: Failure;
}

/** What became of all operations up to and with number `last`. */
export interface Acknowledgement {
  readonly last: number;
  /** Nothing of the transaction is in the database. What is journaled of it is tried again with the next one. */
  readonly failure: Failure | null;
  /** Operations that could not be carried out for a reason of their own; the others of the transaction are committed. */
  readonly refused: readonly RefusedOperation[];
  /** Of operations that have something to say: a count, or UNCHANGED. */
  readonly answers: readonly { readonly number: number; readonly value: number }[];
}

/** What a transaction has to say beside that it was committed. */
interface Remarks {
  readonly refused: RefusedOperation[];
  readonly answers: { readonly number: number; readonly value: number }[];
}

export class Writer {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #contents: ContentStore;
  readonly #windows: WindowWrites;
  readonly #rollups: RollupWrites;
  readonly #attempts: AttemptWrites;
  readonly #runs: RunWrites;
  readonly #costs: RunCosts;
  readonly #prune: PruneWrites;
  readonly #admin: AdminWrites;
  readonly #begin: StatementSync;
  readonly #count: StatementSync;
  readonly #commit: StatementSync;
  #lastOperation: number;
  /** Rows wait for the end of the transaction. */
  #together = true;
  /** Journaled batches that the database refused: they go before what comes. */
  #kept: readonly Batch[] = [];

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
    this.#contents = new ContentStore(database);
    this.#windows = new WindowWrites(database);
    this.#rollups = new RollupWrites(database);
    this.#costs = new RunCosts(database, () => this.#insertRows());
    this.#attempts = new AttemptWrites(database, this.#contents, this.#windows, this.#rollups, this.#costs);
    this.#runs = new RunWrites(database, this.#contents, this.#rollups, this.#costs);
    this.#admin = new AdminWrites(database, this.#contents);
    this.#prune = new PruneWrites(database);
    database.exec(
      `insert or ignore into ledger_state (id, commits, last_operation, pruned_before_ms, minutes_from_ms, hours_from_ms)
       values (1, 0, 0, 0, 0, 0)`,
    );
    // From the hour on in which no version before them wrote.
    database.exec(
      `update ledger_state set quarters_from_ms =
         coalesce((select max(bucket_ms) + ${GRAIN_MS[HOURS]} from rollups where grain = ${HOURS}), 0)
       where quarters_from_ms is null`,
    );
    this.#lastOperation = Number(
      database.prepare('select last_operation as last from ledger_state').get()?.['last'],
    );
    this.#begin = database.prepare('begin immediate');
    // Not `returning`, here and elsewhere: SQLite collects what it returns in a table of its own, which costs more than the update.
    this.#count = database.prepare(
      'update ledger_state set commits = commits + 1, last_operation = ? where id = 1',
    );
    this.#commit = database.prepare('commit');
  }

  /** The last one that is in the database. */
  get lastOperation(): number {
    return this.#lastOperation;
  }

  /** All of it or, where the database refuses the transaction, nothing. Never throws for what a disk does. */
  apply(batches: readonly Batch[]): Acknowledgement {
    const all = [...this.#kept, ...batches];
    const last = all.at(-1)?.last ?? this.#lastOperation;
    try {
      const remarks = this.#transact(all, last);
      this.#lastOperation = last;
      this.#kept = [];
      return { last, failure: null, ...remarks };
    } catch (error) {
      this.#rollBack();
      this.#kept = all.filter(({ journaled }) => journaled);
      return { last, failure: failureOf(error, this.#path), refused: [], answers: [] };
    }
  }

  #transact(batches: readonly Batch[], last: number): Remarks {
    try {
      return this.#write(batches, last, true);
    } catch (error) {
      if (isDatabaseFailure(error)) throw error;
      // Some operation cannot be carried out: one by one, it is the only one that is refused.
      this.#rollBack();
      return this.#write(batches, last, false);
    }
  }

  /** `together`: rows are inserted at the end, as they are by then, and whatever one operation throws is thrown. */
  #write(batches: readonly Batch[], last: number, together: boolean): Remarks {
    const remarks: Remarks = { refused: [], answers: [] };
    this.#together = together;
    this.#begin.run();
    for (const batch of batches) {
      for (const [index, operation] of batch.operations.entries()) {
        const number = batch.first + index;
        const value = together
          ? this.#applyOne(operation)
          : this.#applyAlone(operation, number, remarks, batch.journaled);
        if (value !== undefined) remarks.answers.push({ number, value });
      }
    }
    this.#flush();
    this.#count.run(last);
    this.#commit.run();
    return remarks;
  }

  #flush(): void {
    this.#insertRows();
    this.#windows.flush();
    this.#rollups.flush();
  }

  #insertRows(): void {
    this.#runs.flush();
    this.#attempts.flush();
  }

  /** All of it or, where it cannot be carried out, nothing of it. One that was written is kept: whoever asked for it was told that it is. */
  #applyAlone(
    operation: Operation,
    number: number,
    { refused }: Remarks,
    journaled: boolean,
  ): number | undefined {
    this.#database.exec('savepoint operation');
    try {
      const value = this.#applyOne(operation);
      this.#flush();
      this.#database.exec('release operation');
      return value;
    } catch (error) {
      if (isDatabaseFailure(error)) throw error;
      this.#database.exec('rollback to operation; release operation');
      this.#forget();
      const refusedOne = {
        number,
        what: describeOperation(operation),
        failure: rowRefusal(error, 'runs.idempotency_key'),
      };
      refused.push(refusedOne);
      if (journaled) setAside(this.#path, refusedOne, operation);
      return undefined;
    }
  }

  #applyOne(operation: Operation): number | undefined {
    switch (operation.kind) {
      case 'openRun':
        this.#runs.open(operation, this.#together);
        return undefined;
      case 'finishRun':
        return this.#runs.finish(operation) ? undefined : UNCHANGED;
      case 'openAttempt':
        this.#attempts.open(operation, this.#together);
        return undefined;
      case 'closeAttempt': {
        const closed = this.#attempts.close(operation);
        if (operation.receipt !== null) this.#runs.step(operation.receipt);
        return closed ? undefined : UNCHANGED;
      }
      case 'lowerAttempt':
        return this.#attempts.lower(operation) ? undefined : UNCHANGED;
      case 'recordStep':
        this.#runs.step(operation.receipt);
        return undefined;
      case 'seedBudget':
        this.#windows.seed(operation.budgetId, operation.sinceMs, readBalances(operation.balances));
        return undefined;
      case 'moveHold':
        this.#attempts.move(operation.attemptId, operation.postings);
        return undefined;
      case 'prune':
        this.#insertRows();
        this.#rollups.flush();
        this.#rollups.forgetRows();
        return this.#prune.prune(operation.nowMs, operation.rowsBeforeMs, operation.limit);
      case 'probe':
        return undefined;
      default:
        this.#admin.apply(operation);
        return undefined;
    }
  }

  #rollBack(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec('rollback');
    } catch {
      // SQLite rolls back by itself where the disk fails; what matters is that nothing is remembered.
    }
    this.#forget();
  }

  #forget(): void {
    this.#contents.forget();
    this.#windows.forget();
    this.#rollups.forget();
    this.#attempts.forget();
    this.#costs.forget();
    this.#runs.forget();
  }
}

export function failureOf(error: unknown, path: string): Failure {
  const { code, message, remedy } = explainSqliteError(error, path);
  return { code, message, remedy };
}

/** As `accounts.seeded` writes them: nano-dollars as text. */
function readBalances(text: string): Settled[] {
  return JSON.parse(text, (key, value: unknown) =>
    key === 'costNanoUsd' ? BigInt(value as string) : value,
  ) as Settled[];
}
