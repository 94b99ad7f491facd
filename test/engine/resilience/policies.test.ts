// One attempt through its policy: slots and queue, timeout, abort, retries.
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { retryDelayMs } from '../../../src/engine/resilience/backoff.ts';
import { AttemptTimeout, type CallHealth } from '../../../src/engine/resilience/port.ts';
import { seededRandom } from '../../../src/common/random.ts';
import { drivePolicy } from './policy-driver.ts';
import { ordinary, settings } from './settings.ts';

const narrow = (concurrent: number, queue: number) => settings({ bulkhead: { concurrent, queue } });

describe('the bulkhead', () => {
  it('runs so many at a time, lets so many wait in order, and refuses the rest', async () => {
    const driver = drivePolicy(narrow(2, 2));
    const calls = Array.from({ length: 5 }, () => driver.open());
    await driver.clock.flush();
    expect(calls.map((call) => call.started())).toEqual([true, true, false, false, false]);
    expect(driver.policy().inFlight()).toBe(2);
    expect(driver.policy().queued()).toBe(2);
    expect(await calls[4]?.result).toEqual({
      kind: 'refused',
      refusal: { code: 'bulkhead_full', retryAfterMs: null },
    });
    await driver.clock.advance(700);
    calls[1]?.end('success');
    await driver.clock.flush();
    expect(calls.map((call) => call.started())).toEqual([true, true, true, false, false]);
    calls[2]?.end('success');
    expect(await calls[2]?.result).toMatchObject({ kind: 'done', queuedMs: 700 });
  });

  it('answers an aborted waiter at once, and gives its place in the queue to another', async () => {
    const driver = drivePolicy(narrow(1, 1));
    driver.open();
    const waiter = driver.open();
    await driver.clock.flush();
    expect(driver.policy().refusal()).toEqual({ code: 'bulkhead_full', retryAfterMs: null });
    waiter.controller.abort();
    expect(await waiter.result).toEqual({ kind: 'aborted' });
    expect(driver.policy().refusal()).toBeUndefined();
    const next = driver.open();
    await driver.clock.flush();
    expect(driver.policy().queued()).toBe(1);
    expect(next.started()).toBe(false);
  });

  it('sends those who wait elsewhere as soon as the circuit opens', async () => {
    const driver = drivePolicy({
      ...narrow(1, 10),
      circuitBreaker: { kind: 'consecutive', failures: 1, halfOpenAfterMs: 9_000 },
    });
    const running = driver.open();
    const waiters = [driver.open(), driver.open()];
    running.end('failure');
    await running.result;
    for (const waiter of waiters) {
      expect(await waiter.result).toEqual({
        kind: 'refused',
        refusal: { code: 'circuit_open', retryAfterMs: 9_000 },
      });
    }
  });

  it('gives the slot back when a body throws', async () => {
    const driver = drivePolicy(narrow(1, 0));
    const options = {
      signal: new AbortController().signal,
      timeoutMs: 1_000,
      health: (): CallHealth => 'success',
    };
    await expect(driver.policy().run(() => Promise.reject(new Error('bug')), options)).rejects.toThrow('bug');
    expect(driver.policy().inFlight()).toBe(0);
  });

  it('INV-7: counts calls in flight against a size that was changed, and grows at once', async () => {
    const driver = drivePolicy(narrow(4, 10));
    const calls = Array.from({ length: 6 }, () => driver.open());
    await driver.clock.flush();
    driver.configure(narrow(2, 10));
    calls[0]?.end('success');
    calls[1]?.end('success');
    await driver.clock.flush();
    expect(calls.filter((call) => call.started())).toHaveLength(4);
    driver.configure(narrow(5, 10));
    await driver.clock.flush();
    expect(calls.filter((call) => call.started())).toHaveLength(6);
  });

  it('is never above its size, and never loses a slot, whatever ends, fails or gives up', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('open', 'end', 'abort'), fc.nat(20)), { maxLength: 60 }),
        async (moves) => {
          const driver = drivePolicy(narrow(3, 5));
          const calls: ReturnType<typeof driver.open>[] = [];
          for (const [move, which] of moves) {
            if (move === 'open') calls.push(driver.open());
            const call = calls[which % Math.max(1, calls.length)];
            if (move === 'end') call?.end('success');
            if (move === 'abort') call?.controller.abort();
            await driver.clock.flush();
            expect(driver.policy().inFlight()).toBeLessThanOrEqual(3);
            expect(driver.policy().queued()).toBeLessThanOrEqual(5);
          }
          for (const call of calls) call.end('success');
          await Promise.all(calls.map(({ result }) => result));
          expect(driver.policy().inFlight()).toBe(0);
          expect(driver.policy().queued()).toBe(0);
          expect(driver.clock.pendingTimers()).toBe(0);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('the attempt timeout', () => {
  it('aborts the body with an AttemptTimeout and awaits its answer', async () => {
    const driver = drivePolicy(ordinary);
    const call = driver.open({ timeoutMs: 5_000, abortedHealth: 'failure' });
    await driver.clock.advance(4_999);
    expect(call.signal()?.aborted).toBe(false);
    await driver.clock.advance(1);
    expect(call.signal()?.reason).toBeInstanceOf(AttemptTimeout);
    expect(call.signal()?.reason).toMatchObject({ kind: 'attempt', afterMs: 5_000 });
    expect(await call.result).toEqual({ kind: 'done', value: 'failure', queuedMs: 0 });
  });

  it('leaves the signal alone on success, and no timer behind', async () => {
    const driver = drivePolicy(ordinary);
    const call = driver.open();
    call.end('success');
    await call.result;
    expect(driver.clock.pendingTimers()).toBe(0);
    await driver.clock.advance(120_000);
    expect(call.signal()?.aborted).toBe(false);
  });

  it('does not count the time in the queue', async () => {
    const driver = drivePolicy(narrow(1, 1));
    const running = driver.open();
    const waiter = driver.open({ timeoutMs: 1_000 });
    await driver.clock.advance(30_000);
    running.end('success');
    await driver.clock.advance(999);
    expect(waiter.signal()?.aborted).toBe(false);
    await driver.clock.advance(1);
    expect(waiter.signal()?.aborted).toBe(true);
  });

  it("passes the caller's abort on with its reason", async () => {
    const driver = drivePolicy(ordinary);
    const call = driver.open();
    await driver.clock.flush();
    call.controller.abort('the run was cancelled');
    expect(call.signal()?.reason).toBe('the run was cancelled');
    expect((await call.result).kind).toBe('done');
  });

  it('does not run a body whose caller has gone already', async () => {
    const driver = drivePolicy(ordinary);
    const controller = new AbortController();
    controller.abort();
    const body = vi.fn(() => Promise.resolve('x'));
    const run = await driver.policy().run(body, {
      signal: controller.signal,
      timeoutMs: 1_000,
      health: () => 'success',
    });
    expect(run).toEqual({ kind: 'aborted' });
    expect(body).not.toHaveBeenCalled();
  });
});

describe('the retry delay', () => {
  it('stays between the initial delay and the longest, and draws on the previous one', () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0, max: 20_000, noNaN: true }), (seed, previousMs) => {
        const delay = retryDelayMs(ordinary.retry, seededRandom(seed), 0, previousMs, null);
        expect(delay).toBeGreaterThanOrEqual(250);
        expect(delay).toBeLessThanOrEqual(Math.min(8_000, Math.max(250, previousMs) * 3));
      }),
    );
  });

  it('may be three times the previous one', () => {
    expect(retryDelayMs(ordinary.retry, () => 0.999, 1, 1_000, null)).toBeGreaterThan(2_900);
    expect(retryDelayMs(ordinary.retry, () => 0.999, 1, 5_000, null)).toBe(8_000);
  });

  it('differs between callers that failed together', () => {
    const random = seededRandom(7);
    const delays = new Set(
      Array.from({ length: 100 }, () => retryDelayMs(ordinary.retry, random, 0, 0, null)),
    );
    expect(delays.size).toBeGreaterThan(90);
  });

  it("takes the provider's Retry-After as it is, beyond the longest delay too", () => {
    expect(retryDelayMs(ordinary.retry, Math.random, 0, 0, 2_000)).toBe(2_000);
    expect(retryDelayMs(ordinary.retry, Math.random, 1, 250, 60_000)).toBe(60_000);
  });

  it('is null when no retry is left, whatever the provider says', () => {
    expect(retryDelayMs(ordinary.retry, Math.random, 2, 250, 2_000)).toBeNull();
  });

  it('is always the same with a constant backoff', () => {
    const constant = { ...ordinary.retry, backoff: 'constant' } as const;
    expect(retryDelayMs(constant, Math.random, 1, 250, null)).toBe(250);
  });
});

describe('a refusal that may be about its input', () => {
  it('counts from the third different input on, and anew after a success', async () => {
    const driver = drivePolicy(
      settings({ circuitBreaker: { kind: 'consecutive', failures: 1, halfOpenAfterMs: 1_000 } }),
    );
    const refused = (input: string): Promise<unknown> =>
      driver.policy().run(() => Promise.resolve(null), {
        signal: new AbortController().signal,
        timeoutMs: 1_000,
        health: () => ({ input }),
      });
    for (const input of ['one', 'one', 'one', 'two', 'two']) await refused(input);
    expect(driver.changes).toEqual([]);
    await driver.call('success');
    for (const input of ['three', 'four']) await refused(input);
    expect(driver.changes).toEqual([]);
    await refused('five');
    expect(driver.changes).toEqual(['open']);
  });
});
