// What every Runtime has to do, whichever process or database its runs live in.
import { describe, expect, test } from 'vitest';
import { sleep } from '../../src/common/clock.ts';
import type { Clock } from '../../src/common/clock.ts';
import type { Json } from '../../src/common/json.ts';
import type { StepRecord } from '../../src/engine/execution/records.ts';
import { RunStopped } from '../../src/engine/execution/runtime.ts';
import type { Runtime, RunScope } from '../../src/engine/execution/runtime.ts';
import { createEmbeddedRuntime } from '../../src/engine/runtime/embedded.ts';
import { openTestLedger } from '../support/ledger-folder.ts';
import { makeRun } from '../support/ledger-records.ts';
import { emptyDatabase, hasPostgres } from '../support/postgres.ts';
import { createSimulatedClock } from '../support/simulated-clock.ts';

type Asked = Parameters<Runtime['run']>[0];
type Receipts = ReadonlyMap<string, StepRecord>;

interface Made {
  readonly runtime: Runtime;
  /** Resolves when nothing is being read: what is simulated does not move meanwhile. */
  readonly idle: () => Promise<void>;
}

interface Maker {
  readonly name: string;
  /** `known`: of `run_1`. */
  readonly make: (clock: Clock, known: Receipts) => Made;
}

const RUNTIMES: readonly Maker[] = [
  {
    name: 'embedded',
    make: (clock, known) => ({
      runtime: createEmbeddedRuntime({
        clock,
        recorder: { receipts: (runId) => Promise.resolve(runId === 'run_1' ? known : new Map()) },
      }),
      idle: () => Promise.resolve(),
    }),
  },
  ...(hasPostgres ? [{ name: 'a node of a cluster', make: nodeOfCluster }] : []),
];

/** What the runs have done was done at another node, which has stopped since. */
function nodeOfCluster(clock: Clock, known: Receipts): Made {
  const reading = new Set<Promise<unknown>>();
  const read = async (runId: string): Promise<Receipts> => {
    const address = await emptyDatabase();
    const former = await openTestLedger(address);
    await former.openRun(makeRun('run_1', { durable: true }));
    await Promise.all([...known.values()].map((step) => former.recordStep(step)));
    await former.close();
    const ledger = await openTestLedger(address);
    const taken = await ledger.takeWaiting(1);
    expect(taken.map(({ id }) => id)).toEqual(['run_1']);
    return ledger.receipts(runId);
  };
  const runtime = createEmbeddedRuntime({
    clock,
    recorder: {
      receipts(runId) {
        const answer = read(runId).finally(() => reading.delete(answer));
        reading.add(answer);
        return answer;
      },
    },
  });
  return {
    runtime,
    async idle() {
      while (reading.size > 0) {
        await Promise.all(reading);
        // What was waited for asks for more by now.
        await new Promise(setImmediate);
      }
    },
  };
}

const receipt = (key: string, output: Json): StepRecord => ({
  runId: 'run_1',
  key,
  kind: 'model',
  status: 'succeeded',
  startedAtMs: 0,
  finishedAtMs: 0,
  output,
  error: null,
});

