import { beforeAll, describe, expect, test } from 'vitest';
import type { RunEvent } from '../../../src/engine/execution/port.ts';
import { loadTokenizer } from '../../../src/engine/execution/tokens.ts';
import type { Json } from '../../../src/common/json.ts';
import type { PlanModelStep, PlanTaskStep } from '../../../src/language/plan/types.ts';
import { model, modelStep, plan, policy, rule, task, template } from '../../support/engine-plan.ts';
import { memoryFixture, snapshotOf } from '../../support/engine-fixture.ts';
import type { MemoryFixture } from '../../support/engine-fixture.ts';

beforeAll(loadTokenizer);

const two = [model('a/one'), model('b/two')];
const simple = plan({ models: two, tasks: [task('write', [modelStep('say', ['a/one', 'b/two'])])] });

async function streamed(
  fixture: MemoryFixture,
): Promise<{ readonly events: readonly RunEvent[]; readonly shown: string; readonly text: unknown }> {
  const events: RunEvent[] = [];
  const result = await fixture.clock.settle(
    fixture.run('write', { stream: true, onEvent: (event) => events.push(event) }),
  );
  let shown = '';
  for (const event of events) {
    if (event.type === 'text') shown += event.delta;
    if (event.type === 'restart') shown = '';
  }
  return { events, shown, text: snapshotOf(result).run.output };
}

const kinds = (events: readonly RunEvent[]): string[] => events.map(({ type }) => type);

describe('streaming', () => {
  test('gives text as it comes, and every event of the run in order', async () => {
    const fixture = memoryFixture(simple, () => ({ deltas: ['Bri', 'dges'], deltaEveryMs: 10 }));
    const { events, shown, text } = await streamed(fixture);
    expect(shown).toBe('Bridges');
    expect(text).toEqual({ text: 'Bridges' });
    expect(kinds(events)).toEqual(['queued', 'attempt', 'text', 'text', 'settled', 'step', 'finished']);
  });

  test('INV-10: a stream that was cut after text was given restarts openly; nothing is spliced', async () => {
    const fixture = memoryFixture(simple, ({ provider }) =>
      provider === 'a'
        ? { deltas: ['Bri', 'dg'], fail: 'cut_stream', advice: 'elsewhere' }
        : { deltas: ['Towers'] },
    );
    const { events, shown, text } = await streamed(fixture);
    expect(kinds(events)).toEqual([
      'queued',
      'attempt',
      'text',
      'text',
      'settled',
      'attempt',
      'restart',
      'text',
      'settled',
      'step',
      'finished',
    ]);
    expect(events.find(({ type }) => type === 'restart')).toMatchObject({
      step: 'say',
      reason: 'a/one: cut_stream',
    });
    expect(shown).toBe('Towers');
    expect(text).toEqual({ text: 'Towers' });
  });

  test('a stream that failed before any text restarts without a trace', async () => {
    const fixture = memoryFixture(simple, ({ provider }) =>
      provider === 'a' ? { deltas: [], fail: 'cut_stream', advice: 'elsewhere' } : { deltas: ['Towers'] },
    );
    const { events } = await streamed(fixture);
    expect(kinds(events)).not.toContain('restart');
  });

  test('INV-10: an answer that is rejected after it was shown is void, and its end is no success', async () => {
    const judged = plan({
      models: two,
      tasks: [task('write', [modelStep('say', ['a/one', 'b/two'], { accept: 'output.text != "no"' })])],
    });
    const { shown } = await streamed(
      memoryFixture(judged, ({ provider }) => ({ deltas: [provider === 'a' ? 'no' : 'yes'] })),
    );
    expect(shown).toBe('yes');
  });

  test('silence before the first token, and between tokens, sends the request elsewhere in time', async () => {
    const quick = two.map((each) => ({ ...each, policy: { ...policy, firstTokenMs: 800, stallMs: 500 } }));
    const watched = plan({ models: quick, tasks: [task('write', [modelStep('say', ['a/one', 'b/two'])])] });
    const silent = memoryFixture(watched, ({ provider }) =>
      provider === 'a' ? { silent: true } : { deltas: ['here'] },
    );
    expect((await streamed(silent)).shown).toBe('here');
    expect(silent.clock.monotonicMs()).toBeLessThanOrEqual(801);
    const stalled = memoryFixture(watched, ({ provider }) =>
      provider === 'a' ? { deltas: ['one', 'two', 'three'], deltaEveryMs: 600 } : { deltas: ['here'] },
    );
    const { events, shown } = await streamed(stalled);
    expect(shown).toBe('here');
    expect(events.filter(({ type }) => type === 'settled')).toMatchObject([
      { attempt: { errorClass: 'stalled' } },
      { attempt: { errorClass: null } },
    ]);
  });

  test('a model that cannot stream gives its text in one piece', async () => {
    const plain = plan({
      models: [model('a/one', { capabilities: ['text'] })],
      tasks: [task('write', [modelStep('say', ['a/one'])])],
    });
    const fixture = memoryFixture(plain, () => ({ text: 'all at once' }));
    const { events } = await streamed(fixture);
    expect(events.filter(({ type }) => type === 'text')).toMatchObject([{ delta: 'all at once' }]);
    expect(fixture.providers.calls[0]?.request.stream).toBe(false);
  });

  test('a listener that throws loses its events, and the run nothing', async () => {
    const fixture = memoryFixture(simple, () => ({ deltas: ['a', 'b'] }));
    const result = await fixture.clock.settle(
      fixture.run('write', {
        stream: true,
        onEvent: () => {
          throw new Error('gone');
        },
      }),
    );
    expect(snapshotOf(result).run.status).toBe('succeeded');
  });
});

