// What happens on the wire between a client, the server and two providers: clients that go away, streams that break, answers from elsewhere.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../../src/common/clock.ts';
import { formatUsd } from '../../../src/common/money.ts';
import { seededRandom } from '../../../src/common/random.ts';
import { INPUT_RATE, OUTPUT_RATE, startCountingUpstream } from '../../support/counting-upstream.ts';
import type { CountingUpstream } from '../../support/counting-upstream.ts';
import type { Behaviour } from '../../support/fault-server.ts';
import { createHandClock } from '../../support/hand-clock.ts';
import { BUDGETS, RUN_SINGLE, STREAM_SINGLE, ask, hostFor, nano, rowsOf, subscribe } from './support.ts';
import type { Hosted, Shown } from './support.ts';

interface Stage extends Hosted {
  readonly upstream: CountingUpstream;
  readonly other: CountingUpstream;
}

async function stage(from: string, behaviour: Behaviour, clock: Clock = systemClock): Promise<Stage> {
  const upstream = await startCountingUpstream({ random: seededRandom(5) });
  const other = await startCountingUpstream({ random: seededRandom(6) });
  upstream.otherwise(behaviour);
  const hosted = await hostFor(upstream, { other, clock, workflow: { from } });
  return Object.assign(hosted, { upstream, other });
}

async function letGo({ upstream, other, app }: Stage): Promise<void> {
  expect(await app.ledger.verify()).toMatchObject({ ok: true, discrepancies: [] });
  await Promise.all([upstream.close(), other.close()]);
}

/** When nothing is held any more, whatever the client was told. */
async function settled({ url, app }: Stage): Promise<
  readonly {
    status: string;
    costNanoUsd: bigint;
    outputTokens: number;
    inputTokens: number;
    estimated: boolean;
  }[]
> {
  for (let looks = 0; looks < 200; looks += 1) {
    const { data } = await ask(url, BUDGETS);
    if (data.budgets[0].held === '0' && app.engine.running() === 0) break;
    await sleep(20);
  }
  const { data } = await ask(url, BUDGETS);
  expect(data.budgets[0].held).toBe('0');
  // What is acknowledged is in the tables a moment later, however long a busy machine takes.
  await app.ledger.verify();
  const attempts = [...(await rowsOf(app.ledger)).attempts.values()].flat();
  expect(nano(data.budgets[0].spent)).toBe(attempts.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n));
  return attempts;
}

describe('a client that goes away', { timeout: 60_000 }, () => {
  it('takes its call to the provider with it, at once, and pays for what was surely billed', async () => {
    const clock = createHandClock();
    const at = await stage('[up/small]', { connection: 'silent' }, clock);
    const gone = new AbortController();
    const asked = ask(at.url, RUN_SINGLE, { mark: 'gone' }, { signal: gone.signal }).catch(() => 'gone');
    const call = await at.upstream.received(1);
    // No timeout ends the call, and nothing that waits for a moment: it would be waited for without end.
    clock.stop();
    gone.abort();
    await call.gone;
    clock.go();
    expect(await asked).toBe('gone');
    const [attempt] = await settled(at);
    expect(attempt).toMatchObject({ status: 'cancelled', estimated: true });
    expect(attempt?.inputTokens).toBeGreaterThanOrEqual(20);
    expect(at.upstream.calls).toHaveLength(1);
    await letGo(at);
  });

  it('in the middle of a stream: pays for every token that it was shown', async () => {
    const at = await stage('[up/small]', { tokens: 50, tokenEveryMs: 20 });
    const gone = new AbortController();
    let shown = 0;
    try {
      for await (const { data } of subscribe(at.url, STREAM_SINGLE, { mark: 'left' }, gone.signal)) {
        if (data.streamTask.__typename === 'RunText') shown += data.streamTask.delta.trim().split(' ').length;
        if (shown >= 5) gone.abort();
      }
    } catch {
      // The fetch says that it was aborted.
    }
    const [call] = at.upstream.calls;
    await call?.gone;
    expect(call?.tokensSent).toBeLessThan(50);
    const [attempt] = await settled(at);
    expect(attempt?.status).toBe('cancelled');
    expect(attempt?.outputTokens).toBeGreaterThanOrEqual(shown);
    expect(attempt?.costNanoUsd).toBeGreaterThanOrEqual(20n * INPUT_RATE + BigInt(shown) * OUTPUT_RATE);
    await letGo(at);
  });

  it('with a key: the run goes on, and the answer is there when it comes back', async () => {
    const at = await stage('[up/small]', { tokens: 10, firstTokenAfterMs: 400 });
    const gone = new AbortController();
    const options = { idempotencyKey: 'come-back' };
    const asked = ask(at.url, RUN_SINGLE, { mark: 'back', options }, { signal: gone.signal }).catch(
      () => 'gone',
    );
    await at.upstream.received(1);
    gone.abort();
    expect(await asked).toBe('gone');
    const { data } = await ask(at.url, RUN_SINGLE, { mark: 'back', options });
    expect(data.runTask).toMatchObject({ __typename: 'Run', status: 'SUCCEEDED' });
    expect(at.upstream.calls).toHaveLength(1);
    await settled(at);
    await letGo(at);
  });
});

