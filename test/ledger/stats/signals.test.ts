// What routing learns comes from written attempts, and only from those that say something of the candidate.
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import type { AttemptRecord } from '../../../src/engine/execution/records.ts';
import { createStats } from '../../../src/ledger/stats/stats.ts';
import { sampleOf } from '../../../src/ledger/stats/sample.ts';
import { ledgerPath, openTestLedger } from '../../support/ledger-folder.ts';
import { makeAttempt, makeRun, settle } from '../../support/ledger-records.ts';

const run = makeRun('run_1');
const attempt = makeAttempt('att_1', run);
const failed = (errorClass: AttemptRecord['errorClass']): AttemptRecord =>
  settle(attempt, { status: 'failed', errorClass });

describe('what an attempt teaches', () => {
  it('an answer teaches latency and length', () => {
    expect(sampleOf(settle(attempt))).toEqual({
      modelKey: 'openai/gpt-5.6-luna',
      task: 'summarize',
      step: 'summary',
      health: 'success',
      totalMs: 800,
      firstTokenMs: 200,
      outputTokens: 120,
    });
  });

  it.each([
    ['overloaded', 'failure', null],
    ['timeout', 'failure', null],
    ['not_accepted', 'success', 120],
    ['rate_limited', 'ignore', null],
    ['invalid_request', 'ignore', null],
  ] as const)('one that ended with %s is a %s', (errorClass, health, outputTokens) => {
    expect(sampleOf(failed(errorClass))).toMatchObject({ health, outputTokens });
  });

  it('a cancelled one and an estimated length teach nothing of it, and one that reached no provider nothing at all', () => {
    expect(sampleOf(settle(attempt, { status: 'cancelled', errorClass: 'cancelled' }))?.health).toBe(
      'ignore',
    );
    expect(sampleOf(settle(attempt, { estimated: true }))?.outputTokens).toBeNull();
    expect(sampleOf(settle(attempt, { latencyMs: null }))).toBeUndefined();
  });

  it('is learnt when it is written', async () => {
    const ledger = await openTestLedger(ledgerPath());
    const stats = createStats({ ledger, clock: systemClock });
    await ledger.openRun(run);
    await ledger.openAttempt(attempt);
    expect(stats.latency('openai/gpt-5.6-luna')).toBeNull();
    await ledger.closeAttempt(settle(attempt), null);
    expect(stats.latency('openai/gpt-5.6-luna')).toMatchObject({ totalMs: 800, samples: 1 });
    expect(stats.outputTokens('summarize', 'summary', 'openai/gpt-5.6-luna')).toBe(120);
    stats.close();
  });
});
