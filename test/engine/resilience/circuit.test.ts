// The circuit breaker's life, as a caller of an attempt policy sees it.
import { describe, expect, it } from 'vitest';
import type { CallHealth } from '../../../src/engine/resilience/port.ts';
import { drivePolicy, type PolicyDriver } from './policy-driver.ts';
import { settings } from './settings.ts';

const consecutive = (failures: number, halfOpenAfterMs = 15_000) =>
  settings({ circuitBreaker: { kind: 'consecutive', failures, halfOpenAfterMs } });
const sampling = (threshold: number, minimumCalls: number, windowMs = 30_000) =>
  settings({
    circuitBreaker: { kind: 'sampling', threshold, minimumCalls, windowMs, halfOpenAfterMs: 15_000 },
  });

async function calls(driver: PolicyDriver, health: CallHealth, count: number): Promise<void> {
  for (let made = 0; made < count; made += 1) await driver.call(health);
}

describe('a consecutive breaker', () => {
  it('opens after so many failures in a row, and a success starts the count again', async () => {
    const driver = drivePolicy(consecutive(3));
    await calls(driver, 'failure', 2);
    await driver.call('success');
    await calls(driver, 'failure', 2);
    expect(driver.policy().circuit().state).toBe('closed');
    await driver.call('failure');
    expect(driver.policy().circuit()).toEqual({ state: 'open', retryAfterMs: 15_000 });
    expect(driver.changes).toEqual(['open']);
  });

  it('refuses while open and says when to come back', async () => {
    const driver = drivePolicy(consecutive(1));
    await driver.call('failure');
    await driver.clock.advance(5_000);
    expect(driver.policy().refusal()).toEqual({ code: 'circuit_open', retryAfterMs: 10_000 });
    const call = driver.open();
    expect(await call.result).toEqual({
      kind: 'refused',
      refusal: { code: 'circuit_open', retryAfterMs: 10_000 },
    });
    expect(call.started()).toBe(false);
  });

  it('leaves calls out of its count that the caller calls neither healthy nor failed', async () => {
    const driver = drivePolicy(consecutive(2));
    await driver.call('failure');
    await calls(driver, 'ignore', 10);
    expect(driver.policy().circuit().state).toBe('closed');
    await driver.call('failure');
    expect(driver.policy().circuit().state).toBe('open');
  });
});

describe('a sampling breaker', () => {
  it('opens when the share of failures is reached, and not before the minimum of calls', async () => {
    const driver = drivePolicy(sampling(0.5, 10));
    await calls(driver, 'failure', 5);
    await calls(driver, 'success', 4);
    expect(driver.policy().circuit().state).toBe('closed');
    await driver.call('failure');
    expect(driver.policy().circuit().state).toBe('open');
  });

  it('takes a threshold of 100 % at its word', async () => {
    const driver = drivePolicy(sampling(1, 3));
    await driver.call('success');
    await calls(driver, 'failure', 10);
    expect(driver.policy().circuit().state).toBe('closed');
    await driver.clock.advance(31_000);
    await calls(driver, 'failure', 3);
    expect(driver.policy().circuit().state).toBe('open');
  });

  it('forgets what is older than its window, however long the silence was', async () => {
    const driver = drivePolicy(sampling(0.5, 10));
    await calls(driver, 'failure', 9);
    // Not a whole number of windows: the old counts must not be overwritten by luck.
    await driver.clock.advance(3_604_000);
    await calls(driver, 'failure', 9);
    expect(driver.policy().circuit().state).toBe('closed');
    await driver.call('failure');
    expect(driver.policy().circuit().state).toBe('open');
  });

  it('keeps failures that are spread over the window', async () => {
    const driver = drivePolicy(sampling(0.5, 5, 10_000));
    for (let made = 0; made < 5; made += 1) {
      expect(driver.policy().circuit().state).toBe('closed');
      await driver.call('failure');
      await driver.clock.advance(2_000);
    }
    expect(driver.policy().circuit().state).toBe('open');
  });
});

