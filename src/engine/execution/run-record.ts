// RunRecords: as a run is opened, and as it is finished.
import type { Clock } from '../../common/clock.ts';
import type { Json } from '../../common/json.ts';
import type { NanoUsd } from '../../common/money.ts';
import { encodeContinuation } from './continuation.ts';
import type { LiveRun } from './live-run.ts';
import type { Prepared } from './prepare.ts';
import type { RunError, RunRecord, RunStatus } from './records.ts';

export function openedRecord(
  id: string,
  {
    request: { caller, stream = false, texts = 'output' },
    plan,
    linked,
    input,
    inputHash,
    tags,
    limits,
    idempotencyKey,
  }: Prepared,
  durable: boolean,
  nowMs: number,
): RunRecord {
  return {
    id,
    task: linked.task.name,
    revision: plan.hash,
    taskRevision: linked.task.revision,
    status: 'running',
    caller: {
      name: caller.name,
      team: caller.team,
      tier: caller.tier,
      ...(caller.session === undefined ? {} : { session: caller.session }),
    },
    tags,
    idempotencyKey,
    parentRunId: null,
    durable,
    priority: linked.task.priority ?? 0,
    begun: 1,
    continuation: durable ? encodeContinuation({ caller, limits, texts: stream ? texts : 'none' }) : null,
    ...(linked.task.retain.content === 'full' ? {} : { confidential: true as const }),
    input,
    inputHash,
    output: null,
    error: null,
    costNanoUsd: 0n,
    savedNanoUsd: 0n,
    cached: false,
    startedAtMs: nowMs,
    finishedAtMs: null,
    latencyMs: null,
  };
}

export interface RunEnd {
  readonly status: RunStatus;
  readonly output: Json | null;
  readonly error: RunError | null;
}

/** Closed: its cost is the sum of its attempts' (INV-1). */
export function finishedRecord(run: LiveRun, end: RunEnd, clock: Clock): RunRecord {
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
    finishedAtMs: clock.nowMs(),
    latencyMs: clock.monotonicMs() - run.startedAtMs,
  };
}
