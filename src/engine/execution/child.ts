// A task step: another task as a child run, within its parent's allowance, found again after a restart by its id.
import { childRunId } from '../../common/ids.ts';
import { checkNesting } from '../budget/guards/nesting.ts';
import type { Json, JsonObject } from '../../common/json.ts';
import type { StepCall } from './execute.ts';
import { RunFailure, failed, runError } from './failure.ts';
import { checkInput } from './input-check.ts';
import { problemsLine } from './input-problems.ts';
import type { LinkedTaskStep } from './link.ts';
import { LiveRun } from './live-run.ts';
import type { RunRecord } from './records.ts';
import { callerValue, valueOf } from './values.ts';

const DEFAULT_DEPTH = 16;

export async function runChild(call: StepCall<LinkedTaskStep>): Promise<Json> {
  const { parts, runs, run: parent, scope, linked, stepKey, values } = call;
  const name = linked.step.task;
  const task = Object.hasOwn(parent.plan.tasks, name) ? parent.plan.tasks[name] : undefined;
  if (task === undefined)
    throw failed(
      'UNKNOWN_TASK',
      { task: name, known: Object.keys(parent.plan.tasks).join(', ') },
      { step: stepKey },
    );
  const nesting = checkNesting(ancestors(parent), name, {
    depth: parent.root.linked.task.loop?.depth ?? DEFAULT_DEPTH,
  });
  if (!nesting.ok) {
    const { error } = nesting;
    const path = error.kind === 'cycle' ? error.path.join(' → ') : `${error.depth} levels`;
    throw failed('LOOP_TOO_DEEP', { path }, { step: stepKey, details: { path } });
  }

  const child = parts.executors.of(task);
  const given = valueOf(linked.input.evaluate(values), `input of step "${stepKey}"`, stepKey);
  const env = parent.plan.environment;
  const checked = checkInput(child, isObject(given) ? given : {}, {
    caller: callerValue(parent.caller, parent.tags),
    env,
    nowMs: parts.clock.nowMs(),
  });
  if (!checked.ok)
    throw failed(
      'INVALID_INPUT',
      { task: name, problems: problemsLine(checked.error) },
      {
        step: stepKey,
        details: { problems: checked.error.map(({ path, code, message }) => ({ path, code, message })) },
      },
    );

  const input = checked.value;
  const { allowance: limits } = task;
  const record: RunRecord = {
    ...parent.record,
    id: childRunId(parent.id, stepKey),
    task: name,
    taskRevision: task.revision,
    status: 'running',
    idempotencyKey: null,
    parentRunId: parent.id,
    // A child goes on with its parent, not by itself.
    continuation: null,
    ...(task.retain.content === 'full' ? {} : { confidential: true as const }),
    input,
    inputHash: (await parts.thread.identify({ input, loops: null })).inputHash,
    startedAtMs: parts.clock.nowMs(),
  };
  const run = new LiveRun({
    record,
    plan: parent.plan,
    linked: child,
    caller: parent.caller,
    input,
    limits,
    texts: parent.hears(linked.step) ? parent.texts : 'none',
    parent,
    loopTraces: null,
    resumed: parent.resumed,
    startedAtMs: parts.clock.monotonicMs(),
  });
  if (run.resumed) run.takeUp((await parts.history.attemptsOf([run.id])).get(run.id) ?? []);
  // Not awaited: what comes after it in the ledger is.
  run.opened = parts.recorder.openRun(record);
  run.opened.catch(() => undefined);
  try {
    return await runs.child(run, scope);
  } catch (error) {
    throw wrapped(error, run, stepKey);
  }
}

/** The outermost first. */
function ancestors(run: LiveRun): string[] {
  const names: string[] = [];
  for (let level: LiveRun | null = run; level !== null; level = level.parent)
    names.unshift(level.record.task);
  return names;
}

/** A child's failure is its parent's, with the way to it; its kind stays, for what the caller needs to act. */
function wrapped(error: unknown, child: LiveRun, stepKey: string): unknown {
  if (!(error instanceof RunFailure) || error.failure.kind !== 'failed') return error;
  const { message, remedy, code, details } = error.error;
  const told = runError(
    'CHILD_FAILED',
    { task: child.record.task, step: stepKey, reason: message, run: child.id },
    {
      step: stepKey,
      retryAfterMs: error.error.retryAfterMs,
      details: { ...details, cause: code, run: child.id },
    },
  );
  return new RunFailure({ ...told, remedy: `${told.remedy} ${remedy}` }, error.failure);
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
