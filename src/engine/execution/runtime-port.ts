// Runtime and Scope: where runs live, and the few things an interpreter may ask of the place. Implemented by src/engine/runtime/.
import type { Json, JsonObject } from '../../common/json.ts';
import type { Outcome } from '../../common/outcome.ts';
import type { RunStatus, StepRecord } from './records.ts';

/** Why a run is stopped before its end. `shutdown`: a durable run goes on after the next start. */
export type StopReason = 'caller' | 'operator' | 'deadline' | 'shutdown';

/** The reason of a run's aborted signal. */
export class RunStopped extends Error {
  override readonly name = 'RunStopped';
  readonly why: StopReason;
  constructor(why: StopReason, message: string) {
    super(message);
    this.why = why;
  }
}

export interface StepContext {
  /** Aborts with a RunStopped when the run is stopped, or with a TimeoutError when the step's own time is over. */
  readonly signal: AbortSignal;
}

export type Settled = Outcome<Json, unknown>;

export interface WaveItem {
  readonly key: string;
  readonly run: (context: StepContext) => Promise<Json>;
}

export interface Scope {
  readonly runId: string;
  /** Aborts with a RunStopped. */
  readonly signal: AbortSignal;
  /** The receipt of a step that is done, in this process or before a restart; undefined: none. */
  receipt(key: string): StepRecord | undefined;
  /**
   * Runs a step once: answers with its receipt where there is one, joins it where it is in flight, and else runs the body.
   * The body writes its own receipt, in one transaction with what it cost (INV-5).
   */
  step<T extends Json>(
    key: string,
    options: { readonly timeoutMs?: number },
    body: (context: StepContext) => Promise<T>,
  ): Promise<T>;
  /** Starts all items in the order given, at most `concurrent` at a time, and waits for every one: a failed item stops none of the others. */
  wave(items: readonly WaveItem[], options?: { readonly concurrent?: number }): Promise<readonly Settled[]>;
  /** Runs a task as a child, under `${runId}.${key}`: the same id after a restart, so that its steps are found again. It stops with its parent, or at a deadline of its own. */
  child(
    key: string,
    planHash: string,
    input: Json,
    options?: { readonly deadlineMs?: number },
  ): Promise<Json>;
  sleep(key: string, ms: number): Promise<void>;
  /** The value that `Runtime.signal` gave for the key; null when the time is over. A signal that came before is kept. */
  waitEvent(key: string, timeoutMs?: number): Promise<Json | null>;
}

export type Interpret = (scope: Scope, planHash: string, input: Json) => Promise<Json>;

export interface RunSubmission {
  readonly runId: string;
  readonly planHash: string;
  readonly input: JsonObject;
  /** From now; null: none. */
  readonly deadlineMs: number | null;
  /** It may have run before: receipts are looked for. */
  readonly resumed: boolean;
}

export interface Runtime {
  /** Must come before anything is submitted. */
  start(interpret: Interpret): Promise<void>;
  /** Begins the run, or says that it is known already. */
  submit(run: RunSubmission): Promise<{ readonly created: boolean }>;
  /** Waits for the end. Its failure is what the interpreter threw; a run unknown here is a `RunUnknown`. */
  result(runId: string, timeoutMs?: number): Promise<Outcome<Json, unknown>>;
  status(runIds: readonly string[]): Promise<readonly (RunStatus | 'unknown')[]>;
  /** Gives a value to `waitEvent`. */
  signal(runId: string, key: string, value: Json): Promise<void>;
  /** false: not running here. */
  cancel(runId: string, reason: string, why?: StopReason): Promise<boolean>;
  /** Takes no more runs, waits for those in flight, and stops what is left when the time is over. */
  stop(options: { readonly drainMs: number }): Promise<void>;
}
