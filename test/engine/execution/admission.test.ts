import { beforeAll, describe, expect, test } from 'vitest';
import type { Caller } from '../../../src/engine/budget/port.ts';
import type { RunOptions } from '../../../src/engine/execution/port.ts';
import type { PlanStep } from '../../../src/language/plan/types.ts';
import { loadTokenizer } from '../../../src/engine/execution/tokens.ts';
import { model, modelStep, plan, rule, task, template } from '../../support/engine-plan.ts';
import { OPEN_CALLER, memoryFixture, snapshotOf } from '../../support/engine-fixture.ts';

beforeAll(loadTokenizer);

const models = [model('a/one'), model('b/two')];
const steps = [modelStep('say', ['a/one', 'b/two'])];
const callOf = (name: string): PlanStep => ({
  kind: 'task',
  key: 'call',
  after: [],
  when: null,
  each: null,
  outputSchema: {},
  task: name,
  input: { kind: 'object', members: { text: template('${{ input.text }}') } },
});
const simple = plan({ models, tasks: [task('write', steps), task('other', steps)] });

describe('an unknown task', () => {
  test('is told with those that are known', async () => {
    const fixture = memoryFixture(simple, () => ({}));
    expect(await fixture.run('wrte')).toMatchObject({
      kind: 'invalid_input',
      code: 'UNKNOWN_TASK',
      remedy: expect.stringContaining('other, write'),
    });
    expect(await fixture.run('constructor')).toMatchObject({ code: 'UNKNOWN_TASK' });
  });
});

describe('options', () => {
  test.each<[string, RunOptions]>([
    ['deadlineMs', { deadlineMs: 0 }],
    ['deadlineMs', { deadlineMs: Number.NaN }],
    ['maxCost', { maxCostNanoUsd: -1n }],
    ['idempotencyKey', { idempotencyKey: '' }],
    ['tags', { tags: { a: 'x'.repeat(300) } }],
    ['tags', { tags: Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`t${index}`, 'x'])) }],
  ])('INV-13: a bad %s is refused with its place', async (place, options) => {
    const fixture = memoryFixture(simple, () => ({}));
    expect(await fixture.run('write', { options })).toMatchObject({
      kind: 'invalid_input',
      problems: [{ path: `/options/${place}` }],
    });
    expect(fixture.recorder.rows.log).toEqual([]);
  });

  test('tighten the allowance and never loosen it', async () => {
    const fixture = memoryFixture(simple, () => ({ silent: true }));
    const short = snapshotOf(
      await fixture.clock.settle(fixture.run('write', { options: { deadlineMs: 2_000 } })),
    );
    expect(short.run.latencyMs).toBeLessThanOrEqual(2_001);
    const long = snapshotOf(
      await fixture.clock.settle(fixture.run('write', { options: { deadlineMs: 10_000_000 } })),
    );
    expect(long.run.latencyMs).toBeLessThanOrEqual(60_001);
  });

  test("the run's tags stand beside the key's, which it may repeat", async () => {
    const fixture = memoryFixture(simple, () => ({}));
    const caller = { ...OPEN_CALLER, tags: { plan: 'trial', app: 'shop' } };
    const tags = { env: 'prod', app: 'shop' };
    expect(snapshotOf(await fixture.run('write', { caller, options: { tags } })).run.tags).toEqual({
      env: 'prod',
      plan: 'trial',
      app: 'shop',
    });
  });

  test('a tag of the key is not shaken off by another value in the request', async () => {
    const fixture = memoryFixture(simple, () => ({}));
    const caller = { ...OPEN_CALLER, tags: { plan: 'trial' } };
    for (const plan of ['gold', '', 'Trial'])
      expect(await fixture.run('write', { caller, options: { tags: { plan } } })).toMatchObject({
        kind: 'invalid_input',
        code: 'INVALID_INPUT',
        problems: [{ path: '/options/tags' }],
      });
    expect(fixture.providers.calls).toHaveLength(0);
  });
});

