// The interpreter: any plan's task, over any runtime: its steps as their references allow, then its output, then its end.
import type { Json } from '../../common/json.ts';
import { HeadgateError } from '../../errors/headgate-error.ts';
import { LedgerUnavailable } from '../../errors/ledger-unavailable.ts';
import { RunFailure, failed } from './failure.ts';
import type { LinkedTask } from './link.ts';
import type { LiveRun } from './live-run.ts';
import type { EngineParts } from './parts.ts';
import { runStep } from './run-step.ts';
import { finishedRecord } from './run-record.ts';
import type { RunEnd } from './run-record.ts';
import type { Interpret, Scope } from './runtime-port.ts';
import { stopped } from './stop.ts';
import type { ChildRuns } from './child.ts';
import { runValues, valueOf } from './values.ts';
import type { RunValues } from './values.ts';

export interface Runs extends ChildRuns {
  get(runId: string): LiveRun | undefined;
  /** A run has its result: the one that is answered with. */
  ended(run: LiveRun, output: Json | null, failure: RunFailure | null): void;
}

export function createInterpreter(parts: EngineParts, runs: Runs): Interpret {
  return async (scope) => {
    const run = runs.get(scope.runId);
    if (run === undefined) throw new Error(`run ${scope.runId} was not prepared in this process`);
    try {
      const output = await executeSteps(parts, run, scope, runs);
      await finish(parts, run, { status: 'succeeded', output, error: null });
      runs.ended(run, output, null);
      return output;
    } catch (error) {
      throw await finishFailed(parts, run, runs, error, scope);
    }
  };
}

async function finishFailed(
  parts: EngineParts,
  run: LiveRun,
  runs: Runs,
  error: unknown,
  scope: Scope,
): Promise<RunFailure> {
  const failure = asFailure(parts, run, error, scope);
  // A durable run that is suspended with its process stays open in the ledger: the next start continues it.
  if (failure.failure.kind !== 'suspended') {
    const end: RunEnd = {
      status: failure.failure.kind === 'cancelled' ? 'cancelled' : 'failed',
      output: null,
      error: failure.error,
    };
    try {
      await finish(parts, run, end);
    } catch (unwritten) {
      parts.log?.error({ runId: run.id, error: String(unwritten) }, 'the end of a run could not be written');
      run.record = finishedRecord(run, end, parts.clock.nowMs(), parts.clock.monotonicMs() - run.startedAtMs);
    }
  }
  runs.ended(run, null, failure);
  return failure;
}

function asFailure(parts: EngineParts, run: LiveRun, error: unknown, scope: Scope): RunFailure {
  if (error instanceof RunFailure) return error;
  if (error instanceof LedgerUnavailable) return failed('LEDGER_UNAVAILABLE', { reason: error.message });
  if (error instanceof HeadgateError) {
    const { code, message, remedy } = error;
    const told = { code, message, remedy, retryAfterMs: null, step: null, details: {} };
    return new RunFailure(told, { kind: 'failed' });
  }
  if (scope.signal.aborted && error === scope.signal.reason) return stopped(run, scope.signal, null);
  parts.log?.error(
    { runId: run.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
    'a run failed unexpectedly',
  );
  return failed('INTERNAL', { reason: error instanceof Error ? error.name : 'unknown', run: run.id });
}

/** Awaits the commit: what a caller is told has happened. */
async function finish(parts: EngineParts, run: LiveRun, end: RunEnd): Promise<void> {
  const full = finishedRecord(run, end, parts.clock.nowMs(), parts.clock.monotonicMs() - run.startedAtMs);
  await parts.recorder.finishRun(full);
  run.record = full;
}

async function executeSteps(
  parts: EngineParts,
  run: LiveRun,
  scope: Scope,
  children: ChildRuns,
): Promise<Json> {
  const { linked } = run;
  const values = runValues({
    linked,
    input: run.input,
    caller: run.caller,
    tags: run.tags,
    env: run.plan.environment,
    startedAtMs: run.record.startedAtMs,
  });
  const [first] = linked.steps;
  if (linked.steps.length === 1 && first !== undefined) {
    values.steps[first.step.key] = await runStep({ parts, run, scope, linked: first, values, children });
  } else {
    await executeGraph(parts, run, scope, children, linked, values);
  }
  return valueOf(linked.output.evaluate(values), `output of task "${run.record.task}"`, null);
}

/** Every step is started at once, in the plan's order, and waits for those it reads: nothing waits for more than it needs. */
async function executeGraph(
  parts: EngineParts,
  run: LiveRun,
  scope: Scope,
  children: ChildRuns,
  linked: LinkedTask,
  values: RunValues,
): Promise<void> {
  const done = new Map<string, Promise<void>>();
  let failure: unknown;
  const settled = await scope.wave(
    linked.steps.map((step) => ({
      key: step.step.key,
      run: () => {
        const own = (async () => {
          // Steps stand after those they read, so that these are there already.
          await Promise.all(step.step.after.map((key) => done.get(key) ?? Promise.resolve()));
          // What is under way is paid for and ends; nothing new is begun for a run that has failed.
          if (failure !== undefined) throw failure as Error;
          try {
            values.steps[step.step.key] = await runStep({
              parts,
              run,
              scope,
              linked: step,
              values,
              children,
            });
          } catch (error) {
            failure ??= error;
            throw error;
          }
        })();
        done.set(step.step.key, own);
        return own.then(() => null);
      },
    })),
  );
  if (failure !== undefined) throw failure as Error;
  for (const outcome of settled) if (!outcome.ok) throw outcome.error;
}
