// Answers given again: the exact cache, the joining of identical requests, and the loop guard's reuse.
import { newId } from '../common/ids.ts';
import type { RunRequest, RunResult } from './engine.ts';
import type { Answer, LiveRuns } from './live-runs.ts';
import type { EngineParts } from './parts.ts';
import type { Prepared } from './prepare.ts';
import type { RunRecord } from './records.ts';
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
  async cached(
    prepared: Prepared,
    request: RunRequest,
    options: { readonly forMs: number; readonly waits: boolean },
    answer: () => Promise<Answer>,
  ): Promise<Answer> {
    const { linked, inputHash } = prepared;
    const { revision, retain } = linked.task;
    const key = `${revision}\n${inputHash}`;
    if (options.waits) {
      for (let joined = this.#joinable.get(key); joined !== undefined; joined = this.#joinable.get(key)) {
        const source = await joined;
        if (source !== undefined) return this.#again(prepared, request, source);
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
      const found =
        retain.content === 'full'
          ? await this.#parts.recorder.findCached(revision, inputHash, sinceMs)
          : undefined;
      if (found !== undefined) {
        settle(found);
        return await this.#again(prepared, request, found);
      }
      const given = await answer();
      if (given.kind === 'result') settle(undefined);
      else
        void given.started.result.then(
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
  async ofRun(runId: string, prepared: Prepared, request: RunRequest): Promise<Answer | undefined> {
    const live = this.#runs.started(runId);
    const { content } = prepared.linked.task.retain;
    const source =
      live !== undefined
        ? succeeded(await live.result)
        : content === 'full'
          ? await this.#parts.history.run(runId)
          : undefined;
    return source?.status === 'succeeded' ? this.#again(prepared, request, source) : undefined;
  }

  /** A run of its own that called nobody, with another's output. */
  async #again(prepared: Prepared, request: RunRequest, source: RunRecord): Promise<Answer> {
    const { clock, random, recorder } = this.#parts;
    const nowMs = clock.nowMs();
    const id = newId('run', clock, random);
    const opened: RunRecord = {
      ...openedRecord({ id, prepared, request, durable: false, nowMs }),
      cached: true,
    };
    const run: RunRecord = {
      ...opened,
      status: 'succeeded',
      output: source.output,
      // What an answer given again saves is what its source cost, however often it is given.
      savedNanoUsd: source.cached ? source.savedNanoUsd : source.costNanoUsd,
      finishedAtMs: nowMs,
      latencyMs: 0,
    };
    recorder.openRun(opened).catch(() => undefined);
    await recorder.finishRun(run);
    const result: RunResult = { kind: 'run', snapshot: { run, steps: [], attempts: [] } };
    request.onEvent?.({ type: 'finished', runId: run.id, atMs: nowMs, result });
    return { kind: 'result', result };
  }
}

/** The run that may be answered with again; undefined: it is no answer. */
function succeeded(result: RunResult): RunRecord | undefined {
  return result.kind === 'run' && result.snapshot.run.status === 'succeeded'
    ? result.snapshot.run
    : undefined;
}
