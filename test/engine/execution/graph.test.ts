import { beforeAll, describe, expect, test } from 'vitest';
import { loadTokenizer } from '../../../src/engine/execution/tokens.ts';
import type { PlanStep } from '../../../src/language/plan/types.ts';
import { model, modelStep, plan, task, template } from '../../support/engine-plan.ts';
import { memoryFixture, snapshotOf } from '../../support/engine-fixture.ts';

beforeAll(loadTokenizer);

const models = [model('a/one'), model('b/two')];
const listInput = {
  type: 'object',
  properties: {
    text: { type: 'string' },
    items: { type: 'array', items: { type: 'string' }, default: ['x', 'y', 'z'] },
  },
  required: ['text'],
  additionalProperties: false,
} as const;
const each = { list: 'input.items', as: 'item', concurrent: 2 };

const parseJson = (fields: Partial<PlanStep> = {}): PlanStep =>
  ({
    kind: 'parse',
    key: 'data',
    after: [],
    when: null,
    each: null,
    outputSchema: {},
    format: 'json',
    from: template('${{ input.text }}'),
    ...fields,
  }) as PlanStep;

describe('the step graph', () => {
  test('steps run as their references allow: what reads nothing of another runs beside it', async () => {
    const diamond = plan({
      models,
      tasks: [
        task('write', [
          modelStep('left', ['a/one'], { prompt: template('L') }),
          modelStep('right', ['a/one'], { prompt: template('R') }),
          modelStep('both', ['a/one'], {
            after: ['left', 'right'],
            prompt: template('${{ steps.left.text }}+${{ steps.right.text }}'),
          }),
        ]),
      ],
    });
    const fixture = memoryFixture(diamond, ({ request }) => ({
      text: request.prompt.toLowerCase(),
      afterMs: 1_000,
    }));
    const { run, steps } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(run.output).toEqual({ text: 'l+r' });
    expect(run.latencyMs).toBe(2_000);
    expect(steps.map(({ key }) => key)).toEqual(['left', 'right', 'both']);
  });

  test('a failed step keeps those that read it from starting, and the run tells which one it was', async () => {
    const chain = plan({
      models,
      tasks: [
        task('write', [
          modelStep('first', ['a/one']),
          modelStep('second', ['b/two'], { after: ['first'], prompt: template('${{ steps.first.text }}') }),
        ]),
      ],
    });
    const fixture = memoryFixture(chain, () => ({ fail: 'content_filter' }));
    const { run } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(run.error).toMatchObject({ code: 'CONTENT_FILTERED', step: 'first' });
    expect(fixture.providers.calls).toHaveLength(1);
  });

  test('a step whose `when` does not hold is skipped, and null to those that read it', async () => {
    const skipping = plan({
      models,
      tasks: [
        task('write', [modelStep('maybe', ['a/one'], { when: 'input.text == "never"' })], {
          output: template('said: ${{ default(steps.maybe.text, "nothing") }}'),
        }),
      ],
    });
    const fixture = memoryFixture(skipping, () => ({}));
    const { run, steps } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(run.output).toBe('said: nothing');
    expect(steps).toMatchObject([{ key: 'maybe', status: 'skipped', output: null }]);
    expect(fixture.providers.calls).toEqual([]);
  });

  test('`each` runs over a list, no more at once than it says, and keeps the order', async () => {
    const listed = plan({
      models,
      tasks: [
        task('write', [modelStep('say', ['a/one'], { each, prompt: template('${{ item }}') })], {
          inputSchema: listInput,
          output: template('${{ steps.say.map(s, s.text) }}'),
        }),
      ],
    });
    let running = 0;
    let most = 0;
    const fixture = memoryFixture(listed, ({ request }) => {
      running += 1;
      most = Math.max(most, running);
      fixture.clock.after(1_000, () => (running -= 1));
      return { text: request.prompt.toUpperCase(), afterMs: 1_000 };
    });
    const { run, steps } = snapshotOf(
      await fixture.clock.settle(
        fixture.run('write', { input: { text: 't', items: ['a', 'b', 'c', 'd', 'e'] } }),
      ),
    );
    expect(run.output).toEqual(['A', 'B', 'C', 'D', 'E']);
    expect(most).toBe(2);
    expect(steps.map(({ key, kind }) => `${key} ${kind}`)).toEqual([
      'say[0] model',
      'say[1] model',
      'say[2] model',
      'say[3] model',
      'say[4] model',
      'say each',
    ]);
    expect(
      snapshotOf(await fixture.clock.settle(fixture.run('write', { input: { text: 't', items: [] } }))).run
        .output,
    ).toEqual([]);
  });

  test("INV-4: items share the run's attempts and dollars", async () => {
    const listed = task(
      'write',
      [modelStep('say', ['a/one'], { each: { ...each, concurrent: 9 }, prompt: template('${{ item }}') })],
      {
        inputSchema: listInput,
        allowance: { deadlineMs: 60_000, attempts: 4, costNanoUsd: null },
      },
    );
    const fixture = memoryFixture(plan({ models, tasks: [listed] }), () => ({}));
    const many = { text: 't', items: ['a', 'b', 'c', 'd', 'e', 'f'] };
    const { run } = snapshotOf(await fixture.clock.settle(fixture.run('write', { input: many })));
    expect(run.error?.code).toBe('ATTEMPTS_EXHAUSTED');
    expect(fixture.providers.calls).toHaveLength(4);
  });

  test('items that together hold more than the run may spend wait for each other instead of failing', async () => {
    // Each holds about 440,000 nano-dollars and costs 60,000: two fit at a time, six in all.
    const listed = task(
      'write',
      [modelStep('say', ['a/one'], { each: { ...each, concurrent: 9 }, prompt: template('${{ item }}') })],
      {
        inputSchema: listInput,
        allowance: { deadlineMs: 60_000, attempts: 20, costNanoUsd: 1_000_000n },
      },
    );
    const fixture = memoryFixture(plan({ models, tasks: [listed] }), () => ({ afterMs: 100 }));
    const { run } = snapshotOf(
      await fixture.clock.settle(
        fixture.run('write', { input: { text: 't', items: ['a', 'b', 'c', 'd', 'e', 'f'] } }),
      ),
    );
    expect(run).toMatchObject({ status: 'succeeded', costNanoUsd: 360_000n });
  });

  test('a guard bounds how many items and child runs a run may start', async () => {
    const listed = task('write', [modelStep('say', ['a/one'], { each, prompt: template('${{ item }}') })], {
      inputSchema: listInput,
      loop: {
        guards: [{ same: 'input', ignore: [], repeats: 100, withinMs: 60_000, then: 'reject' }],
        depth: 4,
        fanOut: 2,
      },
    });
    const fixture = memoryFixture(plan({ models, tasks: [listed] }), () => ({}));
    expect(snapshotOf(await fixture.clock.settle(fixture.run())).run.error).toMatchObject({
      code: 'FAN_OUT_TOO_WIDE',
      details: { count: 3, limit: 2 },
    });
    expect(fixture.providers.calls).toEqual([]);
  });

  test('a text that cannot be parsed is told with its step and format', async () => {
    const parsing = plan({ models, tasks: [task('write', [parseJson()])] });
    const fixture = memoryFixture(parsing, () => ({}));
    expect(snapshotOf(await fixture.clock.settle(fixture.run())).run.error).toMatchObject({
      code: 'PARSE_FAILED',
      step: 'data',
      details: { format: 'json' },
    });
    expect(
      snapshotOf(await fixture.clock.settle(fixture.run('write', { input: { text: '[1]' } }))).run.output,
    ).toEqual([1]);
  });

  test('a parsed text is held to the schema that the step declares; cells of a CSV become what they are declared as', async () => {
    const row = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } as const;
    const csv = plan({
      models,
      tasks: [task('write', [parseJson({ format: 'csv', outputSchema: { type: 'array', items: row } })])],
    });
    const fixture = memoryFixture(csv, () => ({}));
    expect(snapshotOf(await fixture.run('write', { input: { text: 'n\n1\n2\n' } })).run.output).toEqual([
      { n: 1 },
      { n: 2 },
    ]);
    const { run } = snapshotOf(await fixture.run('write', { input: { text: 'n\none\n' } }));
    expect(run.error).toMatchObject({
      code: 'PARSE_FAILED',
      message: expect.stringContaining('/0/n must be an integer'),
    });
  });

  test('text from outside is never taken for a template', async () => {
    const fixture = memoryFixture(
      plan({ models, tasks: [task('write', [modelStep('say', ['a/one'])])] }),
      () => ({}),
    );
    await fixture.clock.settle(
      fixture.run('write', { input: { text: '${{ env.SECRET }} ${{ input.text }}' } }),
    );
    expect(fixture.providers.calls[0]?.request.prompt).toBe(
      'Say something about ${{ env.SECRET }} ${{ input.text }}.',
    );
  });

  test('an expression that fails on its values is told with its place', async () => {
    const failing = plan({
      models,
      tasks: [
        task('write', [
          parseJson(),
          modelStep('say', ['a/one'], {
            after: ['data'],
            prompt: template('${{ steps.data.list[5].name }} x'),
          }),
        ]),
      ],
    });
    const fixture = memoryFixture(failing, () => ({}));
    const { run } = snapshotOf(
      await fixture.clock.settle(fixture.run('write', { input: { text: '{"list": 5}' } })),
    );
    expect(run.error).toMatchObject({ code: 'EXPRESSION_FAILED', step: 'say' });
  });
});