describe('a stream that breaks', { timeout: 60_000 }, () => {
  const FAULTS: readonly { readonly name: string; readonly fault: Behaviour }[] = [
    { name: 'cut at token 6 of 10', fault: { tokens: 10, cutAtToken: 6, tokenEveryMs: 5 } },
    { name: 'ended early, without a reason', fault: { tokens: 10, endAtToken: 6, tokenEveryMs: 5 } },
    { name: 'an error inside the 200', fault: { tokens: 10, errorAtToken: 6, tokenEveryMs: 5 } },
  ];
  it.each(FAULTS)(
    'INV-10: $name: what was shown is said to be void, the answer is whole',
    async ({ fault }) => {
      const at = await stage('[up/small, other/large]', fault);
      at.other.otherwise({ tokens: 10 });
      const kinds: string[] = [];
      let shown = '';
      let result: Shown;
      for await (const { data } of subscribe(at.url, STREAM_SINGLE, { mark: 'broken' })) {
        const event = data.streamTask;
        if (kinds.at(-1) !== event.__typename) kinds.push(event.__typename);
        if (event.__typename === 'RunText') shown += event.delta;
        if (event.__typename === 'RunTextRestarted') shown = '';
        if (event.__typename === 'RunFinished') result = event.result;
      }
      const whole = Array.from({ length: 10 }, (_, index) => `t${index + 1}`).join(' ');
      expect(kinds).toContain('RunTextRestarted');
      expect(kinds.at(-1)).toBe('RunFinished');
      expect(shown).toBe(whole);
      expect(result).toMatchObject({ status: 'SUCCEEDED', outputJson: { text: whole } });
      const failed = result.attempts.slice(0, -1);
      expect(failed.length).toBeGreaterThan(0);
      expect(result.attempts).toHaveLength(at.upstream.calls.length + at.other.calls.length);
      for (const attempt of failed) expect(attempt).toMatchObject({ status: 'FAILED', model: 'small' });
      expect(result.attempts.at(-1)).toMatchObject({ status: 'SUCCEEDED', model: 'large' });
      await settled(at);
      await letGo(at);
    },
  );

  it('INV-10: nobody else to ask: a failed run, never a short success', async () => {
    const at = await stage('[up/small]', { tokens: 10, cutAtToken: 6, tokenEveryMs: 2 });
    let result: Shown;
    for await (const { data } of subscribe(at.url, STREAM_SINGLE, { mark: 'alone' }))
      if (data.streamTask.__typename === 'RunFinished') ({ result } = data.streamTask);
    expect(result.__typename).toBe('NoProviderAvailable');
    await settled(at);
    await letGo(at);
  });
});

