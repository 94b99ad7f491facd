import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { HeadgateError } from '../../../src/errors/headgate-error.ts';
import { LedgerUnavailable } from '../../../src/errors/ledger-unavailable.ts';
import { loadTokenizer } from '../../../src/engine/execution/tokens.ts';
import { OPEN_CALLER, memoryFixture, snapshotOf } from '../../support/engine-fixture.ts';
import type { MemoryFixture } from '../../support/engine-fixture.ts';
import type { RunRecord } from '../../../src/engine/execution/records.ts';
import { model, modelStep, plan, task, template } from '../../support/engine-plan.ts';
import { memoryRecorder } from '../../support/memory-recorder.ts';
import type { MemoryRecorder } from '../../support/memory-recorder.ts';
import type { Script } from '../../support/scripted-provider.ts';

beforeAll(loadTokenizer);

const models = [model('a/one')];
const items = {
  type: 'object',
  properties: {
    text: { type: 'string' },
    items: { type: 'array', items: { type: 'string' }, default: ['x', 'y', 'z'] },
  },
  required: ['text'],
  additionalProperties: false,
} as const;

const inner = task('inner', [modelStep('deep', ['a/one'], { prompt: template('deep ${{ input.text }}') })]);
const long = task(
  'write',
  [
    modelStep('first', ['a/one'], { prompt: template('first') }),
    modelStep('many', ['a/one'], {
      after: ['first'],
      each: { list: 'input.items', as: 'item', concurrent: 1 },
      prompt: template('many ${{ item }} ${{ steps.first.text }}'),
    }),
    {
      kind: 'task',
      key: 'call',
      after: ['first'],
      when: null,
      each: null,
      outputSchema: {},
      task: 'inner',
      input: { kind: 'object', members: { text: template('${{ steps.first.text }}') } },
    },
    modelStep('last', ['a/one'], {
      after: ['many', 'call'],
      prompt: template('last ${{ steps.many.map(m, m.text).join(" ") }}'),
    }),
  ],
  { inputSchema: items, allowance: { deadlineMs: 600_000, attempts: 30, costNanoUsd: null } },
);
const whole = plan({ models, tasks: [long, inner] });

const echo: Script = ({ request }) => ({ text: request.prompt.split(' ')[0] ?? '', afterMs: 100 });
const prompts = ({ providers }: MemoryFixture): string[] =>
  providers.calls.map(({ request }) => request.prompt);

async function started(fixture: MemoryFixture): Promise<string> {
  const result = await fixture.clock.settle(
    fixture.engine.start({ task: 'write', input: { text: 't' }, caller: OPEN_CALLER }),
  );
  if (result.kind !== 'started') throw new Error(result.kind);
  return result.run.id;
}

/** The process is gone: nothing that it still does is written. */
function kill(recorder: MemoryRecorder): MemoryRecorder {
  const survivor = memoryRecorder();
  for (const [id, run] of recorder.rows.runs)
    survivor.rows.runs.set(id, run.finishedAtMs === null && run.durable ? { ...run, status: 'queued' } : run);
  for (const [id, attempt] of recorder.rows.attempts) survivor.rows.attempts.set(id, attempt);
  for (const [id, steps] of recorder.rows.steps) survivor.rows.steps.set(id, new Map(steps));
  return survivor;
}

