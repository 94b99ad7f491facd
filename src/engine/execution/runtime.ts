// Runtime and Scope: where runs live, and the few things a run may ask of the place. Implemented by src/engine/runtime/.
import type { Json } from '../../common/json.ts';
import type { StepRecord } from './records.ts';

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

export interface RunScope {
  /** Aborts with a RunStopped. */
  readonly signal: AbortSignal;
  /** The receipt of a step that was done before a restart; undefined: none. */
  receipt(key: string): StepRecord | undefined;
  /**
   * Runs a step once: answers with its receipt where there is one, joins it where it is in flight, and else runs the body.
   * The body writes its own receipt, in one transaction with what it cost (INV-5).
   */
  step<T extends Json>(key: string, body: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Starts all in the order given, at most `concurrent` at a time, and waits for every one: one that fails stops none of the others. */
  wave(
    bodies: readonly (() => Promise<Json>)[],
    concurrent?: number,
  ): Promise<readonly PromiseSettledResult<Json>[]>;
  /** Runs another task's run within this one. It stops with its parent, or at a deadline of its own. */
  child(childRunId: string, deadlineMs: number, body: (scope: RunScope) => Promise<Json>): Promise<Json>;
}

export interface Runtime {
  /** Runs the body to its end, which is this call's end too. Throws a RunStopped when no more runs are taken. */
  run(
    run: {
      readonly runId: string;
      /** From now. */
      readonly deadlineMs: number;
      /** It may have run before: receipts are looked for. */
      readonly resumed: boolean;
    },
    body: (scope: RunScope) => Promise<Json>,
  ): Promise<Json>;
  /** false: not running here. */
  cancel(runId: string, reason: string, why?: StopReason): boolean;
  /** Takes no more runs, waits for those in flight, and stops what is left when the time is over. */
  stop(options: { readonly drainMs: number }): Promise<void>;
}
