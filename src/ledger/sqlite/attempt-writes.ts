// Writes attempts: open with their hold, closed with their cost; the budget windows and roll-ups change with them.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Spending } from '../../engine/budget/port.ts';
import { bucketOf, countInto } from '../rollup/histogram.ts';
import { encodeDimensions, stemOf } from '../rollup/dimensions.ts';
import type { ContentStore } from './content-store.ts';
import type { Value } from './operations.ts';
import { Refused } from './refused.ts';
import type { RollupWrites } from './rollup-writes.ts';
import type { RunCosts } from './run-costs.ts';
import { settledSpending } from './settled-spending.ts';
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

const PROGRESS = `status = ?, model = ?, input_tokens = ?, cached_input_tokens = ?, cache_write_tokens = ?, output_tokens = ?,
  reasoning_tokens = ?, cost_nano_usd = ?, saved_nano_usd = ?, estimated = ?, queue_ms = ?, latency_ms = ?, first_token_ms = ?,
  finished_at_ms = ?`;
const PROGRESS_COLUMNS = PROGRESS.replaceAll(' = ?', '');
const PROGRESS_VALUES = 14;

/** A row of the open transaction that is inserted at its end: most attempts are closed in the transaction that opens them. */
interface NewAttempt {
  readonly attempt: OpenAttempt;
  readonly rates: number | bigint;
  readonly rollupKeyId: number;
  readonly opened: readonly Value[];
  /** Where OPEN_ATTEMPT's values begin. */
  readonly openedAt: number;
  closed: readonly Value[] | null;
  /** Where CLOSE_ATTEMPT's values begin. */
  closedAt: number;
}

export class AttemptWrites {
  readonly #contents: ContentStore;
  readonly #windows: WindowWrites;
  readonly #rollups: RollupWrites;
  readonly #insert: StatementSync;
  readonly #close: StatementSync;
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
    this.#insert = database.prepare(
      `insert into attempts (id, run_id, step, revision, task, caller, provider, requested_model, rates_content, postings,
         held_nano_usd, held_tokens, started_at_ms, decision, rollup_key_id, ${PROGRESS_COLUMNS}, error_class, error_message,
         request_id, reconciled)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#close = database.prepare(
      `update attempts set ${PROGRESS}, error_class = ?, error_message = ?, request_id = ?, postings = coalesce(?, postings),
         reconciled = ? where seq = ?`,
    );
    this.#find = database.prepare(
      `select seq, run_id, postings, held_nano_usd, held_tokens, started_at_ms, status, dimensions
       from attempts join rollup_keys on rollup_keys.id = rollup_key_id where attempts.id = ?`,
    );
    this.#move = database.prepare('update attempts set postings = ? where seq = ?');
  }

  /** `together`: its row is inserted when the transaction ends, as it is by then; else at once, which tells at once whether it can be. */
  open(batch: readonly Value[], at: number, together: boolean): void {
    const id = batch[at] as string;
    const rollupStem = batch[at + 14] as string;
    const attempt: OpenAttempt = {
      seq: undefined,
      runId: batch[at + 1] as string,
      windows: this.#windows.of(batch[at + 9] as string),
      worst: { costNanoUsd: BigInt(batch[at + 10] as string), tokens: batch[at + 11] as number, calls: 1 },
      startedAtMs: batch[at + 12] as number,
      rollupStem,
    };
    const row: NewAttempt = {
      attempt,
      rates: this.#contents.putLasting(batch[at + 8] as string),
      rollupKeyId: this.#rollups.keyId(encodeDimensions(rollupStem, 'open')),
      opened: batch,
      openedAt: at,
      closed: null,
      closedAt: 0,
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

  #insertRow({ attempt, rates, rollupKeyId, opened, openedAt: at, closed, closedAt }: NewAttempt): void {
    const progress = closed === null ? opened : closed;
    const from = closed === null ? at + 15 : closedAt + 1;
    const moved = closed === null ? null : closed[from + PROGRESS_VALUES + 3];
    const end = closed === null ? STILL_OPEN : endOf(closed, from + PROGRESS_VALUES);
    const { lastInsertRowid } = this.#insert.run(
      ...opened.slice(at, at + 8),
      rates,
      moved ?? opened[at + 9] ?? null,
      ...opened.slice(at + 10, at + 14),
      rollupKeyId,
      ...progress.slice(from, from + PROGRESS_VALUES),
      ...end,
    );
    attempt.seq = lastInsertRowid;
  }

  /** False, and nothing is done, for an attempt that is closed already: no money moves twice. */
  close(batch: readonly Value[], at: number): boolean {
    const id = batch[at] as string;
    const attempt = this.#open.get(id) ?? this.#findUnsettled(id);
    if (attempt === undefined) return false;
    const progress = at + 1;
    const rest = progress + PROGRESS_VALUES;
    const row = attempt.seq === undefined ? this.#newById.get(id) : undefined;
    if (row === undefined) this.#close.run(...batch.slice(progress, rest + 5), attempt.seq ?? null);
    else [row.closed, row.closedAt] = [batch, at];
    this.#open.delete(id);

    const status = batch[progress] as string;
    const reconciled = batch[rest + 4] === 1;
    const tokens = (batch[progress + 2] as number) + (batch[progress + 5] as number);
    const costNanoUsd = BigInt(batch[progress + 7] as string);
    const moved = batch[rest + 3] as string | null;
    this.#windows.release(attempt.windows, attempt.worst);
    this.#windows.spend(
      moved === null ? attempt.windows : this.#windows.of(moved),
      settledSpending(status, reconciled, costNanoUsd, tokens),
    );
    this.#costs.closed(attempt.runId, costNanoUsd);
    this.#count(attempt, batch, progress);
    return true;
  }

  #count({ rollupStem, startedAtMs }: OpenAttempt, batch: readonly Value[], progress: number): void {
    const status = batch[progress] as string;
    const sums = this.#rollups.at(encodeDimensions(rollupStem, status), startedAtMs);
    sums.attempts += 1;
    if (status === 'failed') sums.errors += 1;
    sums.costNanoUsd += BigInt(batch[progress + 7] as string);
    sums.inputTokens += BigInt(batch[progress + 2] as number);
    sums.cachedInputTokens += BigInt(batch[progress + 3] as number);
    sums.outputTokens += BigInt(batch[progress + 5] as number);
    const latencyMs = batch[progress + 11] as number | null;
    const firstTokenMs = batch[progress + 12] as number | null;
    if (latencyMs !== null) countInto(sums.latency, bucketOf(latencyMs), 1);
    if (firstTokenMs !== null) countInto(sums.firstToken, bucketOf(firstTokenMs), 1);
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
    if (row === undefined) throw new Refused(`there is no attempt ${id} to close`);
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

/** Error's class and message, request's id, and whether its outcome was decided: of an attempt that is under way. */
const STILL_OPEN: readonly Value[] = [null, null, null, 0];

/** The same, of one that is closed; `at`: behind its progress. */
function endOf(closed: readonly Value[], at: number): readonly Value[] {
  return [closed[at] ?? null, closed[at + 1] ?? null, closed[at + 2] ?? null, closed[at + 4] ?? 0];
}
