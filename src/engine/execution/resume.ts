// Runs that a restart cut off: continued from their receipts, or ended where nothing is known of them any more.
import { decodeContinuation } from './continuation.ts';
import type { RunResult } from './port.ts';
import { failed } from './failure.ts';
import type { RunFailure } from './failure.ts';
import { LiveRun } from './live-run.ts';
import type { LiveRuns } from './live-runs.ts';
import type { EngineParts } from './engine-parts.ts';
import type { Prepared } from './prepare.ts';
import type { RunRecord } from './records.ts';

/** A run whose processes died so often is what they die of, or meets nothing else: it is left to people. More often than a bad day of restarts comes to. */
const MOST_BEGUN = 20;

/** Goes on with a new deadline, for it was not the run that stood still, and with what is left of its attempts and dollars. */
export async function continueRun(
  parts: EngineParts,
  runs: LiveRuns,
  record: RunRecord,
): Promise<LiveRun | RunResult> {
  const { clock, history, recorder } = parts;
  const plan = await parts.planByHash(record.revision);
  const task = plan?.tasks[record.task];
  if (record.cancelReason !== undefined)
    return end(parts, record, 'cancelled', failed('CANCELLED', { reason: record.cancelReason }));
  if (plan === undefined || task === undefined || record.continuation === null || record.input === null)
    return end(parts, record, 'failed', failed('REVISION_UNKNOWN', { revision: record.revision }));
  if (record.begun > MOST_BEGUN)
    return end(parts, record, 'failed', failed('RUN_GIVEN_UP', { times: MOST_BEGUN }));
  await parts.budgets.takeUp(record.id);
  const [before, steps] = await Promise.all([history.attemptsOf([record.id]), recorder.receipts(record.id)]);
  // Two may ask for the same run at once, by its key and at the start: the first to come here goes on with it.
  const live = runs.get(record.id);
  if (live !== undefined) return live;

  const { caller, limits, texts } = decodeContinuation(record.continuation);
  const run = new LiveRun({
    record,
    plan,
    linked: parts.executors.of(task),
    caller,
    input: record.input as Prepared['input'],
    limits,
    texts,
    parent: null,
    loopTraces: null,
    resumed: true,
    startedAtMs: clock.monotonicMs(),
  });
  run.takeUp(before.get(record.id) ?? []);
  run.steps.push(...steps.values());
  for (const listener of runs.continued) run.listen(listener);
  if (run.watched) run.emit({ type: 'queued', runId: run.id, atMs: clock.nowMs(), begun: record.begun });
  runs.begin(run);
  return run;
}

/** The same of a run that stood still in this process, once all that it owes the ledger is there; its result, where its end was written after all. */
export async function goOn(parts: EngineParts, run: LiveRun): Promise<LiveRun | RunEnded> {
  const { clock, history, recorder } = parts;
  const steps = await recorder.receipts(run.id);
  const found = await history.run(run.id);
  if (found !== undefined && found.finishedAtMs !== null) return snapshotOf(parts, found);
  const { cancelReason } = found ?? {};
  const { plan, linked, caller, input, limits, texts, exchange, parent, loopTraces } = run;
  const next = new LiveRun({
    record: cancelReason === undefined ? run.record : { ...run.record, cancelReason },
    plan,
    linked,
    caller,
    input,
    limits,
    texts,
    exchange,
    parent,
    loopTraces,
    resumed: true,
    startedAtMs: clock.monotonicMs(),
  });
  next.takeUp(run.attempts);
  next.steps.push(...steps.values());
  run.handOver(next);
  return next;
}

export type RunEnded = Extract<RunResult, { kind: 'run' }>;

/** A finished run with everything in it, read back. */
export async function snapshotOf({ history }: EngineParts, run: RunRecord): Promise<RunEnded> {
  const [steps, attempts] = await Promise.all([history.stepsOf([run.id]), history.attemptsOf([run.id])]);
  return {
    kind: 'run',
    snapshot: { run, steps: steps.get(run.id) ?? [], attempts: attempts.get(run.id) ?? [] },
  };
}

/** It ends without having gone on. */
async function end(
  parts: EngineParts,
  record: RunRecord,
  status: 'failed' | 'cancelled',
  { error }: RunFailure,
): Promise<RunResult> {
  const { clock, recorder } = parts;
  const nowMs = clock.nowMs();
  const latencyMs = Math.max(0, nowMs - record.startedAtMs);
  const run: RunRecord = { ...record, status, error, finishedAtMs: nowMs, latencyMs };
  await recorder.finishRun(run);
  return snapshotOf(parts, run);
}
