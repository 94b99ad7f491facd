// The interpreter: any plan's task, over any runtime: its steps as their references allow, then its output, then its end.
import type { Json } from '../../common/json.ts';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { isLedgerAway, storageWords } from '../../errors/storage-words.ts';
import { LedgerUnavailable } from '../../errors/ledger-unavailable.ts';
import { runChild } from './child.ts';
import { RunFailure, failed, runError } from './failure.ts';
import type { LinkedStep } from './link.ts';
import type { LiveRun } from './live-run.ts';
import type { LiveRuns } from './live-runs.ts';
import type { EngineParts } from './engine-parts.ts';
import type { StepRecord } from './records.ts';
import { resultOf } from './results.ts';
import { finishedRecord } from './run-record.ts';
import type { RunEnd } from './run-record.ts';
import { RunStopped } from './runtime.ts';
import type { RunScope } from './runtime.ts';
import { runChunkStep } from './steps/chunk-step.ts';
import { exchangeStep } from './steps/exchange.ts';
import { modelStep } from './steps/model.ts';
import { runParseStep } from './steps/parse-step.ts';
import { afterFailures } from './step-failures.ts';
import { stopped } from './stop.ts';
import { runValues, valueOf } from './values.ts';
import type { RunValues } from './values.ts';

/** A step under way, with everything that it may need. */
export interface StepCall<Step extends LinkedStep = LinkedStep> {
  readonly parts: EngineParts;
  readonly runs: LiveRuns;
  readonly run: LiveRun;
  readonly scope: RunScope;
  readonly linked: Step;
  /** `request`, or `reviews[3]` for an item. */
  readonly stepKey: string;
  readonly values: RunValues;
}

/** Runs the task to its end, which is written, told and kept with the run. Gives its output, or throws its RunFailure. */
export function interpreter(
  parts: EngineParts,
  run: LiveRun,
  runs: LiveRuns,
): (scope: RunScope) => Promise<Json> {
  return async (scope) => {
    const { linked, input, caller, tags, plan, record } = run;
    try {
      const env = plan.environment;
      const values = runValues({ linked, input, caller, tags, env, startedAtMs: record.startedAtMs });
      const callOf = (step: LinkedStep): StepCall => {
        return { parts, runs, run, scope, linked: step, stepKey: step.step.key, values };
      };
      const [only] = linked.steps;
      if (linked.steps.length === 1 && only !== undefined)
        values.steps[only.step.key] = await runStep(callOf(only));
      else await runGraph(linked.steps.map(callOf), scope);
      const output = valueOf(linked.output.evaluate(values), `output of task "${record.task}"`, null);
      await finish(parts, run, { status: 'succeeded', output, error: null });
      tell(parts, run, null);
      return output;
    } catch (error) {
      const failure = afterFailures(run, asFailure(parts, run, error, scope));
      // Nothing of it is over: who waits for it goes on waiting.
      if (failure.failure.kind === 'stands_still' && (await isWritten(run.root)))
        throw stoodStill(failure, scope.signal);
      await finishFailed(parts, run, failure);
      tell(parts, run, failure);
      throw failure;
    }
  };
}

/** Every step is started at once, in the plan's order, and waits for those it reads: nothing waits for more than it needs. */
async function runGraph(calls: readonly StepCall[], scope: RunScope): Promise<void> {
  const done = new Map<string, Promise<null>>();
  let failure: unknown;
  const run = async (call: StepCall): Promise<null> => {
    const { key, after } = call.linked.step;
    // Steps stand after those they read, so that these are there already.
    await Promise.all(after.map(async (before) => done.get(before)));
    // What is under way is paid for and ends; nothing new is begun for a run that has failed.
    if (failure !== undefined) throw failure as Error;
    try {
      call.values.steps[key] = await runStep(call);
      return null;
    } catch (error) {
      failure ??= error;
      throw error;
    }
  };
  const settled = await scope.wave(
    calls.map((call) => () => {
      const own = run(call);
      done.set(call.stepKey, own);
      return own;
    }),
  );
  if (failure !== undefined) throw failure as Error;
  outputsOf(settled);
}

