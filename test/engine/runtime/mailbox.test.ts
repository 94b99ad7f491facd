import { describe, expect, test } from 'vitest';
import { Mailbox } from '../../../src/engine/runtime/embedded/mailbox.ts';
import { createSimulatedClock } from '../../support/simulated-clock.ts';

const idle = new AbortController().signal;

describe('a mailbox', () => {
  test('gives what was kept in the order in which it came, by key', async () => {
    const mailbox = new Mailbox(createSimulatedClock());
    mailbox.put('run_1', 'a', 1);
    mailbox.put('run_1', 'b', 2);
    mailbox.put('run_1', 'a', 3);
    expect(await mailbox.take('run_1', 'a', undefined, idle)).toBe(1);
    expect(await mailbox.take('run_1', 'a', undefined, idle)).toBe(3);
    expect(await mailbox.take('run_1', 'b', undefined, idle)).toBe(2);
  });

  test('serves those who wait in the order in which they came', async () => {
    const mailbox = new Mailbox(createSimulatedClock());
    const first = mailbox.take('run_1', 'a', undefined, idle);
    const second = mailbox.take('run_1', 'a', undefined, idle);
    mailbox.put('run_1', 'a', 'x');
    mailbox.put('run_1', 'a', 'y');
    expect(await Promise.all([first, second])).toEqual(['x', 'y']);
  });

  test('INV-14: keeps a bounded number of values for a run that does not take them', () => {
    const mailbox = new Mailbox(createSimulatedClock());
    const kept = Array.from({ length: 150 }, (_, index) => mailbox.put('run_1', 'a', index));
    expect(kept.filter(Boolean)).toHaveLength(100);
  });

  test('lets go of those who wait too long or are stopped, and of what belongs to a run that is over', async () => {
    const clock = createSimulatedClock();
    const mailbox = new Mailbox(clock);
    expect(await clock.settle(mailbox.take('run_1', 'a', 50, idle))).toBeNull();
    const controller = new AbortController();
    const waiting = mailbox.take('run_1', 'a', 50, controller.signal);
    controller.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    await expect(mailbox.take('run_1', 'a', 50, controller.signal)).rejects.toThrow('stopped');
    mailbox.put('run_1', 'a', 1);
    mailbox.forget('run_1');
    expect(await clock.settle(mailbox.take('run_1', 'a', 10, idle))).toBeNull();
    expect(clock.pendingTimers()).toBe(0);
  });
});