describe('the texts of a run', () => {
  const json = {
    type: 'object',
    properties: { lang: { type: 'string' } },
    required: ['lang'],
    additionalProperties: false,
  } as const;
  const free = { type: 'object', properties: {}, additionalProperties: true } as const;
  const taskStep = (key: string, of: string, more: Partial<PlanTaskStep> = {}): PlanTaskStep => ({
    kind: 'task',
    key,
    after: [],
    when: null,
    each: null,
    outputSchema: free,
    task: of,
    input: { kind: 'object', members: { text: template('${{ input.text }}') } },
    ...more,
  });
  const answer = (fields: Partial<PlanModelStep> = {}): PlanModelStep =>
    modelStep('answer', ['a/one'], fields);
  const twice = { list: '["x", "y"]', as: 'item', concurrent: 2 };
  /** `write` has steps that the output reads and steps that it does not; so has each of its children. */
  const nested = plan({
    models: [model('a/one')],
    tasks: [
      task('translate', [
        modelStep('draft', ['a/one']),
        answer({ after: ['draft'], prompt: template('Mend ${{ steps.draft.text }}.') }),
      ]),
      task('detect', [answer({ structured: json, prompt: template('Which language? ${{ input.text }}') })]),
      task(
        'write',
        [
          taskStep('tr', 'translate', { each: twice }),
          taskStep('lang', 'detect'),
          modelStep('idea', ['a/one']),
          answer({ after: ['idea'], prompt: template('Say ${{ steps.idea.text }}.') }),
        ],
        {
          output: {
            kind: 'object',
            members: {
              said: template('${{ steps.answer.text }}'),
              parts: template('${{ steps.tr }}'),
              lang: template('${{ steps.lang }}'),
            },
          },
        },
      ),
    ],
  });
  const deltas = (call: number): readonly string[] => [`a${call}`, ` b${call}`, ` c${call}`];
  const served = (): MemoryFixture =>
    memoryFixture(nested, ({ request }, number) =>
      request.structured === null
        ? { deltas: deltas(number), deltaEveryMs: 7 }
        : { deltas: ['{"la', 'ng":"de"}'], deltaEveryMs: 7, json: { lang: 'de' } },
    );
  async function texts(of: 'output' | 'all'): Promise<{
    readonly byPath: { readonly [path: string]: string };
    readonly output: Json;
    readonly steps: readonly string[];
    readonly fixture: MemoryFixture;
  }> {
    const fixture = served();
    const byPath: { [path: string]: string } = {};
    const steps: string[] = [];
    const result = await fixture.clock.settle(
      fixture.run('write', {
        stream: true,
        texts: of,
        onEvent(event) {
          if (event.type !== 'text') return;
          byPath[event.path] = (byPath[event.path] ?? '') + event.delta;
          steps.push(event.step);
        },
      }),
    );
    return { byPath, output: snapshotOf(result).run.output, steps, fixture };
  }

  test('add up by path to what the output has of them, and nothing else is streamed', async () => {
    const { byPath, output, steps, fixture } = await texts('output');
    expect(Object.keys(byPath).sort()).toEqual(['answer', 'tr[0].answer', 'tr[1].answer']);
    expect(output).toEqual({
      said: byPath['answer'],
      parts: [{ text: byPath['tr[0].answer'] }, { text: byPath['tr[1].answer'] }],
      lang: { lang: 'de' },
    });
    expect(new Set(steps)).toEqual(new Set(['answer']));
    const streamed = fixture.providers.calls.filter(({ request }) => request.stream);
    expect(streamed).toHaveLength(3);
  });

  test('of all steps come with `texts: all`, each under its own path', async () => {
    const { byPath } = await texts('all');
    expect(Object.keys(byPath).sort()).toEqual([
      'answer',
      'idea',
      'lang.answer',
      'tr[0].answer',
      'tr[0].draft',
      'tr[1].answer',
      'tr[1].draft',
    ]);
    expect(byPath['lang.answer']).toBe('{"lang":"de"}');
  });

  test('include the JSON of a task whose own step it is', async () => {
    const fixture = served();
    let shown = '';
    await fixture.clock.settle(
      fixture.run('detect', {
        stream: true,
        onEvent: (event) => (shown += event.type === 'text' ? event.delta : ''),
      }),
    );
    expect(shown).toBe('{"lang":"de"}');
  });
});

