// A refusal after a run was opened tells what the run had done by then, and nothing is called for what the ledger does not know.
import { expect, test } from 'vitest';
import type { RunRecord } from '../../../src/engine/execution/records.ts';
import { LedgerUnavailable } from '../../../src/errors/ledger-unavailable.ts';
import { model, modelStep, plan, task, template } from '../../support/engine-plan.ts';
import { memoryFixture } from '../../support/engine-fixture.ts';
import { memoryRecorder } from '../../support/memory-recorder.ts';

const schema = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] };

test('a budget that is used up by a failed answer tells the run, its cost, its calls and what failed', async () => {
  const fixture = memoryFixture(
    plan({
      models: [model('a/one'), model('b/two')],
      budgets: [
        {
          id: 'all',
          name: 'all',
          scope: { kind: 'all' },
          each: null,
          when: null,
          limit: { unit: 'calls', calls: 1 },
          per: { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
          warnAt: [],
          then: 'reject',
        },
      ],
      tasks: [task('write', [modelStep('say', ['a/one', 'b/two'], { structured: schema })])],
    }),
    () => ({ text: 'no JSON at all' }),
  );
  const result = await fixture.run();
  expect(result).toMatchObject({
    kind: 'budget_exceeded',
    code: 'BUDGET_EXCEEDED',
    costNanoUsd: 60_000n,
    attempts: [{ provider: 'a', status: 'failed', errorClass: 'invalid_output', costNanoUsd: 60_000n }],
  });
  if (result.kind !== 'budget_exceeded') return;
  expect(result.runId).toMatch(/^run_/);
  expect(result.message).toContain('Before that, a/one: invalid_output');
});

test.each([
  ['a run', (run: RunRecord) => run.parentRunId === null, 0, 'LEDGER_UNAVAILABLE'],
  ['a child run', (run: RunRecord) => run.parentRunId !== null, 1, 'CHILD_FAILED'],
])(
  'INV-3: no provider is called for %s whose own row was refused',
  async (_whose, isRefused, before, code) => {
    const rows = memoryRecorder();
    // Away for a moment: the row of the attempt, which comes after it, is taken.
    const recorder = {
      ...rows,
      openRun: (run: RunRecord): Promise<void> =>
        isRefused(run) ? Promise.reject(new LedgerUnavailable('away', 'wait')) : rows.openRun(run),
    };
    const whole = plan({
      models: [model('a/one')],
      tasks: [
        task('write', [
          modelStep('first', ['a/one']),
          {
            kind: 'task',
            key: 'call',
            after: ['first'],
            when: null,
            each: null,
            outputSchema: {},
            task: 'inner',
            input: { kind: 'object', members: { text: template('t') } },
          },
        ]),
        task('inner', [modelStep('deep', ['a/one'])]),
      ],
    });
    const fixture = memoryFixture(whole, () => ({ text: 'said' }), { recorder });
    const result = await fixture.clock.settle(fixture.run());
    expect(result).toMatchObject({
      kind: 'run',
      snapshot: { run: { status: 'failed', error: { code } } },
    });
    expect(fixture.providers.calls).toHaveLength(before);
    const statuses = [...rows.rows.attempts.values()].map(({ status }) => status);
    expect(statuses.filter((status) => status === 'open')).toEqual([]);
    expect(statuses.filter((status) => status === 'cancelled')).toHaveLength(1);
  },
);
