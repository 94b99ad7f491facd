// An outage is somebody else's: shares of the deadline, silence that is watched for a fallback, retries of a slip, on a clock of the test's own.
import { beforeAll, describe, expect, test } from 'vitest';
import { attemptLimits, cutTooSoonToTell } from '../../../src/engine/execution/attempt-limits.ts';
import { loadTokenizer } from '../../../src/engine/execution/tokens.ts';
import type { Plan, PlanPolicy } from '../../../src/language/plan/types.ts';
import { memoryFixture, snapshotOf } from '../../support/engine-fixture.ts';
import type { MemoryFixture } from '../../support/engine-fixture.ts';
import { model, modelStep, plan, policy, task } from '../../support/engine-plan.ts';

beforeAll(loadTokenizer);

const DEADLINE_MS = 90_000;
const opensAfter = (failures: number): PlanPolicy['circuitBreaker'] => ({
  kind: 'consecutive',
  failures,
  halfOpenAfterMs: 60_000,
});

/** `a/local` before two others, under a deadline of 90 s. */
function planOf(fields: Partial<PlanPolicy>, models = ['a/local', 'b/two', 'c/three']): Plan {
  return plan({
    models: models.map((key, index) => model(key, index === 0 ? { policy: { ...policy, ...fields } } : {})),
    tasks: [
      task('write', [modelStep('say', models)], {
        allowance: { deadlineMs: DEADLINE_MS, attempts: 10, costNanoUsd: null },
      }),
    ],
  });
}

const silentLocal = (of: Plan): MemoryFixture =>
  memoryFixture(of, ({ provider }) => (provider === 'a' ? { silent: true } : { text: provider }));

async function ran(fixture: MemoryFixture, options: Parameters<MemoryFixture['run']>[1] = {}) {
  const beforeMs = fixture.clock.monotonicMs();
  const result = await fixture.clock.settle(fixture.run('write', options));
  return { result, tookMs: fixture.clock.monotonicMs() - beforeMs };
}

describe('while another candidate can serve', () => {
  test('a silent one has its share of the deadline, and the run is answered', async () => {
    const fixture = silentLocal(planOf({ timeoutMs: 90_000 }));
    const { result, tookMs } = await ran(fixture);
    expect(snapshotOf(result).run.output).toEqual({ text: 'b' });
    expect(tookMs).toBeGreaterThanOrEqual(DEADLINE_MS / 3);
    expect(tookMs).toBeLessThan(DEADLINE_MS / 3 + 1_000);
    expect(snapshotOf(result).attempts[0]).toMatchObject({ model: 'local', errorClass: 'timeout' });
  });

  test('each that is silent leaves the same to those that follow', async () => {
    const fixture = memoryFixture(planOf({ timeoutMs: 90_000 }), ({ provider }) =>
      provider === 'c' ? { text: 'c', afterMs: 5_000 } : { silent: true },
    );
    const { result } = await ran(fixture);
    expect(snapshotOf(result).run.output).toEqual({ text: 'c' });
  });

  test('one whose text comes is not cut for its share, and the run is paid for once', async () => {
    const words = Array.from({ length: 12 }, (_, at) => `word ${at} `);
    const fixture = memoryFixture(planOf({ timeoutMs: 80_000, stallMs: 10_000 }), () => ({
      deltas: words,
      deltaEveryMs: 5_000,
    }));
    const { result, tookMs } = await ran(fixture, { stream: true });
    expect(snapshotOf(result).run.output).toEqual({ text: words.join('') });
    expect(tookMs).toBeGreaterThan(DEADLINE_MS / 3);
    expect(fixture.providers.calls.map(({ provider }) => provider)).toEqual(['a']);
  });

  test('one whose text comes has its whole timeout, and the next has what is left then', async () => {
    const fixture = memoryFixture(planOf({ timeoutMs: 50_000, stallMs: 10_000 }), ({ provider }) =>
      provider === 'a' ? { deltas: Array(100).fill('word '), deltaEveryMs: 5_000 } : { text: provider },
    );
    const { result, tookMs } = await ran(fixture, { stream: true });
    expect(snapshotOf(result).attempts[0]).toMatchObject({ model: 'local', errorClass: 'timeout' });
    expect(snapshotOf(result).run.output).toEqual({ text: 'b' });
    expect(Math.floor(tookMs / 1_000)).toBe(50);
  });

  test('a stream for nobody may fall silent for its share, and no longer', () => {
    expect(attemptLimits({ ...policy, timeoutMs: 60_000, stallMs: 5_000 }, DEADLINE_MS, 2, false)).toEqual({
      timeoutMs: 30_000,
      begunTimeoutMs: 60_000,
      silence: { firstTokenMs: Number.POSITIVE_INFINITY, stallMs: 30_000 },
      streams: false,
    });
  });

  test('`watch: fallback` leaves one that says nothing after its first-token time, and two such attempts open its circuit', async () => {
    const fixture = silentLocal(
      planOf({ timeoutMs: 90_000, firstTokenMs: 8_000, watch: 'fallback', circuitBreaker: opensAfter(2) }),
    );
    for (let run = 0; run < 2; run += 1) {
      const { result, tookMs } = await ran(fixture);
      expect(snapshotOf(result).attempts[0]).toMatchObject({ errorClass: 'first_token_timeout' });
      expect(tookMs).toBeLessThan(10_000);
    }
    const called = fixture.providers.calls.length;
    const { tookMs } = await ran(fixture);
    expect(tookMs).toBeLessThan(3_000);
    expect(fixture.providers.calls.slice(called).map(({ provider }) => provider)).toEqual(['b']);
  });

  test('nobody is left for silence where nobody else can serve', () => {
    const watched: PlanPolicy = { ...policy, timeoutMs: 60_000, firstTokenMs: 8_000, watch: 'fallback' };
    expect(attemptLimits(watched, DEADLINE_MS, 2, false)).toMatchObject({
      timeoutMs: 30_000,
      silence: { firstTokenMs: 8_000 },
      streams: true,
    });
    expect(attemptLimits(watched, DEADLINE_MS, 0, true)).toMatchObject({
      timeoutMs: 60_000,
      silence: { firstTokenMs: 60_000 },
      streams: false,
    });
  });
});

