// A refusal after a run was opened tells what the run had done by then.
import { expect, test } from 'vitest';
import { model, modelStep, plan, task } from '../../support/engine-plan.ts';
import { memoryFixture } from '../../support/engine-fixture.ts';

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
