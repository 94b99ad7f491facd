import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Allowance } from '../../../src/engine/execution/allowance.ts';

describe('an allowance', () => {
  test('INV-4: whatever is taken on any level, no level goes beyond its own limits', () => {
    const limits = fc.record({
      deadlineAtMs: fc.integer({ min: 1, max: 100 }),
      attempts: fc.integer({ min: 0, max: 12 }),
      costNanoUsd: fc.option(fc.bigInt({ min: 0n, max: 1_000n })),
    });
    const actions = fc.array(
      fc.record({
        level: fc.nat({ max: 2 }),
        worst: fc.bigInt({ min: 0n, max: 300n }),
        share: fc.integer({ min: 0, max: 100 }),
        atMs: fc.integer({ min: 0, max: 120 }),
        end: fc.constantFrom('settle', 'give back', 'keep'),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(fc.array(limits, { minLength: 3, maxLength: 3 }), actions, (all, steps) => {
        const levels: Allowance[] = [];
        for (const each of all) levels.push(new Allowance(each, levels.at(-1) ?? null));
        for (const { level, worst, share, atMs, end } of steps) {
          const allowance = levels[level] as Allowance;
          if (allowance.take(worst, atMs) === undefined) {
            expect(atMs).toBeLessThan(
              Math.min(...all.slice(0, level + 1).map(({ deadlineAtMs }) => deadlineAtMs)),
            );
            if (end === 'settle') allowance.settle(worst, (worst * BigInt(share)) / 100n);
            if (end === 'give back') allowance.giveBack(worst);
          }
          for (const [index, each] of levels.entries()) {
            const { attempts, costNanoUsd } = all[index] as (typeof all)[number];
            expect(each.attemptsUsed).toBeLessThanOrEqual(attempts);
            if (costNanoUsd !== null) expect(each.costUsedNanoUsd).toBeLessThanOrEqual(costNanoUsd);
          }
        }
      }),
    );
  });

  test('says what a call would exceed', () => {
    const allowance = new Allowance({ deadlineAtMs: 100, attempts: 2, costNanoUsd: 10n });
    expect(allowance.take(11n, 0)).toBe('cost');
    expect(allowance.take(6n, 0)).toBeUndefined();
    expect(allowance.take(5n, 0)).toBe('cost');
    allowance.settle(6n, 1n);
    expect(allowance.take(5n, 0)).toBeUndefined();
    expect(allowance.take(0n, 0)).toBe('attempts');
    expect(allowance.take(0n, 100)).toBe('deadline');
  });

  test('wakes those who wait when a call that is under way ends', async () => {
    const allowance = new Allowance({ deadlineAtMs: 100, attempts: 5, costNanoUsd: 10n });
    const { signal } = new AbortController();
    expect(await allowance.nextSettlement(signal)).toBe(false);
    allowance.take(10n, 0);
    const waiting = allowance.nextSettlement(signal);
    allowance.settle(10n, 2n);
    expect(await waiting).toBe(true);
  });
});
