// The runs in this process: begun on the runtime, found by id, and let go of when they end.
import { sleep } from '../../common/clock.ts';
import { InFlight } from '../../common/in-flight.ts';
import type { Json } from '../../common/json.ts';
import { isLedgerAway } from '../../errors/storage-words.ts';
import type { RunEvent, RunResult } from './port.ts';
import { interpreter } from './execute.ts';
import { LiveRun } from './live-run.ts';
import type { EngineParts } from './engine-parts.ts';
import { RunFailure, runError } from './failure.ts';
import type { RunRecord } from './records.ts';
import { goOn } from './resume.ts';
import type { RunEnded } from './resume.ts';
import type { RunScope, StopReason } from './runtime.ts';

/** Whether the ledger can be written again is looked for this often. */
const LOOK_EVERY_MS = 500;

export class LiveRuns {
  readonly #parts: EngineParts;
  /** Child runs too. */
  readonly #runs = new InFlight<string, LiveRun>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** Who is told what happens in runs that are begun here after they waited, or after another process. */
  readonly continued = new Set<(event: RunEvent) => void>();
  /** Those who listen for runs that are not here: they are told from the run's beginning here on. */
  readonly #awaited = new Map<string, Set<(event: RunEvent) => void>>();

  /** Durable runs that stand still until the ledger can be written. */
  readonly #still = new Map<string, Still>();
  readonly #stopping = new AbortController();

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
    return this.#runs.values().filter(({ parent }) => parent === null);
  }

  /** false: it is not here. */
  cancel(runId: string, reason: string, why?: StopReason): boolean {
    const still = this.#still.get(runId);
    if (still !== undefined) still.cancelReason ??= reason;
    return still !== undefined || this.#parts.runtime.cancel(runId, reason, why);
  }

  /** What stands still is left in the ledger, for the next start or for another node. */
  stop(): void {
    this.#stopping.abort();
  }

  /** `signal`: the caller's; aborting it cancels the run. */
  begin(run: LiveRun, signal?: AbortSignal): void {
    const { runtime, guards, budgets } = this.#parts;
    const { id: runId, resumed, loopTraces: traces } = run;
    const { deadlineMs } = run.limits;
    for (const listener of this.#awaited.get(runId) ?? []) run.listen(listener);
    this.#awaited.delete(runId);
    const onAbort = (): void => {
      this.cancel(runId, 'the caller went away', 'caller');
    };

    const end = ({ last, failure }: Last): RunResult => {
      const { record, result } = last;
      signal?.removeEventListener('abort', onAbort);
      this.#runs.take(runId);
      const { task, status, finishedAtMs } = record;
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
          uncounted: run.exchange !== undefined && failedAtProviders(record),
        });
      // Whatever it ended with, the interpreter has made a result of it; else it is a fault, which is thrown on.
      if (result === undefined) throw failure ?? new Error(`run ${runId} ended without a result`);
      return result;
    };
    this.#runs.set(runId, run);
    const underWay = runtime.run({ runId, deadlineMs, resumed }, interpreter(this.#parts, run, this));
    run.ended = this.#toItsEnd(run, underWay).then(end);
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    // Nobody may be waiting for a run that was only started.
    run.ended.catch(() => undefined);
  }

  /** A durable run whose ledger is away stands still, and goes on from its receipts when the ledger is there again. */
  async #toItsEnd(first: LiveRun, begun: Promise<Json>): Promise<Last> {
    const { runtime, clock } = this.#parts;
    let run = first;
    let underWay = begun;
    for (;;) {
      try {
        await underWay;
        return { last: run };
      } catch (failure) {
        if (!standsStill(run, failure)) return { last: run, failure };
        const next = await this.#whenWritable(run, failure);
        if (!(next instanceof LiveRun)) {
          run.endWith(next, clock.nowMs());
          return { last: run };
        }
        run = next;
      }
      const { id: runId, limits, record } = run;
      this.#runs.set(runId, run);
      underWay = runtime.run(
        { runId, deadlineMs: limits.deadlineMs, resumed: true },
        interpreter(this.#parts, run, this),
      );
      if (record.cancelReason !== undefined) runtime.cancel(runId, record.cancelReason);
    }
  }

  async #whenWritable(run: LiveRun, failure: unknown): Promise<LiveRun | RunEnded> {
    const { clock, log } = this.#parts;
    const still: Still = {};
    if (failure instanceof RunFailure && failure.failure.kind === 'stands_still')
      still.cancelReason = failure.failure.cancelReason;
    this.#still.set(run.id, still);
    const isStopping = (): boolean => this.#stopping.signal.aborted;
    let told = '';
    try {
      while (!isStopping()) {
        await sleep(clock, LOOK_EVERY_MS, this.#stopping.signal).catch(() => undefined);
        try {
          const next = isStopping() ? undefined : await goOn(this.#parts, run);
          if (next === undefined || isStopping()) break;
          if (next instanceof LiveRun && still.cancelReason !== undefined)
            next.record = { ...next.record, cancelReason: still.cancelReason };
          return next;
        } catch (error) {
          const why = String(error);
          if (!isLedgerAway(error) && why !== told)
            log?.warn({ runId: run.id, error: why }, 'a run stands still: the ledger cannot be read');
          told = why;
        }
      }
      return suspended(run);
    } finally {
      this.#still.delete(run.id);
    }
  }

  /** Runs a child within its parent. */
  async child(run: LiveRun, scope: RunScope): Promise<Json> {
    this.#runs.set(run.id, run);
    try {
      return await scope.child(run.id, run.limits.deadlineMs, interpreter(this.#parts, run, this));
    } finally {
      this.#runs.take(run.id);
    }
  }
}

/** What a run came to: its last piece, and what that threw. */
interface Last {
  readonly last: LiveRun;
  readonly failure?: unknown;
}

interface Still {
  /** It is to be cancelled as soon as that can be written. */
  cancelReason?: string | undefined;
}

/** Its rows were refused; or it was to go on, and its receipts could not be read. */
function standsStill({ record, result }: LiveRun, failure: unknown): boolean {
  if (result !== undefined || !record.durable) return false;
  return failure instanceof RunFailure ? failure.failure.kind === 'stands_still' : isLedgerAway(failure);
}

/** It is told like one that is cut off by the end of its process. */
function suspended({ record, steps, attempts }: LiveRun): RunEnded {
  return { kind: 'run', snapshot: { run: { ...record, error: runError('SHUT_DOWN', {}) }, steps, attempts } };
}

/** Clients ask again by themselves in an outage, with the very same request: that is no loop. */
function failedAtProviders({ status, error }: RunRecord): boolean {
  return status === 'failed' && error !== null && OF_PROVIDERS.has(error.code);
}

const OF_PROVIDERS = new Set([
  'NO_PROVIDER_AVAILABLE',
  'ATTEMPTS_EXHAUSTED',
  'DEADLINE_EXCEEDED',
  'ANSWER_BROKE_OFF',
  'REQUEST_REFUSED',
]);
