import { beforeAll, describe, expect, test } from 'vitest';
import { loadTokenizer } from '../../../src/engine/execution/tokens.ts';
import { model, modelStep, plan, policy, rates, rule, task, template } from '../../support/engine-plan.ts';
import { memoryFixture, snapshotOf } from '../../support/engine-fixture.ts';
import { planProvider } from '../../support/provider-plan.ts';

// A load from disk takes real time, which a simulated clock would run ahead of.
beforeAll(loadTokenizer);

const three = [model('a/one'), model('b/two', { contextTokens: 200_000 }), model('c/three')];
const route = ['a/one', 'b/two', 'c/three'];
const simple = plan({ models: three, tasks: [task('write', [modelStep('say', route)])] });

const called = (fixture: {
  readonly providers: { readonly calls: readonly { readonly provider: string }[] };
}): string => fixture.providers.calls.map(({ provider }) => provider).join('');

describe('candidates of a step', () => {
  test('a Retry-After is waited for where nobody else can serve, and not a moment less', async () => {
    const lone = plan({ models: three, tasks: [task('write', [modelStep('say', ['a/one'])])] });
    const fixture = memoryFixture(lone, (_call, number) =>
      number === 1 ? { fail: 'rate_limited', retryAfterMs: 2_000 } : {},
    );
    const { run } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(run.status).toBe('succeeded');
    const [first, second] = fixture.providers.calls;
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(2_000);
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeLessThan(2_100);
  });

  test('a rate limit sends the request elsewhere at once where somebody else can serve', async () => {
    const fixture = memoryFixture(simple, ({ provider }) =>
      provider === 'a' ? { fail: 'rate_limited', retryAfterMs: 60_000 } : {},
    );
    await fixture.clock.settle(fixture.run());
    expect(called(fixture)).toBe('ab');
    // The tap is closed: the next run does not knock.
    await fixture.clock.settle(fixture.run());
    expect(called(fixture)).toBe('abb');
  });

  test('many who are short of the same rate are served in the order in which they came', async () => {
    const limited = plan({
      models: [model('a/one', { limits: { requests: { amount: 1, perMs: 1_000 }, tokens: null } })],
      tasks: [task('write', [modelStep('say', ['a/one'])])],
    });
    const fixture = memoryFixture(limited, () => ({}));
    const order: number[] = [];
    const all = Array.from({ length: 5 }, (_, index) => fixture.run().then(() => order.push(index)));
    await fixture.clock.settle(Promise.all(all));
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect(fixture.providers.calls.length).toBe(5);
  });

  test('who has waited in line for a budget that is spent by then takes no turn of those behind', async () => {
    const short = plan({
      models: [model('a/one', { limits: { requests: { amount: 1, perMs: 10_000 }, tokens: null } })],
      tasks: [
        task('write', [modelStep('say', ['a/one'])], {
          allowance: { deadlineMs: 600_000, attempts: 5, costNanoUsd: null },
        }),
      ],
      budgets: [
        {
          id: 'company',
          name: 'company',
          scope: { kind: 'all' },
          each: null,
          when: null,
          limit: { unit: 'calls', calls: 1 },
          per: { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
          warnAt: [],
          then: 'reject',
        },
      ],
    });
    const fixture = memoryFixture(short, () => ({ afterMs: 100 }));
    const results = await fixture.clock.settle(Promise.all(Array.from({ length: 20 }, () => fixture.run())));
    expect(results.filter(({ kind }) => kind === 'run')).toHaveLength(1);
    expect(results.filter(({ kind }) => kind === 'budget_exceeded')).toHaveLength(19);
    // The first of them when its turn comes, and all the others with it.
    expect(fixture.clock.monotonicMs()).toBeLessThan(10_500);
    // Who comes later does not wait at all.
    expect((await fixture.clock.settle(fixture.run())).kind).toBe('budget_exceeded');
    expect(fixture.clock.monotonicMs()).toBeLessThan(10_500);
    expect(fixture.providers.calls).toHaveLength(1);
  });

  test('what waits in line beyond the deadline is told so before it waits', async () => {
    const limited = plan({
      models: [model('a/one', { limits: { requests: { amount: 1, perMs: 60_000 }, tokens: null } })],
      tasks: [
        task('write', [modelStep('say', ['a/one'])], {
          allowance: { deadlineMs: 5_000, attempts: 5, costNanoUsd: null },
        }),
      ],
    });
    const fixture = memoryFixture(limited, () => ({}));
    await fixture.clock.settle(fixture.run());
    const result = await fixture.clock.settle(fixture.run());
    expect(result).toMatchObject({ kind: 'no_provider_available' });
    if (result.kind === 'no_provider_available') expect(result.retryAfterMs).toBeGreaterThan(5_000);
  });

  test('a prompt that is too long for one model is not sent to it again, and to all others: declared windows may be wrong', async () => {
    const fixture = memoryFixture(simple, ({ provider }) =>
      provider === 'a' ? { fail: 'context_length' } : { fail: 'authentication' },
    );
    await fixture.clock.settle(fixture.run());
    expect(called(fixture)).toBe('abc');
  });

  test('a content filter is told, not retried and not routed around', async () => {
    const fixture = memoryFixture(simple, () => ({ fail: 'content_filter', billed: 'yes' }));
    const { run, attempts } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(run).toMatchObject({ status: 'failed', error: { code: 'CONTENT_FILTERED', step: 'say' } });
    expect(attempts).toHaveLength(1);
  });

  test('a provider that is not available is skipped with what it lacks', async () => {
    const fixture = memoryFixture(simple, () => ({}));
    fixture.providers.unavailable.set('a', 'set A_KEY');
    const { attempts } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(called(fixture)).toBe('b');
    expect(attempts[0]?.decision.candidates.find(({ model: key }) => key === 'a/one')?.skipped).toMatchObject(
      { code: 'no_key', detail: expect.stringContaining('set A_KEY') },
    );
  });

  test('INV-4: retries and fallbacks together make no more attempts than the run may', async () => {
    const few = plan({
      models: three,
      tasks: [
        task('write', [modelStep('say', route)], {
          allowance: { deadlineMs: 60_000, attempts: 4, costNanoUsd: null },
        }),
      ],
    });
    const fixture = memoryFixture(few, () => ({ fail: 'server_error' }));
    const { run, attempts } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(run.error?.code).toBe('ATTEMPTS_EXHAUSTED');
    expect(attempts).toHaveLength(4);
  });

  test('INV-4: the deadline ends a call that does not', async () => {
    const short = plan({
      models: three,
      tasks: [
        task('write', [modelStep('say', route)], {
          allowance: { deadlineMs: 3_000, attempts: 9, costNanoUsd: null },
        }),
      ],
    });
    const fixture = memoryFixture(short, () => ({ silent: true }));
    const { run, attempts } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(run).toMatchObject({ status: 'failed', error: { code: 'DEADLINE_EXCEEDED' } });
    expect(run.latencyMs).toBeLessThanOrEqual(3_001);
    // Each has its share of what is left, and the last what remains; who was silent is named.
    expect(attempts).toMatchObject(
      [1_000, 1_000, 1_000].map((latencyMs) => ({
        status: 'failed',
        errorClass: 'timeout',
        estimated: true,
        latencyMs,
      })),
    );
    expect(run.error?.message).toContain('a/one (1s), b/two (1s), c/three (1s)');
  });

  test('a call that is accepted and never answered is timed out, and its route not tried again', async () => {
    const quick = three.map((each) => ({ ...each, policy: { ...policy, timeoutMs: 2_000 } }));
    const fixture = memoryFixture(
      plan({ models: quick, tasks: [task('write', [modelStep('say', route)])] }),
      ({ provider }) => (provider === 'a' ? { silent: true } : {}),
    );
    const { run, attempts } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(run.latencyMs).toBeLessThanOrEqual(2_100);
    expect(attempts.map(({ provider, errorClass }) => [provider, errorClass])).toEqual([
      ['a', 'timeout'],
      ['b', null],
    ]);
  });

  test('a retry that would wait longer than going elsewhere takes is not waited for; the candidate is come back to when all others failed', async () => {
    const slow = {
      ...policy,
      retry: { attempts: 1, backoff: 'constant' as const, initialDelayMs: 5_000, maxDelayMs: 5_000 },
    };
    const models = [model('a/one', { policy: slow }), model('b/two')];
    const fixture = memoryFixture(
      plan({ models, tasks: [task('write', [modelStep('say', ['a/one', 'b/two'])])] }),
      ({ provider }, number) =>
        provider === 'b' ? { fail: 'permission' } : number === 1 ? { fail: 'server_error' } : {},
    );
    const { run } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(run.status).toBe('succeeded');
    expect(called(fixture)).toBe('aba');
    expect(
      (fixture.providers.calls[2]?.atMs ?? 0) - (fixture.providers.calls[0]?.atMs ?? 0),
    ).toBeGreaterThanOrEqual(5_000);
  });

  test('an open circuit is not waited for', async () => {
    const fragile = {
      ...policy,
      retry: { ...policy.retry, attempts: 0 },
      circuitBreaker: { kind: 'consecutive' as const, failures: 1, halfOpenAfterMs: 15_000 },
    };
    const fixture = memoryFixture(
      plan({
        models: [model('a/one', { policy: fragile })],
        tasks: [task('write', [modelStep('say', ['a/one'])])],
      }),
      () => ({ fail: 'server_error' }),
    );
    await fixture.clock.settle(fixture.run());
    const result = await fixture.clock.settle(fixture.run());
    expect(called(fixture)).toBe('a');
    expect(result).toMatchObject({ kind: 'no_provider_available', retryAfterMs: 15_000 });
  });

  test('a rule that no caller meets fails with a decision that is empty', async () => {
    const ruled = plan({
      models: three,
      tasks: [task('write', [modelStep('say', [rule(['a/one'], { when: 'caller.tier == "gold"' })])])],
    });
    const fixture = memoryFixture(ruled, () => ({}));
    expect(await fixture.clock.settle(fixture.run())).toMatchObject({
      kind: 'no_provider_available',
      decision: { candidates: [] },
    });
  });

  test('rules are asked with the size of the prompt', async () => {
    const ruled = plan({
      models: three,
      tasks: [
        task('write', [
          modelStep(
            'say',
            [rule(['a/one'], { when: 'prompt.tokens < 60' }), rule(['b/two'], { name: 'route[1]' })],
            { prompt: template('${{ input.text }}') },
          ),
        ]),
      ],
    });
    const fixture = memoryFixture(ruled, () => ({}));
    await fixture.run();
    const { attempts } = snapshotOf(
      await fixture.run('write', { input: { text: 'many words '.repeat(100) } }),
    );
    expect(called(fixture)).toBe('ab');
    expect(attempts[0]?.decision.rule).toBe('route[1]');
  });
});

describe('what makes an answer good', () => {
  const structured = {
    type: 'object',
    properties: { n: { type: 'integer' } },
    required: ['n'],
    additionalProperties: false,
  } as const;
  const asked = plan({
    models: three,
    tasks: [task('write', [modelStep('say', route, { structured, accept: 'output.n > 1' })])],
  });

  test('an answer that does not match the schema, or is not accepted, is paid for and given to the next', async () => {
    const fixture = memoryFixture(asked, ({ provider }) => ({
      json: provider === 'a' ? { n: 'one' } : provider === 'b' ? { n: 1 } : { n: 2 },
    }));
    const { run, attempts } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(run.output).toEqual({ n: 2 });
    expect(attempts.map(({ errorClass, costNanoUsd }) => [errorClass, costNanoUsd])).toEqual([
      ['invalid_output', 60_000n],
      ['not_accepted', 60_000n],
      [null, 60_000n],
    ]);
    expect(run.costNanoUsd).toBe(180_000n);
  });

  test('when no answer is good, the run says why', async () => {
    const bad = memoryFixture(asked, () => ({ text: 'no JSON' }));
    expect(snapshotOf(await bad.clock.settle(bad.run())).run.error).toMatchObject({ code: 'INVALID_OUTPUT' });
    const unaccepted = memoryFixture(asked, () => ({ json: { n: 0 } }));
    expect(snapshotOf(await unaccepted.clock.settle(unaccepted.run())).run.error).toMatchObject({
      code: 'NOT_ACCEPTED',
    });
  });

  test('a provider without native structured output is shown its mistake, once', async () => {
    const words = plan({
      models: [model('a/one')],
      providers: [planProvider('a', { lacks: ['structuredOutput'] })],
      tasks: [task('write', [modelStep('say', ['a/one'], { structured })])],
    });
    const fixture = memoryFixture(words, (_call, number) =>
      number === 1 ? { text: '{"n": "one"}', json: { n: 'one' } } : { json: { n: 1 } },
    );
    const { run, attempts } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(run.output).toEqual({ n: 1 });
    expect(attempts).toHaveLength(2);
    expect(fixture.providers.calls[1]?.request.prompt).toContain('{"n": "one"}');
    expect(fixture.providers.calls[1]?.request.prompt).toContain('/n must be integer');
    const hopeless = memoryFixture(words, () => ({ json: { n: 'one' } }));
    expect(snapshotOf(await hopeless.clock.settle(hopeless.run())).attempts).toHaveLength(2);
  });

  test('a model that cannot do structured output is not asked for it', async () => {
    const plain = plan({
      models: [model('a/one', { capabilities: ['text'] }), model('b/two')],
      tasks: [task('write', [modelStep('say', ['a/one', 'b/two'], { structured })])],
    });
    const fixture = memoryFixture(plain, () => ({ json: { n: 1 } }));
    const { attempts } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(called(fixture)).toBe('b');
    expect(attempts[0]?.decision.candidates.find(({ skipped }) => skipped !== null)?.skipped?.code).toBe(
      'capability_missing',
    );
  });

  test('a pinned route takes no answer from another model', async () => {
    const pinned = plan({
      models: three,
      tasks: [task('write', [modelStep('say', ['a/one'], { pin: true })])],
    });
    const fixture = memoryFixture(pinned, () => ({ model: 'one-2026' }));
    const result = await fixture.clock.settle(fixture.run());
    expect(result).toMatchObject({
      kind: 'no_provider_available',
      attempts: [
        { errorClass: 'wrong_model', model: 'one-2026', requestedModel: 'one', costNanoUsd: 60_000n },
      ],
    });
    const loose = memoryFixture(simple, () => ({ model: 'one-2026' }));
    expect(snapshotOf(await loose.clock.settle(loose.run())).attempts).toMatchObject([
      { status: 'succeeded', model: 'one-2026', requestedModel: 'one' },
    ]);
  });
});

describe('a short deadline', () => {
  test('of one caller does not open the circuit for all others', async () => {
    const fragile = {
      ...policy,
      circuitBreaker: { kind: 'consecutive' as const, failures: 1, halfOpenAfterMs: 60_000 },
    };
    const lone = plan({
      models: [model('a/one', { policy: fragile })],
      tasks: [task('write', [modelStep('say', ['a/one'])])],
    });
    const fixture = memoryFixture(lone, () => ({ afterMs: 1_000 }));
    for (let index = 0; index < 3; index += 1) {
      const hasty = await fixture.clock.settle(fixture.run('write', { options: { deadlineMs: 100 } }));
      expect(snapshotOf(hasty).run.error?.code).toBe('DEADLINE_EXCEEDED');
    }
    expect(snapshotOf(await fixture.clock.settle(fixture.run())).run.status).toBe('succeeded');
  });
});

describe('money of a run', () => {
  test('INV-2: a repair holds what its longer prompt may count as', async () => {
    const n = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } as const;
    const words = plan({
      models: [model('a/one')],
      providers: [planProvider('a', { lacks: ['structuredOutput'] })],
      tasks: [task('write', [modelStep('say', ['a/one'], { structured: n })])],
    });
    const fixture = memoryFixture(words, (_call, number) =>
      number === 1 ? { text: 'wrong '.repeat(500), json: {} } : { json: { n: 1 } },
    );
    const { attempts } = snapshotOf(await fixture.clock.settle(fixture.run()));
    const [first, second] = attempts;
    expect((second?.heldNanoUsd ?? 0n) - (first?.heldNanoUsd ?? 0n)).toBeGreaterThanOrEqual(3_000_000n);
  });

  test('what was saved is told against the dearest candidate that could have served', async () => {
    const priced = plan({
      models: [model('a/one'), model('b/two', { price: rates(5n) }), model('c/three', { price: rates(50n) })],
      tasks: [task('write', [modelStep('say', route)])],
    });
    const fixture = memoryFixture(priced, () => ({}));
    fixture.providers.unavailable.set('c', 'set C_KEY');
    const { run } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(run).toMatchObject({ costNanoUsd: 60_000n, savedNanoUsd: 240_000n });
  });

  test('a call without a reported usage, and one that was cut off, are settled by what was seen, and say so', async () => {
    const fixture = memoryFixture(simple, ({ provider }) =>
      provider === 'a'
        ? { fail: 'cut_stream', advice: 'elsewhere', deltas: ['some words that were seen'], billed: 'yes' }
        : { usage: null, text: 'four words of answer' },
    );
    const { attempts } = snapshotOf(await fixture.clock.settle(fixture.run('write', { stream: true })));
    expect(attempts.map(({ estimated, status }) => [estimated, status])).toEqual([
      [true, 'failed'],
      [true, 'succeeded'],
    ]);
    for (const attempt of attempts) {
      expect(attempt.inputTokens).toBeGreaterThan(0);
      expect(attempt.outputTokens).toBeGreaterThan(2);
      expect(attempt.costNanoUsd).toBeGreaterThan(0n);
      expect(attempt.costNanoUsd).toBeLessThanOrEqual(attempt.heldNanoUsd);
    }
  });

  test("the run's own cost limit leaves only candidates that fit, and tells when none does", async () => {
    const priced = plan({
      models: [model('a/one', { price: rates(50n) }), model('b/two')],
      tasks: [task('write', [modelStep('say', ['a/one', 'b/two'])])],
    });
    const fixture = memoryFixture(priced, () => ({}));
    await fixture.clock.settle(fixture.run('write', { options: { maxCostNanoUsd: 1_000_000n } }));
    expect(called(fixture)).toBe('b');
    const { run } = snapshotOf(
      await fixture.clock.settle(fixture.run('write', { options: { maxCostNanoUsd: 1n } })),
    );
    expect(run.error).toMatchObject({
      code: 'COST_EXHAUSTED',
      message: expect.stringMatching(/may need \$\d/) as string,
    });
  });

  test('INV-4: who is short of its rate and beyond what the run may spend is not waited for', async () => {
    const limited = plan({
      models: [model('a/one', { limits: { requests: { amount: 1, perMs: 1_000 }, tokens: null } })],
      tasks: [task('write', [modelStep('say', ['a/one'])])],
    });
    const fixture = memoryFixture(limited, () => ({}));
    await fixture.clock.settle(fixture.run());
    const beganMs = fixture.clock.monotonicMs();
    const { run } = snapshotOf(
      await fixture.clock.settle(fixture.run('write', { options: { maxCostNanoUsd: 1n } })),
    );
    expect(run.error?.code).toBe('COST_EXHAUSTED');
    expect(fixture.clock.monotonicMs()).toBe(beganMs);
  });

  test('INV-2: a budget that rejects stops the run before anybody is called', async () => {
    const tight = plan({
      models: three,
      tasks: [task('write', [modelStep('say', route)])],
      budgets: [
        {
          id: 'company',
          name: 'company',
          scope: { kind: 'all' },
          each: null,
          when: null,
          limit: { unit: 'usd', nanoUsd: 500_000n },
          per: { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
          warnAt: [],
          then: 'reject',
        },
      ],
    });
    const fixture = memoryFixture(tight, () => ({}));
    expect((await fixture.clock.settle(fixture.run())).kind).toBe('run');
    const results = [];
    for (let index = 0; index < 8; index += 1) results.push(await fixture.clock.settle(fixture.run()));
    const last = results.at(-1);
    expect(last).toMatchObject({
      kind: 'budget_exceeded',
      code: 'BUDGET_EXCEEDED',
      refusal: { budgetId: 'company' },
    });
    expect(called(fixture)).toBe('a'.repeat(results.filter(({ kind }) => kind === 'run').length + 1));
    const [view] = fixture.budgets.views({ budgetId: 'company' });
    expect(view?.held).toBe(0n);
    expect(view?.spent).toBeLessThanOrEqual(500_000n);
  });

  test('a budget that downgrades leaves the candidates whose hold fits', async () => {
    const tight = plan({
      models: [model('a/one', { price: rates(100n) }), model('b/two')],
      tasks: [task('write', [modelStep('say', ['a/one', 'b/two'])])],
      budgets: [
        {
          id: 'company',
          name: 'company',
          scope: { kind: 'all' },
          each: null,
          when: null,
          limit: { unit: 'usd', nanoUsd: 2_000_000n },
          per: { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
          warnAt: [],
          then: 'downgrade',
        },
      ],
    });
    const fixture = memoryFixture(tight, () => ({}));
    const { attempts } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(called(fixture)).toBe('b');
    expect(attempts[0]?.decision.candidates.find(({ model: key }) => key === 'a/one')?.skipped?.code).toBe(
      'hold_does_not_fit',
    );
  });
});

describe('INV-3: the ledger', () => {
  test('has each attempt before its provider is called', async () => {
    const fixture = memoryFixture(simple, ({ provider }) => {
      expect(fixture.recorder.rows.log.filter((entry) => entry.startsWith('openAttempt')).length).toBe(
        fixture.providers.calls.length,
      );
      return provider === 'a' ? { fail: 'permission' } : {};
    });
    await fixture.clock.settle(fixture.run());
    expect(fixture.recorder.rows.log.map((entry) => entry.split(' ')[0])).toEqual([
      'openRun',
      'openAttempt',
      'closeAttempt',
      'openAttempt',
      'closeAttempt',
      'finishRun',
    ]);
  });

  test('that cannot be written keeps every provider from being called, and gives the hold back', async () => {
    const { LedgerUnavailable } = await import('../../../src/errors/ledger-unavailable.ts');
    const fixture = memoryFixture(simple, () => ({}));
    fixture.recorder.failure = new LedgerUnavailable('the disk is full', 'free some');
    const { run } = snapshotOf(await fixture.clock.settle(fixture.run()));
    expect(run).toMatchObject({ status: 'failed', error: { code: 'LEDGER_UNAVAILABLE' } });
    expect(fixture.providers.calls).toEqual([]);
    fixture.recorder.failure = undefined;
    expect(snapshotOf(await fixture.clock.settle(fixture.run())).run.status).toBe('succeeded');
  });
});
