// What every Runtime has to do, whichever process or database its runs live in.
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/common/clock.ts';
import type { Json } from '../../src/common/json.ts';
import type { StepRecord } from '../../src/engine/execution/records.ts';
import { RunStopped } from '../../src/engine/execution/runtime-port.ts';
import type { Interpret, RunSubmission, Runtime } from '../../src/engine/execution/runtime-port.ts';
import { createEmbeddedRuntime } from '../../src/engine/runtime/embedded/runtime.ts';
import { createSimulatedClock } from '../support/simulated-clock.ts';

interface Maker {
  readonly name: string;
  readonly make: (clock: Clock, receipts: (runId: string) => ReadonlyMap<string, StepRecord>) => Runtime;
}

const RUNTIMES: readonly Maker[] = [
  {
    name: 'embedded',
    make: (clock, receipts) =>
      createEmbeddedRuntime({ clock, recorder: { receipts: (runId) => Promise.resolve(receipts(runId)) } }),
  },
];

const submission = (runId: string, fields: Partial<RunSubmission> = {}): RunSubmission => ({
  runId,
  planHash: 'p',
  input: { n: 1 },
  deadlineMs: null,
  resumed: false,
  ...fields,
});

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
  async function started(
    interpret: Interpret,
    known: ReadonlyMap<string, StepRecord> = new Map(),
  ): Promise<{ readonly runtime: Runtime; readonly clock: ReturnType<typeof createSimulatedClock> }> {
    const clock = createSimulatedClock();
    const runtime = make(clock, (runId) => (runId === 'run_1' ? known : new Map()));
    await runtime.start(interpret);
    return { runtime, clock };
  }

  test('runs what is submitted with its plan and input, and gives the result to whoever asks', async () => {
    const { runtime } = await started((scope, planHash, input) =>
      Promise.resolve({ id: scope.runId, planHash, input }),
    );
    expect(await runtime.submit(submission('run_1'))).toEqual({ created: true });
    const expected = { ok: true, value: { id: 'run_1', planHash: 'p', input: { n: 1 } } };
    expect(await runtime.result('run_1')).toEqual(expected);
    expect(await runtime.result('run_1')).toEqual(expected);
  });

  test('a failure is given as it was thrown, and an unknown run is said to be unknown', async () => {
    const { runtime } = await started(() => Promise.reject(new TypeError('broken')));
    await runtime.submit(submission('run_1'));
    expect(await runtime.result('run_1')).toMatchObject({
      ok: false,
      error: { name: 'TypeError', message: 'broken' },
    });
    expect(await runtime.result('run_9')).toMatchObject({ ok: false, error: { name: 'RunUnknown' } });
    expect(await runtime.status(['run_9'])).toEqual(['unknown']);
  });

  test('a run that is submitted twice runs once', async () => {
    let times = 0;
    const { runtime, clock } = await started(async (scope) => {
      times += 1;
      await scope.sleep('pause', 10);
      return null;
    });
    await runtime.submit(submission('run_1'));
    expect(await runtime.submit(submission('run_1'))).toEqual({ created: false });
    expect(await runtime.status(['run_1'])).toEqual(['running']);
    await clock.settle(runtime.result('run_1'));
    expect(times).toBe(1);
  });

  test('INV-5: a step with a receipt is answered with it; one in flight is joined; any other runs', async () => {
    const ran: string[] = [];
    const { runtime, clock } = await started(
      async (scope) => {
        const step = (key: string): Promise<Json> =>
          scope.step(key, {}, async () => {
            ran.push(key);
            await scope.sleep('work', 10);
            return `${key} done`;
          });
        const [done, one, again] = await Promise.all([step('done'), step('one'), step('one')]);
        return [done, one, again];
      },
      new Map([['done', receipt('done', 'kept')]]),
    );
    await runtime.submit(submission('run_1', { resumed: true }));
    expect(await clock.settle(runtime.result('run_1'))).toEqual({
      ok: true,
      value: ['kept', 'one done', 'one done'],
    });
    expect(ran).toEqual(['one']);
  });

  test('a failed step is no receipt, and a later call runs it again', async () => {
    let times = 0;
    const { runtime } = await started(async (scope) => {
      const step = (): Promise<Json> =>
        scope.step('flaky', {}, () => {
          times += 1;
          return times === 1 ? Promise.reject(new Error('first')) : Promise.resolve(times);
        });
      await step().catch(() => undefined);
      return step();
    });
    await runtime.submit(submission('run_1'));
    expect(await runtime.result('run_1')).toEqual({ ok: true, value: 2 });
  });

  test('a wave starts its items in order, no more at once than told, and waits for every one', async () => {
    const log: string[] = [];
    const { runtime, clock } = await started(async (scope) => {
      const settled = await scope.wave(
        ['a', 'b', 'c', 'd'].map((key, index) => ({
          key,
          run: async () => {
            log.push(`+${key}`);
            await scope.sleep(key, 10 * (4 - index));
            log.push(`-${key}`);
            if (key === 'b') throw new Error('b broke');
            return key;
          },
        })),
        { concurrent: 2 },
      );
      return settled.map((outcome) => (outcome.ok ? outcome.value : String(outcome.error)));
    });
    await runtime.submit(submission('run_1'));
    expect(await clock.settle(runtime.result('run_1'))).toEqual({
      ok: true,
      value: ['a', 'Error: b broke', 'c', 'd'],
    });
    expect(log.slice(0, 3)).toEqual(['+a', '+b', '-b']);
  });

  test('a child runs under an id that its parent finds again, within the same end', async () => {
    const { runtime, clock } = await started(async (scope, planHash, input) => {
      if (scope.runId.includes('.')) {
        await scope.sleep('work', 1_000);
        return { child: scope.runId, planHash, input };
      }
      return scope.child('call[2]', 'q', { deep: true });
    });
    await runtime.submit(submission('run_1'));
    expect(await clock.settle(runtime.result('run_1'))).toEqual({
      ok: true,
      value: { child: 'run_1.call[2]', planHash: 'q', input: { deep: true } },
    });
    await runtime.submit(submission('run_2', { deadlineMs: 100 }));
    expect(await clock.settle(runtime.result('run_2'))).toMatchObject({
      ok: false,
      error: { why: 'deadline' },
    });
  });

  test('the deadline, a cancellation and the end of the process stop a run with their reason', async () => {
    const { runtime, clock } = await started(async (scope) => {
      await scope.sleep('for ever', 1_000_000);
      return null;
    });
    await runtime.submit(submission('run_1', { deadlineMs: 500 }));
    const late = await clock.settle(runtime.result('run_1'));
    expect(late).toMatchObject({ ok: false, error: { name: 'RunStopped', why: 'deadline' } });
    expect(clock.monotonicMs()).toBe(500);

    await runtime.submit(submission('run_2'));
    expect(await runtime.cancel('run_2', 'enough')).toBe(true);
    expect(await runtime.result('run_2')).toMatchObject({
      ok: false,
      error: { why: 'operator', message: 'enough' },
    });
    expect(await runtime.cancel('run_2', 'enough')).toBe(false);

    await runtime.submit(submission('run_3'));
    await clock.settle(runtime.stop({ drainMs: 2_000 }));
    expect(await runtime.result('run_3')).toMatchObject({ ok: false, error: { why: 'shutdown' } });
    await expect(runtime.submit(submission('run_4'))).rejects.toBeInstanceOf(RunStopped);
    expect(clock.pendingTimers()).toBe(0);
  });

  test('stopping lets runs end that end in time', async () => {
    const { runtime, clock } = await started(async (scope) => {
      await scope.sleep('work', 1_000);
      return 'done';
    });
    await runtime.submit(submission('run_1'));
    await clock.settle(runtime.stop({ drainMs: 2_000 }));
    expect(await runtime.result('run_1')).toEqual({ ok: true, value: 'done' });
    expect(clock.monotonicMs()).toBe(1_000);
  });

  test('a step with a time of its own is told when it is over', async () => {
    const { runtime, clock } = await started((scope) =>
      scope.step(
        'slow',
        { timeoutMs: 50 },
        ({ signal }) =>
          new Promise<Json>((resolve) =>
            signal.addEventListener('abort', () => resolve((signal.reason as Error).name)),
          ),
      ),
    );
    await runtime.submit(submission('run_1'));
    expect(await clock.settle(runtime.result('run_1'))).toEqual({ ok: true, value: 'TimeoutError' });
  });

  test('events reach those who wait, are kept for those who come later, and waiting ends in time', async () => {
    const { runtime, clock } = await started(async (scope) => {
      const early = await scope.waitEvent('approve', 1_000);
      await scope.sleep('pause', 100);
      const kept = await scope.waitEvent('note', 1_000);
      const never = await scope.waitEvent('never', 1_000);
      return [early, kept, never];
    });
    await runtime.submit(submission('run_1'));
    await clock.flush();
    await runtime.signal('run_1', 'note', 'kept');
    await runtime.signal('run_1', 'approve', true);
    expect(await clock.settle(runtime.result('run_1'))).toEqual({ ok: true, value: [true, 'kept', null] });
  });

  test('whoever asks for a result with a limit is told when it is over', async () => {
    const { runtime, clock } = await started(async (scope) => {
      await scope.sleep('work', 10_000);
      return 'done';
    });
    await runtime.submit(submission('run_1'));
    expect(await clock.settle(runtime.result('run_1', 100))).toMatchObject({
      ok: false,
      error: { name: 'TimeoutError' },
    });
    expect(await clock.settle(runtime.result('run_1'))).toEqual({ ok: true, value: 'done' });
  });
});