describe('defaults of an input', () => {
  test('are filled in from the schema and from expressions, and leave what the caller gave alone', async () => {
    const dated = task(
      'write',
      [
        modelStep('say', ['a/one'], {
          prompt: template('${{ input.day }} ${{ input.more.deep }} ${{ input.who }}'),
        }),
      ],
      {
        inputSchema: {
          type: 'object',
          properties: {
            day: { type: 'string', format: 'date' },
            who: { type: 'string' },
            more: { type: 'object', properties: { deep: { type: 'string', default: 'd' } }, default: {} },
          },
          required: [],
          additionalProperties: false,
        },
        inputDefaults: { day: template('${{ now.date }}'), who: template('${{ caller.name }}') },
      },
    );
    const fixture = memoryFixture(plan({ models, tasks: [dated] }), () => ({}));
    const input = { more: {} };
    await fixture.run('write', { input });
    expect(fixture.providers.calls[0]?.request.prompt).toBe('2026-01-01 d local');
    expect(input).toEqual({ more: {} });
    expect(await fixture.run('write', { input: { day: 'tomorrow' } })).toMatchObject({
      kind: 'invalid_input',
      problems: [{ path: '/day', code: 'format' }],
    });
  });

  test('a hostile pattern in a schema does not stall', async () => {
    const patterned = task('write', steps, {
      inputSchema: {
        type: 'object',
        properties: { text: { type: 'string', pattern: '^(a+)+$' } },
        required: ['text'],
        additionalProperties: false,
      },
    });
    const fixture = memoryFixture(plan({ models, tasks: [patterned] }), () => ({}));
    expect(await fixture.run('write', { input: { text: `${'a'.repeat(50_000)}!` } })).toMatchObject({
      kind: 'invalid_input',
      problems: [{ code: 'pattern' }],
    });
  });
});

