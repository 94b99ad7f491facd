// What was settled at its worst, because nobody saw it, is lowered to what the bill says.
import { expect, test } from 'vitest';
import { loadTokenizer } from '../../../src/engine/execution/tokens.ts';
import type { WrittenRow } from '../../../src/ledger/port.ts';
import { contributionOf } from '../../../src/ledger/stats/contribution.ts';
import { drive, scriptedFixture, snapshotOf } from '../../support/engine-fixture.ts';
import { model, modelStep, plan, task } from '../../support/engine-plan.ts';
import { createSimulatedClock } from '../../support/simulated-clock.ts';

await loadTokenizer();

const slow = plan({
  models: [model('a/one')],
  tasks: [
    task('write', [modelStep('say', ['a/one'])], {
      allowance: { deadlineMs: 5_000, attempts: 1, costNanoUsd: null },
    }),
  ],
  budgets: [
    {
      id: 'cap',
      name: 'cap',
      scope: { kind: 'all' },
      each: null,
      when: null,
      limit: { unit: 'usd', nanoUsd: 1_000_000_000n },
      per: { kind: 'calendar', unit: 'month', timeZone: 'UTC' },
      warnAt: [],
      then: 'reject',
    },
  ],
});

test.each([
  ['confirmed at what the bill says', { kind: 'confirm', costNanoUsd: 1_000n } as const, 1_000n, 1],
  ['confirmed as it is', { kind: 'confirm' } as const, null, 1],
  ['released: nobody billed it', { kind: 'release' } as const, 0n, 0],
])('INV-1: an estimate is %s, once, and every sum follows', async (_how, verdict, cost, calls) => {
  const clock = createSimulatedClock();
  const fixture = await scriptedFixture(slow, () => ({ silent: true }), { clock });
  const { run, attempts } = snapshotOf(await drive(clock, fixture.run()));
  const [attempt] = attempts;
  if (attempt === undefined) throw new Error('nobody was called');
  expect(attempt).toMatchObject({ estimated: true, costNanoUsd: attempt.heldNanoUsd });
  const { ledger, budgets } = fixture;
  await expect(
    ledger.reconcile(attempt.id, { kind: 'confirm', costNanoUsd: attempt.costNanoUsd + 1n }),
  ).rejects.toMatchObject({ code: 'RECONCILE_RAISES' });

  const written: WrittenRow[] = [];
  ledger.onWritten((rows) => written.push(...rows));
  const lowered = await ledger.reconcile(attempt.id, verdict);
  const settled = cost ?? attempt.costNanoUsd;
  expect(lowered).toMatchObject({ costNanoUsd: settled, estimated: false });
  expect(await ledger.run(run.id)).toMatchObject({ costNanoUsd: settled });
  expect(await ledger.verify()).toMatchObject({ ok: true });
  const row = written.find(({ kind }) => kind === 'attempt_lowered');
  if (row?.kind !== 'attempt_lowered') throw new Error('nobody was told');
  expect(contributionOf(row)?.sums).toMatchObject({
    attempts: 0,
    costNanoUsd: settled - attempt.costNanoUsd,
  });

  const tokens = attempt.inputTokens + attempt.outputTokens;
  const after = lowered.inputTokens + lowered.outputTokens;
  budgets.correct(
    lowered.postings,
    { costNanoUsd: attempt.costNanoUsd, tokens, calls: 1 },
    { costNanoUsd: settled, tokens: after, calls },
  );
  expect(budgets.views()[0]).toMatchObject({ spent: settled, held: 0n, calls });
  // Whoever decides twice is told: no money moves again.
  await expect(ledger.reconcile(attempt.id, { kind: 'release' })).rejects.toMatchObject({
    code: 'ATTEMPT_NOT_UNRECONCILED',
  });
  expect(await ledger.verify()).toMatchObject({ ok: true });
});

test('INV-1: an answer that its provider did not count is listed among the estimates, and lowered to what the bill says', async () => {
  const clock = createSimulatedClock();
  const fixture = await scriptedFixture(slow, () => ({ text: 'fine', usage: null }), { clock });
  const { run, attempts } = snapshotOf(await drive(clock, fixture.run()));
  const [attempt] = attempts;
  if (attempt === undefined) throw new Error('nobody was called');
  expect(attempt).toMatchObject({ status: 'succeeded', estimated: true });
  expect((attempt.notes ?? []).map(({ code }) => code)).toContain('USAGE_MISSING');
  const { ledger } = fixture;
  const listed = async (): Promise<readonly string[]> => (await ledger.estimates(0, 10)).map(({ id }) => id);
  expect(await listed()).toEqual([attempt.id]);
  expect(await ledger.estimates(clock.nowMs() + 1, 10)).toEqual([]);
  await ledger.reconcile(attempt.id, { kind: 'confirm', costNanoUsd: 1_000n });
  expect(await listed()).toEqual([]);
  expect(await ledger.run(run.id)).toMatchObject({ costNanoUsd: 1_000n, status: 'succeeded' });
  expect(await ledger.verify()).toMatchObject({ ok: true });
});