describe('durable runs that wait', () => {
  const few = plan({ models, tasks: [task('write', [modelStep('say', ['a/one'])])] });
  const start = async (fixture: MemoryFixture): Promise<RunRecord> => {
    const result = await fixture.clock.settle(
      fixture.engine.start({ task: 'write', input: { text: 't' }, caller: OPEN_CALLER }),
    );
    if (result.kind !== 'started') throw new Error(result.kind);
    return result.run;
  };

  test('are those beyond the room that there is, and each is begun when one before it is over', async () => {
    const fixture = memoryFixture(few, echo, { durableRuns: 2 });
    const runs = [];
    for (let index = 0; index < 5; index += 1) runs.push(await start(fixture));
    expect(runs.map(({ status }) => status)).toEqual(['running', 'running', 'queued', 'queued', 'queued']);
    expect(fixture.engine.running()).toBe(2);
    await fixture.clock.advance(150);
    expect(fixture.engine.running()).toBe(2);
    await fixture.clock.advance(1_000);
    expect(runs.map(({ id }) => fixture.recorder.rows.runs.get(id)?.status)).toEqual(
      Array.from({ length: 5 }, () => 'succeeded'),
    );
    expect(fixture.providers.calls.length).toBe(5);
  });

  test('are ended when their processes died of them, or beside them, twenty times', async () => {
    const fixture = memoryFixture(few, echo);
    const { id } = await start(fixture);
    let { recorder } = fixture;
    for (let times = 0; times < 20; times += 1) {
      recorder = kill(recorder);
      await memoryFixture(few, echo, { recorder, seed: 2 + times }).engine.resume();
    }
    expect(recorder.rows.runs.get(id)).toMatchObject({ status: 'failed', error: { code: 'RUN_GIVEN_UP' } });
  });

  test('INV-5: are started again, when they have failed, from what they have done', async () => {
    let isDown = true;
    const fixture = memoryFixture(whole, (call, ...rest) =>
      isDown && call.request.prompt.startsWith('last')
        ? { fail: 'invalid_request', afterMs: 10 }
        : echo(call, ...rest),
    );
    const failed = await started(fixture);
    await fixture.clock.advance(10_000);
    expect(fixture.recorder.rows.runs.get(failed)).toMatchObject({ status: 'failed' });
    const before = fixture.providers.calls.length;
    isDown = false;
    const again = await fixture.clock.settle(fixture.engine.again(failed));
    if (again?.kind !== 'started') throw new Error(again?.kind);
    await fixture.clock.advance(10_000);
    expect(fixture.recorder.rows.runs.get(again.run.id)).toMatchObject({
      status: 'succeeded',
      output: { text: 'last' },
      caller: { name: OPEN_CALLER.name },
    });
    expect(
      prompts(fixture)
        .slice(before)
        .map((prompt) => prompt.split(' ')[0]),
    ).toEqual(['last']);
    // One that is under way, or was never there, is not.
    expect(await fixture.engine.again('run_none')).toBeUndefined();
    const running = await started(fixture);
    expect(await fixture.engine.again(running)).toBeUndefined();
  });

  test('go on at once where somebody asks for them by their key', async () => {
    const fixture = memoryFixture(few, echo, { durableRuns: 1 });
    await start(fixture);
    const request = {
      task: 'write',
      input: { text: 'k' },
      caller: OPEN_CALLER,
      options: { idempotencyKey: 'k' },
    };
    const waiting = await fixture.clock.settle(fixture.engine.start(request));
    expect(waiting).toMatchObject({ kind: 'started', run: { status: 'queued' } });
    expect(snapshotOf(await fixture.clock.settle(fixture.engine.run(request))).run).toMatchObject({
      status: 'succeeded',
      begun: 1,
    });
  });
});

