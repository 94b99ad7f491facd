// The embedded Runtime: runs live in this process; what has to survive it is in the ledger.
import type { Clock } from '../../../common/clock.ts';
import type { Json } from '../../../common/json.ts';
import { fail, succeed } from '../../../common/outcome.ts';
import type { Outcome } from '../../../common/outcome.ts';
import type { Recorder } from '../../execution/ports.ts';
import type { RunStatus, StepRecord } from '../../execution/records.ts';
import { RunStopped } from '../../execution/runtime-port.ts';
import type { Interpret, RunSubmission, Runtime } from '../../execution/runtime-port.ts';
import { Mailbox } from './mailbox.ts';
import { EmbeddedScope } from './scope.ts';

/** Asked for the result of a run that is not here. */
export class RunUnknown extends Error {
  override readonly name = 'RunUnknown';
}

interface Living {
  readonly controller: AbortController;
  readonly result: Promise<Outcome<Json, unknown>>;
}

/** Ends are kept for those who ask a moment too late, so many at least and twice as many at most (INV-14); a front door that wants more reads the ledger. */
const ENDED_KEPT = 100;

const NO_RECEIPTS: ReadonlyMap<string, StepRecord> = new Map();

export interface EmbeddedRuntimeOptions {
  readonly clock: Clock;
  readonly recorder: Pick<Recorder, 'receipts'>;
}

export function createEmbeddedRuntime({ clock, recorder }: EmbeddedRuntimeOptions): Runtime {
  const living = new Map<string, Living>();
  let ended = new Map<string, Promise<Outcome<Json, unknown>>>();
  let endedBefore = ended;
  const mailbox = new Mailbox(clock);
  let interpret: Interpret | undefined;
  let stopping = false;

  async function execute(
    run: RunSubmission,
    { controller, result }: Living,
    settle: (outcome: Outcome<Json, unknown>) => void,
  ): Promise<void> {
    const cancelDeadline =
      run.deadlineMs === null
        ? undefined
        : clock.after(run.deadlineMs, () =>
            controller.abort(new RunStopped('deadline', `the deadline of ${run.deadlineMs} ms is over`)),
          );
    let outcome: Outcome<Json, unknown>;
    try {
      const receipts = run.resumed ? await recorder.receipts(run.runId) : NO_RECEIPTS;
      const { runId, planHash, input, resumed } = run;
      outcome = succeed(await begin(runId, planHash, input, receipts, controller.signal, resumed));
    } catch (error) {
      outcome = fail(error);
    }
    cancelDeadline?.();
    if (ended.size >= ENDED_KEPT) {
      endedBefore = ended;
      ended = new Map();
    }
    ended.set(run.runId, result);
    living.delete(run.runId);
    mailbox.forget(run.runId);
    settle(outcome);
  }

  /** A child lives within its parent's run, and ends with it at the latest. */
  function begin(
    runId: string,
    planHash: string,
    input: Json,
    receipts: ReadonlyMap<string, StepRecord>,
    signal: AbortSignal,
    resumed: boolean,
  ): Promise<Json> {
    if (interpret === undefined) throw new Error('Runtime.start has to come before the first run');
    const runChild = async (
      childId: string,
      childPlan: string,
      childInput: Json,
      childSignal: AbortSignal,
    ): Promise<Json> => {
      const childReceipts = resumed ? await recorder.receipts(childId) : NO_RECEIPTS;
      return begin(childId, childPlan, childInput, childReceipts, childSignal, resumed);
    };
    return interpret(
      new EmbeddedScope({ runId, signal, receipts, clock, mailbox, runChild }),
      planHash,
      input,
    );
  }

  async function within(
    runId: string,
    result: Living['result'],
    timeoutMs: number,
  ): Promise<Outcome<Json, unknown>> {
    let cancel: (() => void) | undefined;
    const late = new Promise<Outcome<Json, unknown>>((resolve) => {
      cancel = clock.after(timeoutMs, () =>
        resolve(fail(new DOMException(`run ${runId} is not finished after ${timeoutMs} ms`, 'TimeoutError'))),
      );
    });
    try {
      return await Promise.race([result, late]);
    } finally {
      cancel?.();
    }
  }

  return {
    start(given) {
      interpret = given;
      stopping = false;
      return Promise.resolve();
    },
    submit(run) {
      if (living.has(run.runId)) return Promise.resolve({ created: false });
      if (stopping) return Promise.reject(new RunStopped('shutdown', 'the runtime is stopping'));
      const { promise: result, resolve } = Promise.withResolvers<Outcome<Json, unknown>>();
      const begun = { controller: new AbortController(), result };
      // Registered before anything of the run happens, so that it can be cancelled from its first event on.
      living.set(run.runId, begun);
      void execute(run, begun, resolve);
      return Promise.resolve({ created: true });
    },
    result(runId, timeoutMs) {
      const result = living.get(runId)?.result ?? ended.get(runId) ?? endedBefore.get(runId);
      if (result === undefined)
        return Promise.resolve(fail(new RunUnknown(`run ${runId} is not in this process`)));
      return timeoutMs === undefined ? result : within(runId, result, timeoutMs);
    },
    status(runIds) {
      return Promise.resolve(
        runIds.map((id): RunStatus | 'unknown' => (living.has(id) ? 'running' : 'unknown')),
      );
    },
    signal(runId, key, value) {
      // Nobody will take what is sent to a run that is not here (INV-14).
      if (living.has(runId)) mailbox.put(runId, key, value);
      return Promise.resolve();
    },
    cancel(runId, reason, why = 'operator') {
      const run = living.get(runId);
      if (run === undefined) return Promise.resolve(false);
      run.controller.abort(new RunStopped(why, reason));
      return Promise.resolve(true);
    },
    async stop({ drainMs }) {
      stopping = true;
      if (living.size === 0) return;
      const all = Promise.all([...living.values()].map(({ result }) => result));
      let cancel: (() => void) | undefined;
      const over = new Promise<void>((resolve) => {
        cancel = clock.after(drainMs, resolve);
      });
      await Promise.race([all, over]);
      cancel?.();
      for (const { controller } of living.values())
        controller.abort(new RunStopped('shutdown', 'the server is stopping'));
      await Promise.all([...living.values()].map(({ result }) => result));
    },
  };
}
