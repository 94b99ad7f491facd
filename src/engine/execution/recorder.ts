// Recorder: what an execution writes down, and when it may go on. The ledger implements it.
import type { Json } from '../../common/json.ts';
import type { AttemptRecord, RunRecord, StepRecord } from './records.ts';

/**
 * Writes keep the order in which they are called. Each promise resolves when the row is written (on disk, whatever dies then); rows of one tick are
 * written together, so an execution may leave a promise and await a later one. A rejected promise is a LedgerUnavailable: nothing may be called after it.
 */
/** Which answer of an equal input may be given again. What is left out may be any. */
export interface CachedFor {
  /** It was finished then, or later. */
  readonly sinceMs: number;
  readonly caller?: string;
  readonly team?: string | null;
  readonly tier?: string | null;
  readonly tags?: { readonly [key: string]: string };
}

export interface Recorder {
  openRun(run: RunRecord): Promise<void>;
  /** Must be awaited before the provider is called (INV-3). */
  openAttempt(attempt: AttemptRecord): Promise<void>;
  /** Closes the attempt, posts its cost to the budget windows and, where it completed a step, writes the receipt: one transaction (INV-5). */
  closeAttempt(attempt: AttemptRecord, receipt: StepRecord | null): Promise<void>;
  /** Steps that cost nothing. */
  recordStep(step: StepRecord): Promise<void>;
  finishRun(run: RunRecord): Promise<void>;
  recordAlert(alert: AlertRecord): Promise<void>;
  /** The steps of a run that are done, for going on with it. Throws a LedgerUnavailable as long as anything that was spent is not written. */
  receipts(runId: string): Promise<ReadonlyMap<string, StepRecord>>;
  /** The run that this caller made with this key; undefined: none yet. */
  findByIdempotencyKey(caller: string, key: string): Promise<RunRecord | undefined>;
  /** The newest succeeded run with this task revision and input hash, finished since; for the exact cache. */
  findCached(taskRevision: string, inputHash: string, wanted: CachedFor): Promise<RunRecord | undefined>;
  /**
   * Durable runs that no process runs, the most urgent first, taken for this one: each is begun once more. `id`: that one alone, if it waits.
   */
  takeWaiting(limit: number, id?: string): Promise<readonly RunRecord[]>;
  /** A durable run that this process lets go of in good order: it waits again. Throws a LedgerUnavailable where not all that it has done is written. */
  release(run: RunRecord): Promise<void>;
  /** A plan by its hash: canonical JSON text; undefined: unknown. */
  planText(hash: string): Promise<string | undefined>;
}

/** What an execution reads back: runs that it answers with again. The ledger's reader implements it. */
export interface History {
  run(id: string): Promise<RunRecord | undefined>;
  attemptsOf(runIds: readonly string[]): Promise<ReadonlyMap<string, readonly AttemptRecord[]>>;
  stepsOf(runIds: readonly string[]): Promise<ReadonlyMap<string, readonly StepRecord[]>>;
  /** Of the run and of its child runs. */
  stepsUnder(runId: string): Promise<readonly StepRecord[]>;
  /** Resolves when the run's end is written, wherever it runs; the signal's reason is thrown. */
  ended(id: string, signal?: AbortSignal): Promise<RunRecord>;
}

export interface AlertRecord {
  readonly id: string;
  readonly kind:
    | 'budget_warn'
    | 'budget_exhausted'
    | 'budget_overrun'
    | 'budget_forecast'
    | 'loop'
    | 'surge'
    | 'paused'
    | 'resumed'
    | 'circuit'
    | 'revision_refused'
    | 'revision_pinned'
    | 'revision_released'
    | 'revision_renamed'
    | 'unreconciled'
    | 'dead_letter'
    | 'ledger_set_aside'
    | 'ledger_repaired'
    | 'ledger_replaced'
    | 'ledger_failing'
    | 'ledger_restored'
    | 'prices_old'
    | 'usage_missing'
    | 'usage_impossible';
  readonly severity: 'info' | 'warning' | 'critical';
  readonly message: string;
  readonly remedy: string;
  /** `task:summarize`, `caller:ana`, `all`, `provider:openai`. */
  readonly scope: string;
  readonly atMs: number;
  readonly runId: string | null;
  readonly details: { readonly [key: string]: Json };
  /** Somebody has seen to it. Left out: nobody yet. */
  readonly acknowledged?: { readonly by: string; readonly atMs: number };
}