describe('idempotency keys', () => {
  const options = { idempotencyKey: 'k1' };

  test('INV-5: the same key and input is the same run, now and later', async () => {
    const fixture = memoryFixture(simple, () => ({ text: 'once', afterMs: 100 }));
    const both = await fixture.clock.settle(
      Promise.all([fixture.run('write', { options }), fixture.run('write', { options })]),
    );
    const later = await fixture.clock.settle(fixture.run('write', { options }));
    const ids = [...both, later].map((result) => snapshotOf(result).run.id);
    expect(new Set(ids).size).toBe(1);
    expect(snapshotOf(later)).toMatchObject({
      run: { output: { text: 'once' } },
      attempts: [{ status: 'succeeded' }],
      steps: [{ key: 'say' }],
    });
    expect(fixture.providers.calls).toHaveLength(1);
  });

  test('the same key with another input or another task is an error, while the first runs and after', async () => {
    const fixture = memoryFixture(simple, () => ({ afterMs: 100 }));
    const first = fixture.run('write', { options });
    const other = { input: { text: 'else' }, options };
    expect(await fixture.run('write', other)).toMatchObject({
      kind: 'invalid_input',
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    await fixture.clock.settle(first);
    expect(await fixture.run('write', other)).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect(await fixture.run('other', { options })).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect(fixture.providers.calls).toHaveLength(1);
  });

  test('a started run and one that is waited for share the key', async () => {
    const fixture = memoryFixture(simple, () => ({ text: 'once', afterMs: 100 }));
    const request = { task: 'write', input: { text: 'bridges' }, caller: OPEN_CALLER, options };
    const [started, waited] = await fixture.clock.settle(
      Promise.all([fixture.engine.start(request), fixture.run('write', { options })]),
    );
    expect(started).toMatchObject({ kind: 'started', run: { id: snapshotOf(waited).run.id } });
    expect(await fixture.clock.settle(fixture.engine.start(request))).toMatchObject({
      kind: 'started',
      run: { status: 'succeeded' },
    });
    expect(fixture.providers.calls).toHaveLength(1);
  });

  test("another caller's key is another key", async () => {
    const fixture = memoryFixture(simple, () => ({}));
    await fixture.run('write', { options });
    await fixture.run('write', { options, caller: { ...OPEN_CALLER, name: 'ben' } });
    expect(fixture.providers.calls).toHaveLength(2);
  });

  test('a refused request leaves its key free', async () => {
    const fixture = memoryFixture(simple, () => ({}));
    fixture.guards.pause('task:write', 'lunch', 'ana');
    expect((await fixture.run('write', { options })).kind).toBe('spending_paused');
    fixture.guards.resume('task:write', 'ana');
    expect((await fixture.run('write', { options })).kind).toBe('run');
  });
});

describe('the exact cache', () => {
  const READS: readonly (readonly [string, string, Partial<Caller>, RunOptions])[] = [
    ['caller.name', '${{ caller.name }}: ${{ input.text }}', { name: 'ben' }, {}],
    ['caller.team', '${{ caller.team }}: ${{ input.text }}', { team: 'sales' }, {}],
    [
      'caller.tier',
      '${{ caller.tier == "trial" ? "short" : "long" }}: ${{ input.text }}',
      { tier: 'trial' },
      {},
    ],
    [
      'tags',
      '${{ default(caller.tags.customer, "none") }}: ${{ input.text }}',
      {},
      { tags: { customer: 'acme' } },
    ],
  ];
  const asking = (prompt: string): ReturnType<typeof plan> => {
    const own = modelStep('say', ['a/one'], { prompt: template(prompt) });
    const outer = task('outer', [callOf('write')], {
      cache: { forMs: 60_000 },
    });
    return plan({ models, tasks: [task('write', [own], { cache: { forMs: 60_000 } }), outer] });
  };

  describe.each(['write', 'outer'])('INV-12: the answer of %s', (name) => {
    test.each(READS)('that reads %s is given again to no other', async (_what, prompt, other, options) => {
      const fixture = memoryFixture(asking(prompt), () => ({ text: 'an answer', afterMs: 10 }));
      const ask = async (caller: Partial<Caller>, given: RunOptions = {}): Promise<boolean> =>
        snapshotOf(
          await fixture.clock.settle(
            fixture.run(name, { caller: { ...OPEN_CALLER, ...caller }, options: given }),
          ),
        ).run.cached;
      expect(await ask({})).toBe(false);
      expect(await ask(other, options)).toBe(false);
      expect(await ask(other, options)).toBe(true);
      // At once: neither is joined by the other.
      const both = await fixture.clock.settle(
        Promise.all(
          [{}, other].map((caller, index) =>
            fixture.run(name, {
              input: { text: 'new' },
              caller: { ...OPEN_CALLER, ...caller },
              options: index === 0 ? {} : options,
            }),
          ),
        ),
      );
      expect(both.map((result) => snapshotOf(result).run.cached)).toEqual([false, false]);
    });

    test.each([
      ['now.date', '${{ now.date }}: ${{ input.text }}', true],
      ['now.timestamp', '${{ now.timestamp }}: ${{ input.text }}', false],
    ])('that reads %s is given again only while that is the same', async (_what, prompt, isSame) => {
      const fixture = memoryFixture(asking(prompt), () => ({ text: 'an answer', afterMs: 10 }));
      const ask = async (): Promise<boolean> =>
        snapshotOf(await fixture.clock.settle(fixture.run(name))).run.cached;
      expect(await ask()).toBe(false);
      await fixture.clock.advance(1_000);
      expect(await ask()).toBe(isSame);
    });
  });

  test('a task that reads nothing of who asks shares its answers', async () => {
    const fixture = memoryFixture(asking('${{ input.text }}'), () => ({ text: 'an answer' }));
    await fixture.run();
    const again = await fixture.run('write', {
      caller: { ...OPEN_CALLER, name: 'ben' },
      options: { tags: { a: 'b' } },
    });
    expect(snapshotOf(again).run.cached).toBe(true);
  });

  const cached = plan({ models, tasks: [task('write', steps, { cache: { forMs: 60_000 } })] });

  test('answers the same input with the same output, at no cost, as a run of its own', async () => {
    const fixture = memoryFixture(cached, () => ({ text: 'kept' }));
    const first = snapshotOf(await fixture.run());
    const second = snapshotOf(await fixture.run());
    expect(second.run).toMatchObject({
      cached: true,
      output: { text: 'kept' },
      costNanoUsd: 0n,
      savedNanoUsd: first.run.costNanoUsd,
      status: 'succeeded',
    });
    expect(second.run.id).not.toBe(first.run.id);
    expect(fixture.providers.calls).toHaveLength(1);
    await fixture.run('write', { input: { text: 'towers' } });
    await fixture.run('write', { options: { noCache: true } });
    expect(fixture.providers.calls).toHaveLength(3);
    await fixture.clock.advance(120_000);
    await fixture.run();
    expect(fixture.providers.calls).toHaveLength(4);
  });

  test('identical requests at the same time join one call', async () => {
    const fixture = memoryFixture(cached, () => ({ text: 'one', afterMs: 1_000 }));
    const all = await fixture.clock.settle(Promise.all(Array.from({ length: 20 }, () => fixture.run())));
    expect(fixture.providers.calls).toHaveLength(1);
    expect(all.map((result) => snapshotOf(result).run.cached).filter(Boolean)).toHaveLength(19);
  });

  test('who joins waits no longer than its own deadline, and not at all once its caller is gone', async () => {
    const fixture = memoryFixture(cached, () => ({ text: 'one', afterMs: 10_000 }));
    const leader = fixture.run();
    const controller = new AbortController();
    const late = fixture.run('write', { options: { deadlineMs: 500 } });
    const gone = fixture.run('write', { signal: controller.signal });
    await fixture.clock.advance(500);
    expect(snapshotOf(await late).run).toMatchObject({
      status: 'failed',
      error: { code: 'DEADLINE_EXCEEDED' },
    });
    controller.abort();
    expect(snapshotOf(await gone).run).toMatchObject({ status: 'cancelled', error: { code: 'CANCELLED' } });
    expect(snapshotOf(await fixture.clock.settle(leader)).run.status).toBe('succeeded');
    expect(fixture.providers.calls).toHaveLength(1);
    expect(fixture.clock.pendingTimers()).toBe(0);
  });

  test('when the one that is joined fails, the next tries, and the others join that one', async () => {
    const fixture = memoryFixture(cached, (_call, number) =>
      number === 1 ? { fail: 'content_filter', afterMs: 100 } : { text: 'two', afterMs: 100 },
    );
    const all = await fixture.clock.settle(Promise.all(Array.from({ length: 5 }, () => fixture.run())));
    expect(all.map((result) => snapshotOf(result).run.status).sort()).toEqual([
      'failed',
      'succeeded',
      'succeeded',
      'succeeded',
      'succeeded',
    ]);
    expect(fixture.providers.calls).toHaveLength(2);
  });
});

describe('guards', () => {
  const guarded = (then: 'reuse' | 'reject' | 'pause'): ReturnType<typeof plan> =>
    plan({
      models,
      tasks: [
        task('write', steps, {
          loop: {
            guards: [{ same: 'input', ignore: [], repeats: 2, withinMs: 60_000, then }],
            depth: 4,
            fanOut: 100,
          },
        }),
      ],
    });

  test('a loop is answered with the last answer, the one that is still going included', async () => {
    const fixture = memoryFixture(guarded('reuse'), () => ({ text: 'again', afterMs: 1_000 }));
    const all = await fixture.clock.settle(
      Promise.all(
        Array.from({ length: 6 }, (_, index) =>
          fixture.run('write', { input: { text: index % 2 === 0 ? 'bridges' : ' bridges\n' } }),
        ),
      ),
    );
    expect(fixture.providers.calls.length).toBeLessThanOrEqual(3);
    const runs = all.map((result) => snapshotOf(result).run);
    expect(runs.every(({ status }) => status === 'succeeded')).toBe(true);
    const reused = runs.filter(({ reusedBy }) => reusedBy === 'loop_guard');
    expect(reused.length).toBe(6 - fixture.providers.calls.length);
    for (const run of reused) expect(run).toMatchObject({ cached: true, savedNanoUsd: 0n, costNanoUsd: 0n });
    expect(runs.filter(({ cached }) => cached)).toEqual(reused);
  });

  test('a loop is rejected with what the caller needs to act', async () => {
    const fixture = memoryFixture(guarded('reject'), () => ({}));
    const results = [];
    for (let index = 0; index < 5; index += 1) results.push(await fixture.run());
    expect(results.at(-1)).toMatchObject({ kind: 'loop_detected', code: 'LOOP_DETECTED', withinMs: 60_000 });
  });

  test('a paused scope is told before anything is written, and stops a run before its next call', async () => {
    const fixture = memoryFixture(simple, ({ provider }) => {
      if (provider === 'a') fixture.guards.pause('task:write', 'runaway', 'ana');
      return { fail: 'permission' };
    });
    expect(await fixture.clock.settle(fixture.run())).toMatchObject({
      kind: 'spending_paused',
      scope: 'task:write',
      reason: 'runaway',
      remedy:
        'Wait, or have an administrator resume it: on the page, by `headgate resume`, or with resumeSpending(scope: {task: "write"}).',
    });
    expect(fixture.providers.calls).toHaveLength(1);
    const before = fixture.recorder.rows.log.length;
    expect((await fixture.run()).kind).toBe('spending_paused');
    expect(fixture.recorder.rows.log.length).toBe(before);
  });
});

describe('a dry run', () => {
  test('says who would be asked and what would be held, and asks nobody', async () => {
    const fixture = memoryFixture(simple, () => ({}));
    const result = await fixture.engine.dryRun({ task: 'write', input: { text: 'x' }, caller: OPEN_CALLER });
    expect(result).toMatchObject({
      kind: 'dry_run',
      dryRun: { task: 'write', steps: [{ step: 'say', decision: { rule: 'route[0]' } }] },
    });
    if (result.kind === 'dry_run') expect(result.dryRun.holdNanoUsd).toBeGreaterThan(400_000n);
    expect(fixture.providers.calls).toEqual([]);
    expect(fixture.recorder.rows.log).toEqual([]);
  });

  test('imagines what is not known: a step that reads another is sized for the longest answer', async () => {
    const chain = plan({
      models,
      tasks: [
        task('write', [
          modelStep('many', ['a/one'], { each: { list: '["a", "b"]', as: 'item', concurrent: 2 } }),
          modelStep('merged', ['a/one'], {
            after: ['many'],
            prompt: template('${{ steps.many.map(m, m.text).join(" ") }}'),
          }),
        ]),
      ],
    });
    const fixture = memoryFixture(chain, () => ({}));
    const result = await fixture.engine.dryRun({ task: 'write', input: { text: 'x' }, caller: OPEN_CALLER });
    if (result.kind !== 'dry_run') throw new Error(result.kind);
    expect(result.dryRun.steps.map(({ step }) => step)).toEqual(['many[0]', 'many[1]', 'merged']);
    const [first, , merged] = result.dryRun.steps;
    expect(merged?.holdNanoUsd).toBeGreaterThan(first?.holdNanoUsd ?? 0n);
  });

  test('that nobody could serve says why, and names no run', async () => {
    const fixture = memoryFixture(
      plan({ models, tasks: [task('write', [modelStep('say', [])])] }),
      () => ({}),
    );
    expect(
      await fixture.engine.dryRun({ task: 'write', input: { text: 'x' }, caller: OPEN_CALLER }),
    ).toMatchObject({
      kind: 'dry_run',
      dryRun: { steps: [{ decision: { candidates: [] }, holdNanoUsd: 0n }] },
    });
    const ruled = plan({
      models,
      tasks: [task('write', [modelStep('say', [rule(['a/one'], { when: 'false' })])])],
    });
    expect(
      await memoryFixture(ruled, () => ({})).engine.dryRun({
        task: 'write',
        input: { text: 'x' },
        caller: OPEN_CALLER,
      }),
    ).toMatchObject({ kind: 'no_provider_available', runId: null });
  });

  test('reports bad input like a run', async () => {
    const fixture = memoryFixture(simple, () => ({}));
    expect((await fixture.engine.dryRun({ task: 'write', input: {}, caller: OPEN_CALLER })).kind).toBe(
      'invalid_input',
    );
  });
});