describe('a started run', () => {
  test('is accepted at once and finishes by itself', async () => {
    const fixture = memoryFixture(whole, echo);
    const runId = await started(fixture);
    expect(fixture.recorder.rows.runs.get(runId)).toMatchObject({
      durable: true,
      status: 'running',
      finishedAtMs: null,
    });
    expect(fixture.engine.running()).toBe(1);
    await fixture.clock.advance(10_000);
    expect(fixture.recorder.rows.runs.get(runId)).toMatchObject({
      status: 'succeeded',
      output: { text: 'last' },
    });
    expect(fixture.engine.running()).toBe(0);
  });

  test('is refused like any other when it cannot be written', async () => {
    const fixture = memoryFixture(whole, echo);
    fixture.recorder.failure = new LedgerUnavailable('the disk is full', 'free some');
    await expect(
      fixture.engine.start({ task: 'write', input: { text: 't' }, caller: OPEN_CALLER }),
    ).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    expect(fixture.providers.calls).toEqual([]);
  });

  test('INV-5: goes on after a restart from its last receipt, wherever it was cut off', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 800 }), async (killedAtMs) => {
        const before = memoryFixture(whole, echo);
        const runId = await started(before);
        await before.clock.advance(killedAtMs);
        const recorder = kill(before.recorder);
        const inFlight = [...recorder.rows.attempts.values()].filter(
          ({ status }) => status === 'open',
        ).length;
        const receipts = [...recorder.rows.steps.values()]
          .flatMap((steps) => [...steps.values()])
          .filter(({ kind }) => kind === 'model').length;

        const after = memoryFixture(whole, echo, { recorder, seed: 2 });
        const finished = recorder.rows.runs.get(runId)?.finishedAtMs !== null;
        expect(await after.engine.resume()).toBe(finished ? 0 : 1);
        await after.clock.advance(10_000);

        // Six calls do the work; what has a receipt is never called again.
        expect(after.providers.calls.length).toBe(6 - receipts);
        expect(before.providers.calls.length).toBe(receipts + inFlight);
        const run = recorder.rows.runs.get(runId);
        expect(run).toMatchObject({ status: 'succeeded', output: { text: 'last' } });
        const own = [...recorder.rows.attempts.values()].filter(({ runId: of }) => of === runId);
        expect(run?.costNanoUsd).toBe(own.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n));
      }),
      { numRuns: 60 },
    );
  });

  test('INV-4: what was used before the restart is used', async () => {
    const few = plan({
      models,
      tasks: [
        task('write', [modelStep('say', ['a/one'])], {
          allowance: { deadlineMs: 60_000, attempts: 3, costNanoUsd: null },
        }),
      ],
    });
    const before = memoryFixture(few, () => ({ fail: 'server_error', afterMs: 10 }));
    await started(before);
    await before.clock.advance(200);
    const made = before.providers.calls.length;
    expect(made).toBeGreaterThan(0);
    const recorder = kill(before.recorder);
    const after = memoryFixture(few, () => ({ fail: 'server_error', afterMs: 10 }), { recorder, seed: 2 });
    await after.engine.resume();
    await after.clock.advance(60_000);
    expect(made + after.providers.calls.length).toBeLessThanOrEqual(3);
    expect([...recorder.rows.runs.values()][0]).toMatchObject({
      status: 'failed',
      error: { code: 'ATTEMPTS_EXHAUSTED' },
    });
  });

  test('INV-4: what its children used before the restart is used, and stays in their cost', async () => {
    const nested = plan({
      models,
      tasks: [
        task(
          'write',
          [
            {
              kind: 'task',
              key: 'call',
              after: [],
              when: null,
              each: null,
              outputSchema: {},
              task: 'inner',
              input: { kind: 'object', members: { text: template('${{ input.text }}') } },
            },
          ],
          { allowance: { deadlineMs: 60_000, attempts: 4, costNanoUsd: null } },
        ),
        inner,
      ],
    });
    const before = memoryFixture(nested, () => ({ fail: 'server_error', billed: 'yes', afterMs: 10 }));
    await started(before);
    await before.clock.advance(100);
    const made = before.providers.calls.length;
    expect(made).toBeGreaterThan(0);
    const recorder = kill(before.recorder);
    const after = memoryFixture(nested, () => ({ fail: 'server_error', billed: 'yes', afterMs: 10 }), {
      recorder,
      seed: 2,
    });
    await after.engine.resume();
    await after.clock.advance(60_000);
    expect(made + after.providers.calls.length).toBeLessThanOrEqual(4);
    const child = [...recorder.rows.runs.values()].find(({ parentRunId }) => parentRunId !== null);
    const rows = [...recorder.rows.attempts.values()].filter(({ runId }) => runId === child?.id);
    expect(rows.length).toBeGreaterThan(made);
    expect(child?.costNanoUsd).toBe(rows.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n));
  });

  test('of a revision that nobody knows any more is ended with what to do', async () => {
    const before = memoryFixture(whole, echo);
    const runId = await started(before);
    const recorder = kill(before.recorder);
    const other = memoryFixture(plan({ models, tasks: [inner] }), echo, { recorder });
    await other.engine.resume();
    expect(recorder.rows.runs.get(runId)).toMatchObject({
      status: 'failed',
      error: { code: 'REVISION_UNKNOWN' },
    });
  });
});

