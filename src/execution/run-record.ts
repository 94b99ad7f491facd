// RunRecords: as a run is opened, and as it is finished.
import type { Json, JsonObject } from '../common/json.ts';
import type { NanoUsd } from '../common/money.ts';
import type { PlanTask } from '../plan/types.ts';
import type { LiveRun } from './live-run.ts';
import type { RunError, RunRecord, RunStatus } from './records.ts';
import { kept } from './retention.ts';

/** A run that has to go on after a restart needs its input, whatever `retain` says; it is let go of by the pruner. */
export function inputKept(task: PlanTask, input: JsonObject, durable: boolean): Json | null {
  return durable ? input : kept(input, task.retain.content);
}

export interface RunEnd {
  readonly status: RunStatus;
  readonly output: Json | null;
  readonly error: RunError | null;
}

/** Closed: its cost is the sum of its attempts' (INV-1). */
export function finishedRecord(run: LiveRun, end: RunEnd, nowMs: number, latencyMs: number): RunRecord {
  let costNanoUsd: NanoUsd = 0n;
  let savedNanoUsd: NanoUsd = 0n;
  for (const attempt of run.attempts) {
    costNanoUsd += attempt.costNanoUsd;
    savedNanoUsd += attempt.savedNanoUsd;
  }
  return {
    ...run.record,
    status: end.status,
    output: end.output,
    error: end.error,
    costNanoUsd,
    savedNanoUsd,
    continuation: null,
    finishedAtMs: nowMs,
    latencyMs,
  };
}
