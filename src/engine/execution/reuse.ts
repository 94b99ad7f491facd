// Answers given again: the exact cache, the joining of identical requests, and the loop guard's reuse.
import { formatDuration } from '../../common/units.ts';
import { sleep } from '../../common/clock.ts';
import { newId } from '../../common/ids.ts';
import { cachedFor, contextText, readMoment } from './reuse-context.ts';
import type { Moment } from './reuse-context.ts';
import type { RunResult } from './port.ts';
import { runError } from './failure.ts';
import { LiveRun } from './live-run.ts';
import type { LiveRuns } from './live-runs.ts';
import type { EngineParts } from './engine-parts.ts';
import type { Prepared } from './prepare.ts';
import type { RunError, RunRecord } from './records.ts';
import { openedRecord } from './run-record.ts';

export class Reuse {
  readonly #parts: EngineParts;
  readonly #runs: LiveRuns;
  /** By task revision and input: the run that will be the answer, or undefined when it was none. */
  readonly #joinable = new Map<string, Promise<RunRecord | undefined>>();

  constructor(parts: EngineParts, runs: LiveRuns) {
    this.#parts = parts;
    this.#runs = runs;
  }

  /**
   * An identical request that is being answered is joined; else the newest answer that is young enough is given again; else `answer` answers this one, which
   * may be joined meanwhile. Between the look and the entry nothing is awaited, so that of many at once only one goes first.
   */
  async cached<Given>(
    prepared: Prepared,
    options: { readonly forMs: number; readonly waits: boolean },
    answer: () => Promise<LiveRun | Given>,
  ): Promise<LiveRun | RunResult | Given> {
    const { linked, inputHash } = prepared;
    const { revision, retain } = linked.task;
    const reads = readMoment(prepared.plan, this.#parts.executors, linked);
    const moment = momentOf(prepared, this.#parts.clock.nowMs());
    const context = contextText(reads, moment);
    const key = `${revision}\n${inputHash}\n${context}`;
    if (options.waits) {
      for (let joined = this.#joinable.get(key); joined !== undefined; joined = this.#joinable.get(key)) {
        const given = await this.#join(joined, prepared);
        if (given !== undefined) return given;
      }
    }
    const lead = Promise.withResolvers<RunRecord | undefined>();
    if (!this.#joinable.has(key)) this.#joinable.set(key, lead.promise);
    const settle = (source: RunRecord | undefined): void => {
      if (this.#joinable.get(key) === lead.promise) this.#joinable.delete(key);
      lead.resolve(source);
    };
    try {
      // A redacted or hashed output is no answer.
      const sinceMs = this.#parts.clock.nowMs() - options.forMs;
      const wanted = cachedFor(reads, moment, sinceMs);
      const found =
        retain.content === 'full' && wanted !== undefined
          ? await this.#parts.recorder.findCached(revision, inputHash, wanted)
          : undefined;
      // Whatever the ledger looked for, this is what decides.
      if (found !== undefined && contextText(reads, found) === context) {
        settle(found);
        return await this.#again(prepared, found);
      }
      const given = await answer();
      if (!(given instanceof LiveRun)) settle(undefined);
      else
        void given.ended.then(
          (result) => settle(succeeded(result)),
          () => settle(undefined),
        );
      return given;
    } catch (error) {
      settle(undefined);
      throw error;
    }
  }

  /** The answer of an earlier run, waiting for it where it is still going; undefined: it has none that can be given again. */
  async ofRun(runId: string, prepared: Prepared): Promise<RunResult | undefined> {
    const live = this.#runs.get(runId);
    const { content } = prepared.linked.task.retain;
    const source =
      live !== undefined
        ? succeeded(await live.ended)
        : content === 'full'
          ? await this.#parts.history.run(runId)
          : undefined;
    if (source?.status !== 'succeeded' || !this.#isAsked(prepared, source)) return undefined;
    return this.#again(prepared, source, 'loop_guard');
  }

  /** Whether the answer depends on nothing that is otherwise now: tags, a date. */
  #isAsked(prepared: Prepared, source: RunRecord): boolean {
    const { clock, executors } = this.#parts;
    const reads = readMoment(prepared.plan, executors, prepared.linked);
    return contextText(reads, source) === contextText(reads, momentOf(prepared, clock.nowMs()));
  }

  /** Waits for another's answer, no longer than this request may take; undefined: the other has none. */
  async #join(joined: Promise<RunRecord | undefined>, prepared: Prepared): Promise<RunResult | undefined> {
    const { clock } = this.#parts;
    const { deadlineMs } = prepared.limits;
    const { signal } = prepared.request;
    const waiting = new AbortController();
    const leave = (): void => waiting.abort();
    if (signal?.aborted === true) leave();
    signal?.addEventListener('abort', leave, { once: true });
    const over = sleep(clock, deadlineMs, waiting.signal).then(
      () =>
        runError(
          'DEADLINE_EXCEEDED',
          { deadline: formatDuration(deadlineMs), waiting: '' },
          { details: { deadlineMs } },
        ),
      () => runError('CANCELLED', { reason: 'the caller went away' }),
    );
    try {
      const first = await Promise.race([
        joined.then((source) => ({ source })),
        over.then((error) => ({ error })),
      ]);
      if ('error' in first) return await this.#unanswered(prepared, first.error);
      return first.source && (await this.#again(prepared, first.source));
    } finally {
      signal?.removeEventListener('abort', leave);
      waiting.abort();
    }
  }

  async #unanswered(prepared: Prepared, error: RunError): Promise<RunResult> {
    const status = error.code === 'CANCELLED' ? 'cancelled' : 'failed';
    return this.#written(prepared, { status, error });
  }

  /**
   * With another's output. What a cached answer saves is what its source cost, however often it is given. What the loop guard gives again saves nothing:
   * the caller that asks in a loop did not want to spend it.
   */
  async #again(prepared: Prepared, source: RunRecord, reusedBy?: RunRecord['reusedBy']): Promise<RunResult> {
    if (reusedBy !== undefined)
      return this.#written(prepared, {
        status: 'succeeded',
        output: source.output,
        cached: true,
        reusedBy,
      });
    const savedNanoUsd = source.cached ? source.savedNanoUsd : source.costNanoUsd;
    return this.#written(prepared, {
      status: 'succeeded',
      output: source.output,
      cached: true,
      savedNanoUsd,
    });
  }

  /** A run of its own that called nobody. */
  async #written(prepared: Prepared, end: Partial<RunRecord>): Promise<RunResult> {
    const { clock, random, recorder } = this.#parts;
    const nowMs = clock.nowMs();
    const id = newId('run', clock, random);
    const { cached = false, reusedBy } = end;
    const opened = {
      ...openedRecord(id, prepared, false, nowMs),
      cached,
      ...(reusedBy === undefined ? {} : { reusedBy }),
    };
    const run: RunRecord = { ...opened, ...end, finishedAtMs: nowMs, latencyMs: 0 };
    recorder.openRun(opened).catch(() => undefined);
    await recorder.finishRun(run);
    const result: RunResult = { kind: 'run', snapshot: { run, steps: [], attempts: [] } };
    prepared.request.onEvent?.({ type: 'finished', runId: run.id, atMs: nowMs, result });
    return result;
  }
}

/** The run that may be answered with again; undefined: it is no answer. */
function succeeded(result: RunResult): RunRecord | undefined {
  return result.kind === 'run' && result.snapshot.run.status === 'succeeded'
    ? result.snapshot.run
    : undefined;
}

function momentOf({ request: { caller }, tags }: Prepared, nowMs: number): Moment {
  return { caller, tags, startedAtMs: nowMs };
}
