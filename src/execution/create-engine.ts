// The Engine: admits requests, runs tasks on the runtime, joins what is the same, continues what a restart cut off.
import { newId } from '../common/ids.ts';
import { errorText } from '../errors/catalogue.ts';
import { HeadgateError } from '../errors/headgate-error.ts';
import { LedgerUnavailable } from '../errors/ledger-unavailable.ts';
import { Allowance } from './allowance.ts';
import { decodeContinuation, encodeContinuation } from './continuation.ts';
import { planDryRun } from './dry-run.ts';
import type { Engine, RunEvent, RunRequest, RunResult } from './engine.ts';
import { createInterpreter } from './execute.ts';
import type { Runs } from './execute.ts';
import { failed } from './failure.ts';
import { linkTask } from './link.ts';
import { LiveRun } from './live-run.ts';
import type { EngineParts } from './parts.ts';
import { prepare } from './prepare.ts';
import type { Prepared } from './prepare.ts';
import type { RunRecord } from './records.ts';
import { keyReused, loopDetected, spendingPaused } from './results.ts';
import { inputKept } from './run-record.ts';
import { kept } from './retention.ts';
import { LiveRuns } from './live-runs.ts';
import type { Started } from './live-runs.ts';

/** Starts the runtime; runs that a restart cut off wait for `resume`. */
export function createEngine(parts: EngineParts): Engine {
  return new RunEngine(parts);
}