describe('an answer from elsewhere', { timeout: 60_000 }, () => {
  it('is reported and billed as what it is, in the run, the attempts, the statistics and the budget', async () => {
    const at = await stage('[up/small, other/large]', { refuse: 'server_error' });
    at.other.otherwise({ tokens: 10, model: 'large-2026-11' });
    const { data } = await ask(at.url, RUN_SINGLE, { mark: 'failover' });
    const cost = formatUsd(20n * 3_000n + 10n * 15_000n);
    expect(data.runTask).toMatchObject({ __typename: 'Run', status: 'SUCCEEDED', cost });
    const { attempts } = data.runTask;
    expect(attempts.at(-1)).toMatchObject({ model: 'large-2026-11', status: 'SUCCEEDED', cost });
    expect(
      attempts
        .slice(0, -1)
        .every((each: { cost: string; model: string }) => each.cost === '0' && each.model === 'small'),
    ).toBe(true);
    expect(attempts).toHaveLength(at.upstream.calls.length + 1);
    const stats = await ask(
      at.url,
      '{ costStats(window: ALL, by: [MODEL]) { total { cost attempts } groups { keys { value } bucket { cost attempts } } } budgets { spent } }',
    );
    expect(stats.errors).toEqual([]);
    expect(stats.data.costStats.total).toMatchObject({ cost, attempts: attempts.length });
    const groups = stats.data.costStats.groups.map(
      (group: { keys: readonly { value: string }[]; bucket: { cost: string } }) => [
        group.keys[0]?.value,
        group.bucket.cost,
      ],
    );
    expect(Object.fromEntries(groups)).toEqual({ 'up/small': '0', 'other/large': cost });
    expect(stats.data.budgets[0].spent).toBe(cost);
    await settled(at);
    await letGo(at);
  });
});

describe('a kept connection that breaks', { timeout: 60_000 }, () => {
  it('INV-2: is followed by another call at once, which has a hold of its own: who reads, bills and closes is paid twice on two holds', async () => {
    const usage = { prompt_tokens: 30, completion_tokens: 2, total_tokens: 32 };
    let billed = 0;
    /** By connection: how many requests came on it. */
    const requests = new WeakMap<object, number>();
    const server = createServer((request, response) => {
      const before = requests.get(request.socket) ?? 0;
      requests.set(request.socket, before + 1);
      request.resume().once('end', () => {
        billed += 1;
        if (before > 0) {
          request.socket.destroy();
          return;
        }
        const choices = [
          { index: 0, message: { role: 'assistant', content: 'two words' }, finish_reason: 'stop' },
        ];
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ id: 'x', object: 'chat.completion', model: 'small', choices, usage }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const hosted = await hostFor(
      { url, openaiUrl: `${url}/v1` },
      // Without a retry of the policy's own.
      { workflow: { policy: 'timeout: 10s, retry: { attempts: 0 }' } },
    );
    for (const mark of ['first', 'second', 'third', 'fourth']) {
      const { data } = await ask(hosted.url, RUN_SINGLE, { mark });
      expect(data.runTask).toMatchObject({ __typename: 'Run', status: 'SUCCEEDED' });
    }
    const attempts = [...(await rowsOf(hosted.app.ledger)).attempts.values()].flat();
    const failed = attempts.filter(({ status }) => status === 'failed');
    expect(failed.length).toBeGreaterThan(0);
    for (const attempt of failed)
      expect(attempt).toMatchObject({ errorClass: 'connection', estimated: true });
    for (const { costNanoUsd, heldNanoUsd } of failed) expect(costNanoUsd).toBe(heldNanoUsd);
    // Each call that was read has a row, which has a cost.
    expect(attempts.filter(({ costNanoUsd }) => costNanoUsd > 0n)).toHaveLength(billed);
    // It says nothing against the model.
    const { data } = await ask(hosted.url, '{ providers { name models { circuit } } }');
    expect(JSON.stringify(data)).not.toMatch(/OPEN/);
    expect(await hosted.app.ledger.verify()).toMatchObject({ ok: true });
    server.closeAllConnections();
    server.close();
  });
});
