// One step of the graph: whether it runs, over which items, and what it leaves behind.
import type { Json } from '../../common/json.ts';
import { failed } from './failure.ts';
import { runChild } from './child.ts';
import type { LinkedStep } from './link.ts';
import type { LiveRun } from './live-run.ts';
import type { EngineParts } from './parts.ts';
import type { StepRecord } from './records.ts';
import type { Scope, StepContext } from './runtime-port.ts';
import { runChunkStep } from './steps/chunk-step.ts';
import { runModelStep } from './steps/model.ts';
import { runParseStep } from './steps/parse-step.ts';
import type { ChildRuns } from './child.ts';
import { valueOf } from './values.ts';
import type { RunValues } from './values.ts';

export interface StepCall {
  readonly parts: EngineParts;
  readonly run: LiveRun;
  readonly scope: Scope;
  readonly linked: LinkedStep;
  readonly values: RunValues;
  readonly children: ChildRuns;
}

/** The step's output; null where its `when` does not hold. */
export function runStep(call: StepCall): Promise<Json> {
  const { linked, scope, values } = call;
  const { key } = linked.step;
  if (linked.when !== null) {
    if (scope.receipt(key)?.status === 'skipped') return Promise.resolve(null);
    if (valueOf(linked.when.evaluate(values), `when of step "${key}"`, key) !== true) {
      return Promise.resolve(record(call, key, 'skipped', null, call.parts.clock.nowMs()));
    }
  }
  if (linked.each !== null) return runItems(call, linked.each);
  return scope.step(key, {}, (context) => runBody(call, key, values, context));
}

async function runItems(call: StepCall, each: NonNullable<LinkedStep['each']>): Promise<Json> {
  const { linked, scope, values, run, parts } = call;
  const { key } = linked.step;
  const startedAtMs = parts.clock.nowMs();
  const list = valueOf(each.list.evaluate(values), `each of step "${key}"`, key);
  if (!Array.isArray(list))
    throw failed(
      'EXPRESSION_FAILED',
      { place: `each of step "${key}"`, reason: 'it gives no list', source: each.list.source },
      { step: key },
    );
  const items = list as readonly Json[];
  fanOut(run, key, items.length);
  const settled = await scope.wave(
    items.map((item, index) => ({
      key: `${key}[${index}]`,
      run: () =>
        scope.step(`${key}[${index}]`, {}, (context) =>
          runBody(call, `${key}[${index}]`, { ...values, [each.as]: item }, context),
        ),
    })),
    { concurrent: each.concurrent },
  );
  const outputs: Json[] = [];
  for (const outcome of settled) {
    if (!outcome.ok) throw outcome.error;
    outputs.push(outcome.value);
  }
  // Its items hold the outputs; here they would only be written twice.
  recordStep(call, {
    runId: run.id,
    key,
    kind: 'each',
    status: 'succeeded',
    startedAtMs,
    finishedAtMs: parts.clock.nowMs(),
    output: null,
    error: null,
  });
  return outputs;
}

function runBody(call: StepCall, stepKey: string, values: RunValues, { signal }: StepContext): Promise<Json> {
  const { parts, run, linked } = call;
  switch (linked.kind) {
    case 'model':
      return runModelStep(parts, { run, linked, stepKey, values, signal });
    case 'parse':
      return recorded(call, stepKey, () => runParseStep(linked, stepKey, values));
    case 'chunk':
      return recorded(call, stepKey, () => runChunkStep(linked, stepKey, values));
    case 'task':
      return recorded(call, stepKey, () => {
        fanOut(run, stepKey, 1);
        return runChild({ ...call, linked, stepKey, values });
      });
  }
}

/** Of a step whose receipt is written here; that of a model step is written with its attempt. */
async function recorded(call: StepCall, key: string, run: () => Json | Promise<Json>): Promise<Json> {
  const startedAtMs = call.parts.clock.nowMs();
  return record(call, key, 'succeeded', await run(), startedAtMs);
}

/** The guard's bound on what one request may set off; counted on the outermost run, so that children share it. */
function fanOut(run: LiveRun, step: string, count: number): void {
  const limit = run.root.linked.task.loop?.fanOut ?? DEFAULT_FAN_OUT;
  run.root.fanOut += count;
  if (run.root.fanOut > limit)
    throw failed(
      'FAN_OUT_TOO_WIDE',
      { count: run.root.fanOut, limit },
      { step, details: { count: run.root.fanOut, limit } },
    );
}

/** Where no guard says otherwise: more than the largest document needs, less than a mistake can cost. */
const DEFAULT_FAN_OUT = 10_000;

function record(
  call: StepCall,
  key: string,
  status: 'succeeded' | 'skipped',
  output: Json,
  startedAtMs: number,
): Json {
  const { kind } = call.linked;
  recordStep(call, {
    runId: call.run.id,
    key,
    kind,
    status,
    startedAtMs,
    finishedAtMs: call.parts.clock.nowMs(),
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
