// What the resilience library does that this engine must not: the reasons for the parts that are our own.
import {
  bulkhead,
  CircuitState,
  ConstantBackoff,
  handleAll,
  retry,
  SamplingBreaker,
  timeout,
  TimeoutStrategy,
} from 'cockatiel';
import { afterEach, describe, expect, it, vi } from 'vitest';

// What these show is why the parts above are ours. One of them that fails after an upgrade says that the library's own may be used.
describe("cockatiel's traps", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('its retry sleeps through an abort', async () => {
    vi.useFakeTimers();
    const controller = new AbortController();
    let settled = false;
    const policy = retry(handleAll, { maxAttempts: 1, backoff: new ConstantBackoff(60_000) });
    const run = policy
      .execute(() => Promise.reject(new Error('500')), controller.signal)
      .catch(() => {
        settled = true;
      });
    await vi.advanceTimersByTimeAsync(10);
    controller.abort();
    await vi.advanceTimersByTimeAsync(59_000);
    expect(settled).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000);
    await run;
    expect(settled).toBe(true);
  });

  it('its bulkhead answers an aborted waiter only when a slot frees, and keeps its place taken', async () => {
    const policy = bulkhead(1, 1);
    const { promise, resolve } = Promise.withResolvers<void>();
    const running = policy.execute(() => promise);
    const controller = new AbortController();
    let settled = false;
    const waiter = policy
      .execute(() => 'never', controller.signal)
      .catch(() => {
        settled = true;
      });
    controller.abort();
    await new Promise((next) => setImmediate(next));
    expect(settled).toBe(false);
    expect(policy.queueSlots).toBe(0);
    resolve();
    await Promise.all([running, waiter]);
    expect(settled).toBe(true);
  });

  it('its timeout aborts the signal of a body that succeeded, unless told not to', async () => {
    const signals: AbortSignal[] = [];
    const body = ({ signal }: { signal: AbortSignal }): void => void signals.push(signal);
    await timeout(1_000, TimeoutStrategy.Cooperative).execute(body);
    await timeout(1_000, { strategy: TimeoutStrategy.Cooperative, abortOnReturn: false }).execute(body);
    expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
  });

  it('its sampling breaker refuses a threshold of 100 %, and opens on failures of an hour ago', () => {
    vi.useFakeTimers();
    expect(() => new SamplingBreaker({ threshold: 1, duration: 30_000 })).toThrow(RangeError);
    const breaker = new SamplingBreaker({ threshold: 0.5, duration: 30_000, minimumRps: 10 / 30 });
    for (let made = 0; made < 9; made += 1) expect(breaker.failure(CircuitState.Closed)).toBe(false);
    vi.advanceTimersByTime(3_600_000);
    expect(breaker.failure(CircuitState.Closed)).toBe(true);
  });
});