/** The step's output; null where its `when` does not hold. */
function runStep(call: StepCall): Promise<Json> {
  const { linked, scope, values, stepKey, parts } = call;
  const { when, each } = linked;
  if (when !== null) {
    if (scope.receipt(stepKey)?.status === 'skipped') return Promise.resolve(null);
    if (valueOf(when.evaluate(values), `when of step "${stepKey}"`, stepKey) !== true)
      return Promise.resolve(record(call, 'skipped', null, parts.clock.nowMs()));
  }
  return each === null ? scope.step(stepKey, bodyOf(call)) : runItems(call, each);
}

async function runItems(call: StepCall, each: NonNullable<LinkedStep['each']>): Promise<Json> {
  const { scope, values, run, parts, stepKey } = call;
  const startedAtMs = parts.clock.nowMs();
  const list = valueOf(each.list.evaluate(values), `each of step "${stepKey}"`, stepKey);
  if (!Array.isArray(list))
    throw failed(
      'EXPRESSION_FAILED',
      { place: `each of step "${stepKey}"`, reason: 'it gives no list', source: each.list.source },
      { step: stepKey },
    );
  const items = list as readonly Json[];
  fanOut(run, stepKey, items.length);
  const settled = await scope.wave(
    items.map((item, index) => () => {
      const itemKey = `${stepKey}[${index}]`;
      return scope.step(
        itemKey,
        bodyOf({ ...call, stepKey: itemKey, values: { ...values, [each.as]: item } }),
      );
    }),
    each.concurrent,
  );
  const outputs = outputsOf(settled);
  // Its items hold the outputs; here they would only be written twice.
  recordStep(call, {
    runId: run.id,
    key: stepKey,
    kind: 'each',
    status: 'succeeded',
    startedAtMs,
    finishedAtMs: parts.clock.nowMs(),
    output: null,
    error: null,
  });
  return outputs;
}

/** Of several failures the first is thrown. */
function outputsOf(settled: readonly PromiseSettledResult<Json>[]): Json[] {
  return settled.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
}

function bodyOf(call: StepCall): (signal: AbortSignal) => Promise<Json> {
  const { linked, stepKey, values, run } = call;
  switch (linked.kind) {
    case 'model':
      return modelStep({ ...call, linked });
    case 'exchange': {
      const { exchange } = run;
      // Prepared for nobody but a door, which hands over what there is to exchange.
      if (exchange === undefined)
        throw new Error(`step "${stepKey}" was started without a client's own request`);
      return exchangeStep({ ...call, linked }, exchange);
    }
    case 'parse':
      return (signal) => recorded(call, () => runParseStep(call.parts, linked, stepKey, values, signal));
    case 'chunk':
      return (signal) => recorded(call, () => runChunkStep(call.parts, linked, stepKey, values, signal));
    case 'task':
      return () =>
        recorded(call, () => {
          fanOut(run, stepKey, 1);
          return runChild({ ...call, linked });
        });
  }
}

/** Of a step whose receipt is written here; that of a model step is written with its attempt. */
async function recorded(call: StepCall, body: () => Promise<Json>): Promise<Json> {
  const startedAtMs = call.parts.clock.nowMs();
  return record(call, 'succeeded', await body(), startedAtMs);
}

/** Where no guard says otherwise: more than the largest document needs, less than a mistake can cost. */
const DEFAULT_FAN_OUT = 10_000;

/** The guard's bound on what one request may set off; counted on the outermost run, so that children share it. */
function fanOut(run: LiveRun, step: string, more: number): void {
  const limit = run.root.linked.task.loop?.fanOut ?? DEFAULT_FAN_OUT;
  run.root.fanOut += more;
  const count = run.root.fanOut;
  if (count > limit) throw failed('FAN_OUT_TOO_WIDE', { count, limit }, { step, details: { count, limit } });
}

