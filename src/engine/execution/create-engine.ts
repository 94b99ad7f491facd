// The Engine: admits requests, runs tasks on the runtime, joins what is the same, continues what a restart cut off.
import { newId } from '../../common/ids.ts';
import { errorText } from '../../errors/catalogue.ts';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { Allowance } from './allowance.ts';
import { planDryRun } from './dry-run.ts';
import type { Engine, RunEvent, RunRequest, RunResult } from './engine.ts';
import { createInterpreter } from './execute.ts';
import { LiveRun } from './live-run.ts';
import { LiveRuns } from './live-runs.ts';
import type { Answer, Started } from './live-runs.ts';
import type { EngineParts } from './parts.ts';
import { prepare } from './prepare.ts';
import type { Prepared } from './prepare.ts';
import { keyReused, loopDetected, spendingPaused } from './results.ts';
import { continueRun, snapshotOf } from './resume.ts';
import { Reuse } from './reuse.ts';
import { openedRecord } from './run-record.ts';

/** Starts the runtime; runs that a restart cut off wait for `resume`. */
export function createEngine(parts: EngineParts): Engine {
  return new RunEngine(parts);
}

class RunEngine implements Engine {
  readonly #parts: EngineParts;
  readonly #runs: LiveRuns;
  readonly #reuse: Reuse;
  /** Requests with an idempotency key whose row is not committed yet: the same key joins. */
  readonly #keyed = new Map<
    string,
    { readonly task: string; readonly inputHash: string; readonly answer: Promise<Answer> }
  >();
  #stopping = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#runs = new LiveRuns(parts);
    this.#reuse = new Reuse(parts, this.#runs);
    void parts.runtime.start(createInterpreter(parts, this.#runs));
  }

  async run(request: RunRequest): Promise<RunResult> {
    this.#mustTakeRuns();
    const prepared = this.#prepare(request);
    if (!prepared.ok) return prepared.error;
    const answer = await this.#answer(prepared.value, request, false);
    return answer.kind === 'started' ? await answer.started.result : answer.result;
  }

  async start(request: RunRequest): ReturnType<Engine['start']> {
    this.#mustTakeRuns();
    const prepared = this.#prepare(request);
    if (!prepared.ok) return prepared.error;
    const answer = await this.#answer(prepared.value, request, true);
    if (answer.kind === 'result') {
      const { result } = answer;
      return result.kind === 'run' ? { kind: 'started', run: result.snapshot.run } : result;
    }
    // What is promised to survive a crash has to be written first; a LedgerUnavailable is thrown, and nothing was called.
    await answer.started.opened;
    return { kind: 'started', run: answer.started.run.record };
  }

  async dryRun(request: RunRequest): ReturnType<Engine['dryRun']> {
    const prepared = prepare(this.#parts.currentPlan(), request, this.#parts.clock.nowMs());
    if (!prepared.ok) return prepared.error;
    return planDryRun(this.#parts, prepared.value, request);
  }

  cancel(runId: string, reason: string): Promise<boolean> {
    return this.#parts.runtime.cancel(runId, reason, 'operator');
  }

  subscribe(runId: string, listener: (event: RunEvent) => void): () => void {
    return this.#runs.get(runId)?.listen(listener) ?? (() => undefined);
  }

  running(): number {
    return this.#runs.size;
  }

  async drain(drainMs: number): Promise<void> {
    this.#stopping = true;
    await this.#parts.runtime.stop({ drainMs });
    await this.#runs.settled();
  }

  async resume(): Promise<number> {
    const records = await this.#parts.recorder.unfinished();
    let resumed = 0;
    for (const record of records) {
      // A child goes on with its parent.
      if (record.parentRunId !== null || this.#runs.started(record.id) !== undefined) continue;
      await continueRun(this.#parts, this.#runs, record);
      resumed += 1;
    }
    return resumed;
  }

  #prepare(request: RunRequest): ReturnType<typeof prepare> {
    if (request.options?.dryRun === true) throw new Error('a dry run is asked for with Engine.dryRun');
    return prepare(this.#parts.currentPlan(), request, this.#parts.clock.nowMs());
  }

  #mustTakeRuns(): void {
    if (!this.#stopping) return;
    const { code, message, remedy } = errorText('SHUTTING_DOWN', {});
    throw new HeadgateError(code, message, remedy);
  }

  #answer(prepared: Prepared, request: RunRequest, durable: boolean): Promise<Answer> {
    const { idempotencyKey, linked, inputHash } = prepared;
    if (idempotencyKey === null) return this.#admit(prepared, request, durable);
    const mapKey = `${request.caller.name}\n${idempotencyKey}`;
    const known = this.#keyed.get(mapKey);
    if (known !== undefined) {
      const same = known.task === linked.task.name && known.inputHash === inputHash;
      return same ? known.answer : Promise.resolve({ kind: 'result', result: keyReused(idempotencyKey) });
    }
    const answer = this.#once(idempotencyKey, prepared, request, durable);
    this.#keyed.set(mapKey, { task: linked.task.name, inputHash, answer });
    const forget = (): void => {
      this.#keyed.delete(mapKey);
    };
    // From the commit of its row on, the ledger knows the key.
    answer
      .then((given) => (given.kind === 'started' ? given.started.opened : undefined))
      .then(forget, forget);
    return answer;
  }

  /** The run that was made with this key before, whatever became of it; else a new one. */
  async #once(key: string, prepared: Prepared, request: RunRequest, durable: boolean): Promise<Answer> {
    const record = await this.#parts.recorder.findByIdempotencyKey(request.caller.name, key);
    if (record === undefined) return this.#admit(prepared, request, durable);
    if (record.task !== prepared.linked.task.name || record.inputHash !== prepared.inputHash) {
      return { kind: 'result', result: keyReused(key) };
    }
    const live = this.#runs.started(record.id);
    if (live !== undefined) return { kind: 'started', started: live };
    if (record.finishedAtMs !== null)
      return { kind: 'result', result: await snapshotOf(this.#parts, record) };
    return { kind: 'started', started: await continueRun(this.#parts, this.#runs, record) };
  }

  #admit(prepared: Prepared, request: RunRequest, durable: boolean): Promise<Answer> {
    const { task } = prepared.linked;
    const off = this.#parts.guards.switchFor(['all', `task:${task.name}`, `caller:${request.caller.name}`]);
    if (off !== undefined) return Promise.resolve({ kind: 'result', result: spendingPaused(off) });
    const guarded = (): Promise<Answer> => this.#guard(prepared, request, durable);
    if (task.cache === null || request.options?.noCache === true) return guarded();
    // Who only starts a run is answered at once, and waits for nobody.
    return this.#reuse.cached(prepared, request, { forMs: task.cache.forMs, waits: !durable }, guarded);
  }

  async #guard(prepared: Prepared, request: RunRequest, durable: boolean): Promise<Answer> {
    const { guards, clock, random } = this.#parts;
    const { task } = prepared.linked;
    const runId = newId('run', clock, random);
    const admission = guards.admit({
      runId,
      task: task.name,
      caller: request.caller.name,
      inputHash: prepared.loopHash,
      loop: task.loop,
    });
    switch (admission.kind) {
      case 'pass':
        break;
      case 'paused':
        return { kind: 'result', result: spendingPaused(admission.switch) };
      case 'reject':
        return { kind: 'result', result: loopDetected(task.name, admission) };
      case 'reuse': {
        const reused = await this.#reuse.ofRun(admission.runId, prepared, request);
        // Without an answer to give again, running it once more is what the loop wants.
        return reused ?? { kind: 'result', result: loopDetected(task.name, admission) };
      }
    }
    return { kind: 'started', started: this.#begin(runId, prepared, request, durable) };
  }

  #begin(runId: string, prepared: Prepared, request: RunRequest, asked: boolean): Started {
    // Asked again: the ledger may have been read since the request came.
    this.#mustTakeRuns();
    const { clock, recorder } = this.#parts;
    const { plan, linked, input, tags, limits, loopHash } = prepared;
    const { caller, signal, onEvent, stream = false } = request;
    // A keyed run is asked for again after a crash: it goes on by itself, so that the second request finds its answer.
    const durable = asked || prepared.idempotencyKey !== null;
    const startedAtMs = clock.monotonicMs();
    const { deadlineMs, attempts, costNanoUsd } = limits;
    const allowance = new Allowance({ deadlineAtMs: startedAtMs + deadlineMs, attempts, costNanoUsd });
    const record = openedRecord({ id: runId, prepared, request, durable, nowMs: clock.nowMs() });
    const run = new LiveRun({
      record,
      plan,
      linked,
      caller,
      tags,
      input,
      allowance,
      stream,
      parent: null,
      resumed: false,
      startedAtMs,
    });
    if (onEvent !== undefined) run.listen(onEvent);
    if (run.watched) run.emit({ type: 'queued', runId, atMs: record.startedAtMs });
    const opened = recorder.openRun(record);
    // Not awaited: the row of the first attempt comes after it, and is.
    opened.catch(() => undefined);
    const ownSignal = signal === undefined || asked ? {} : { signal };
    return this.#runs.begin(run, { opened, loopHash, resumed: false, deadlineMs, ...ownSignal });
  }
}
