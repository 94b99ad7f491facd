// What a front door (GraphQL, CLI, library) sees of the engine: requests, results and events of runs.
import type { JsonObject } from '../../common/json.ts';
import type { NanoUsd } from '../../common/money.ts';
import type { BudgetRefusal, Caller } from '../budget/port.ts';
import type { RouteDecision } from '../routing/port.ts';
import type { Exchange } from './exchange/exchange.ts';
import type { AttemptRecord, RunRecord, StepRecord } from './records.ts';

export interface RunOptions {
  readonly idempotencyKey?: string;
  readonly tags?: { readonly [key: string]: string };
  /** Tightens the task's allowance; never loosens it. */
  readonly maxCostNanoUsd?: NanoUsd;
  readonly deadlineMs?: number;
  readonly dryRun?: boolean;
  readonly noCache?: boolean;
}

export type StreamedTexts = 'output' | 'all';

export interface RunRequest {
  readonly task: string;
  readonly input: JsonObject;
  readonly caller: Caller;
  readonly options?: RunOptions;
  /** The caller went away: what is running is aborted and settled. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
  /** Text deltas are wanted: model steps stream. */
  readonly stream?: boolean;
  /** With `stream`: of which steps. Default `output`: of those that the task's output reads, those of its children with them; `all`: of every step. */
  readonly texts?: StreamedTexts;
  /** A client's own request, for a task that is an exposed name; its input is not looked at. */
  readonly exchange?: Exchange;
}

/** A finished run with everything in it, so that an answer needs no read. */
export interface RunSnapshot {
  readonly run: RunRecord;
  readonly steps: readonly StepRecord[];
  readonly attempts: readonly AttemptRecord[];
}

export interface InputProblem {
  /** JSON Pointer into the input: `/text`; '' for the whole. */
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** What every refusal tells: a stable code, what happened, and what to do. */
export interface Refused {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/** What a run that was refused half way had done by then; all left out where none was opened. */
export interface Begun {
  readonly runId?: string | null;
  readonly costNanoUsd?: NanoUsd;
  readonly attempts?: readonly AttemptRecord[];
}

/** Expected ends; each is a member of the GraphQL result union. `runId` names the recorded run where one was opened. */
export type RunResult =
  | { readonly kind: 'run'; readonly snapshot: RunSnapshot }
  | ({ readonly kind: 'invalid_input'; readonly problems: readonly InputProblem[] } & Refused)
  | ({
      readonly kind: 'budget_exceeded';
      readonly refusal: BudgetRefusal;
      readonly runId: string | null;
    } & Refused &
      Begun)
  | ({
      readonly kind: 'spending_paused';
      readonly scope: string;
      readonly reason: string;
      readonly sinceMs: number;
    } & Refused &
      Begun)
  | ({
      readonly kind: 'loop_detected';
      readonly repeats: number;
      readonly withinMs: number;
      readonly retryAfterMs: number | null;
    } & Refused &
      Begun)
  | ({
      readonly kind: 'no_provider_available';
      readonly runId: string | null;
      readonly task: string;
      readonly step: string;
      readonly retryAfterMs: number | null;
      readonly decision: RouteDecision;
      readonly attempts: readonly AttemptRecord[];
    } & Refused &
      Begun)
  | ({ readonly kind: 'unauthorized'; readonly scope: string } & Refused);

export type RunEvent =
  /** `begun`: how often it was, where it goes on after another process. Left out: once. */
  | { readonly type: 'queued'; readonly runId: string; readonly atMs: number; readonly begun?: number }
  | { readonly type: 'step'; readonly runId: string; readonly atMs: number; readonly step: StepRecord }
  | {
      readonly type: 'attempt';
      readonly runId: string;
      readonly atMs: number;
      readonly attempt: AttemptRecord;
    }
  | {
      readonly type: 'text';
      readonly runId: string;
      readonly atMs: number;
      readonly step: string;
      /** The step's, unique in the outermost run: `tr[0].answer` is the step `answer` of the child that `tr[0]` is. */
      readonly path: string;
      readonly delta: string;
    }
  /** Text given so far for this step is void: another attempt starts from the beginning (INV-10). */
  | {
      readonly type: 'restart';
      readonly runId: string;
      readonly atMs: number;
      readonly step: string;
      readonly path: string;
      readonly reason: string;
    }
  | {
      readonly type: 'settled';
      readonly runId: string;
      readonly atMs: number;
      readonly attempt: AttemptRecord;
    }
  | { readonly type: 'finished'; readonly runId: string; readonly atMs: number; readonly result: RunResult };

/** `dryRun`: what would happen; nobody is called, nothing is held. */
export interface DryRun {
  readonly task: string;
  readonly steps: readonly {
    readonly step: string;
    readonly decision: RouteDecision;
    readonly holdNanoUsd: NanoUsd;
  }[];
  readonly holdNanoUsd: NanoUsd;
}

export interface Engine {
  run(request: RunRequest): Promise<RunResult>;
  /** Accepts and answers at once; the run survives a crash. */
  start(
    request: RunRequest,
  ): Promise<{ readonly kind: 'started'; readonly run: RunRecord } | Exclude<RunResult, { kind: 'run' }>>;
  /**
   * Starts a run that failed once more, as its caller, in the active revision. Where its task is what it was, steps that are done are not called again.
   * undefined: it is not over, or not known, or its input is not kept.
   */
  again(
    runId: string,
  ): Promise<
    { readonly kind: 'started'; readonly run: RunRecord } | Exclude<RunResult, { kind: 'run' }> | undefined
  >;
  dryRun(
    request: RunRequest,
  ): Promise<{ readonly kind: 'dry_run'; readonly dryRun: DryRun } | Exclude<RunResult, { kind: 'run' }>>;
  /** Wherever it runs, or waits. false: it is over, or there is no such run. */
  cancel(runId: string, reason: string): Promise<boolean>;
  /** Events of a run from now on, up to `finished`; undefined: it does not run here. */
  subscribe(runId: string, listener: (event: RunEvent) => void): (() => void) | undefined;
  /** Whether it runs here. */
  has(runId: string): boolean;
  /** Events of a run that is not here, from when it begins here on. */
  expect(runId: string, listener: (event: RunEvent) => void): () => void;
  /** Events of all runs that are begun here after they waited, or after another process, from the first on. */
  onContinued(listener: (event: RunEvent) => void): void;
  running(): number;
  /** Durable runs that wait are begun, and those that a process left unfinished go on from their last receipt, as far as there is room. Gives how many. */
  resume(): Promise<number>;
  /** What is live here is cancelled; for a node that is told so by another. */
  cancelHere(runId: string, reason: string): boolean;
  /** Runs in flight end, or are recorded as cancelled when the time is over. */
  drain(drainMs: number): Promise<void>;
}
