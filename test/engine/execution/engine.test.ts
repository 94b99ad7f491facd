import { describe, expect, test } from 'vitest';
import { model, modelStep, plan, task } from '../../support/engine-plan.ts';
import { OPEN_CALLER, drive, scriptedFixture, snapshotOf } from '../../support/engine-fixture.ts';
import { createSimulatedClock } from '../../support/simulated-clock.ts';

const twoModels = [model('a/one'), model('b/two')];

describe('a task with one model step', () => {
  const simple = plan({ models: twoModels, tasks: [task('write', [modelStep('say', ['a/one', 'b/two'])])] });

  test('is answered by the first candidate, accounted for, and written down', async () => {
    const fixture = await scriptedFixture(simple, () => ({ text: 'Bridges stand.' }));
    const { run, attempts, steps } = snapshotOf(await fixture.run());
    expect(run).toMatchObject({
      status: 'succeeded',
      output: { text: 'Bridges stand.' },
      costNanoUsd: 60_000n,
      savedNanoUsd: 0n,
    });
    expect(attempts).toHaveLength(1);
    expect(attempts[0]).toMatchObject({
      provider: 'a',
      model: 'one',
      status: 'succeeded',
      inputTokens: 20,
      outputTokens: 10,
      costNanoUsd: 60_000n,
      estimated: false,
    });
    expect(steps).toMatchObject([{ key: 'say', kind: 'model', status: 'succeeded' }]);
    expect(fixture.providers.calls[0]?.request.prompt).toBe('Say something about bridges.');

    const stored = await fixture.ledger.run(run.id);
    expect(stored).toMatchObject({
      status: 'succeeded',
      costNanoUsd: 60_000n,
      output: { text: 'Bridges stand.' },
    });
    const rows = (await fixture.ledger.attemptsOf([run.id])).get(run.id) ?? [];
    expect(rows.map(({ status, costNanoUsd }) => [status, costNanoUsd])).toEqual([['succeeded', 60_000n]]);
  });

  test('is answered by the next candidate when the first cannot', async () => {
    const fixture = await scriptedFixture(simple, ({ provider }) =>
      provider === 'a' ? { fail: 'authentication' } : { text: 'yes' },
    );
    const { run, attempts } = snapshotOf(await fixture.run());
    expect(run.status).toBe('succeeded');
    expect(attempts.map(({ provider, status, errorClass }) => [provider, status, errorClass])).toEqual([
      ['a', 'failed', 'authentication'],
      ['b', 'succeeded', null],
    ]);
  });

  test('is retried where it failed when the pause is shorter than going elsewhere', async () => {
    const clock = createSimulatedClock();
    const fixture = await scriptedFixture(
      simple,
      (_call, number) => (number === 1 ? { fail: 'server_error' } : {}),
      { clock },
    );
    const { attempts } = snapshotOf(await drive(clock, fixture.run()));
    expect(attempts.map(({ provider, status }) => [provider, status])).toEqual([
      ['a', 'failed'],
      ['a', 'succeeded'],
    ]);
  });

  test('tells the decision and the attempts when nobody could serve', async () => {
    const clock = createSimulatedClock();
    const fixture = await scriptedFixture(simple, () => ({ fail: 'server_error' }), { clock });
    const result = await drive(clock, fixture.run());
    expect(result).toMatchObject({
      kind: 'no_provider_available',
      code: 'NO_PROVIDER_AVAILABLE',
      step: 'say',
      task: 'write',
    });
    if (result.kind !== 'no_provider_available') return;
    expect(result.attempts.length).toBe(6);
    expect(result.decision.candidates.map(({ skipped }) => skipped?.code)).toEqual([
      'already_failed',
      'already_failed',
    ]);
    expect(await fixture.ledger.run(result.runId ?? '')).toMatchObject({
      status: 'failed',
      error: { code: 'NO_PROVIDER_AVAILABLE' },
    });
  });

  test('INV-13: an input against the schema changes nothing and names every place', async () => {
    const fixture = await scriptedFixture(simple, () => ({}));
    const result = await fixture.engine.run({
      task: 'write',
      input: { text: 5, more: true },
      caller: OPEN_CALLER,
    });
    expect(result).toMatchObject({ kind: 'invalid_input', code: 'INVALID_INPUT' });
    if (result.kind !== 'invalid_input') return;
    expect(result.problems.map(({ path, code }) => `${path} ${code}`).sort()).toEqual([
      '/more unknown_property',
      '/text type',
    ]);
    expect(fixture.providers.calls).toEqual([]);
    expect((await fixture.ledger.runs({}, { limit: 10 })).rows).toEqual([]);
  });

  test('is refused to a key without the scope', async () => {
    const fixture = await scriptedFixture(simple, () => ({}));
    const caller = { ...OPEN_CALLER, scopes: ['run:other'] };
    expect(await fixture.run('write', { caller })).toMatchObject({
      kind: 'unauthorized',
      scope: 'run:write',
    });
    expect(await fixture.run('write', { caller: { ...caller, scopes: ['run:write'] } })).toMatchObject({
      kind: 'run',
    });
  });
});
