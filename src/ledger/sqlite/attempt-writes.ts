// Writes attempts: open with their hold, closed with their cost; the budget windows and roll-ups change with them.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Spending } from '../../engine/budget/port.ts';
import { addDifference, countAttempt } from '../rollup/sums.ts';
import { encodeDimensions, stemOf } from '../rollup/dimensions.ts';
import type { ContentStore } from './content-store.ts';
import type * as operations from './operations.ts';
import { RowInsert, RowUpdate } from './row-statements.ts';
import { OPENED_ATTEMPT_COLUMNS } from './rows.ts';
import type { AttemptProgress, AttemptRow, OpenedAttempt } from './rows.ts';
import type { RollupWrites } from './rollup-writes.ts';
import type { RunCosts } from './run-costs.ts';
import { countedOf, settledSpending, spendingOf } from './settled-spending.ts';
import type { WindowChange, WindowWrites } from './window-writes.ts';

/** What closing an attempt needs to know of its opening. */
interface OpenAttempt {
  /** undefined: its row is not inserted yet. */
  seq: number | bigint | undefined;
  readonly runId: string;
  /** Where its hold is; a reload may move it. */
  windows: readonly WindowChange[];
  readonly worst: Spending;
  readonly startedAtMs: number;
  readonly rollupStem: string;
}

/** A row of the open transaction that is inserted at its end: most attempts are closed in the transaction that opens them. */
interface NewAttempt {
  readonly attempt: OpenAttempt;
  readonly ratesContent: number | bigint;
  readonly rollupKeyId: number;
  readonly opened: OpenedAttempt;
  progress: AttemptProgress;
  movedPostings: string | null;
}

export class AttemptWrites {
  readonly #contents: ContentStore;
  readonly #windows: WindowWrites;
  readonly #rollups: RollupWrites;
  readonly #insert: RowInsert<AttemptRow>;
  readonly #close: RowUpdate<AttemptProgress>;
  readonly #find: StatementSync;
  readonly #move: StatementSync;
  readonly #costs: RunCosts;
  /** The attempts in flight, so that closing one reads nothing. */
  #open = new Map<string, OpenAttempt>();
  /** In the order in which they were opened. */
  #new: NewAttempt[] = [];
  #newById = new Map<string, NewAttempt>();

