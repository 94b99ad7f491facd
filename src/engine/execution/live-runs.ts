// The runs in this process: begun on the runtime, found by id, and let go of when they end.
import type { Json } from '../../common/json.ts';
import type { RunEvent, RunResult } from './port.ts';
import { interpreter } from './execute.ts';
import type { LiveRun } from './live-run.ts';
import type { EngineParts } from './engine-parts.ts';
import type { RunScope } from './runtime.ts';

export class LiveRuns {
  readonly #parts: EngineParts;
  /** Child runs too. */
  readonly #runs = new Map<string, LiveRun>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** Who is told what happens in runs that are begun here after they waited, or after another process. */
  readonly continued = new Set<(event: RunEvent) => void>();
  /** Those who listen for runs that are not here: they are told from the run's beginning here on. */
  readonly #awaited = new Map<string, Set<(event: RunEvent) => void>>();

  /** Events of a run from now on, or from when it begins here. */
  listen(runId: string, listener: (event: RunEvent) => void): () => void {
    const live = this.#runs.get(runId);
    if (live !== undefined) return live.listen(listener);
    const waiting = this.#awaited.get(runId) ?? new Set();
    waiting.add(listener);
    this.#awaited.set(runId, waiting);
    return () => {
      waiting.delete(listener);
      if (waiting.size === 0 && this.#awaited.get(runId) === waiting) this.#awaited.delete(runId);
      this.#runs.get(runId)?.unlisten(listener);
    };
  }

  get(runId: string): LiveRun | undefined {
    return this.#runs.get(runId);
  }

  /** Those that were asked for; child runs are not. */
  asked(): readonly LiveRun[] {
    return [...this.#runs.values()].filter(({ parent }) => parent === null);
  }

  /** `signal`: the caller's; aborting it cancels the run. */
  begin(run: LiveRun, signal?: AbortSignal): void {
    const { runtime, guards, budgets } = this.#parts;
    this.#runs.set(run.id, run);
    for (const listener of this.#awaited.get(run.id) ?? []) run.listen(listener);
    this.#awaited.delete(run.id);
    const { id: runId, resumed, loopTraces: traces } = run;
    const { deadlineMs } = run.limits;
    const underWay = runtime.run({ runId, deadlineMs, resumed }, interpreter(this.#parts, run, this));
    const onAbort = (): void => {
      runtime.cancel(runId, 'the caller went away', 'caller');
    };
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });

    const end = (failure?: unknown): RunResult => {
      signal?.removeEventListener('abort', onAbort);
      this.#runs.delete(runId);
      const { task, status, finishedAtMs } = run.record;
      if (finishedAtMs !== null) budgets.endRun(runId);
      const succeeded = status === 'succeeded';
      const { loop } = run.linked.task;
      if (traces !== null && loop !== null)
        guards.ended({
          runId,
          task,
          caller: run.caller.name,
          session: run.caller.session,
          guards: loop.guards,
          traces,
          succeeded,
          uncounted: run.exchange !== undefined && failedAtProviders(run),
        });
      // Whatever it ended with, the interpreter has made a result of it; else it is a fault, which is thrown on.
      if (run.result === undefined) throw failure ?? new Error(`run ${runId} ended without a result`);
      return run.result;
    };
    run.ended = underWay.then(() => end(), end);
    // Nobody may be waiting for a run that was only started.
    run.ended.catch(() => undefined);
  }

  /** Runs a child within its parent. */
  async child(run: LiveRun, scope: RunScope): Promise<Json> {
    this.#runs.set(run.id, run);
    try {
      return await scope.child(run.id, run.limits.deadlineMs, interpreter(this.#parts, run, this));
    } finally {
      this.#runs.delete(run.id);
    }
  }
}

/** Clients ask again by themselves in an outage, with the very same request: that is no loop. */
function failedAtProviders({ record: { status, error } }: LiveRun): boolean {
  return status === 'failed' && error !== null && OF_PROVIDERS.has(error.code);
}

const OF_PROVIDERS = new Set([
  'NO_PROVIDER_AVAILABLE',
  'ATTEMPTS_EXHAUSTED',
  'DEADLINE_EXCEEDED',
  'ANSWER_BROKE_OFF',
  'REQUEST_REFUSED',
]);
