// The embedded Runtime: runs live in this process; what has to survive it is in the ledger.
import type { Clock } from '../../common/clock.ts';
import { InFlight } from '../../common/in-flight.ts';
import type { Json } from '../../common/json.ts';
import type { Recorder } from '../execution/recorder.ts';
import type { StepRecord } from '../execution/records.ts';
import { RunStopped } from '../execution/runtime.ts';
import type { Runtime, RunScope } from '../execution/runtime.ts';

export interface EmbeddedRuntimeOptions {
  readonly clock: Clock;
  readonly recorder: Pick<Recorder, 'receipts'>;
}

interface Living {
  readonly controller: AbortController;
  readonly ended: Promise<void>;
}

type Receipts = ReadonlyMap<string, StepRecord>;

type ReceiptsOf = (runId: string) => Promise<Receipts>;
type StopAfter = (controller: AbortController, deadlineMs: number) => () => void;

const NO_RECEIPTS: Receipts = new Map();

export function createEmbeddedRuntime({ clock, recorder }: EmbeddedRuntimeOptions): Runtime {
  const living = new InFlight<string, Living>();
  let stopping = false;

  const stopAfter: StopAfter = (controller, deadlineMs) =>
    clock.after(deadlineMs, () =>
      controller.abort(new RunStopped('deadline', `the deadline of ${deadlineMs} ms is over`)),
    );

  return {
    async run({ runId, deadlineMs, resumed }, body) {
      if (stopping) throw new RunStopped('shutdown', 'the runtime is stopping');
      // A step that is paid for is not begun a second time beside itself (INV-5).
      if (living.has(runId)) throw new Error(`run ${runId} is under way already`);
      const controller = new AbortController();
      const { signal } = controller;
      const { promise: ended, resolve: end } = Promise.withResolvers<void>();
      // Registered before anything of the run happens, so that it can be cancelled from its first event on.
      living.set(runId, { controller, ended });
      const cancelDeadline = stopAfter(controller, deadlineMs);
      const receiptsOf: ReceiptsOf | null = resumed ? (id) => recorder.receipts(id) : null;
      try {
        const receipts = receiptsOf === null ? NO_RECEIPTS : await receiptsOf(runId);
        return await body(new EmbeddedScope(signal, receipts, receiptsOf, stopAfter));
      } finally {
        cancelDeadline();
        living.take(runId);
        end();
      }
    },
    cancel(runId, reason, why = 'operator') {
      const run = living.get(runId);
      run?.controller.abort(new RunStopped(why, reason));
      return run !== undefined;
    },
    async stop({ drainMs }) {
      stopping = true;
      if (living.size === 0) return;
      const all = Promise.all(living.values().map(({ ended }) => ended));
      const { promise: over, resolve } = Promise.withResolvers<void>();
      const cancel = clock.after(drainMs, resolve);
      await Promise.race([all, over]);
      cancel();
      for (const { controller } of living.values())
        controller.abort(new RunStopped('shutdown', 'the server is stopping'));
      await all;
    },
  };
}

class EmbeddedScope implements RunScope {
  readonly signal: AbortSignal;
  /** Of this run, from before a restart; empty for a new one. */
  readonly #receipts: Receipts;
  /** For child runs; null: the run is new, and so are they. */
  readonly #receiptsOf: ReceiptsOf | null;
  readonly #stopAfter: StopAfter;
  /** Steps in flight here; made when there is the first step. */
  #inFlight: Map<string, Promise<Json>> | undefined;

  constructor(signal: AbortSignal, receipts: Receipts, receiptsOf: ReceiptsOf | null, stopAfter: StopAfter) {
    this.signal = signal;
    this.#receipts = receipts;
    this.#receiptsOf = receiptsOf;
    this.#stopAfter = stopAfter;
  }

  receipt(key: string): StepRecord | undefined {
    return this.#receipts.get(key);
  }

  step<T extends Json>(key: string, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const done = this.#receipts.get(key);
    if (done !== undefined && (done.status === 'succeeded' || done.status === 'skipped'))
      return Promise.resolve(done.output as T);
    this.#inFlight ??= new Map();
    const joined = this.#inFlight.get(key);
    if (joined !== undefined) return joined as Promise<T>;
    const running = body(this.signal);
    this.#inFlight.set(key, running);
    const forget = (): void => {
      this.#inFlight?.delete(key);
    };
    running.then(forget, forget);
    return running;
  }

  async wave(
    bodies: readonly (() => Promise<Json>)[],
    concurrent = bodies.length,
  ): Promise<readonly PromiseSettledResult<Json>[]> {
    const settled: PromiseSettledResult<Json>[] = Array.from({ length: bodies.length });
    const rest = bodies.entries();
    const work = async (): Promise<void> => {
      for (const [index, body] of rest) {
        try {
          settled[index] = { status: 'fulfilled', value: await body() };
        } catch (reason) {
          settled[index] = { status: 'rejected', reason };
        }
      }
    };
    const workers = Math.min(bodies.length, Math.max(1, concurrent));
    await Promise.all(Array.from({ length: workers }, work));
    return settled;
  }

  /** A signal that follows this run's, and is aborted when the child's own time is over. */
  async child(
    childRunId: string,
    deadlineMs: number,
    body: (scope: RunScope) => Promise<Json>,
  ): Promise<Json> {
    const controller = new AbortController();
    const onAbort = (): void => controller.abort(this.signal.reason);
    if (this.signal.aborted) onAbort();
    this.signal.addEventListener('abort', onAbort, { once: true });
    const cancelDeadline = this.#stopAfter(controller, deadlineMs);
    try {
      const receipts = this.#receiptsOf === null ? NO_RECEIPTS : await this.#receiptsOf(childRunId);
      return await body(new EmbeddedScope(controller.signal, receipts, this.#receiptsOf, this.#stopAfter));
    } finally {
      cancelDeadline();
      this.signal.removeEventListener('abort', onAbort);
    }
  }
}