  constructor(
    database: DatabaseSync,
    contents: ContentStore,
    windows: WindowWrites,
    rollups: RollupWrites,
    costs: RunCosts,
  ) {
    this.#contents = contents;
    this.#windows = windows;
    this.#rollups = rollups;
    this.#costs = costs;
    this.#insert = new RowInsert(database, 'attempts');
    this.#close = new RowUpdate(
      database,
      'attempts',
      OPENED_ATTEMPT_COLUMNS,
      ', postings = coalesce(?, postings) where seq = ?',
    );
    this.#find = database.prepare(
      `select seq, run_id, postings, held_nano_usd, held_tokens, started_at_ms, status, cost_nano_usd, reconciled, dimensions
       from attempts join rollup_keys on rollup_keys.id = rollup_key_id where attempts.id = ?`,
    );
    this.#move = database.prepare('update attempts set postings = ? where seq = ?');
  }

  /** `together`: its row is inserted when the transaction ends, as it is by then; else at once, which tells at once whether it can be. */
  open({ opened, progress, rates, rollupStem }: operations.OpenAttempt, together: boolean): void {
    const { id, runId, postings, heldNanoUsd, heldTokens, startedAtMs } = opened;
    const attempt: OpenAttempt = {
      seq: undefined,
      runId,
      windows: this.#windows.of(postings),
      worst: { costNanoUsd: BigInt(heldNanoUsd), tokens: heldTokens, calls: 1 },
      startedAtMs,
      rollupStem,
    };
    const row: NewAttempt = {
      attempt,
      ratesContent: this.#contents.putLasting(rates),
      rollupKeyId: this.#rollups.keyId(encodeDimensions(rollupStem, 'open')),
      opened,
      progress,
      movedPostings: null,
    };
    if (together) {
      this.#new.push(row);
      this.#newById.set(id, row);
    } else this.#insertRow(row);
    this.#open.set(id, attempt);
    this.#windows.hold(attempt.windows, attempt.worst);
  }

  /** Inserts what the open transaction has opened. Throws where an attempt of the same id is there. */
  flush(): void {
    for (const row of this.#new) this.#insertRow(row);
    this.#new = [];
    this.#newById.clear();
  }

  #insertRow({ attempt, ratesContent, rollupKeyId, opened, progress, movedPostings }: NewAttempt): void {
    const where =
      movedPostings === null
        ? { ratesContent, rollupKeyId }
        : { ratesContent, rollupKeyId, postings: movedPostings };
    attempt.seq = this.#insert.run(opened, progress, where).lastInsertRowid;
  }

  /** False, and nothing is done, for an attempt that is closed already: no money moves twice. */
  close({ id, progress, movedPostings }: operations.CloseAttempt): boolean {
    const attempt = this.#open.get(id) ?? this.#findUnsettled(id);
    if (attempt === undefined) return false;
    const row = attempt.seq === undefined ? this.#newById.get(id) : undefined;
    if (row === undefined) this.#close.run(progress, movedPostings, attempt.seq ?? null);
    else [row.progress, row.movedPostings] = [progress, movedPostings];
    this.#open.delete(id);

    const costNanoUsd = BigInt(progress.costNanoUsd);
    const tokens = progress.inputTokens + progress.outputTokens;
    this.#windows.release(attempt.windows, attempt.worst);
    this.#windows.spend(
      movedPostings === null ? attempt.windows : this.#windows.of(movedPostings),
      settledSpending(progress.status, costNanoUsd, tokens),
    );
    this.#costs.closed(attempt.runId, costNanoUsd);
    this.#count(attempt, progress);
    return true;
  }

  #count({ rollupStem, startedAtMs }: OpenAttempt, progress: AttemptProgress): void {
    const counted = countedOf(progress);
    countAttempt(this.#rollups.at(encodeDimensions(rollupStem, counted.status), startedAtMs), counted);
  }

  /** False, and nothing is done, where it is not as it was read: no money moves twice. */
  lower({ id, before, after }: operations.LowerAttempt): boolean {
    this.flush();
    const row = this.#find.get(id);
    const isAsRead =
      row?.['status'] === before.status &&
      row['reconciled'] === 0n &&
      row['cost_nano_usd'] === BigInt(before.costNanoUsd);
    if (row === undefined || !isAsRead) return false;
    this.#close.run(after, null, row['seq'] as bigint);
    const [from, to] = [spendingOf(before), spendingOf(after)];
    this.#windows.spend(this.#windows.of(row['postings'] as string), {
      costNanoUsd: to.costNanoUsd - from.costNanoUsd,
      tokens: to.tokens - from.tokens,
      calls: to.calls - from.calls,
    });
    this.#costs.closed(row['run_id'] as string, to.costNanoUsd - from.costNanoUsd);
    const key = encodeDimensions(stemOf(row['dimensions'] as string), after.status);
    addDifference(this.#rollups.at(key, Number(row['started_at_ms'])), countedOf(before), countedOf(after));
    return true;
  }

  /** A reload put an open attempt's hold on other accounts. */
  move(id: string, postings: string): void {
    this.flush();
    const attempt = this.#open.get(id) ?? this.#findUnsettled(id);
    if (attempt === undefined) return;
    this.#move.run(postings, attempt.seq ?? null);
    this.#windows.release(attempt.windows, attempt.worst);
    attempt.windows = this.#windows.of(postings);
    this.#windows.hold(attempt.windows, attempt.worst);
    this.#open.set(id, attempt);
  }

  #findUnsettled(id: string): OpenAttempt | undefined {
    this.flush();
    const row = this.#find.get(id);
    if (row === undefined) throw new Error(`there is no attempt ${id} to close`);
    if (row['status'] !== 'open' && row['status'] !== 'unreconciled') return undefined;
    return {
      seq: row['seq'] as bigint,
      runId: row['run_id'] as string,
      windows: this.#windows.of(row['postings'] as string),
      worst: { costNanoUsd: row['held_nano_usd'] as bigint, tokens: Number(row['held_tokens']), calls: 1 },
      startedAtMs: Number(row['started_at_ms']),
      rollupStem: stemOf(row['dimensions'] as string),
    };
  }

  forget(): void {
    this.#open = new Map();
    this.#new = [];
    this.#newById = new Map();
  }
}