describe("an attempt that the run's own deadline ends", () => {
  const alone = (): Plan => planOf({ timeoutMs: 200_000, circuitBreaker: opensAfter(1) }, ['a/local']);

  test('counts against its candidate, which the error names', async () => {
    const fixture = silentLocal(alone());
    const { result } = await ran(fixture);
    expect(
      JSON.stringify(result, (_key, value: unknown) => (typeof value === 'bigint' ? 0 : value)),
    ).toContain('a/local');
    await ran(fixture);
    expect(fixture.providers.calls).toHaveLength(1);
  });

  test('says nothing of it where its caller was in a hurry', async () => {
    const fixture = silentLocal(alone());
    for (let run = 0; run < 3; run += 1) await ran(fixture, { options: { deadlineMs: 200 } });
    expect(fixture.providers.calls).toHaveLength(3);
    expect(cutTooSoonToTell(200, 60_000, null)).toBe(true);
    expect(cutTooSoonToTell(1_500, 60_000, null)).toBe(false);
    expect(cutTooSoonToTell(1_500, 60_000, 4_000)).toBe(true);
    expect(cutTooSoonToTell(60_000, 60_000, 90_000)).toBe(false);
  });
});

describe('a slip', () => {
  test.each(['server_error', 'connection'] as const)(
    'a single %s is asked again before the next candidate, a second one is not',
    async (fails) => {
      const once = memoryFixture(planOf({}), (_call, number) =>
        number === 1 ? { fail: fails } : { text: 'ok' },
      );
      await ran(once);
      expect(once.providers.calls.map(({ provider }) => provider)).toEqual(['a', 'a']);
      const always = memoryFixture(
        planOf({ retry: { ...policy.retry, backoff: 'constant', initialDelayMs: 900 } }),
        ({ provider }) => (provider === 'a' ? { fail: fails } : { text: 'ok' }),
      );
      await ran(always);
      expect(always.providers.calls.map(({ provider }) => provider)).toEqual(['a', 'a', 'b']);
    },
  );

  test('whose pause is a second or more goes elsewhere', async () => {
    const slow = { ...policy.retry, backoff: 'constant', initialDelayMs: 2_000 } as const;
    const fixture = memoryFixture(planOf({ retry: slow }), ({ provider }) =>
      provider === 'a' ? { fail: 'server_error' } : { text: 'ok' },
    );
    await ran(fixture);
    expect(fixture.providers.calls.map(({ provider }) => provider)).toEqual(['a', 'b']);
  });
});

test('a Retry-After of an overload is kept to by the callers that come after, and no longer', async () => {
  const fixture = memoryFixture(planOf({}), ({ provider }, number) =>
    provider === 'a' && number === 1 ? { fail: 'overloaded', retryAfterMs: 20_000 } : { text: provider },
  );
  await ran(fixture);
  await ran(fixture);
  expect(fixture.providers.calls.map(({ provider }) => provider)).toEqual(['a', 'b', 'b']);
  await fixture.clock.advance(21_000);
  await ran(fixture);
  expect(fixture.providers.calls.at(-1)?.provider).toBe('a');
});