describe('a half-open circuit', () => {
  it('lets one probe through and closes when it succeeds', async () => {
    const driver = drivePolicy(consecutive(1));
    await driver.call('failure');
    await driver.clock.advance(15_000);
    expect(driver.policy().refusal()).toBeUndefined();
    await driver.call('success');
    expect(driver.policy().circuit()).toEqual({ state: 'closed', retryAfterMs: 0 });
    expect(driver.changes).toEqual(['open', 'half-open', 'closed']);
  });

  it('re-opens for the whole time when the probe fails', async () => {
    const driver = drivePolicy(consecutive(5));
    await calls(driver, 'failure', 5);
    await driver.clock.advance(15_000);
    await driver.call('failure');
    expect(driver.policy().circuit()).toEqual({ state: 'open', retryAfterMs: 15_000 });
  });

  it('never has more than one probe out', async () => {
    const driver = drivePolicy(consecutive(1));
    await driver.call('failure');
    await driver.clock.advance(20_000);
    const probe = driver.open();
    const others = Array.from({ length: 50 }, () => driver.open());
    await driver.clock.flush();
    expect(probe.started()).toBe(true);
    expect(others.filter((other) => other.started())).toHaveLength(0);
    expect(await others[0]?.result).toMatchObject({ kind: 'refused', refusal: { code: 'circuit_open' } });
    expect(driver.policy().circuit().state).toBe('half-open');
    probe.end('success');
    await probe.result;
    expect(driver.policy().refusal()).toBeUndefined();
  });

  it('is probed again at once after a probe that was abandoned by its caller', async () => {
    const driver = drivePolicy(consecutive(1));
    await driver.call('failure');
    await driver.clock.advance(15_000);
    const probe = driver.open();
    probe.controller.abort(new Error('the caller went away'));
    await probe.result;
    expect(driver.policy().circuit()).toEqual({ state: 'open', retryAfterMs: 0 });
    await driver.call('success');
    expect(driver.policy().circuit().state).toBe('closed');
  });

  it('is not wedged by a probe whose body throws', async () => {
    const driver = drivePolicy(consecutive(1));
    await driver.call('failure');
    await driver.clock.advance(15_000);
    const thrown = driver.policy().run(() => Promise.reject(new Error('a bug of ours')), {
      signal: new AbortController().signal,
      timeoutMs: 1_000,
      health: (): CallHealth => 'success',
    });
    await expect(thrown).rejects.toThrow('a bug of ours');
    await driver.call('success');
    expect(driver.policy().circuit().state).toBe('closed');
  });

  it('is not wedged by a probe that runs into its timeout', async () => {
    const driver = drivePolicy(consecutive(1));
    await driver.call('failure');
    await driver.clock.advance(15_000);
    const probe = driver.open({ timeoutMs: 2_000, abortedHealth: 'failure' });
    await driver.clock.advance(2_000);
    await probe.result;
    expect(driver.policy().circuit()).toEqual({ state: 'open', retryAfterMs: 15_000 });
    await driver.clock.advance(15_000);
    await driver.call('success');
    expect(driver.policy().circuit().state).toBe('closed');
  });

  it('is not decided by calls that started before it opened', async () => {
    const driver = drivePolicy(consecutive(2));
    const old = [driver.open(), driver.open(), driver.open()];
    await calls(driver, 'failure', 2);
    await driver.clock.advance(15_000);
    const probe = driver.open();
    old[0]?.end('failure');
    old[1]?.end('success');
    await Promise.all([old[0]?.result, old[1]?.result]);
    expect(driver.policy().circuit().state).toBe('half-open');
    probe.end('success');
    await probe.result;
    old[2]?.end('failure');
    await old[2]?.result;
    await driver.call('failure');
    expect(driver.policy().circuit().state).toBe('closed');
  });
});