describe.each(RUNTIMES)('runtime: $name', ({ make }) => {
  const clock = createSimulatedClock();
  const pause = (scope: RunScope, ms: number): Promise<void> => sleep(clock, ms, scope.signal);

  function runtimeWith(known: Receipts = new Map()): {
    readonly runtime: Runtime;
    /** Runs it to its end, moving time as far as that needs. */
    readonly run: (
      runId: string,
      body: (scope: RunScope) => Promise<Json>,
      more?: Partial<Asked>,
    ) => Promise<Json>;
  } {
    const { runtime, idle } = make(clock, known);
    return {
      runtime,
      async run(runId, body, more = {}) {
        const running = runtime.run({ runId, deadlineMs: 1_000_000, resumed: false, ...more }, body);
        await idle();
        return clock.settle(running);
      },
    };
  }

  test('gives what the body gives, and throws what it throws', async () => {
    const { run } = runtimeWith();
    expect(await run('run_1', () => Promise.resolve('done'))).toBe('done');
    await expect(run('run_2', () => Promise.reject(new TypeError('broken')))).rejects.toThrow(
      new TypeError('broken'),
    );
  });

  test('INV-5: a run that is under way is not begun a second time', async () => {
    const { run, runtime } = runtimeWith();
    let times = 0;
    const body = async (scope: RunScope): Promise<Json> => {
      times += 1;
      await pause(scope, 10);
      return null;
    };
    const first = runtime.run({ runId: 'run_1', deadlineMs: 1_000, resumed: false }, body);
    await expect(run('run_1', body)).rejects.toThrow('under way');
    await clock.settle(first);
    expect(times).toBe(1);
  });

  test('INV-5: a step with a receipt is answered with it; one in flight is joined; any other runs', async () => {
    const ran: string[] = [];
    const body = async (scope: RunScope): Promise<Json> => {
      const step = (key: string): Promise<Json> =>
        scope.step(key, async () => {
          ran.push(key);
          await pause(scope, 10);
          return `${key} done`;
        });
      return await Promise.all([step('done'), step('one'), step('one')]);
    };
    const { run } = runtimeWith(new Map([['done', receipt('done', 'kept')]]));
    expect(await run('run_1', body, { resumed: true })).toEqual(['kept', 'one done', 'one done']);
    expect(ran).toEqual(['one']);
  });

  test('a failed step is no receipt, and a later call runs it again', async () => {
    let times = 0;
    const { run } = runtimeWith();
    const output = await run('run_1', async (scope) => {
      const step = (): Promise<Json> =>
        scope.step('flaky', () => {
          times += 1;
          return times === 1 ? Promise.reject(new Error('first')) : Promise.resolve(times);
        });
      await step().catch(() => undefined);
      return step();
    });
    expect(output).toBe(2);
  });

  test('a wave starts its items in order, no more at once than told, and waits for every one', async () => {
    const log: string[] = [];
    const { run } = runtimeWith();
    const output = await run('run_1', async (scope) => {
      const settled = await scope.wave(
        ['a', 'b', 'c', 'd'].map((key, index) => async () => {
          log.push(`+${key}`);
          await pause(scope, 10 * (4 - index));
          log.push(`-${key}`);
          if (key === 'b') throw new Error('b broke');
          return key;
        }),
        2,
      );
      return settled.map((end) => (end.status === 'fulfilled' ? end.value : String(end.reason)));
    });
    expect(output).toEqual(['a', 'Error: b broke', 'c', 'd']);
    expect(log.slice(0, 3)).toEqual(['+a', '+b', '-b']);
  });

  test('a child finds its own receipts, and ends with its parent or at a deadline of its own', async () => {
    const child = (scope: RunScope, deadlineMs: number): Promise<Json> =>
      scope.child('run_1', deadlineMs, async (inner) => {
        const before = inner.receipt('first')?.output ?? null;
        await pause(inner, 1_000);
        return before;
      });
    const { run } = runtimeWith(new Map([['first', receipt('first', 'kept')]]));
    expect(await run('run_2', (scope) => child(scope, 5_000), { resumed: true })).toBe('kept');
    expect(await run('run_3', (scope) => child(scope, 5_000))).toBeNull();
    await expect(run('run_4', (scope) => child(scope, 5_000), { deadlineMs: 100 })).rejects.toMatchObject({
      why: 'deadline',
    });
    await expect(run('run_5', (scope) => child(scope, 100))).rejects.toMatchObject({ why: 'deadline' });
    expect(clock.pendingTimers()).toBe(0);
  });

  test('the deadline, a cancellation and the end of the process stop a run with their reason', async () => {
    const { run, runtime } = runtimeWith();
    const forEver = async (scope: RunScope): Promise<Json> => {
      await pause(scope, 1_000_000_000);
      return null;
    };
    const startedAtMs = clock.monotonicMs();
    await expect(run('run_1', forEver, { deadlineMs: 500 })).rejects.toMatchObject({
      name: 'RunStopped',
      why: 'deadline',
    });
    expect(clock.monotonicMs() - startedAtMs).toBe(500);

    const cancelled = runtime.run({ runId: 'run_2', deadlineMs: 1_000_000, resumed: false }, forEver);
    expect(runtime.cancel('run_2', 'enough')).toBe(true);
    await expect(cancelled).rejects.toMatchObject({ why: 'operator', message: 'enough' });
    expect(runtime.cancel('run_2', 'enough')).toBe(false);

    const stopped = runtime.run({ runId: 'run_3', deadlineMs: 1_000_000, resumed: false }, forEver);
    stopped.catch(() => undefined);
    await clock.settle(runtime.stop({ drainMs: 2_000 }));
    await expect(stopped).rejects.toMatchObject({ why: 'shutdown' });
    await expect(run('run_4', forEver)).rejects.toBeInstanceOf(RunStopped);
    expect(clock.pendingTimers()).toBe(0);
  });

  test('stopping lets runs end that end in time', async () => {
    const { runtime } = runtimeWith();
    const startedAtMs = clock.monotonicMs();
    const running = runtime.run({ runId: 'run_1', deadlineMs: 10_000, resumed: false }, async (scope) => {
      await pause(scope, 1_000);
      return 'done';
    });
    await clock.settle(runtime.stop({ drainMs: 2_000 }));
    expect(await running).toBe('done');
    expect(clock.monotonicMs() - startedAtMs).toBe(1_000);
  });
});