describe('a task within a task', () => {
  const inner = task('inner', [modelStep('deep', ['b/two'])], {
    allowance: { deadlineMs: 60_000, attempts: 3, costNanoUsd: null },
  });
  const call = (fields: Partial<PlanStep> = {}): PlanStep =>
    ({
      kind: 'task',
      key: 'call',
      after: [],
      when: null,
      each: null,
      outputSchema: {},
      task: 'inner',
      input: { kind: 'object', members: { text: template('${{ input.text }}') } },
      ...fields,
    }) as PlanStep;
  const outer = task('write', [call()]);
  const nested = plan({ models, tasks: [outer, inner] });

  test('is a run of its own with its own cost, under an id that its parent can find again', async () => {
    const fixture = memoryFixture(nested, () => ({ text: 'deep' }));
    const { run } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(run).toMatchObject({ output: { text: 'deep' }, costNanoUsd: 0n });
    const child = fixture.recorder.rows.runs.get(`${run.id}.call`);
    expect(child).toMatchObject({
      task: 'inner',
      parentRunId: run.id,
      status: 'succeeded',
      costNanoUsd: 60_000n,
    });
  });

  test("INV-4: its calls are taken from its parent's allowance as well as from its own", async () => {
    const tight = {
      ...outer,
      allowance: { deadlineMs: 60_000, attempts: 2, costNanoUsd: null },
      revision: 'tight',
    };
    const fixture = memoryFixture(plan({ models, tasks: [tight, inner] }), () => ({ fail: 'server_error' }));
    const { run } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(fixture.providers.calls).toHaveLength(2);
    expect(run.error).toMatchObject({
      code: 'CHILD_FAILED',
      details: { cause: 'ATTEMPTS_EXHAUSTED', run: `${run.id}.call` },
    });
    const wide = {
      ...outer,
      allowance: { deadlineMs: 60_000, attempts: 20, costNanoUsd: null },
      revision: 'wide',
    };
    const second = memoryFixture(plan({ models, tasks: [wide, inner] }), () => ({ fail: 'server_error' }));
    await second.clock.settle(second.run());
    expect(second.providers.calls).toHaveLength(3);
  });

  test('an input that does not match its schema is told with the paths', async () => {
    const wrong = plan({
      models,
      tasks: [
        task('write', [
          call({
            input: { kind: 'object', members: { text: { kind: 'literal', value: 5 } } },
          }),
        ]),
        inner,
      ],
    });
    const fixture = memoryFixture(wrong, () => ({}));
    expect(snapshotOf(await fixture.clock.settle(fixture.run())).run.error).toMatchObject({
      code: 'INVALID_INPUT',
      details: { problems: [{ path: '/text', code: 'type' }] },
    });
  });

  test('ends at a deadline of its own, and its parent with what it was', async () => {
    const brief = {
      ...inner,
      allowance: { deadlineMs: 2_000, attempts: 3, costNanoUsd: null },
      revision: 'brief',
    };
    const fixture = memoryFixture(plan({ models, tasks: [outer, brief] }), () => ({ silent: true }));
    const { run } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(run.error).toMatchObject({ code: 'CHILD_FAILED', details: { cause: 'DEADLINE_EXCEEDED' } });
    expect(fixture.clock.monotonicMs()).toBeLessThanOrEqual(2_001);
    // Nothing came for as long as the run could wait: that counts against the candidate.
    expect(fixture.recorder.rows.runs.get(`${run.id}.call`)).toMatchObject({ status: 'failed' });
    expect([...fixture.recorder.rows.attempts.values()]).toMatchObject([{ errorClass: 'timeout' }]);
  });

  test('a circle of tasks ends where it closes', async () => {
    const circle = { ...task('inner', [{ ...call(), key: 'back', task: 'write' } as PlanStep]) };
    const fixture = memoryFixture(plan({ models, tasks: [outer, circle] }), () => ({}));
    const { run } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(run.status).toBe('failed');
    expect(JSON.stringify(run.error)).toContain('LOOP_TOO_DEEP');
  });

  test('over a list starts one child an item', async () => {
    const listed = task(
      'write',
      [
        call({
          each,
          input: { kind: 'object', members: { text: template('${{ item }}') } },
        }),
      ],
      { inputSchema: listInput },
    );
    const fixture = memoryFixture(plan({ models, tasks: [listed, inner] }), ({ request }) => ({
      text: request.prompt,
    }));
    const { run } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(run.output).toEqual(['x', 'y', 'z'].map((item) => ({ text: `Say something about ${item}.` })));
    expect([...fixture.recorder.rows.runs.keys()].slice(1)).toEqual(
      [0, 1, 2].map((index) => `${run.id}.call[${index}]`),
    );
  });

  test('gives its events to those who listen to its parent, and a budget per run counts on the outermost', async () => {
    const perRun = plan({
      models,
      tasks: [
        task(
          'write',
          [
            call({
              each,
              input: { kind: 'object', members: { text: template('${{ item }}') } },
            }),
          ],
          { inputSchema: listInput },
        ),
        inner,
      ],
      budgets: [
        {
          id: 'run',
          name: 'run',
          scope: { kind: 'all' },
          each: null,
          when: null,
          limit: { unit: 'calls', calls: 2 },
          per: { kind: 'run' },
          warnAt: [],
          then: 'reject',
        },
      ],
    });
    const fixture = memoryFixture(perRun, () => ({}));
    const events: string[] = [];
    const result = await fixture.clock.settle(
      fixture.run('write', {
        onEvent: ({ type, runId }) => events.push(`${type} ${runId.includes('.') ? 'child' : 'parent'}`),
      }),
    );
    expect(result.kind).toBe('budget_exceeded');
    expect(events).toContain('attempt child');
    expect(fixture.providers.calls).toHaveLength(2);
  });
});