class RunEngine implements Engine {
  readonly #parts: EngineParts;
  readonly #runs: LiveRuns;
  /** Requests with an idempotency key that are being answered: the same key joins. */
  readonly #keyed = new Map<
    string,
    { readonly task: string; readonly inputHash: string; readonly answer: Promise<Answer> }
  >();
  /** Runs whose answer may be given to an identical request that comes meanwhile. */
  readonly #joinable = new Map<string, Promise<RunRecord | undefined>>();
  #stopping = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#runs = new LiveRuns(parts);
    void parts.runtime.start(createInterpreter(parts, this.#runs satisfies Runs));
  }

  async run(request: RunRequest): Promise<RunResult> {
    this.#mustTakeRuns(request);
    const prepared = prepare(this.#parts.currentPlan(), request, this.#parts.clock.nowMs());
    if (!prepared.ok) return prepared.error;
    const answer = await this.#answer(prepared.value, request, false);
    return answer.kind === 'started' ? answer.started.result : answer.result;
  }

  async start(request: RunRequest): ReturnType<Engine['start']> {
    this.#mustTakeRuns(request);
    const prepared = prepare(this.#parts.currentPlan(), request, this.#parts.clock.nowMs());
    if (!prepared.ok) return prepared.error;
    const answer = await this.#answer(prepared.value, request, true);
    if (answer.kind === 'started') {
      try {
        await answer.started.opened;
      } catch (error) {
        if (!(error instanceof LedgerUnavailable)) throw error;
        // What was promised to survive a crash has to be written: nothing was started.
        throw new HeadgateError(error.code, error.message, error.remedy, { cause: error });
      }
      return { kind: 'started', run: answer.started.run.record };
    }
    return answer.result.kind === 'run'
      ? { kind: 'started', run: answer.result.snapshot.run }
      : answer.result;
  }

  async dryRun(request: RunRequest): ReturnType<Engine['dryRun']> {
    const prepared = prepare(this.#parts.currentPlan(), request, this.#parts.clock.nowMs());
    if (!prepared.ok) return prepared.error;
    return planDryRun(this.#parts, prepared.value, request);
  }

  async cancel(runId: string, reason: string): Promise<boolean> {
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
      if (record.parentRunId !== null || this.#runs.get(record.id) !== undefined) continue;
      await this.#continue(record);
      resumed += 1;
    }
    return resumed;
  }

  #mustTakeRuns({ options }: RunRequest): void {
    if (options?.dryRun === true) throw new Error('a dry run is asked for with Engine.dryRun');
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
      if (known.task !== linked.task.name || known.inputHash !== inputHash)
        return Promise.resolve({ kind: 'result', result: keyReused(idempotencyKey) });
      return known.answer;
    }
    const answer = this.#once(idempotencyKey, prepared, request, durable);
    this.#keyed.set(mapKey, { task: linked.task.name, inputHash, answer });
    const forget = (): void => {
      this.#keyed.delete(mapKey);
    };
    // Kept until its row is committed: from then on the ledger knows the key.
    answer
      .then((given) => (given.kind === 'started' ? given.started.opened : undefined))
      .then(forget, forget);
    return answer;
  }

  /** The run that was made with this key before, whatever became of it; else a new one. */
  async #once(key: string, prepared: Prepared, request: RunRequest, durable: boolean): Promise<Answer> {
    const record = await this.#parts.recorder.findByIdempotencyKey(request.caller.name, key);
    if (record === undefined) return this.#admit(prepared, request, durable);
    if (record.task !== prepared.linked.task.name || record.inputHash !== prepared.inputHash)
      return { kind: 'result', result: keyReused(key) };
    const live = this.#runs.started(record.id);
    if (live !== undefined) return { kind: 'started', started: live };
    if (record.finishedAtMs === null) return { kind: 'started', started: await this.#continue(record) };
    return { kind: 'result', result: await this.#snapshot(record) };
  }

  async #snapshot(run: RunRecord): Promise<RunResult> {
    const { history } = this.#parts;
    const [steps, attempts] = await Promise.all([history.stepsOf([run.id]), history.attemptsOf([run.id])]);
    return {
      kind: 'run',
      snapshot: { run, steps: steps.get(run.id) ?? [], attempts: attempts.get(run.id) ?? [] },
    };
  }

  async #admit(prepared: Prepared, request: RunRequest, durable: boolean): Promise<Answer> {
    const { guards } = this.#parts;
    const { task } = prepared.linked;
    const off = guards.switchFor(['all', `task:${task.name}`, `caller:${request.caller.name}`]);
    if (off !== undefined) return { kind: 'result', result: spendingPaused(off) };
    if (task.cache === null || request.options?.noCache === true)
      return this.#guard(prepared, request, durable);
    return this.#cached(prepared, request, durable, task.cache.forMs);
  }

  /**
   * An identical request that is being answered is joined; else the newest answer that is young enough is given again; else this one is answered, and
   * may be joined. Between the look and the entry nothing is awaited, so that of many at once only one goes first.
   */
  async #cached(prepared: Prepared, request: RunRequest, durable: boolean, forMs: number): Promise<Answer> {
    const { linked, inputHash } = prepared;
    const { revision, retain } = linked.task;
    const key = `${revision}\n${inputHash}`;
    // Who only starts a run is answered at once, and waits for nobody.
    for (
      let joined = this.#joinable.get(key);
      joined !== undefined && !durable;
      joined = this.#joinable.get(key)
    ) {
      const source = await joined;
      if (source !== undefined)
        return { kind: 'result', result: await this.#answerAgain(prepared, request, source) };
    }
    const lead = Promise.withResolvers<RunRecord | undefined>();
    if (!durable) this.#joinable.set(key, lead.promise);
    const settle = (source: RunRecord | undefined): void => {
      if (this.#joinable.get(key) === lead.promise) this.#joinable.delete(key);
      lead.resolve(source);
    };
    try {
      // A redacted or hashed output is no answer.
      const found =
        retain.content === 'full'
          ? await this.#parts.recorder.findCached(revision, inputHash, this.#parts.clock.nowMs() - forMs)
          : undefined;
      if (found !== undefined) {
        settle(found);
        return { kind: 'result', result: await this.#answerAgain(prepared, request, found) };
      }
      const answer = await this.#guard(prepared, request, durable);
      if (answer.kind === 'result') settle(undefined);
      else
        answer.started.result.then(
          (result) => settle(succeeded(result)),
          () => settle(undefined),
        );
      return answer;
    } catch (error) {
      settle(undefined);
      throw error;
    }
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
        const reused = await this.#reuse(admission.runId, prepared, request);
        if (reused !== undefined) return { kind: 'result', result: reused };
      }
    }
    return { kind: 'started', started: this.#begin(runId, prepared, request, durable) };
  }

  async #reuse(runId: string, prepared: Prepared, request: RunRequest): Promise<RunResult | undefined> {
    const live = this.#runs.started(runId);
    if (live !== undefined) {
      const source = succeeded(await live.result);
      return source === undefined ? undefined : this.#answerAgain(prepared, request, source);
    }
    if (prepared.linked.task.retain.content !== 'full') return undefined;
    const record = await this.#parts.history.run(runId);
    return record?.status === 'succeeded' ? this.#answerAgain(prepared, request, record) : undefined;
  }

  /** A run of its own that called nobody, with another's output. */
  async #answerAgain(prepared: Prepared, request: RunRequest, source: RunRecord): Promise<RunResult> {
    const { clock, random, recorder } = this.#parts;
    const { content } = prepared.linked.task.retain;
    const opened = this.#record(newId('run', clock, random), prepared, request, false);
    const nowMs = clock.nowMs();
    // What the source saved by its own choice, this one saves too; and its whole cost on top.
    const savedNanoUsd = source.cached ? source.savedNanoUsd : source.costNanoUsd;
    const run: RunRecord = {
      ...opened,
      status: 'succeeded',
      cached: true,
      output: source.output,
      savedNanoUsd,
      finishedAtMs: nowMs,
      latencyMs: Math.max(0, nowMs - opened.startedAtMs),
    };
    recorder.openRun({ ...opened, cached: true }).catch(() => undefined);
    await recorder.finishRun({ ...run, output: kept(run.output, content) });
    const result: RunResult = { kind: 'run', snapshot: { run, steps: [], attempts: [] } };
    request.onEvent?.({ type: 'finished', runId: run.id, atMs: nowMs, result });
    return result;
  }

  #record(id: string, prepared: Prepared, request: RunRequest, durable: boolean): RunRecord {
    const { plan, linked, input, inputHash, tags, limits, idempotencyKey } = prepared;
    const { caller } = request;
    return {
      id,
      task: linked.task.name,
      revision: plan.hash,
      taskRevision: linked.task.revision,
      status: 'running',
      caller: { name: caller.name, team: caller.team, tier: caller.tier },
      tags,
      idempotencyKey,
      parentRunId: null,
      durable,
      continuation: durable ? encodeContinuation({ caller, limits }) : null,
      input: inputKept(linked.task, input, durable),
      inputHash,
      output: null,
      error: null,
      costNanoUsd: 0n,
      savedNanoUsd: 0n,
      cached: false,
      startedAtMs: this.#parts.clock.nowMs(),
      finishedAtMs: null,
      latencyMs: null,
    };
  }

