// The fault scenarios that gateways are compared by, each through the whole engine: real SDKs, real sockets, real ledger.
import { describe, expect, test } from 'vitest';
import type { AttemptRecord } from '../../src/engine/execution/records.ts';
import { snapshotOf } from '../support/engine-fixture.ts';
import { WHOLE, WIRES, aftermath, answered, scene } from './support.ts';

const outcomes = (attempts: readonly AttemptRecord[]): string[] =>
  attempts.map(({ provider, errorClass }) => `${provider} ${errorClass ?? 'ok'}`);

describe.each(WIRES)('$first in front, $second behind', (wires) => {
  test('429 with Retry-After 2: one retry, not before 1.8 s, or a fallback', async () => {
    const stage = await scene({ wires });
    stage.first.script({ refuse: 'rate_limited', headers: { 'retry-after': '2' } });
    const played = await stage.play();
    answered(played);
    const [refused, again] = stage.first.calls;
    if (again !== undefined)
      expect(again.receivedAtMs - (refused?.receivedAtMs ?? 0)).toBeGreaterThanOrEqual(1_800);
    else expect(stage.second.calls).toHaveLength(1);
    expect(played.tookMs).toBeLessThan(4_000);
    await aftermath(stage, played);
  });

  test('429 with Retry-After 2 and nobody else: one retry, not before its time', async () => {
    const stage = await scene({ wires, route: ['first/small'] });
    stage.first.script({ refuse: 'rate_limited', headers: { 'retry-after': '2' } });
    const played = await stage.play();
    answered(played);
    const [refused, again, ...more] = stage.first.calls;
    expect((again?.receivedAtMs ?? 0) - (refused?.receivedAtMs ?? 0)).toBeGreaterThanOrEqual(1_800);
    expect(more).toEqual([]);
    expect(played.tookMs).toBeLessThan(4_000);
    await aftermath(stage, played);
  });

  test('429 for ever without Retry-After: no more than 4 calls in 3 s, then the fallback', async () => {
    const stage = await scene({ wires });
    stage.first.otherwise({ refuse: 'rate_limited' });
    const played = await stage.play();
    answered(played);
    const startMs = stage.first.calls[0]?.receivedAtMs ?? 0;
    expect(
      stage.first.calls.filter(({ receivedAtMs }) => receivedAtMs - startMs <= 3_000).length,
    ).toBeLessThanOrEqual(4);
    expect(stage.second.calls).toHaveLength(1);
    expect(played.tookMs).toBeLessThan(5_000);
    await aftermath({ ...stage, pass: (ms) => stage.pass(ms + 1_000) }, played);
  });

  test('429 for ever and nobody else: bounded calls, and told when to come again', async () => {
    const stage = await scene({ wires, route: ['first/small'], deadlineMs: 20_000 });
    stage.first.otherwise({ refuse: 'rate_limited' });
    const played = await stage.play();
    expect(played.result).toMatchObject({ kind: 'no_provider_available' });
    expect(stage.first.calls.length).toBeLessThanOrEqual(4);
    expect(played.tookMs).toBeLessThanOrEqual(20_100);
    await aftermath({ ...stage, pass: (ms) => stage.pass(ms + 60_000) }, played);
  });

  test('500 once', async () => {
    const stage = await scene({ wires });
    stage.first.script({ refuse: 'server_error' });
    const played = await stage.play();
    answered(played);
    expect(played.tookMs).toBeLessThan(4_000);
    await aftermath(stage, played);
  });

  test('503 for ever: the fallback, after a few calls', async () => {
    const stage = await scene({ wires });
    stage.first.otherwise({ refuse: 'overloaded' });
    const played = await stage.play();
    const { attempts } = answered(played);
    expect(stage.first.calls.length).toBeLessThanOrEqual(3);
    expect(attempts.at(-1)?.provider).toBe('second');
    expect(played.tookMs).toBeLessThan(10_000);
    await aftermath(stage, played);
  });

  test('connection reset before headers: answered either way', async () => {
    const stage = await scene({ wires });
    stage.first.script({ connection: 'reset' });
    const played = await stage.play();
    answered(played);
    expect(played.tookMs).toBeLessThan(4_000);
    await aftermath(stage, played);
  });

  test('accepted and never answered: the fallback after the first timeout, the silent route not tried again', async () => {
    const stage = await scene({ wires, policy: { timeoutMs: 10_000 } });
    stage.first.otherwise({ connection: 'silent' });
    const played = await stage.play();
    const { attempts } = answered(played);
    expect(outcomes(attempts)).toEqual(['first timeout', 'second ok']);
    expect(played.tookMs).toBeGreaterThanOrEqual(10_000);
    expect(played.tookMs).toBeLessThan(12_000);
    expect(stage.first.calls[0]?.ended).toBe('client-closed');
    await aftermath(stage, played);
  });

  test('first token after 20 s: the fallback within 15', async () => {
    const stage = await scene({ wires });
    stage.first.otherwise({ firstTokenAfterMs: 20_000 });
    const played = await stage.play({ stream: true });
    const { attempts } = answered(played);
    expect(outcomes(attempts)).toEqual(['first first_token_timeout', 'second ok']);
    expect(played.tookMs).toBeLessThan(15_000);
    expect(played.shown).toBe(WHOLE);
    expect(played.events.map(({ type }) => type)).not.toContain('restart');
    await aftermath(stage, played);
  });

  test('INV-10: stream cut at token 40 of 60: never a short success, never a silent splice', async () => {
    const stage = await scene({ wires });
    stage.first.otherwise({ cutAtToken: 40, tokenEveryMs: 10 });
    const played = await stage.play({ stream: true });
    const { attempts } = answered(played);
    expect(
      attempts
        .slice(0, -1)
        .every(
          ({ errorClass, estimated, outputTokens }) =>
            errorClass === 'cut_stream' && estimated && outputTokens >= 40,
        ),
    ).toBe(true);
    expect(attempts.at(-1)).toMatchObject({ provider: 'second', status: 'succeeded' });
    expect(played.events.some(({ type }) => type === 'restart')).toBe(true);
    expect(played.shown).toBe(WHOLE);
    await aftermath(stage, played);
  });

  test('INV-10: stream that ends early without a finish reason', async () => {
    const stage = await scene({ wires });
    stage.first.otherwise({ endAtToken: 40 });
    const played = await stage.play({ stream: true });
    answered(played);
    expect(played.shown).toBe(WHOLE);
    await aftermath(stage, played);
  });

  test('INV-10: stream silent at token 20', async () => {
    const stage = await scene({ wires });
    stage.first.otherwise({ stallAtToken: 20 });
    const played = await stage.play({ stream: true });
    const { attempts } = answered(played);
    expect(outcomes(attempts)).toEqual(['first stalled', 'second ok']);
    expect(played.tookMs).toBeLessThan(12_000);
    expect(played.shown).toBe(WHOLE);
    await stage.pass(50);
    expect(stage.first.calls[0]?.ended).toBe('client-closed');
    await aftermath(stage, played);
  });

  test('one malformed event in a good stream: recovered in place', async () => {
    const stage = await scene({ wires });
    stage.first.otherwise({ malformedAtToken: 30 });
    const played = await stage.play({ stream: true });
    const { attempts } = answered(played);
    expect(outcomes(attempts)).toEqual(['first ok']);
    expect(played.shown).toBe(WHOLE);
    await aftermath(stage, played);
  });

  test('INV-10: an event whose text is lost is no success', async () => {
    const stage = await scene({ wires });
    stage.first.otherwise({ damageToken: 30 });
    const played = await stage.play({ stream: true });
    answered(played);
    expect(played.shown).toBe(WHOLE);
    await aftermath(stage, played);
  });

  test('complete stream without an end marker: answered at once, usage kept', async () => {
    const stage = await scene({ wires });
    stage.first.otherwise({ omitEndMarker: true });
    const played = await stage.play({ stream: true });
    const { attempts } = answered(played);
    if (wires.first === 'chat') {
      expect(attempts).toMatchObject([
        { provider: 'first', status: 'succeeded', outputTokens: 60, estimated: false },
      ]);
      expect(played.tookMs).toBeLessThan(1_000);
    }
    expect(played.shown).toBe(WHOLE);
    await aftermath(stage, played);
  });

  test('an error inside a 200: judged, and answered elsewhere', async () => {
    const stage = await scene({ wires });
    stage.first.otherwise({ errorAtToken: 10 });
    const played = await stage.play({ stream: true });
    answered(played);
    expect(played.shown).toBe(WHOLE);
    await aftermath(stage, played);
  });

  test('context length exceeded: never the same model again, nor one that is known to be no larger; a larger one answers', async () => {
    const stage = await scene({
      wires,
      route: ['first/small', 'first/twin', 'second/large'],
      firstModel: { contextTokens: 8_192 },
    });
    stage.first.otherwise({ refuse: 'context_length' });
    const played = await stage.play();
    const { attempts } = answered(played);
    expect(stage.first.calls.map(({ model }) => model)).toEqual(['small']);
    expect(outcomes(attempts)).toEqual(['first context_length', 'second ok']);
    await aftermath(stage, played);
  });

  test('content filter: propagated with its reason, no retry, no routing around', async () => {
    const stage = await scene({ wires });
    stage.first.otherwise({ refuse: 'content_filter' });
    const played = await stage.play();
    const { run } = snapshotOf(played.result);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'CONTENT_FILTERED', step: 'say' } });
    expect(run.error?.message.length).toBeGreaterThan(60);
    expect(stage.first.calls).toHaveLength(1);
    expect(stage.second.calls).toHaveLength(0);
    await aftermath(stage, played);
  });

  test('content filter as a finish reason: the same', async () => {
    const stage = await scene({ wires });
    stage.first.otherwise({ finish: 'content_filter' });
    const played = await stage.play({ stream: true });
    expect(snapshotOf(played.result).run.error?.code).toBe('CONTENT_FILTERED');
    expect(stage.first.calls.length + stage.second.calls.length).toBe(1);
    await aftermath(stage, played);
  });

  test('a fallback that rejects prefill is given a clean restart', async () => {
    const stage = await scene({ wires });
    stage.first.otherwise({ cutAtToken: 40 });
    stage.second.otherwise({ rejectPrefill: true });
    const played = await stage.play({ stream: true });
    answered(played);
    expect(stage.second.calls).toHaveLength(1);
    expect(JSON.stringify(stage.second.calls[0]?.body)).not.toContain('t1 t2');
    expect(played.shown).toBe(WHOLE);
    await aftermath(stage, played);
  });

  test('provider down for 60 s under steady traffic: all served, few probes, back within 30 s', async () => {
    const stage = await scene({ wires });
    const downUntilMs = 60_000;
    stage.first.otherwise(({ receivedAtMs }) => (receivedAtMs < downUntilMs ? { status: 503 } : {}));
    const results: Promise<string>[] = [];
    for (let second = 0; second < 100; second += 1) {
      results.push(stage.begin().then(({ kind }) => kind));
      await stage.pass(1_000);
    }
    expect(new Set(await Promise.all(results))).toEqual(new Set(['run']));
    const during = stage.first.calls.filter(({ receivedAtMs }) => receivedAtMs < downUntilMs);
    expect(during.length).toBeLessThanOrEqual(20);
    const back = stage.first.calls.find(
      ({ receivedAtMs, status }) => receivedAtMs >= downUntilMs && status === 200,
    );
    expect((back?.receivedAtMs ?? Number.POSITIVE_INFINITY) - downUntilMs).toBeLessThanOrEqual(30_000);
    expect(
      stage.first.calls.filter(({ receivedAtMs }) => receivedAtMs >= 91_000).length,
    ).toBeGreaterThanOrEqual(8);
    const rows = (await stage.fixture.ledger.runs({}, { limit: 200 })).rows;
    const attempts = await stage.fixture.ledger.attemptsOf(rows.map(({ id }) => id));
    expect([...attempts.values()].flat()).toHaveLength(stage.first.calls.length + stage.second.calls.length);
  });

  test('failover accounting: the model that answered is the one reported and billed', async () => {
    const stage = await scene({ wires });
    stage.first.otherwise({ refuse: 'server_error' });
    stage.second.otherwise({ usage: { inputTokens: 1_000, outputTokens: 500 }, model: 'large-2026-01-01' });
    const played = await stage.play();
    const { run, attempts } = answered(played);
    const last = attempts.at(-1);
    expect(last).toMatchObject({
      provider: 'second',
      requestedModel: 'large',
      model: 'large-2026-01-01',
      inputTokens: 1_000,
      outputTokens: 500,
    });
    // 3 dollars a million input tokens, 12 a million output tokens.
    expect(last?.costNanoUsd).toBe(9_000_000n);
    expect(run.costNanoUsd).toBe(9_000_000n);
    expect(
      attempts.slice(0, -1).every(({ provider, costNanoUsd }) => provider === 'first' && costNanoUsd === 0n),
    ).toBe(true);
    expect(stage.second.calls[0]?.billed).toEqual({ inputTokens: 1_000, outputTokens: 500 });
    await aftermath(stage, played);
  });

  test('hedging: the first good answer wins, and the socket of the other is closed and its call settled', async () => {
    const stage = await scene({ wires, hedgeAfterMs: 2_000 });
    stage.first.otherwise({ headersAfterMs: 25_000 });
    const played = await stage.play();
    const { run, attempts } = answered(played);
    expect(played.tookMs).toBeLessThan(3_000);
    expect(outcomes(attempts)).toEqual(['first cancelled', 'second ok']);
    expect(attempts[0]?.estimated).toBe(true);
    expect(run.costNanoUsd).toBe(attempts.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n));
    await stage.pass(50);
    expect(stage.first.calls[0]?.ended).toBe('client-closed');
    await aftermath(stage, played);
  });

  test('cancellation by the caller closes the socket within 50 ms, and is settled', async () => {
    const stage = await scene({ wires });
    stage.first.otherwise({ tokenEveryMs: 100 });
    const controller = new AbortController();
    const running = stage.begin({ stream: true, signal: controller.signal });
    await stage.pass(2_000);
    const abortedAtMs = stage.clock.monotonicMs();
    controller.abort();
    await stage.pass(60);
    const { run, attempts } = snapshotOf(await running);
    expect(run.status).toBe('cancelled');
    expect(stage.first.calls[0]).toMatchObject({ ended: 'client-closed' });
    expect((stage.first.calls[0]?.endedAtMs ?? 0) - abortedAtMs).toBeLessThanOrEqual(50);
    expect(attempts).toMatchObject([{ status: 'cancelled', estimated: true }]);
    expect(attempts[0]?.costNanoUsd).toBeGreaterThan(0n);
    expect(stage.fixture.budgets.views().every(({ held }) => held === 0n)).toBe(true);
  });
});