function record(call: StepCall, status: 'succeeded' | 'skipped', output: Json, startedAtMs: number): Json {
  const { linked, run, stepKey, parts } = call;
  recordStep(call, {
    runId: run.id,
    key: stepKey,
    kind: linked.kind,
    status,
    startedAtMs,
    finishedAtMs: parts.clock.nowMs(),
    output,
    error: null,
  });
  return output;
}

/** Not awaited: rows keep their order, and the row that ends the run is awaited. */
function recordStep({ parts, run }: StepCall, step: StepRecord): void {
  run.steps.push(step);
  parts.recorder.recordStep(step).then(
    () => {
      if (run.watched) run.emit({ type: 'step', runId: run.id, atMs: parts.clock.nowMs(), step });
    },
    () => undefined,
  );
}

function asFailure(parts: EngineParts, run: LiveRun, error: unknown, { signal }: RunScope): RunFailure {
  if (error instanceof RunFailure) return error;
  const isAway = isLedgerAway(error);
  if (error instanceof LedgerUnavailable || isAway) {
    const standsStill = isAway && run.record.durable;
    parts.log?.error(
      { runId: run.id, error: error.message },
      `a run ${standsStill ? 'stands still' : 'ended'} because the ledger cannot be used`,
    );
    return new RunFailure(runError('LEDGER_UNAVAILABLE', { reason: storageWords(error) }), {
      kind: standsStill ? 'stands_still' : 'failed',
    });
  }
  if (error instanceof HeadgateError) {
    const { code, message, remedy } = error;
    const told = { code, message, remedy, retryAfterMs: null, step: null, details: {} };
    return new RunFailure(told, { kind: 'failed' });
  }
  if (signal.aborted && error === signal.reason) return stopped(run, signal, null);
  parts.log?.error(
    { runId: run.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
    'a run failed unexpectedly',
  );
  return failed('INTERNAL', { reason: error instanceof Error ? error.name : 'unknown', run: run.id });
}

/** What it was to be stopped for meanwhile is not forgotten, but for its time: that begins again. */
function stoodStill({ error }: RunFailure, { reason }: AbortSignal): RunFailure {
  const isStopped = reason instanceof RunStopped && reason.why !== 'deadline';
  return new RunFailure(error, {
    kind: 'stands_still',
    ...(isStopped ? { cancelReason: reason.message } : {}),
  });
}

/** Who was refused its row was told so: nothing of it is to go on. */
function isWritten({ opened }: LiveRun): Promise<boolean> {
  return opened.then(
    () => true,
    () => false,
  );
}

async function finishFailed(parts: EngineParts, run: LiveRun, { failure, error }: RunFailure): Promise<void> {
  // A durable run that is suspended with its process waits in the ledger for the next start, or for another node.
  if (failure.kind === 'suspended') {
    if (run.parent === null) await parts.recorder.release(run.record).catch(() => undefined);
    return;
  }
  const status = failure.kind === 'cancelled' ? 'cancelled' : 'failed';
  const end: RunEnd = { status, output: null, error };
  try {
    await finish(parts, run, end);
  } catch (unwritten) {
    parts.log?.error({ runId: run.id, error: String(unwritten) }, 'the end of a run could not be written');
    run.record = finishedRecord(run, end, parts.clock);
  }
}

/** Awaits the commit: what a caller is told has happened. */
async function finish(parts: EngineParts, run: LiveRun, end: RunEnd): Promise<void> {
  const finished = finishedRecord(run, end, parts.clock);
  await parts.recorder.finishRun(finished);
  run.record = finished;
}

function tell({ clock }: EngineParts, run: LiveRun, failure: RunFailure | null): void {
  run.result = resultOf(run, failure);
  if (run.watched) run.emit({ type: 'finished', runId: run.id, atMs: clock.nowMs(), result: run.result });
}