describe('a durable run whose ledger is away', () => {
  const away = new LedgerUnavailable('the database is away', 'start it');

  test('INV-5: stands still, and goes on by itself from what it has done; who waits for it has its answer', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 1, max: 2_000_000 }),
        async (fromMs, forMs) => {
          const fixture = memoryFixture(whole, echo);
          const options = { idempotencyKey: 'k' };
          const events: string[] = [];
          const onEvent = ({ type }: { readonly type: string }): void => void events.push(type);
          const asked = fixture.run('write', { options, input: { text: 't' }, onEvent });
          await fixture.clock.advance(fromMs);
          fixture.recorder.failure = away;
          await fixture.clock.advance(forMs);
          fixture.recorder.failure = undefined;
          const { run } = snapshotOf(await fixture.clock.settle(asked));
          expect(run).toMatchObject({ status: 'succeeded', output: { text: 'last' } });
          // Six calls do the work; none is made twice.
          expect(fixture.providers.calls.length).toBe(6);
          const own = [...fixture.recorder.rows.attempts.values()].filter(({ runId }) => runId === run.id);
          expect(own.every(({ status }) => status === 'succeeded')).toBe(true);
          expect(run.costNanoUsd).toBe(own.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n));
          expect(fixture.recorder.rows.runs.get(run.id)).toMatchObject({ status: 'succeeded', begun: 1 });
          expect(events.filter((type) => type === 'queued')).toHaveLength(1);
          expect(events.filter((type) => type === 'finished')).toHaveLength(1);
          expect(events.at(-1)).toBe('finished');
          expect(fixture.engine.running()).toBe(0);
          expect(fixture.budgets.views().every(({ held }) => held === 0n)).toBe(true);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('is cancelled when it is asked for meanwhile, as soon as that can be written', async () => {
    const fixture = memoryFixture(whole, echo);
    const id = await started(fixture);
    await fixture.clock.advance(150);
    fixture.recorder.failure = away;
    await fixture.clock.advance(5_000);
    expect(await fixture.engine.cancel(id, 'not needed')).toBe(true);
    const before = fixture.providers.calls.length;
    fixture.recorder.failure = undefined;
    await fixture.clock.advance(600);
    expect(fixture.recorder.rows.runs.get(id)).toMatchObject({
      status: 'cancelled',
      error: { code: 'CANCELLED' },
    });
    expect(fixture.providers.calls.length).toBe(before);
  });

  test('is left in the ledger where its process ends: no stop waits for a database', async () => {
    const fixture = memoryFixture(whole, echo);
    const id = await started(fixture);
    const waiting = fixture.run('write', { options: { idempotencyKey: 'k' }, input: { text: 'u' } });
    await fixture.clock.advance(150);
    fixture.recorder.failure = away;
    await fixture.clock.advance(5_000);
    expect(fixture.engine.running()).toBe(2);
    const stoppedAtMs = fixture.clock.monotonicMs();
    await fixture.clock.settle(fixture.engine.drain(1_000));
    expect(fixture.clock.monotonicMs()).toBe(stoppedAtMs);
    expect(fixture.engine.running()).toBe(0);
    expect(snapshotOf(await waiting).run.error).toMatchObject({ code: 'SHUT_DOWN' });
    expect(fixture.recorder.rows.runs.get(id)).toMatchObject({ status: 'running', finishedAtMs: null });
  });

  test('ends where what it writes cannot be held', async () => {
    const fixture = memoryFixture(whole, echo);
    const id = await started(fixture);
    await fixture.clock.advance(150);
    const cause = new HeadgateError('LEDGER_VALUE', 'too large', 'less');
    fixture.recorder.failure = new LedgerUnavailable('too large', 'less', { cause });
    await fixture.clock.advance(5_000);
    expect(fixture.engine.running()).toBe(0);
    fixture.recorder.failure = undefined;
    await fixture.recorder.receipts(id);
    expect(fixture.recorder.rows.runs.get(id)).toMatchObject({ status: 'failed' });
  });
});

