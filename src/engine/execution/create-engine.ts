// The Engine: admits requests, runs tasks on the runtime, joins what is the same, continues what a restart cut off.
import { newId } from '../../common/ids.ts';
import { errorText } from '../../errors/catalogue.ts';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { planDryRun } from './dry-run.ts';
import type { Engine, RunEvent, RunRequest, RunResult } from './port.ts';
import { LiveRun } from './live-run.ts';
import { LiveRuns } from './live-runs.ts';
import type { EngineParts } from './engine-parts.ts';
import { prepare } from './prepare.ts';
import type { Prepared } from './prepare.ts';
import type { RunRecord, StepRecord } from './records.ts';
import { keyReused, loopDetected, spendingPaused } from './results.ts';
import { continueRun, snapshotOf } from './resume.ts';
import { Reuse } from './reuse.ts';
import { openedRecord } from './run-record.ts';
import { spendScopes } from './spend-scope.ts';

/** Runs that a restart cut off wait for `resume`. */
export function createEngine(parts: EngineParts): Engine {
  return new RunEngine(parts);
}

/** What a request comes to: a run in this process, one that waits or that another node runs, or a result without one. */
type RunAnswer = LiveRun | { readonly kind: 'elsewhere'; readonly run: RunRecord } | RunResult;

