// Any sequence of calls, ends, aborts, pauses, reloads and resets: one probe at a time, no call let through an open circuit, and no wedge.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { PlanPolicy } from '../../../src/language/plan/types.ts';
import { drivePolicy, type OpenCall } from './policy-driver.ts';
import { settings } from './settings.ts';

const anySettings: fc.Arbitrary<PlanPolicy> = fc.oneof(
  fc
    .record({
      failures: fc.integer({ min: 1, max: 4 }),
      halfOpenAfterMs: fc.integer({ min: 1, max: 20_000 }),
    })
    .map(({ failures, halfOpenAfterMs }) =>
      settings({
        circuitBreaker: { kind: 'consecutive', failures, halfOpenAfterMs },
        bulkhead: { concurrent: 4, queue: 4 },
      }),
    ),
  fc
    .record({
      threshold: fc.double({ min: 0.1, max: 1, noNaN: true }),
      minimumCalls: fc.integer({ min: 1, max: 5 }),
      windowMs: fc.integer({ min: 100, max: 60_000 }),
      halfOpenAfterMs: fc.integer({ min: 1, max: 20_000 }),
    })
    .map((sampling) =>
      settings({ circuitBreaker: { kind: 'sampling', ...sampling }, bulkhead: { concurrent: 2, queue: 3 } }),
    ),
);

type Move =
  | { readonly kind: 'open' }
  | { readonly kind: 'end'; readonly which: number; readonly health: 'success' | 'failure' | 'ignore' }
  | { readonly kind: 'abort'; readonly which: number }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'configure'; readonly to: PlanPolicy }
  | { readonly kind: 'reset' };

const anyMove: fc.Arbitrary<Move> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Move>({ kind: 'open' }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      which: fc.nat(30),
      health: fc.constantFrom('success' as const, 'failure' as const, 'failure' as const, 'ignore' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('abort' as const), which: fc.nat(30) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(30_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('configure' as const), to: anySettings }) },
  { weight: 1, arbitrary: fc.constant<Move>({ kind: 'reset' }) },
);

const STEPS = [
  'closed to open',
  'open to half-open',
  'open to closed',
  'half-open to open',
  'half-open to closed',
];

it('keeps its promises through any life', async () => {
  await fc.assert(
    fc.asyncProperty(anySettings, fc.array(anyMove, { maxLength: 60 }), async (initial, moves) => {
      const driver = drivePolicy(initial);
      const calls: OpenCall[] = [];
      let last = initial;
      for (const move of moves) {
        const call = 'which' in move ? calls[move.which % Math.max(1, calls.length)] : undefined;
        if (move.kind === 'open') {
          const { state, retryAfterMs } = driver.policy().circuit();
          const opened = driver.open({ timeoutMs: 10_000, abortedHealth: 'failure' });
          await driver.clock.flush();
          // Open and not due, or a probe out: nobody passes.
          if (state !== 'closed' && retryAfterMs > 0) expect(opened.started()).toBe(false);
          calls.push(opened);
        }
        if (move.kind === 'end') call?.end(move.health);
        if (move.kind === 'abort') call?.controller.abort();
        if (move.kind === 'advance') await driver.clock.advance(move.ms);
        if (move.kind === 'reset') driver.policy().reset();
        if (move.kind === 'configure') {
          last = { ...move.to };
          driver.configure(last);
        }
        await driver.clock.flush();
        const { state, retryAfterMs } = driver.policy().circuit();
        expect(retryAfterMs).toBeGreaterThanOrEqual(0);
        expect(retryAfterMs).toBeLessThanOrEqual(Math.max(1, last.circuitBreaker.halfOpenAfterMs));
        expect(state !== 'closed' || retryAfterMs === 0).toBe(true);
      }

      // No state is announced twice in a row, and half-open is reached from open alone.
      const path = ['closed', ...driver.changes];
      const steps = driver.changes.map((state, index) => `${path[index]} to ${state}`);
      expect(STEPS).toEqual(expect.arrayContaining(steps));

      // Whatever has happened: once all have ended and the pause is over, one good call closes the circuit.
      for (const call of calls) call.end('ignore');
      await Promise.all(calls.map(({ result }) => result));
      await driver.clock.advance(20_001);
      expect(driver.policy().inFlight()).toBe(0);
      await driver.call('success');
      expect(driver.policy().circuit()).toEqual({ state: 'closed', retryAfterMs: 0 });
      expect(driver.clock.pendingTimers()).toBe(0);
    }),
    { numRuns: 500 },
  );
});
