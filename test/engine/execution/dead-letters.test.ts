// Started runs that failed are told of, however many there are.
import { expect, test } from 'vitest';
import { deadLetters } from '../../../src/engine/execution/dead-letters.ts';
import type { RunRecord } from '../../../src/engine/execution/records.ts';
import { makeRun } from '../../support/ledger-records.ts';
import { createSimulatedClock } from '../../support/simulated-clock.ts';

const error = {
  code: 'NO_PROVIDER_AVAILABLE',
  message: 'm',
  remedy: 'r',
  retryAfterMs: null,
  step: null,
  details: {},
};
const failed = (id: string, fields: Partial<RunRecord> = {}): RunRecord =>
  makeRun(id, { durable: true, status: 'failed', error, ...fields });

test('one of each task and error is told of at once, and how many there were beside it a minute later', async () => {
  const clock = createSimulatedClock();
  const told: string[] = [];
  const ended = deadLetters(clock, ({ id }, more) => told.push(`${id} +${more}`));
  for (let index = 0; index < 50; index += 1) ended(failed(`run_${index}`));
  ended(failed('run_other', { task: 'other' }));
  await clock.advance(60_000);
  ended(failed('run_later'));
  expect(told).toEqual(['run_0 +0', 'run_other +0', 'run_later +49']);
});

test("what somebody waits for, or cancelled, or is part of another run is nobody's dead letter", () => {
  const told: string[] = [];
  const ended = deadLetters(createSimulatedClock(), ({ id }) => told.push(id));
  ended(failed('run_1', { durable: false }));
  ended(failed('run_2', { idempotencyKey: 'k' }));
  ended(failed('run_3.child', { parentRunId: 'run_3' }));
  ended(failed('run_4', { status: 'cancelled' }));
  ended(failed('run_5', { status: 'succeeded', error: null }));
  expect(told).toEqual([]);
});
