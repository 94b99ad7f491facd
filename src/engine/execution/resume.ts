// Runs that a restart cut off: continued from their receipts, or ended where nothing is known of them any more.
import { Allowance } from './allowance.ts';
import { decodeContinuation } from './continuation.ts';
import type { RunResult } from './engine.ts';
import { failed } from './failure.ts';
import { linkTask } from './link.ts';
import { LiveRun } from './live-run.ts';
import type { LiveRuns, Started } from './live-runs.ts';
import type { EngineParts } from './parts.ts';
import type { Prepared } from './prepare.ts';
import type { RunRecord } from './records.ts';

/** Goes on with a new deadline, for it was not the run that stood still, and with what is left of its attempts and dollars. */
export async function continueRun(parts: EngineParts, runs: LiveRuns, record: RunRecord): Promise<Started> {
  const { clock, history, recorder } = parts;
  const plan = await parts.planByHash(record.revision);
  const task = plan?.tasks[record.task];
  if (plan === undefined || task === undefined || record.continuation === null || record.input === null) {
    return endLost(parts, record);
  }
  const [before, steps] = await Promise.all([history.attemptsOf([record.id]), recorder.receipts(record.id)]);
  // Two may ask for the same run at once, by its key and at the start: the first to come here goes on with it.
  const live = runs.started(record.id);
  if (live !== undefined) return live;

  const { caller, limits } = decodeContinuation(record.continuation);
  const { deadlineMs, attempts, costNanoUsd } = limits;
  const startedAtMs = clock.monotonicMs();
  const allowance = new Allowance({ deadlineAtMs: startedAtMs + deadlineMs, attempts, costNanoUsd });
  const run = new LiveRun({
    record,
    plan,
    linked: linkTask(task),
    caller,
    tags: record.tags,
    input: record.input as Prepared['input'],
    allowance,
    stream: false,
    parent: null,
    resumed: true,
    startedAtMs,
  });
  run.takeUp(before.get(record.id) ?? []);
  run.steps.push(...steps.values());
  return runs.begin(run, { opened: Promise.resolve(), loopHash: null, resumed: true, deadlineMs });
}

/** A finished run with everything in it, read back. */
export async function snapshotOf({ history }: EngineParts, run: RunRecord): Promise<RunResult> {
  const [steps, attempts] = await Promise.all([history.stepsOf([run.id]), history.attemptsOf([run.id])]);
  return {
    kind: 'run',
    snapshot: { run, steps: steps.get(run.id) ?? [], attempts: attempts.get(run.id) ?? [] },
  };
}

async function endLost(parts: EngineParts, record: RunRecord): Promise<Started> {
  const { clock, recorder } = parts;
  const nowMs = clock.nowMs();
  const { error } = failed('REVISION_UNKNOWN', { revision: record.revision });
  const latencyMs = Math.max(0, nowMs - record.startedAtMs);
  const run: RunRecord = { ...record, status: 'failed', error, finishedAtMs: nowMs, latencyMs };
  await recorder.finishRun(run);
  return { run: { record: run }, opened: Promise.resolve(), result: snapshotOf(parts, run) };
}