  #begin(runId: string, prepared: Prepared, request: RunRequest, asked: boolean): Started {
    const { clock, recorder } = this.#parts;
    const { plan, linked, input, tags, limits, loopHash } = prepared;
    const { caller, signal, onEvent, stream = false } = request;
    // A keyed run is asked for again after a crash: it goes on by itself, so that the second request finds its answer.
    const durable = asked || prepared.idempotencyKey !== null;
    const startedAtMs = clock.monotonicMs();
    const allowance = new Allowance({
      deadlineAtMs: startedAtMs + limits.deadlineMs,
      attempts: limits.attempts,
      costNanoUsd: limits.costNanoUsd,
    });
    const record = this.#record(runId, prepared, request, durable);
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
      startedAtMs,
    });
    if (onEvent !== undefined) run.listen(onEvent);
    if (run.watched) run.emit({ type: 'queued', runId, atMs: record.startedAtMs });
    const opened = recorder.openRun(record);
    opened.catch(() => undefined);
    return this.#runs.begin(run, {
      opened,
      loopHash,
      resumed: false,
      deadlineMs: limits.deadlineMs,
      ...(signal === undefined || asked ? {} : { signal }),
    });
  }

  /** Goes on from the receipts, with a new deadline (it was not the run that stood still) and what is left of attempts and dollars. */
  async #continue(record: RunRecord): Promise<Started> {
    const { clock, history, planByHash, recorder } = this.#parts;
    const plan = await planByHash(record.revision);
    const task = plan?.tasks[record.task];
    const live = this.#runs.started(record.id);
    if (live !== undefined) return live;
    if (plan === undefined || task === undefined || record.continuation === null || record.input === null) {
      return this.#lost(record);
    }
    const { caller, limits } = decodeContinuation(record.continuation);
    const startedAtMs = clock.monotonicMs();
    const allowance = new Allowance({
      deadlineAtMs: startedAtMs + limits.deadlineMs,
      attempts: limits.attempts,
      costNanoUsd: limits.costNanoUsd,
    });
    const input = record.input as Prepared['input'];
    const run = new LiveRun({
      record,
      plan,
      linked: linkTask(task),
      caller,
      tags: record.tags,
      input,
      allowance,
      stream: false,
      parent: null,
      startedAtMs,
    });
    const [before, steps] = await Promise.all([
      history.attemptsOf([record.id]),
      recorder.receipts(record.id),
    ]);
    const raced = this.#runs.started(record.id);
    if (raced !== undefined) return raced;
    for (const attempt of before.get(record.id) ?? []) {
      run.attempts.push(attempt);
      const unknown = attempt.status === 'open' || attempt.status === 'unreconciled';
      allowance.resume(1, unknown ? attempt.heldNanoUsd : attempt.costNanoUsd);
    }
    run.steps.push(...steps.values());
    return this.#runs.begin(run, {
      opened: Promise.resolve(),
      loopHash: null,
      resumed: true,
      deadlineMs: limits.deadlineMs,
    });
  }

  /** A run that nothing is known about any more but its row. */
  async #lost(record: RunRecord): Promise<Started> {
    const { clock, recorder } = this.#parts;
    const { error } = failed('REVISION_UNKNOWN', { revision: record.revision });
    const run: RunRecord = {
      ...record,
      status: 'failed',
      error,
      finishedAtMs: clock.nowMs(),
      latencyMs: Math.max(0, clock.nowMs() - record.startedAtMs),
    };
    await recorder.finishRun(run);
    return { run: { record: run }, opened: Promise.resolve(), result: this.#snapshot(run) };
  }
}

/** The run that may be answered with again; undefined: it is no answer. */
function succeeded(result: RunResult): RunRecord | undefined {
  return result.kind === 'run' && result.snapshot.run.status === 'succeeded'
    ? result.snapshot.run
    : undefined;
}

type Answer =
  | { readonly kind: 'started'; readonly started: Started }
  | { readonly kind: 'result'; readonly result: RunResult };
