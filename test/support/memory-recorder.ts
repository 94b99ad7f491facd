// A Recorder and its History in memory: commits in the order of the calls, a microtask later; for tests that run thousands of times.
import type { AlertRecord, History, Recorder } from '../../src/engine/execution/recorder.ts';
import type { AttemptRecord, RunRecord, StepRecord } from '../../src/engine/execution/records.ts';

export interface MemoryRecorder extends Recorder, History {
  readonly rows: {
    readonly runs: Map<string, RunRecord>;
    readonly attempts: Map<string, AttemptRecord>;
    readonly steps: Map<string, Map<string, StepRecord>>;
    readonly alerts: AlertRecord[];
    /** What was asked for, in order: `openRun run_…`, `openAttempt att_…`, … */
    readonly log: string[];
  };
  /** Writes fail with this until it is cleared; what was spent is written then. */
  failure: Error | undefined;
}

export function memoryRecorder(): MemoryRecorder {
  const runs = new Map<string, RunRecord>();
  const attempts = new Map<string, AttemptRecord>();
  const steps = new Map<string, Map<string, StepRecord>>();
  const alerts: AlertRecord[] = [];
  const log: string[] = [];
  /** What was spent, or is over, while writes failed. */
  const owed: (() => void)[] = [];
  /** Whoever waits for the end of a run. */
  const ends: (() => void)[] = [];

  const write = async (what: string, apply: () => void, lasting = false): Promise<void> => {
    const { failure } = recorder;
    await Promise.resolve();
    if (failure !== undefined) {
      if (lasting) owed.push(apply);
      throw failure;
    }
    log.push(what);
    apply();
  };
  const keep = (step: StepRecord): void => {
    const known = steps.get(step.runId) ?? new Map<string, StepRecord>();
    if (known.get(step.key)?.status !== 'succeeded') known.set(step.key, step);
    steps.set(step.runId, known);
  };
  const recorder: MemoryRecorder = {
    rows: { runs, attempts, steps, alerts, log },
    failure: undefined,
    openRun: (run) => write(`openRun ${run.id}`, () => runs.set(run.id, run)),
    openAttempt: (attempt) => write(`openAttempt ${attempt.id}`, () => attempts.set(attempt.id, attempt)),
    closeAttempt: (attempt, receipt) =>
      write(
        `closeAttempt ${attempt.id}`,
        () => {
          attempts.set(attempt.id, attempt);
          if (receipt !== null) keep(receipt);
        },
        true,
      ),
    recordStep: (step) => write(`recordStep ${step.key}`, () => keep(step)),
    finishRun: (run) =>
      write(
        `finishRun ${run.id}`,
        () => {
          runs.set(run.id, run);
          for (const tell of ends.splice(0)) tell();
        },
        true,
      ),
    recordAlert: (alert) => write('recordAlert', () => alerts.push(alert)),
    async receipts(runId) {
      await Promise.resolve();
      if (recorder.failure !== undefined) throw recorder.failure;
      for (const apply of owed.splice(0)) apply();
      return new Map(steps.get(runId));
    },
    findByIdempotencyKey: (caller, key) =>
      Promise.resolve(
        [...runs.values()].find((run) => run.caller.name === caller && run.idempotencyKey === key),
      ),
    findCached: (taskRevision, inputHash, { sinceMs, caller }) =>
      Promise.resolve(
        [...runs.values()].findLast(
          (run) =>
            run.status === 'succeeded' &&
            !run.cached &&
            run.taskRevision === taskRevision &&
            run.inputHash === inputHash &&
            (caller === undefined || run.caller.name === caller) &&
            (run.finishedAtMs ?? 0) >= sinceMs,
        ),
      ),
    takeWaiting(limit, id) {
      const waiting = [...runs.values()]
        .filter(
          (run) => run.status === 'queued' && run.parentRunId === null && (id === undefined || run.id === id),
        )
        .sort((a, b) => b.priority - a.priority)
        .slice(0, limit);
      const taken = waiting.map((run) => ({ ...run, status: 'running' as const, begun: run.begun + 1 }));
      for (const run of taken) runs.set(run.id, run);
      return Promise.resolve(taken);
    },
    planText: () => Promise.resolve(undefined),
    run: (id) => Promise.resolve(runs.get(id)),
    attemptsOf: (ids) =>
      Promise.resolve(
        new Map(ids.map((id) => [id, [...attempts.values()].filter(({ runId }) => runId === id)])),
      ),
    release: (run) => write(`release ${run.id}`, () => runs.set(run.id, { ...run, status: 'queued' })),
    stepsUnder: (id) =>
      Promise.resolve(
        [...steps].flatMap(([of, known]) =>
          of === id || of.startsWith(`${id}.`) ? [...known.values()] : [],
        ),
      ),
    async ended(id) {
      for (;;) {
        const run = runs.get(id);
        if (run !== undefined && run.finishedAtMs !== null) return run;
        await new Promise<void>((resolve) => ends.push(resolve));
      }
    },
    stepsOf: (ids) => Promise.resolve(new Map(ids.map((id) => [id, [...(steps.get(id)?.values() ?? [])]]))),
  };
  return recorder;
}