describe('INV-7: a change of settings', () => {
  it('leaves an open circuit open, and the new pause counts from when it opened', async () => {
    const driver = drivePolicy(consecutive(1, 15_000));
    await driver.call('failure');
    await driver.clock.advance(4_000);
    driver.configure(consecutive(1, 5_000));
    expect(driver.policy().circuit()).toEqual({ state: 'open', retryAfterMs: 1_000 });
    await driver.clock.advance(1_000);
    await driver.call('success');
    expect(driver.changes).toEqual(['open', 'half-open', 'closed']);
  });

  it('keeps what was counted, even when the kind of breaker changes', async () => {
    const driver = drivePolicy(consecutive(10));
    await calls(driver, 'failure', 4);
    driver.configure(sampling(0.5, 5));
    await driver.call('failure');
    expect(driver.policy().circuit().state).toBe('open');
  });

  it('keeps what a window of another width had counted', async () => {
    const driver = drivePolicy(sampling(0.5, 10, 30_000));
    await calls(driver, 'failure', 9);
    driver.configure(sampling(0.5, 10, 60_000));
    await driver.call('failure');
    expect(driver.policy().circuit().state).toBe('open');
  });

  it('counts over a window of another width from then on', async () => {
    const driver = drivePolicy(sampling(0.5, 10, 30_000));
    driver.configure(sampling(0.5, 10, 60_000));
    await calls(driver, 'failure', 9);
    await driver.clock.advance(45_000);
    await driver.call('failure');
    expect(driver.policy().circuit().state).toBe('open');
  });

  it('lets a probe that is out decide under the new settings', async () => {
    const driver = drivePolicy(consecutive(1));
    await driver.call('failure');
    await driver.clock.advance(15_000);
    const probe = driver.open();
    driver.configure(sampling(0.5, 10));
    probe.end('success');
    await probe.result;
    expect(driver.policy().circuit().state).toBe('closed');
  });

  it('is not undone by a run that still uses the plan from before', async () => {
    const before = consecutive(1);
    const driver = drivePolicy(before);
    driver.configure(consecutive(5));
    driver.configure(before);
    await calls(driver, 'failure', 4);
    expect(driver.policy().circuit().state).toBe('closed');
  });

  it('is undone by a rollback to settings that were in force before, once nobody asks for the newer ones', async () => {
    const before = consecutive(1);
    const driver = drivePolicy(before);
    driver.configure(consecutive(5));
    await driver.clock.advance(5_000);
    driver.configure(before);
    await driver.call('failure');
    expect(driver.policy().circuit().state).toBe('open');
  });
});

describe('reset', () => {
  it('closes an open circuit and forgets its failures', async () => {
    const driver = drivePolicy(consecutive(2));
    await calls(driver, 'failure', 2);
    driver.policy().reset();
    expect(driver.policy().circuit()).toEqual({ state: 'closed', retryAfterMs: 0 });
    await driver.call('failure');
    expect(driver.policy().circuit().state).toBe('closed');
    expect(driver.changes).toEqual(['open', 'closed']);
  });

  it('makes a probe that is out an ordinary call', async () => {
    const driver = drivePolicy(consecutive(1));
    await driver.call('failure');
    await driver.clock.advance(15_000);
    const probe = driver.open();
    await driver.clock.flush();
    driver.policy().reset();
    probe.end('failure');
    await probe.result;
    expect(driver.policy().circuit().state).toBe('closed');
  });

  it('does not let a probe from before it stand in the way of the next one', async () => {
    const driver = drivePolicy(consecutive(1));
    await driver.call('failure');
    await driver.clock.advance(15_000);
    const old = driver.open();
    driver.policy().reset();
    await driver.call('failure');
    await driver.clock.advance(15_000);
    const probe = driver.open();
    await driver.clock.flush();
    expect(probe.started()).toBe(true);
    old.end('success');
    await old.result;
    const other = driver.open();
    expect(await other.result).toMatchObject({ kind: 'refused' });
    probe.end('success');
    await probe.result;
    expect(driver.policy().circuit().state).toBe('closed');
  });
});

it('follows the monotonic clock: a wall clock that jumps cannot hold a circuit open', async () => {
  const driver = drivePolicy(consecutive(1));
  await driver.call('failure');
  driver.clock.setWallMs(0);
  await driver.clock.advance(15_000);
  await driver.call('success');
  expect(driver.policy().circuit().state).toBe('closed');
});
