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
import { keyReused, loopDetected, spendingPaused } from './results.ts';
import { continueRun, snapshotOf } from './resume.ts';
import { Reuse } from './reuse.ts';
import { openedRecord } from './run-record.ts';
import { spendScopes } from './spend-scope.ts';

/** Runs that a restart cut off wait for `resume`. */
export function createEngine(parts: EngineParts): Engine {
  return new RunEngine(parts);
}

/** What a request comes to: a run in this process, or a result without one. */
type Answer = LiveRun | RunResult;

class RunEngine implements Engine {
  readonly #parts: EngineParts;
  readonly #runs: LiveRuns;
  readonly #reuse: Reuse;
  /** Requests with an idempotency key whose row is not written yet: the same key joins. */
  readonly #keyed = new Map<string, { readonly prepared: Prepared; readonly answer: Promise<Answer> }>();
  #stopping = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#runs = new LiveRuns(parts);
    this.#reuse = new Reuse(parts, this.#runs);
  }

  async run(request: RunRequest): Promise<RunResult> {
    const preparing = this.#prepare(request);
    const prepared = preparing instanceof Promise ? await preparing : preparing;
    if (!prepared.ok) return prepared.error;
    const { value } = prepared;
    const answer = await (value.idempotencyKey === null
      ? this.#admit(value, false)
      : this.#once(value, value.idempotencyKey, false));
    return answer instanceof LiveRun ? await answer.ended : answer;
  }

  async start(request: RunRequest): ReturnType<Engine['start']> {
    const preparing = this.#prepare(request);
    const prepared = preparing instanceof Promise ? await preparing : preparing;
    if (!prepared.ok) return prepared.error;
    const { value } = prepared;
    const answer = await (value.idempotencyKey === null
      ? this.#admit(value, true)
      : this.#once(value, value.idempotencyKey, true));
    if (!(answer instanceof LiveRun))
      return answer.kind === 'run' ? { kind: 'started', run: answer.snapshot.run } : answer;
    // What is promised to survive a crash has to be written first; a LedgerUnavailable is thrown, and nothing was called.
    await answer.opened;
    return { kind: 'started', run: answer.record };
  }

  async dryRun(request: RunRequest): ReturnType<Engine['dryRun']> {
    const prepared = await prepare(this.#parts, request);
    return prepared.ok ? await planDryRun(this.#parts, prepared.value) : prepared.error;
  }

  async cancel(runId: string, reason: string): Promise<boolean> {
    return this.#parts.runtime.cancel(runId, reason);
  }

  subscribe(runId: string, listener: (event: RunEvent) => void): (() => void) | undefined {
    return this.#runs.get(runId)?.listen(listener);
  }

  running(): number {
    return this.#runs.asked().length;
  }

  async drain(drainMs: number): Promise<void> {
    this.#stopping = true;
    await this.#parts.runtime.stop({ drainMs });
    await Promise.allSettled(this.#runs.asked().map(({ ended }) => ended));
    this.#parts.thread.close();
  }

  async resume(): Promise<number> {
    const records = await this.#parts.recorder.unfinished();
    let resumed = 0;
    for (const record of records) {
      // A child goes on with its parent.
      if (record.parentRunId !== null || this.#runs.get(record.id) !== undefined) continue;
      await continueRun(this.#parts, this.#runs, record);
      resumed += 1;
    }
    return resumed;
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
  async #once(prepared: Prepared, key: string, durable: boolean): Promise<Answer> {
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
  async #madeBefore(prepared: Prepared, key: string): Promise<Answer | undefined> {
    const record = await this.#parts.recorder.findByIdempotencyKey(prepared.request.caller.name, key);
    if (record === undefined) return undefined;
    const { linked, inputHash } = prepared;
    if (record.task !== linked.task.name || record.inputHash !== inputHash) return keyReused(key);
    const live = this.#runs.get(record.id);
    if (live !== undefined) return live;
    if (record.finishedAtMs !== null) return snapshotOf(this.#parts, record);
    return continueRun(this.#parts, this.#runs, record);
  }

  /** Who only starts a run (`durable`) is answered at once, and waits for nobody. */
  async #admit(prepared: Prepared, durable: boolean): Promise<Answer> {
    const { request, linked } = prepared;
    const { name, cache } = linked.task;
    const off = this.#parts.guards.switchFor(spendScopes(name, request.caller.name));
    if (off !== undefined) return spendingPaused(off);
    if (cache === null || request.options?.noCache === true) return this.#begin(prepared, durable);
    const options = { forMs: cache.forMs, waits: !durable };
    return this.#reuse.cached(prepared, options, () => this.#begin(prepared, durable));
  }

  /** Asks the loop guard, and begins the run. */
  async #begin(prepared: Prepared, durable: boolean): Promise<Answer> {
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
    const record = openedRecord(id, prepared, durable || idempotencyKey !== null, clock.nowMs());
    const run = new LiveRun({
      record,
      plan,
      linked,
      caller,
      input,
      limits,
      texts: stream ? texts : 'none',
      exchange,
      parent: null,
      loopTraces,
      resumed: false,
      startedAtMs: clock.monotonicMs(),
    });
    if (onEvent !== undefined) run.listen(onEvent);
    if (run.watched) run.emit({ type: 'queued', runId: id, atMs: record.startedAtMs });
    run.opened = recorder.openRun(record);
    // Not awaited: the row of the first attempt comes after it, and is.
    run.opened.catch(() => undefined);
    this.#runs.begin(run, durable ? undefined : request.signal);
    return run;
  }
}

function sameRequest(one: Prepared, other: Prepared): boolean {
  return one.linked.task.name === other.linked.task.name && one.inputHash === other.inputHash;
}