class RunEngine implements Engine {
  readonly #parts: EngineParts;
  readonly #runs: LiveRuns;
  readonly #reuse: Reuse;
  /** Requests with an idempotency key whose row is not written yet: the same key joins. */
  readonly #keyed = new Map<string, { readonly prepared: Prepared; readonly answer: Promise<RunAnswer> }>();
  #stopping = false;
  /** Durable runs that have a place here. */
  #durable = 0;
  /** Whether there may be some that wait for one. */
  #mayWait = false;
  #taking: Promise<number> | undefined;
  /** Runs that were taken and could not be read: they are this process's own. */
  #taken: RunRecord[] = [];
  /** Runs whose row is asked for, and which begin when it is there. */
  readonly #opening = new Set<string>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#runs = new LiveRuns(parts);
    this.#reuse = new Reuse(parts, this.#runs);
  }

  async run(request: RunRequest): Promise<RunResult> {
    const answer = await this.#answer(request, false);
    if (answer instanceof LiveRun) return answer.ended;
    return answer.kind === 'elsewhere' ? this.#endOf(answer.run, request.signal) : answer;
  }

  async start(request: RunRequest): ReturnType<Engine['start']> {
    const answer = await this.#answer(request, true);
    if (answer instanceof LiveRun) {
      // What is promised to survive a crash has to be written first; a LedgerUnavailable is thrown, and nothing was called.
      await answer.opened;
      return { kind: 'started', run: answer.record };
    }
    if (answer.kind === 'elsewhere') return { kind: 'started', run: answer.run };
    return answer.kind === 'run' ? { kind: 'started', run: answer.snapshot.run } : answer;
  }

  async #answer(request: RunRequest, durable: boolean): Promise<RunAnswer | RunResult> {
    const preparing = this.#prepare(request);
    const prepared = preparing instanceof Promise ? await preparing : preparing;
    if (!prepared.ok) return prepared.error;
    const { value } = prepared;
    return value.idempotencyKey === null
      ? this.#admit(value, durable)
      : this.#once(value, value.idempotencyKey, durable);
  }

  /** Of a run that waits, or that another node runs: who goes away leaves it at that. */
  async #endOf({ id }: RunRecord, signal: AbortSignal | undefined): Promise<RunResult> {
    return snapshotOf(this.#parts, await this.#parts.history.ended(id, signal));
  }

  async again(runId: string): ReturnType<Engine['again']> {
    const { history } = this.#parts;
    const record = await history.run(runId);
    if (record === undefined || record.finishedAtMs === null || record.input === null) return undefined;
    if (record.confidential === true || record.parentRunId !== null) return undefined;
    const { caller, tags, task, input } = record;
    const prepared = await this.#prepare({
      task,
      input: input as Prepared['input'],
      caller: { ...caller, tags, scopes: [`run:${task}`], keyId: null },
    });
    if (!prepared.ok) return prepared.error;
    const isSame = prepared.value.linked.task.revision === record.taskRevision;
    const done = isSame ? await history.stepsUnder(runId) : [];
    const answer = await this.#begin(
      prepared.value,
      true,
      done
        .filter(({ status }) => status === 'succeeded' || status === 'skipped')
        .map((step) => ({ ...step, runId: step.runId.slice(runId.length) })),
    );
    if (!(answer instanceof LiveRun))
      return answer.kind === 'run' || answer.kind === 'elsewhere' ? undefined : answer;
    await answer.opened;
    return { kind: 'started', run: answer.record };
  }

  async dryRun(request: RunRequest): ReturnType<Engine['dryRun']> {
    const prepared = await prepare(this.#parts, request);
    return prepared.ok ? await planDryRun(this.#parts, prepared.value) : prepared.error;
  }

  async cancel(runId: string, reason: string): Promise<boolean> {
    if (this.cancelHere(runId, reason)) return true;
    // One that waits is begun only to end.
    const [waiting] = await this.#parts.recorder.takeWaiting(1, runId);
    if (waiting !== undefined) {
      await this.#continue({ ...waiting, cancelReason: reason });
      return true;
    }
    return (await this.#parts.cancelElsewhere?.(runId, reason)) ?? false;
  }

  cancelHere(runId: string, reason: string): boolean {
    return this.#runs.cancel(runId, reason);
  }

  subscribe(runId: string, listener: (event: RunEvent) => void): (() => void) | undefined {
    return this.#runs.get(runId)?.listen(listener);
  }

  has(runId: string): boolean {
    return this.#runs.get(runId) !== undefined;
  }

  expect(runId: string, listener: (event: RunEvent) => void): () => void {
    return this.#runs.listen(runId, listener);
  }

  onContinued(listener: (event: RunEvent) => void): void {
    this.#runs.continued.add(listener);
  }

  running(): number {
    return this.#runs.asked().length;
  }

  async drain(drainMs: number): Promise<void> {
    this.#stopping = true;
    this.#runs.stop();
    await this.#parts.runtime.stop({ drainMs });
    await Promise.allSettled(this.#runs.asked().map(({ ended }) => ended));
    this.#parts.thread.close();
  }

  async resume(): Promise<number> {
    this.#mayWait = true;
    // One at a time: what was taken counts before more is asked for.
    while (this.#taking !== undefined) await this.#taking.catch(() => undefined);
    const taking = this.#takeWaiting();
    this.#taking = taking;
    try {
      return await taking;
    } finally {
      this.#taking = undefined;
    }
  }

  async #takeWaiting(): Promise<number> {
    let begun = 0;
    for (let room = this.#room(); this.#mayWait && room > 0 && !this.#stopping; room = this.#room()) {
      this.#mayWait = false;
      const records = await this.#parts.recorder.takeWaiting(room);
      this.#taken.push(...records);
      for (let record = this.#taken.shift(); record !== undefined; record = this.#taken.shift()) {
        if (this.#runs.get(record.id) !== undefined || this.#opening.has(record.id)) continue;
        await this.#continue(record);
        begun += 1;
      }
      if (records.length >= room) this.#mayWait = true;
    }
    return begun;
  }

  /** One that was taken and cannot be read is tried again when more are looked for: nobody else has it. */
  async #continue(record: RunRecord): Promise<LiveRun | RunResult> {
    try {
      const run = await continueRun(this.#parts, this.#runs, record);
      this.#whenOver(run);
      return run;
    } catch (error) {
      this.#taken.push(record);
      this.#mayWait = true;
      throw error;
    }
  }

  #room(): number {
    return this.#parts.durableRuns - this.#durable;
  }

  /** It has taken a place, and the next that waits has it after it. */
  #whenOver(run: LiveRun | RunResult): void {
    if (!(run instanceof LiveRun)) return;
    this.#durable += 1;
    const over = (): void => {
      this.#durable -= 1;
      if (this.#mayWait && !this.#stopping) this.resume().catch(() => undefined);
    };
    run.ended.then(over, over);
  }

  #prepare(request: RunRequest): ReturnType<typeof prepare> {
    this.#mustTakeRuns();
    if (request.options?.dryRun === true) throw new Error('a dry run is asked for with Engine.dryRun');
    return prepare(this.#parts, request);
  }

  #mustTakeRuns(): void {
    if (!this.#stopping) return;
    const { code, message, remedy } = errorText('SHUTTING_DOWN', {});
    throw new HeadgateError(code, message, remedy);
  }

  /** One answer for all requests of a caller with the same key. */
  async #once(prepared: Prepared, key: string, durable: boolean): Promise<RunAnswer> {
    const mapKey = `${prepared.request.caller.name}\n${key}`;
    const known = this.#keyed.get(mapKey);
    if (known !== undefined) return sameRequest(known.prepared, prepared) ? known.answer : keyReused(key);
    const answer = this.#madeBefore(prepared, key).then((made) => made ?? this.#admit(prepared, durable));
    this.#keyed.set(mapKey, { prepared, answer });
    const forget = (): void => {
      this.#keyed.delete(mapKey);
    };
    // From the commit of its row on, the ledger knows the key.
    answer.then((given) => (given instanceof LiveRun ? given.opened : undefined)).then(forget, forget);
    return answer;
  }

  /** The run that was made with this key before, whatever became of it; undefined: there is none. */
  async #madeBefore(prepared: Prepared, key: string): Promise<RunAnswer | undefined> {
    const record = await this.#parts.recorder.findByIdempotencyKey(prepared.request.caller.name, key);
    if (record === undefined) return undefined;
    const { linked, inputHash } = prepared;
    if (record.task !== linked.task.name || record.inputHash !== inputHash) return keyReused(key);
    const live = this.#runs.get(record.id);
    if (live !== undefined) return live;
    if (record.finishedAtMs !== null) return snapshotOf(this.#parts, record);
    // Who asks for it wants it now: it waits no longer for a place.
    const [taken] = await this.#parts.recorder.takeWaiting(1, record.id);
    if (taken === undefined) return this.#runs.get(record.id) ?? { kind: 'elsewhere', run: record };
    return this.#continue(taken);
  }

  /** Who only starts a run (`durable`) is answered at once, and waits for nobody. */
  async #admit(prepared: Prepared, durable: boolean): Promise<RunAnswer> {
    const { request, linked } = prepared;
    const { name, cache } = linked.task;
    const off = this.#parts.guards.switchFor(spendScopes(name, request.caller.name));
    if (off !== undefined) return spendingPaused(off);
    if (cache === null || request.options?.noCache === true) return this.#begin(prepared, durable);
    const options = { forMs: cache.forMs, waits: !durable };
    return this.#reuse.cached(prepared, options, () => this.#begin(prepared, durable));
  }

  /** Asks the loop guard, and begins the run. `done`: what an earlier run of the same has done, with what follows its id in the ids of runs. */
  async #begin(prepared: Prepared, durable: boolean, done: readonly StepRecord[] = []): Promise<RunAnswer> {
    const { guards, clock, random, recorder } = this.#parts;
    const { request, plan, linked, input, limits, inputHash, loopTraces, idempotencyKey } = prepared;
    const { caller, onEvent, stream = false, texts = 'output', exchange } = request;
    const { name, loop } = linked.task;
    const id = newId('run', clock, random);
    const admission = guards.admit({
      runId: id,
      task: name,
      caller: caller.name,
      session: caller.session,
      inputHash,
      guards: loop?.guards ?? [],
      traces: loopTraces,
    });
    if (admission.kind === 'paused') return spendingPaused(admission.switch);
    if (admission.kind === 'reject') return loopDetected(name, admission);
    // Without an answer to give again, running it once more is what the loop wants. What an exchange was answered is not kept.
    if (admission.kind === 'reuse' && exchange !== undefined) return loopDetected(name, admission);
    if (admission.kind === 'reuse')
      return (await this.#reuse.ofRun(admission.runId, prepared)) ?? loopDetected(name, admission);

    // Asked again: the ledger may have been read since the request came.
    this.#mustTakeRuns();
    // A keyed run is asked for again after a crash: it goes on by itself, so that the second request finds its answer.
    const isDurable = durable || idempotencyKey !== null;
    const opened = openedRecord(id, prepared, isDurable, clock.nowMs());
    // What is done has to be there before anybody takes it: such a run waits for no room.
    if (durable && done.length === 0 && this.#room() <= 0) {
      const waiting: RunRecord = { ...opened, status: 'queued', begun: 0 };
      this.#mayWait = true;
      return (await this.#open(waiting, prepared)) ?? { kind: 'elsewhere', run: waiting };
    }
    const run = new LiveRun({
      record: opened,
      plan,
      linked,
      caller,
      input,
      limits,
      texts: stream ? texts : 'none',
      exchange,
      parent: null,
      loopTraces,
      resumed: done.length > 0,
      startedAtMs: clock.monotonicMs(),
    });
    if (onEvent !== undefined) run.listen(onEvent);
    if (idempotencyKey === null) {
      run.opened = recorder.openRun(opened);
      // Not awaited: the row of the first attempt comes after it, and is.
      run.opened.catch(() => undefined);
    } else {
      const before = await this.#open(opened, prepared);
      if (before !== undefined) return before;
    }
    if (done.length > 0) {
      const before = done.map((step) => ({ ...step, runId: `${id}${step.runId}` }));
      run.steps.push(...before.filter(({ runId }) => runId === id));
      // They are looked for as soon as it begins.
      await Promise.all(before.map((step) => recorder.recordStep(step)));
    }
    if (run.watched) run.emit({ type: 'queued', runId: id, atMs: opened.startedAtMs });
    this.#runs.begin(run, durable ? undefined : request.signal);
    if (isDurable) this.#whenOver(run);
    return run;
  }

  /** Awaits the row of a run. Where another node has used its key meanwhile: the run that was made with it. */
  async #open(record: RunRecord, prepared: Prepared): Promise<RunAnswer | undefined> {
    // What waits may be taken as soon as it is written.
    if (record.status !== 'queued') this.#opening.add(record.id);
    try {
      await this.#parts.recorder.openRun(record);
      return undefined;
    } catch (error) {
      const { idempotencyKey } = record;
      if (idempotencyKey === null || !(error instanceof HeadgateError) || error.code !== KEY_USED)
        throw error;
      const before = await this.#madeBefore(prepared, idempotencyKey);
      if (before === undefined) throw error;
      return before;
    } finally {
      this.#opening.delete(record.id);
    }
  }
}

/** What the ledger says of a row whose caller has used its key before. */
const KEY_USED = 'IDEMPOTENCY_KEY_USED';

function sameRequest(one: Prepared, other: Prepared): boolean {
  return one.linked.task.name === other.linked.task.name && one.inputHash === other.inputHash;
}