describe('hedging', () => {
  const hedged = (afterMs: number): ReturnType<typeof plan> =>
    plan({
      models: two,
      tasks: [
        task('write', [
          modelStep('say', [
            rule(['a/one', 'b/two'], { hedge: { after: { kind: 'delay', ms: afterMs }, atMost: 1 } }),
          ]),
        ]),
      ],
    });

  test('a slow candidate is raced; the first good answer wins, the other is aborted and settled', async () => {
    const fixture = memoryFixture(hedged(500), ({ provider }) => ({
      text: provider,
      afterMs: provider === 'a' ? 10_000 : 100,
    }));
    const { run, attempts } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(run.output).toEqual({ text: 'b' });
    expect(run.latencyMs).toBeLessThanOrEqual(610);
    expect(fixture.providers.calls.map(({ provider, atMs }) => [provider, atMs])).toEqual([
      ['a', 0],
      ['b', 500],
    ]);
    expect(attempts.map(({ provider, status, estimated }) => [provider, status, estimated])).toEqual([
      ['a', 'cancelled', true],
      ['b', 'succeeded', false],
    ]);
    expect(run.costNanoUsd).toBe(attempts.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n));
    expect(fixture.providers.calls[0]?.signal.aborted).toBe(true);
  });

  test('a candidate that is quick enough is not raced', async () => {
    const fixture = memoryFixture(hedged(500), () => ({ afterMs: 400 }));
    expect(snapshotOf(await fixture.clock.settle(fixture.run())).attempts).toHaveLength(1);
    expect(fixture.clock.pendingTimers()).toBe(0);
  });

  test('when the hedge fails, the first may still answer', async () => {
    const fixture = memoryFixture(hedged(500), ({ provider }) =>
      provider === 'a' ? { text: 'a', afterMs: 2_000 } : { fail: 'permission' },
    );
    expect(snapshotOf(await fixture.clock.settle(fixture.run())).run.output).toEqual({ text: 'a' });
  });

  test('two good answers in the same instant are one output; both are paid for', async () => {
    const fixture = memoryFixture(hedged(500), ({ provider }) => ({
      text: provider,
      afterMs: provider === 'a' ? 600 : 100,
    }));
    const { run, attempts, steps } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(steps).toHaveLength(1);
    expect(attempts.filter(({ status }) => status !== 'failed')).toHaveLength(2);
    expect(run.costNanoUsd).toBe(attempts.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n));
  });

  test('INV-4: a hedge is taken from the same attempts', async () => {
    const one = plan({
      models: two,
      tasks: [
        task(
          'write',
          [
            modelStep('say', [
              rule(['a/one', 'b/two'], { hedge: { after: { kind: 'delay', ms: 500 }, atMost: 1 } }),
            ]),
          ],
          { allowance: { deadlineMs: 60_000, attempts: 1, costNanoUsd: null } },
        ),
      ],
    });
    const fixture = memoryFixture(one, ({ provider }) => ({ text: provider, afterMs: 2_000 }));
    const { run, attempts } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(attempts).toHaveLength(1);
    expect(run.output).toEqual({ text: 'a' });
  });

  test('INV-10: text of a leader that fails is void, and the other takes over openly', async () => {
    const fixture = memoryFixture(hedged(150), ({ provider }) =>
      provider === 'a'
        ? { deltas: ['a1', 'a2', 'a3'], deltaEveryMs: 100, fail: 'cut_stream', advice: 'elsewhere' }
        : { deltas: ['b1', 'b2', 'b3'], deltaEveryMs: 100 },
    );
    const { events, shown, text } = await streamed(fixture);
    expect(kinds(events).filter((type) => type === 'restart')).toHaveLength(1);
    expect(shown).toBe('b1b2b3');
    expect(text).toEqual({ text: 'b1b2b3' });
  });
});

