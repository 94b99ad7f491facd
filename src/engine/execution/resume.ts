// Runs that a restart cut off: continued from their receipts, or ended where nothing is known of them any more.
import { decodeContinuation } from './continuation.ts';
import type { RunResult } from './port.ts';
import { failed } from './failure.ts';
import { LiveRun } from './live-run.ts';
import type { LiveRuns } from './live-runs.ts';
import type { EngineParts } from './engine-parts.ts';
import type { Prepared } from './prepare.ts';
import type { RunRecord } from './records.ts';

/** Goes on with a new deadline, for it was not the run that stood still, and with what is left of its attempts and dollars. */
export async function continueRun(
  parts: EngineParts,
  runs: LiveRuns,
  record: RunRecord,
): Promise<LiveRun | RunResult> {
  const { clock, history, recorder } = parts;
  const plan = await parts.planByHash(record.revision);
  const task = plan?.tasks[record.task];
  if (plan === undefined || task === undefined || record.continuation === null || record.input === null) {
    return endLost(parts, record);
  }
  const [before, steps] = await Promise.all([history.attemptsOf([record.id]), recorder.receipts(record.id)]);
  // Two may ask for the same run at once, by its key and at the start: the first to come here goes on with it.
  const live = runs.get(record.id);
  if (live !== undefined) return live;

  const { caller, limits } = decodeContinuation(record.continuation);
  const run = new LiveRun({
    record,
    plan,
    linked: parts.executors.of(task),
    caller,
    input: record.input as Prepared['input'],
    limits,
    texts: 'none',
    parent: null,
    loopTraces: null,
    resumed: true,
    startedAtMs: clock.monotonicMs(),
  });
  run.takeUp(before.get(record.id) ?? []);
  run.steps.push(...steps.values());
  runs.begin(run);
  return run;
}

/** A finished run with everything in it, read back. */
export async function snapshotOf({ history }: EngineParts, run: RunRecord): Promise<RunResult> {
  const [steps, attempts] = await Promise.all([history.stepsOf([run.id]), history.attemptsOf([run.id])]);
  return {
    kind: 'run',
    snapshot: { run, steps: steps.get(run.id) ?? [], attempts: attempts.get(run.id) ?? [] },
  };
}

async function endLost(parts: EngineParts, record: RunRecord): Promise<LiveRun | RunResult> {
  const { clock, recorder } = parts;
  const nowMs = clock.nowMs();
  const { error } = failed('REVISION_UNKNOWN', { revision: record.revision });
  const latencyMs = Math.max(0, nowMs - record.startedAtMs);
  const run: RunRecord = { ...record, status: 'failed', error, finishedAtMs: nowMs, latencyMs };
  await recorder.finishRun(run);
  return snapshotOf(parts, run);
}
