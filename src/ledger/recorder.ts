// The Recorder on a write queue and a reader: what an execution writes down and reads back.
import { InFlight } from '../common/in-flight.ts';
import type { Json } from '../common/json.ts';
import type { Recorder } from '../engine/execution/recorder.ts';
import type { AttemptRecord, RunRecord } from '../engine/execution/records.ts';
import type { UnsentAttempts } from './journal/unsent.ts';
import { encodeDimensions } from './rollup/dimensions.ts';
import type { RunContexts } from './rollup/run-contexts.ts';
import * as operations from './sqlite/operations.ts';
import type { Operation } from './sqlite/operations.ts';
import type { ReaderThread } from './sqlite/reader.ts';
import type { WriteQueue } from './sqlite/write-queue.ts';

/** An attempt that is under way: where it will be counted, and where its hold was when it was written. */
interface OpenAttempt {
  readonly stem: string;
  readonly postings: AttemptRecord['postings'];
}

/**
 * `quick`: does not wait for what is being written. `take`: makes a run that waits this process's own, where finding it has not done so. `unsent`: where a process that dies leaves what it had not
 * sent; left out: everything is taken for sent.
 */
export function createRecorder(
  queue: WriteQueue,
  reader: ReaderThread,
  quick: ReaderThread,
  contexts: RunContexts,
  take: (run: RunRecord) => Promise<RunRecord>,
  unsent?: UnsentAttempts,
): Recorder {
  const open = new InFlight<string, OpenAttempt>();
  /** Keys of runs whose row is being written, by how many. */
  const opening = new Map<string, number>();
  const count = (key: string, more: 1 | -1): void => {
    const number = (opening.get(key) ?? 0) + more;
    if (number === 0) opening.delete(key);
    else opening.set(key, number);
  };
  /** A text of a run that keeps less than all of it is in no file but the database, which reduces it. */
  const isForTheDatabase = (runId: string, text: Json | null): boolean =>
    text !== null && !isEmpty(text) && contexts.isConfidential(runId);
  const texts = (
    runId: string,
    text: Json | null,
    ...operation: Parameters<WriteQueue['write']>
  ): Promise<void> =>
    isForTheDatabase(runId, text) ? queue.commit(...operation) : queue.write(...operation);
  return {
    openRun(run) {
      contexts.opened(run);
      const make = (): Operation => operations.openRun(run);
      const row = { kind: 'run_opened', run } as const;
      // Whether its key is used already, only the database knows.
      const { idempotencyKey: key } = run;
      if (key === null) return texts(run.id, run.input, make, row);
      count(key, 1);
      const written = queue.commit(make, row);
      const over = (): void => count(key, -1);
      written.then(over, over);
      return written;
    },
    openAttempt(attempt) {
      const stem = contexts.attemptStem(attempt);
      const postings = JSON.stringify(attempt.postings);
      open.set(attempt.id, { stem, postings: attempt.postings });
      const place = unsent?.list(attempt.id);
      const written = queue.writeNow(() => operations.openAttempt(attempt, postings, stem), {
        kind: 'attempt_opened',
        attempt,
      });
      written.catch(() => open.take(attempt.id));
      if (unsent === undefined || place === undefined) return written;
      // All that were written with it are taken off before the first of them goes on.
      return written.finally(() => unsent.takeOff(place)).then(() => unsent.write());
    },
    closeAttempt(attempt, receipt) {
      const opened = open.take(attempt.id);
      const stem = opened?.stem ?? contexts.attemptStem(attempt);
      if (attempt.status === 'succeeded') contexts.succeeded(attempt);
      // A hold that is moved gets other postings, never other members of the same.
      const moved = attempt.postings === opened?.postings ? null : JSON.stringify(attempt.postings);
      const rollupKey = encodeDimensions(stem, attempt.status);
      const make = (): Operation => operations.closeAttempt(attempt, receipt, moved, false);
      const row = { kind: 'attempt_closed', attempt, rollupKey } as const;
      // One that was opened by another process may be closed already: only the database knows.
      if (opened === undefined) return queue.commit(make, row);
      return texts(attempt.runId, receipt?.output ?? null, make, row);
    },
    recordStep: (step) =>
      texts(step.runId, step.output, () => operations.recordStep(step), { kind: 'step', step }, true),
    finishRun(run) {
      const rollupKey = contexts.runKey(run);
      const row = { kind: 'run_finished', run, rollupKey } as const;
      const make = (): Operation => operations.finishRun(run, rollupKey);
      return isForTheDatabase(run.id, run.output) ? queue.commit(make, row) : queue.writeNow(make, row);
    },
    recordAlert: (alert) => queue.write(() => operations.recordAlert(alert), { kind: 'alert', alert }),

    // What was asked to be written before the question is in the answer.
    async receipts(runId) {
      await queue.settled();
      const steps = (await reader.ask('stepsOf', [runId])).get(runId) ?? [];
      return new Map(
        steps
          .filter(({ status }) => status === 'succeeded' || status === 'skipped')
          .map((step) => [step.key, step]),
      );
    },
    async findByIdempotencyKey(caller, key) {
      // Nearly always nobody has used it: then there is nothing to wait for.
      const found = opening.has(key) ? undefined : await quick.ask('byIdempotencyKey', caller, key);
      if (found === undefined && !opening.has(key)) return undefined;
      await queue.flushed();
      return reader.ask('byIdempotencyKey', caller, key);
    },
    findCached: (taskRevision, inputHash, wanted) => reader.ask('cached', taskRevision, inputHash, wanted),
    async takeWaiting(limit, id) {
      // Those that were taken before are marked so.
      await queue.flushed();
      const waiting = await reader.ask('waiting', limit, id);
      const runs = await Promise.all(waiting.map(take));
      // They go on here: what they do from now on is counted with their tags and teams.
      for (const run of runs) contexts.opened(run);
      return runs;
    },
    async release(run) {
      // Whoever takes it finds all that it has done.
      await queue.settled();
      const waiting: RunRecord = { ...run, status: 'queued' };
      return texts(run.id, run.input, () => operations.openRun(waiting), null);
    },
    planText: (hash) => reader.ask('planText', hash),
  };
}

/** As the input is of a client's own request whose body is not kept. */
function isEmpty(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
