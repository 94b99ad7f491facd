// The runs in this process: begun on the runtime, found by id, and answered when they end.
import type { Json } from '../../common/json.ts';
import type { RunResult } from './engine.ts';
import type { Runs } from './execute.ts';
import type { RunFailure } from './failure.ts';
import type { LiveRun } from './live-run.ts';
import type { EngineParts } from './parts.ts';
import type { RunRecord } from './records.ts';
import { resultOf } from './results.ts';

export interface Started {
  readonly run: { readonly record: RunRecord };
  /** Its row is committed. */
  readonly opened: Promise<void>;
  readonly result: Promise<RunResult>;
}

/** What a request comes to: a run in this process, or a result without one. */
export type Answer =
  | { readonly kind: 'started'; readonly started: Started }
  | { readonly kind: 'result'; readonly result: RunResult };

export interface Beginning {
  readonly opened: Promise<void>;
  /** For the loop guard; null: it was not asked. */
  readonly loopHash: string | null;
  readonly resumed: boolean;
  readonly deadlineMs: number;
  /** The caller's: aborting it cancels the run. */
  readonly signal?: AbortSignal;
}

export class LiveRuns implements Runs {
  readonly #parts: EngineParts;
  readonly #runs = new Map<string, LiveRun>();
  readonly #started = new Map<string, Started>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** Runs that were asked for; children not counted. */
  get size(): number {
    return this.#started.size;
  }

  get(runId: string): LiveRun | undefined {
    return this.#runs.get(runId);
  }

  started(runId: string): Started | undefined {
    return this.#started.get(runId);
  }

  add(run: LiveRun): void {
    this.#runs.set(run.id, run);
  }

  remove(run: LiveRun): void {
    this.#runs.delete(run.id);
  }

  ended(run: LiveRun, _output: Json | null, failure: RunFailure | null): void {
    run.result = resultOf(run, failure);
    if (run.watched)
      run.emit({ type: 'finished', runId: run.id, atMs: this.#parts.clock.nowMs(), result: run.result });
  }

  begin(run: LiveRun, beginning: Beginning): Started {
    this.#runs.set(run.id, run);
    const started: Started = { run, opened: beginning.opened, result: this.#complete(run, beginning) };
    this.#started.set(run.id, started);
    // Nobody may be waiting for a run that was only started.
    started.result.catch(() => undefined);
    return started;
  }

  /** When all that run now have ended. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#started.values()].map(({ result }) => result));
  }

  async #complete(run: LiveRun, { loopHash, resumed, deadlineMs, signal }: Beginning): Promise<RunResult> {
    const { runtime, guards, budgets } = this.#parts;
    const onAbort = (): void => {
      void runtime.cancel(run.id, 'the caller went away', 'caller');
    };
    try {
      const submitted = runtime.submit({
        runId: run.id,
        planHash: run.plan.hash,
        input: { task: run.record.task, input: run.input },
        deadlineMs,
        resumed,
      });
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
      await submitted;
      const outcome = await runtime.result(run.id);
      if (run.result === undefined)
        throw outcome.ok ? new Error(`run ${run.id} ended without a result`) : outcome.error;
      return run.result;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#runs.delete(run.id);
      this.#started.delete(run.id);
      if (run.record.finishedAtMs !== null) budgets.endRun(run.id);
      if (loopHash !== null)
        guards.ended({
          runId: run.id,
          task: run.record.task,
          caller: run.caller.name,
          inputHash: loopHash,
          succeeded: run.record.status === 'succeeded',
        });
    }
  }
}