describe('a keyed run that a crash cut off', () => {
  test('INV-5: is answered by its key, from its receipts, while it is resumed and after', async () => {
    const options = { idempotencyKey: 'k' };
    const before = memoryFixture(whole, echo);
    void before.run('write', { options, input: { text: 't' } });
    await before.clock.advance(250);
    const recorder = kill(before.recorder);
    const after = memoryFixture(whole, echo, { recorder, seed: 2 });
    const asked = after.run('write', { options, input: { text: 't' } });
    await after.engine.resume();
    const { run } = snapshotOf(await after.clock.settle(asked));
    expect(run).toMatchObject({ status: 'succeeded', output: { text: 'last' } });
    expect(prompts(after)).not.toContain('first');
    expect(
      snapshotOf(await after.clock.settle(after.run('write', { options, input: { text: 't' } }))).run.id,
    ).toBe(run.id);
    expect([...recorder.rows.runs.values()].filter(({ parentRunId }) => parentRunId === null)).toHaveLength(
      1,
    );
  });
});

describe('draining', () => {
  test('refuses a request that was still asking the ledger when it began, before anything is written', async () => {
    const cached = plan({ models, tasks: [{ ...inner, name: 'write', cache: { forMs: 60_000 } }] });
    const fixture = memoryFixture(cached, echo);
    const running = fixture.run('write');
    const drained = fixture.engine.drain(1_000);
    await expect(running).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    await drained;
    expect(fixture.recorder.rows.log).toEqual([]);
  });

  test('lets runs end, and takes no new ones', async () => {
    const fixture = memoryFixture(whole, echo);
    const running = fixture.run('write', { input: { text: 't' } });
    const drained = fixture.engine.drain(30_000);
    await expect(fixture.run('write', { input: { text: 't' } })).rejects.toMatchObject({
      code: 'SHUTTING_DOWN',
    });
    expect(snapshotOf(await fixture.clock.settle(running)).run.status).toBe('succeeded');
    await fixture.clock.settle(drained);
  });

  test('records what is left as cancelled, settled; a durable run is left to be continued', async () => {
    const fixture = memoryFixture(whole, ({ request }) =>
      request.prompt === 'first' ? { text: 'first' } : { silent: true },
    );
    const runId = await started(fixture);
    const running = fixture.run('write', { input: { text: 'u' } });
    await fixture.clock.advance(1_000);
    await fixture.clock.settle(fixture.engine.drain(5_000));
    expect(snapshotOf(await running).run).toMatchObject({
      status: 'cancelled',
      error: { code: 'SHUT_DOWN' },
    });
    expect(fixture.recorder.rows.runs.get(runId)).toMatchObject({
      status: 'queued',
      begun: 1,
      finishedAtMs: null,
    });
    expect([...fixture.recorder.rows.attempts.values()].some(({ status }) => status === 'open')).toBe(false);
    expect(fixture.budgets.views().every(({ held }) => held === 0n)).toBe(true);

    const after = memoryFixture(whole, echo, { recorder: kill(fixture.recorder), seed: 2 });
    expect(await after.engine.resume()).toBe(1);
    await after.clock.advance(20_000);
    expect(after.recorder.rows.runs.get(runId)).toMatchObject({ status: 'succeeded' });
    expect(prompts(after)).not.toContain('first');
  });
});