describe('cancellation', () => {
  test('by the caller reaches the call at once, and is settled and recorded', async () => {
    const fixture = memoryFixture(simple, () => ({ silent: true }));
    const controller = new AbortController();
    const running = fixture.run('write', { signal: controller.signal });
    await fixture.clock.advance(1_000);
    controller.abort();
    await fixture.clock.flush();
    expect(fixture.providers.calls[0]?.signal.aborted).toBe(true);
    const { run, attempts } = snapshotOf(await fixture.clock.settle(running));
    expect(run).toMatchObject({
      status: 'cancelled',
      error: { code: 'CANCELLED', message: expect.stringContaining('the caller went away') },
    });
    expect(attempts).toMatchObject([{ status: 'cancelled', estimated: true }]);
    expect(fixture.clock.pendingTimers()).toBe(0);
  });

  test('by an operator is answered, and a run that is over cannot be cancelled', async () => {
    const fixture = memoryFixture(simple, () => ({ silent: true }));
    const running = fixture.run('write', { onEvent: () => undefined });
    await fixture.clock.advance(10);
    const [runId] = fixture.recorder.rows.runs.keys();
    expect(await fixture.engine.cancel(runId ?? '', 'stopped by Ana')).toBe(true);
    expect(snapshotOf(await fixture.clock.settle(running)).run.error?.message).toContain('stopped by Ana');
    expect(await fixture.engine.cancel(runId ?? '', 'again')).toBe(false);
  });

  test('while waiting in line frees the place', async () => {
    const limited = plan({
      models: [model('a/one', { limits: { requests: { amount: 1, perMs: 10_000 }, tokens: null } })],
      tasks: [task('write', [modelStep('say', ['a/one'])])],
    });
    const fixture = memoryFixture(limited, () => ({}));
    await fixture.clock.settle(fixture.run());
    const controller = new AbortController();
    const running = fixture.run('write', { signal: controller.signal });
    await fixture.clock.advance(100);
    controller.abort();
    expect(snapshotOf(await fixture.clock.settle(running)).run.status).toBe('cancelled');
    expect(fixture.providers.calls).toHaveLength(1);
  });
});
